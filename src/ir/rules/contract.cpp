#include "ir/rules/contract.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/rules/einsum_path.h"
#include "ir/rules/movement.h"

namespace autoray::ir {
namespace {

constexpr std::string_view kMatmul = "(n?,k),(k,m?)->(n?,m?)";
constexpr std::int64_t kFirstEllipsisLabel = 256;

[[noreturn]] void value_error(std::string message) { throw Error(ErrorClass::ValueError, std::move(message)).with_code(401); }

void one(Inference& inference, Dims shape) {
  Type result;
  result.shape = std::move(shape);
  inference.results.assign(1, std::move(result));
}
const Dims& shape_of(const Inference& inference, std::size_t i) { return inference.type(i).shape; }

// "(2,3)": as numpy writes a shape inside a message about broadcasting.
std::string tight(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

[[noreturn]] void not_aligned(const Dims& a, std::size_t i, const Dims& b, std::size_t j) {
  value_error("shapes " + tight(a) + " and " + tight(b) + " not aligned: " + std::to_string(a[i]) + " (dim " +
              std::to_string(i) + ") != " + std::to_string(b[j]) + " (dim " + std::to_string(j) + ")");
}

// The axes of both that are not summed.
Dims remaining(const Dims& a, const Dims& b, const SummedAxes& summed) {
  Dims shape;
  auto add = [&](const Dims& extents, const Dims& axes) {
    for (std::size_t i = 0; i < extents.size(); ++i)
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(i)) == axes.end()) shape.push_back(extents[i]);
  };
  add(a, summed.a);
  add(b, summed.b);
  return shape;
}

}  // namespace

// ---- matmul ----

void shape_matmul(Inference& inference) {
  const Dims &a = shape_of(inference, 0), &b = shape_of(inference, 1);
  for (int i = 0; i < 2; ++i)
    if (shape_of(inference, static_cast<std::size_t>(i)).empty())
      value_error("matmul: Input operand " + std::to_string(i) +
                  " does not have enough dimensions (has 0, gufunc core with signature " + std::string(kMatmul) +
                  " requires 1)");
  std::int64_t inner = a.back(), other = b.size() > 1 ? b[b.size() - 2] : b[0];
  if (inner != other)
    value_error("matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature " +
                std::string(kMatmul) + " (size " + std::to_string(other) + " is different from " + std::to_string(inner) + ")");
  Dims batch_a(a.begin(), a.end() - std::min<std::ptrdiff_t>(2, a.ssize())),
      batch_b(b.begin(), b.end() - std::min<std::ptrdiff_t>(2, b.ssize()));
  Dims shape = batch_a;
  if (!(batch_a == batch_b)) {
    auto joined = broadcast(batch_a, batch_b);
    if (!joined) {
      auto remapped = [](const Dims& full, const Dims& batch) {
        std::string text = tight(full) + "->(";
        for (std::int64_t extent : batch) text += std::to_string(extent) + ",";
        return text + "newaxis,newaxis) ";
      };
      Dims core;
      if (a.size() > 1) core.push_back(a[a.size() - 2]);
      if (b.size() > 1) core.push_back(b.back());
      value_error("operands could not be broadcast together with remapped shapes [original->remapped]: " +
                  remapped(a, batch_a) + remapped(b, batch_b) + " and requested shape " + tight(core));
    }
    shape = *joined;
  }
  if (a.size() > 1) shape.push_back(a[a.size() - 2]);
  if (b.size() > 1) shape.push_back(b.back());
  one(inference, shape);
}

// ---- dot, inner, outer, vdot, tensordot, kron ----

SummedAxes dot_axes(const Dims& a, const Dims& b) {
  std::size_t i = a.size() - 1, j = b.size() > 1 ? b.size() - 2 : 0;
  if (a[i] != b[j]) not_aligned(a, i, b, j);
  return {{static_cast<std::int64_t>(i)}, {static_cast<std::int64_t>(j)}};
}
SummedAxes inner_axes(const Dims& a, const Dims& b) {
  std::size_t i = a.size() - 1, j = b.size() - 1;
  if (a[i] != b[j]) {
    // numpy multiplies by the transpose and names the axis there.
    Dims turned = b;
    if (turned.size() == 2) std::swap(turned[0], turned[1]);
    not_aligned(a, i, turned, turned.size() == 2 ? 0 : j);
  }
  return {{static_cast<std::int64_t>(i)}, {static_cast<std::int64_t>(j)}};
}

void shape_dot(Inference& inference) {
  const Dims &a = shape_of(inference, 0), &b = shape_of(inference, 1);
  one(inference, a.empty() ? b : b.empty() ? a : remaining(a, b, dot_axes(a, b)));
}
void shape_inner(Inference& inference) {
  const Dims &a = shape_of(inference, 0), &b = shape_of(inference, 1);
  one(inference, a.empty() ? b : b.empty() ? a : remaining(a, b, inner_axes(a, b)));
}
void shape_outer(Inference& inference) {
  one(inference, {element_count(shape_of(inference, 0)), element_count(shape_of(inference, 1))});
}
void shape_vdot(Inference& inference) {
  std::int64_t a = element_count(shape_of(inference, 0)), b = element_count(shape_of(inference, 1));
  if (a != b) value_error("cannot reshape array of size " + std::to_string(b) + " into shape (" + std::to_string(a) + ",)");
  one(inference, {});
}

SummedAxes tensordot_axes(const Attr& axes, const Dims& a, const Dims& b) {
  SummedAxes summed;
  if (auto* pair = axes.get<Attr::Tuple>()) {
    if (pair->size() != 2)
      value_error(pair->size() < 2 ? "not enough values to unpack (expected 2, got " + std::to_string(pair->size()) + ")"
                                   : "too many values to unpack (expected 2)");
    summed = {as_axes((*pair)[0], "axes").value_or(Dims{}), as_axes((*pair)[1], "axes").value_or(Dims{})};
  } else if (auto* ints = axes.get<Dims>()) {
    if (ints->size() != 2)
      value_error(ints->size() < 2 ? "not enough values to unpack (expected 2, got " + std::to_string(ints->size()) + ")"
                                   : "too many values to unpack (expected 2)");
    summed = {{(*ints)[0]}, {(*ints)[1]}};
  } else {
    std::int64_t n = as_int(axes, "axes");
    // Counted from the ends: -n ... -1 of a, 0 ... n - 1 of b.
    for (std::int64_t i = 0; i < n; ++i) {
      summed.a.push_back(i - n);
      summed.b.push_back(i);
    }
  }
  auto has_duplicates = [](Dims list) {
    std::sort(list.begin(), list.end());
    return std::adjacent_find(list.begin(), list.end()) != list.end();
  };
  if (has_duplicates(summed.a) || has_duplicates(summed.b)) value_error("duplicate axes are not allowed in tensordot");
  if (summed.a.size() != summed.b.size()) value_error("shape-mismatch for sum");
  auto extent = [](std::int64_t& axis, const Dims& shape) {
    if (axis < -shape.ssize() || axis >= shape.ssize()) throw Error(ErrorClass::IndexError, "tuple index out of range");
    if (axis < 0) axis += shape.ssize();
    return shape[static_cast<std::size_t>(axis)];
  };
  // Pair by pair, as numpy: the first that does not fit is told.
  for (std::size_t i = 0; i < summed.a.size(); ++i)
    if (extent(summed.a[i], a) != extent(summed.b[i], b)) value_error("shape-mismatch for sum");
  return summed;
}
void shape_tensordot(Inference& inference) {
  const Dims &a = shape_of(inference, 0), &b = shape_of(inference, 1);
  one(inference, remaining(a, b, tensordot_axes(inference.attrs[0], a, b)));
}

void shape_kron(Inference& inference) {
  const Dims &a = shape_of(inference, 0), &b = shape_of(inference, 1);
  Dims shape;
  std::size_t rank = std::max(a.size(), b.size());
  for (std::size_t i = 0; i < rank; ++i) {
    std::int64_t x = i + a.size() < rank ? 1 : a[i + a.size() - rank], y = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    shape.push_back(x * y);
  }
  one(inference, shape);
}

void shape_cov(Inference& inference) {
  bool rowvar = as_bool(attribute(inference, "rowvar"), "rowvar");
  // Variables stand in rows; a vector is one variable.
  auto variables = [&](const Dims& shape) -> std::int64_t { return shape.size() < 2 ? 1 : rowvar ? shape[0] : shape[1]; };
  const Dims& m = shape_of(inference, 0);
  if (auto asked = as_dtype(attribute(inference, "dtype")); asked && !is_inexact(*asked) && element_count(m))
    throw Error(ErrorClass::UFuncTypeError, "Cannot cast ufunc 'subtract' output from dtype('float64') to dtype('" +
                                                std::string(name(*asked)) + "') with casting rule 'same_kind'");
  if (m.size() > 2) value_error("m has more than 2 dimensions");
  std::int64_t n = variables(m);
  if (inference.in[1].present()) {
    const Dims& y = shape_of(inference, 1);
    if (y.size() > 2) value_error("y has more than 2 dimensions");
    // One row of y is one variable, whichever way the others stand.
    if (n) n += y.size() == 2 && y[0] == 1 ? 1 : variables(y);
  }
  one(inference, n == 1 ? Dims{} : Dims{n, n});
}

// ---- einsum ----

namespace {

bool is_label(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One operand's or the result's part of the subscripts: labels, and where the ellipsis stands (-1: nowhere).
struct Subscripts {
  Dims labels;
  int ellipsis = -1;
};
Subscripts parse_part(std::string_view text, const std::string& where) {
  Subscripts part;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ') continue;
    if (is_label(c)) {
      part.labels.push_back(c);
    } else if (c == '.') {
      if (text.substr(i, 3) != "..." || part.ellipsis >= 0)
        value_error("einstein sum subscripts string contains a '.' that is not part of an ellipsis ('...') in " + where);
      part.ellipsis = part.labels.ssize();
      i += 2;
    } else {
      value_error(std::string("invalid subscript '") + c + "' in einstein sum subscripts string, subscripts must be letters");
    }
  }
  return part;
}

Dims with_ellipsis(const Subscripts& part, int axes) {
  Dims labels;
  for (int i = 0; i <= part.labels.ssize(); ++i) {
    if (i == part.ellipsis)
      for (int k = axes; k-- > 0;) labels.push_back(kFirstEllipsisLabel + k);
    if (i < part.labels.ssize()) labels.push_back(part.labels[static_cast<std::size_t>(i)]);
  }
  return labels;
}

// numpy's nditer names each operand as it sees it: the result's labels first, then the summed ones; leading new axes are left
// out.
[[noreturn]] void cannot_broadcast(const Einsum& e, std::span<const Dims> shapes) {
  Dims order = e.output;
  for (const Dims& labels : e.inputs)
    for (std::int64_t label : labels)
      if (std::find(order.begin(), order.end(), label) == order.end()) order.push_back(label);
  std::string text = "operands could not be broadcast together with remapped shapes [original->remapped]: ";
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    std::string remapped;
    for (std::int64_t label : order) {
      auto at = std::find(e.inputs[i].begin(), e.inputs[i].end(), label);
      if (at == e.inputs[i].end() && remapped.empty()) continue;
      if (!remapped.empty()) remapped += ",";
      remapped +=
          at == e.inputs[i].end() ? "newaxis" : std::to_string(shapes[i][static_cast<std::size_t>(at - e.inputs[i].begin())]);
    }
    text += tight(shapes[i]) + "->(" + remapped + ") ";
  }
  value_error(text);
}

}  // namespace

Einsum parse_einsum(const std::string& subscripts, std::span<const Dims> shapes) {
  std::string_view text = subscripts;
  std::optional<std::string_view> result_text;
  if (auto arrow = text.find("->"); arrow != std::string_view::npos) {
    result_text = text.substr(arrow + 2);
    text = text.substr(0, arrow);
  }
  std::vector<Subscripts> parts;
  for (std::size_t begin = 0;;) {
    std::size_t comma = text.find(',', begin);
    parts.push_back(parse_part(text.substr(begin, comma == std::string_view::npos ? comma : comma - begin),
                               "operand " + std::to_string(parts.size())));
    if (comma == std::string_view::npos) break;
    begin = comma + 1;
  }
  // numpy has the two words the other way round.
  if (parts.size() < shapes.size())
    value_error("fewer operands provided to einstein sum function than specified in the subscripts string");
  if (parts.size() > shapes.size())
    value_error("more operands provided to einstein sum function than specified in the subscripts string");

  Einsum e;
  int broadcast_axes = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    int spare = shapes[i].ssize() - parts[i].labels.ssize();
    if (spare < 0) value_error("einstein sum subscripts string contains too many subscripts for operand " + std::to_string(i));
    if (spare > 0 && parts[i].ellipsis < 0)
      value_error(
          "operand has more dimensions than subscripts given in einstein sum, but no '...' ellipsis provided to broadcast the "
          "extra dimensions.");
    broadcast_axes = std::max(broadcast_axes, spare);
    e.inputs.push_back(with_ellipsis(parts[i], spare));
  }
  if (result_text) {
    Subscripts part = parse_part(*result_text, "the output");
    for (std::size_t i = 0; i < part.labels.size(); ++i) {
      std::string name(1, static_cast<char>(part.labels[i]));
      if (std::count(part.labels.begin(), part.labels.end(), part.labels[i]) > 1)
        value_error("einstein sum subscripts string includes output subscript '" + name + "' multiple times");
      bool known = false;
      for (const Dims& labels : e.inputs) known |= std::find(labels.begin(), labels.end(), part.labels[i]) != labels.end();
      if (!known)
        value_error("einstein sum subscripts string included output subscript '" + name + "' which never appeared in an input");
    }
    if (part.ellipsis < 0 && broadcast_axes > 0)
      value_error(
          "output has more dimensions than subscripts given in einstein sum, but no '...' ellipsis provided to broadcast the "
          "extra dimensions.");
    e.output = with_ellipsis(part, broadcast_axes);
  } else {
    // Implicit: the ellipsis, then every label that occurs once, in alphabetical order.
    for (int k = broadcast_axes; k-- > 0;) e.output.push_back(kFirstEllipsisLabel + k);
    for (std::int64_t label = 'A'; label <= 'z'; ++label) {
      std::ptrdiff_t count = 0;
      for (const Dims& labels : e.inputs) count += std::count(labels.begin(), labels.end(), label);
      if (count == 1) e.output.push_back(label);
    }
  }
  e.extents.resize(static_cast<std::size_t>(kFirstEllipsisLabel + broadcast_axes), 0);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    constexpr std::int64_t kUnknown = -1;
    Dims own(e.extents.size(), kUnknown);
    for (std::size_t axis = 0; axis < e.inputs[i].size(); ++axis) {
      auto label = static_cast<std::size_t>(e.inputs[i][axis]);
      std::int64_t extent = shapes[i][axis];
      if (own[label] != kUnknown && own[label] != extent)
        value_error("dimensions in operand " + std::to_string(i) + " for collapsing index '" + static_cast<char>(label) +
                    "' don't match (" + std::to_string(own[label]) + " != " + std::to_string(extent) + ")");
      own[label] = extent;
    }
    for (std::int64_t l : e.inputs[i]) {
      auto label = static_cast<std::size_t>(l);
      bool first_seen = true;
      for (std::size_t j = 0; j < i; ++j)
        first_seen &= std::find(e.inputs[j].begin(), e.inputs[j].end(), l) == e.inputs[j].end();
      if (first_seen || e.extents[label] == 1)
        e.extents[label] = own[label];
      else if (own[label] != 1 && own[label] != e.extents[label])
        cannot_broadcast(e, shapes);
    }
  }
  return e;
}

Dims einsum_extents(std::span<const Dims> inputs, std::span<const Dims> shapes) {
  Dims extents;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (std::size_t axis = 0; axis < inputs[i].size(); ++axis) {
      auto label = static_cast<std::size_t>(inputs[i][axis]);
      if (label >= extents.size()) extents.resize(label + 1, 1);
      if (shapes[i][axis] != 1) extents[label] = shapes[i][axis];
    }
  return extents;
}

void shape_einsum(Inference& inference) {
  std::vector<Dims> shapes;
  for (const OperandType& operand : inference.in) shapes.push_back(operand.type->shape);
  if (shapes.empty()) value_error("must specify the einstein sum subscripts string and at least one operand");
  Einsum e = parse_einsum(as_string(inference.attrs[0], "subscripts"), shapes);
  Dims shape;
  for (std::int64_t label : e.output) shape.push_back(e.extent(label));
  one(inference, shape);
}

// ---- dtypes ----

void dtype_contracted(Inference& inference) {
  Promotion promotion;
  for (const OperandType& operand : inference.in)
    if (operand.present()) promotion.add(operand.type->dtype, Kind::Array);
  inference.results[0].dtype = promotion.result();
}

DType einsum_dtype(std::span<const Dims> inputs, const Dims& output, std::span<const DType> dtypes, std::optional<DType> asked,
                   const std::string& casting) {
  Promotion promotion;
  for (DType dtype : dtypes) promotion.add(dtype, Kind::Array);
  // What only moves axes is a view, which keeps its dtype whatever was asked for.
  bool view = inputs.size() == 1 && std::all_of(inputs[0].begin(), inputs[0].end(), [&](std::int64_t label) {
                return std::find(output.begin(), output.end(), label) != output.end();
              });
  if (view || (!asked && casting == "safe")) return promotion.result();
  DType dtype = asked.value_or(promotion.result());
  for (std::size_t i = 0; i < dtypes.size(); ++i)
    if (dtypes[i] != dtype && !can_cast(dtypes[i], dtype, einsum_casting(casting)))
      throw Error(ErrorClass::TypeError, "Iterator operand " + std::to_string(i) + " dtype could not be cast from dtype('" +
                                             std::string(name(dtypes[i])) + "') to dtype('" + std::string(name(dtype)) +
                                             "') according to the rule '" + casting + "'");
  return dtype;
}

Casting einsum_casting(const std::string& casting) {
  static constexpr std::string_view kCastings[] = {"no", "equiv", "safe", "same_kind", "unsafe"};
  auto at = std::find(std::begin(kCastings), std::end(kCastings), casting);
  if (at == std::end(kCastings))
    value_error("casting must be one of 'no', 'equiv', 'safe', 'same_kind', 'unsafe' (got '" + casting + "')");
  return static_cast<Casting>(at - std::begin(kCastings));
}

void dtype_einsum(Inference& inference) {
  memory_order(attribute(inference, "order"), 'K');
  const std::string& casting = as_string(attribute(inference, "casting"), "casting");
  einsum_casting(casting);
  std::vector<Dims> shapes;
  std::vector<DType> dtypes;
  for (const OperandType& operand : inference.in) {
    shapes.push_back(operand.type->shape);
    dtypes.push_back(operand.type->dtype);
  }
  Einsum e = parse_einsum(as_string(inference.attrs[0], "subscripts"), shapes);
  const Attr& optimize = attribute(inference, "optimize");
  if (einsum_is_stepwise(optimize)) return infer_einsum_steps(inference, e, std::move(shapes), std::move(dtypes));
  inference.results[0].dtype = einsum_dtype(e.inputs, e.output, dtypes, as_dtype(attribute(inference, "dtype")), casting);
}

void dtype_cov(Inference& inference) {
  // Without variables numpy answers with an array of its own.
  bool none = !inference.results[0].shape.empty() && inference.results[0].shape[0] == 0;
  if (auto asked = as_dtype(attribute(inference, "dtype"))) {
    // Weights are float64, and so is what they weigh.
    bool weighted = inference.in[2].present() || inference.in[3].present();
    inference.results[0].dtype = none ? DType::Float64 : weighted ? promote(*asked, DType::Float64) : *asked;
    return;
  }
  Promotion promotion;
  promotion.add(DType::Float64, Kind::Array);
  for (std::size_t i = 0; i < 2; ++i)
    if (inference.in[i].present()) promotion.add(inference.type(i).dtype, Kind::Array);
  inference.results[0].dtype = none ? DType::Float64 : promotion.result();
}

}  // namespace autoray::ir
