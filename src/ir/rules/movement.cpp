#include "ir/rules/movement.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/reduction.h"
#include "ir/signature.h"

namespace autoray::ir {

namespace {

void one(Inference& inference, Dims shape) {
  Type result;
  result.shape = std::move(shape);
  inference.results.assign(1, result);
}
const Dims& first(const Inference& inference) { return inference.type(0).shape; }

}  // namespace

void dtype_first(Inference& inference) {
  for (Type& result : inference.results) result.dtype = inference.type(0).dtype;
}
void dtype_intp(Inference& inference) {
  for (Type& result : inference.results) result.dtype = DType::Int64;
}
void dtype_joined(Inference& inference) {
  Promotion promotion;
  for (const OperandType& operand : inference.in)
    if (operand.present())
      promotion.add(operand.type->dtype, operand.type->kind == Kind::Weak ? Kind::Array : operand.type->kind);
  DType dtype = promotion.result();
  if (inference.op.signature.find("casting") != std::string_view::npos) {
    static constexpr std::string_view kNames[] = {"no", "equiv", "safe", "same_kind", "unsafe"};
    const std::string& casting = as_string(attribute(inference, "casting"), "casting");
    auto found = std::find(std::begin(kNames), std::end(kNames), casting);
    if (found == std::end(kNames))
      throw Error(ErrorClass::ValueError,
                  "casting must be one of 'no', 'equiv', 'safe', 'same_kind', 'unsafe' (got '" + casting + "')");
    if (auto asked = as_dtype(attribute(inference, "dtype"))) dtype = *asked;
    for (const OperandType& operand : inference.in)
      if (!can_cast(operand.type->dtype, dtype, static_cast<Casting>(found - std::begin(kNames))))
        throw Error(ErrorClass::TypeError, "Cannot cast array data from dtype('" + std::string(name(operand.type->dtype)) +
                                               "') to dtype('" + std::string(name(dtype)) + "') according to the rule '" +
                                               casting + "'");
  }
  for (Type& result : inference.results) result.dtype = dtype;
}

// ---- what several rules check ----

char memory_order(const Attr& attr, char otherwise) {
  if (attr.none()) return otherwise;
  const std::string& text = as_string(attr, "order");
  if (text.size() == 1)
    for (char order : {'C', 'F', 'A', 'K'})
      if (std::toupper(static_cast<unsigned char>(text[0])) == order) return order;
  throw Error(ErrorClass::ValueError, "order must be one of 'C', 'F', 'A', or 'K' (got '" + text + "')");
}
void check_device(const Attr& attr) {
  if (attr.none()) return;
  if (const std::string& text = as_string(attr, "device"); text != "cpu")
    throw Error(ErrorClass::ValueError, "Device not understood. Only \"cpu\" is allowed, but received: " + text);
}
std::int64_t truncated(const Attr& attr, std::string_view what) {
  if (auto* real = attr.get<double>()) return static_cast<std::int64_t>(*real);
  return as_int(attr, what);
}

// ---- views ----

namespace {
int axis_of(const Inference& inference, std::string_view parameter, int ndim) {
  return normalize_axis(as_int(attribute(inference, parameter), parameter), ndim, parameter);
}
Dims axes_of(const Inference& inference, std::string_view parameter, int ndim) {
  auto axes = as_axes(attribute(inference, parameter), parameter);
  if (!axes) return normalize_axes(axes, ndim);
  for (std::int64_t& axis : *axes) axis = normalize_axis(axis, ndim, parameter);
  for (std::size_t i = 0; i < axes->size(); ++i)
    if (std::find(axes->begin() + i + 1, axes->end(), (*axes)[i]) != axes->end())
      throw Error(ErrorClass::ValueError, "repeated axis in `" + std::string(parameter) + "` argument");
  return *axes;
}
}  // namespace

void shape_reshape(Inference& inference) {
  const Attr& shape = attribute(inference, "shape");
  Dims target;
  if (auto* dims = shape.get<Dims>())
    target = *dims;
  else
    target = Dims{as_int(shape, "shape")};
  one(inference, resolve_reshape(element_count(first(inference)), target));
}
void shape_transpose(Inference& inference) {
  const Dims& shape = first(inference);
  auto axes = as_axes(attribute(inference, "axes"), "axes");
  Dims result;
  if (!axes) {
    result = Dims(shape.begin(), shape.end());
    std::reverse(result.begin(), result.end());
  } else {
    if (axes->size() != shape.size()) throw Error(ErrorClass::ValueError, "axes don't match array");
    Dims normal;
    for (std::int64_t a : *axes) {
      std::int64_t n = normalize_axis(a, shape.ssize());
      for (std::int64_t seen : normal)
        if (seen == n) throw Error(ErrorClass::ValueError, "repeated axis in transpose");
      normal.push_back(n);
      result.push_back(shape[static_cast<std::size_t>(n)]);
    }
  }
  one(inference, result);
}
void shape_swapaxes(Inference& inference) {
  Dims shape = first(inference);
  int a = axis_of(inference, "axis1", shape.ssize()), b = axis_of(inference, "axis2", shape.ssize());
  std::swap(shape[static_cast<std::size_t>(a)], shape[static_cast<std::size_t>(b)]);
  one(inference, shape);
}
void shape_moveaxis(Inference& inference) {
  const Dims& shape = first(inference);
  Dims source = axes_of(inference, "source", shape.ssize()), destination = axes_of(inference, "destination", shape.ssize());
  if (source.size() != destination.size())
    throw Error(ErrorClass::ValueError, "`source` and `destination` arguments must have the same number of elements");
  Dims result(shape.size(), -1);
  for (std::size_t i = 0; i < source.size(); ++i)
    result[static_cast<std::size_t>(destination[i])] = shape[static_cast<std::size_t>(source[i])];
  std::size_t next = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (std::find(source.begin(), source.end(), static_cast<std::int64_t>(i)) != source.end()) continue;
    while (std::find(destination.begin(), destination.end(), static_cast<std::int64_t>(next)) != destination.end()) ++next;
    result[next++] = shape[i];
  }
  one(inference, result);
}
void shape_expand_dims(Inference& inference) {
  Dims shape = first(inference);
  auto axes = as_axes(attribute(inference, "axis"), "axis");
  if (!axes) throw Error(ErrorClass::TypeError, "'NoneType' object cannot be interpreted as an integer");
  int ndim = shape.ssize() + static_cast<int>(axes->size());
  Dims normal = normalize_axes(axes, ndim);
  std::sort(normal.begin(), normal.end());
  for (std::int64_t a : normal) shape.insert(static_cast<std::size_t>(a), 1);
  one(inference, shape);
}
void shape_squeeze(Inference& inference) {
  const Dims& shape = first(inference);
  auto axes = as_axes(attribute(inference, "axis"), "axis");
  Dims drop;
  if (axes) drop = reduction_axes(attribute(inference, "axis"), shape.ssize());
  Dims result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    bool named = std::find(drop.begin(), drop.end(), static_cast<std::int64_t>(i)) != drop.end();
    if (named && shape[i] != 1)
      throw Error(ErrorClass::ValueError, "cannot select an axis to squeeze out which has size not equal to one");
    if (axes ? !named : shape[i] != 1) result.push_back(shape[i]);
  }
  one(inference, result);
}
void shape_flat(Inference& inference) { one(inference, Dims{element_count(first(inference))}); }
void shape_broadcast_to(Inference& inference) {
  Dims target = as_shape(attribute(inference, "shape"), "shape");
  auto fits = broadcast(first(inference), target);
  if (!fits || !(*fits == target)) {
    std::span<const std::int64_t> a[] = {first(inference)}, b[] = {target};
    std::string from = broadcast_shapes_text(a), to = broadcast_shapes_text(b);
    if (first(inference).size() > target.size())
      throw Error(ErrorClass::ValueError, "input operand has more dimensions than allowed by the axis remapping");
    throw Error(ErrorClass::ValueError, "operands could not be broadcast together with remapped shapes [original->remapped]: " +
                                            from.substr(0, from.size() - 1) + "  and requested shape " +
                                            to.substr(0, to.size() - 1))
        .with_code(401);
  }
  one(inference, target);
}
void shape_same(Inference& inference) { one(inference, first(inference)); }
void shape_diagonal(Inference& inference) {
  const Dims& shape = first(inference);
  if (shape.size() < 2) throw Error(ErrorClass::ValueError, "diag requires an array of at least two dimensions");
  std::int64_t offset = as_int(attribute(inference, "offset"), "offset");
  int a = axis_of(inference, "axis1", shape.ssize()), b = axis_of(inference, "axis2", shape.ssize());
  if (a == b) throw Error(ErrorClass::ValueError, "axis1 and axis2 cannot be the same");
  std::int64_t n = shape[static_cast<std::size_t>(a)], m = shape[static_cast<std::size_t>(b)];
  std::int64_t length = std::max<std::int64_t>(0, offset >= 0 ? std::min(n, m - offset) : std::min(n + offset, m));
  Dims result;
  for (int i = 0; i < shape.ssize(); ++i)
    if (i != a && i != b) result.push_back(shape[static_cast<std::size_t>(i)]);
  result.push_back(length);
  one(inference, result);
}
void shape_trace(Inference& inference) {
  shape_diagonal(inference);
  inference.results[0].shape.pop_back();
}
void shape_diag(Inference& inference) {
  const Dims& shape = first(inference);
  std::int64_t k = as_int(attribute(inference, "k"), "k");
  if (shape.size() == 1) {
    std::int64_t n = 0;
    if (k == INT64_MIN || __builtin_add_overflow(shape[0], std::llabs(k), &n))
      throw Error(ErrorClass::ValueError, "Maximum allowed dimension exceeded");
    one(inference, Dims{n, n});
  } else if (shape.size() == 2) {
    one(inference,
        Dims{std::max<std::int64_t>(0, k >= 0 ? std::min(shape[0], shape[1] - k) : std::min(shape[0] + k, shape[1]))});
  } else {
    throw Error(ErrorClass::ValueError, "Input must be 1- or 2-d.");
  }
}
std::int64_t diagonal_number(const Attr& k, std::int64_t rows, std::int64_t columns) {
  auto* real = k.get<double>();
  std::int64_t number =
      real ? static_cast<std::int64_t>(std::floor(std::fmin(std::fmax(*real, -0x1p62), 0x1p62))) : as_int(k, "k");
  return std::clamp(number, -rows - 1, columns + 1);
}
void shape_triangle(Inference& inference) {
  Dims shape = first(inference);
  if (shape.empty()) throw Error(ErrorClass::TypeError, "tri() missing 1 required positional argument: 'N'");
  if (shape.size() == 1) shape = Dims{shape[0], shape[0]};
  one(inference, shape);
}
void shape_atleast_1d(Inference& inference) {
  inference.results.clear();
  for (const OperandType& operand : inference.in) {
    Type t;
    t.dtype = operand.type->dtype;
    t.shape = operand.type->shape.empty() ? Dims{1} : operand.type->shape;
    inference.results.push_back(t);
  }
}
void shape_atleast_2d(Inference& inference) {
  inference.results.clear();
  for (const OperandType& operand : inference.in) {
    Type t;
    t.dtype = operand.type->dtype;
    t.shape = operand.type->shape;
    while (t.shape.size() < 2) t.shape.insert(0, 1);
    inference.results.push_back(t);
  }
}
void shape_tile(Inference& inference) {
  Dims shape = first(inference), reps = as_axes(attribute(inference, "reps"), "reps").value_or(Dims{});
  while (reps.size() < shape.size()) reps.insert(0, 1);
  while (shape.size() < reps.size()) shape.insert(0, 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    shape[i] *= reps[i];
    if (shape[i] < 0) throw Error(ErrorClass::ValueError, "negative dimensions are not allowed");
  }
  one(inference, shape);
}
Dims repeat_counts(const Attr& repeats) {
  if (repeats.get<double>()) return Dims{truncated(repeats, "repeats")};
  return as_axes(repeats, "repeats").value_or(Dims{1});
}
void shape_repeat(Inference& inference) {
  Dims shape = first(inference), counts = repeat_counts(attribute(inference, "repeats"));
  const Attr& axis_attr = attribute(inference, "axis");
  if (axis_attr.none() || shape.empty()) shape = Dims{element_count(shape)};
  auto axis = static_cast<std::size_t>(axis_attr.none() ? 0 : scan_axis(axis_attr, shape.ssize()));
  std::int64_t total = 0;
  for (std::int64_t c : counts) {
    if (c < 0 && shape[axis])
      throw Error(ErrorClass::ValueError,
                  counts.size() == 1 ? "negative dimensions are not allowed" : "repeats may not contain negative values.");
    // Too many items for any array: refused as an extent that is too big is.
    if (__builtin_add_overflow(total, c, &total)) element_count(Dims{INT64_MAX, 2});
  }
  if (counts.size() == 1)
    total = element_count(Dims{std::max<std::int64_t>(0, counts[0]), shape[axis]});
  else if (static_cast<std::int64_t>(counts.size()) != shape[axis])
    throw Error(ErrorClass::ValueError, "operands could not be broadcast together with shape (" + std::to_string(shape[axis]) +
                                            ",) (" + std::to_string(counts.size()) + ",)")
        .with_code(401);
  shape[axis] = total;
  one(inference, shape);
}

// ---- joins ----

namespace {
void join(Inference& inference, const std::vector<Dims>& shapes, std::int64_t axis_value) {
  if (shapes.empty()) throw Error(ErrorClass::ValueError, "need at least one array to concatenate");
  Dims result = shapes[0];
  if (result.empty()) throw Error(ErrorClass::ValueError, "zero-dimensional arrays cannot be concatenated");
  auto axis = static_cast<std::size_t>(normalize_axis(axis_value, result.ssize()));
  for (std::size_t k = 1; k < shapes.size(); ++k) {
    const Dims& shape = shapes[k];
    if (shape.size() != result.size())
      throw Error(ErrorClass::ValueError,
                  "all the input arrays must have same number of dimensions, but the array at index 0 has " +
                      std::to_string(result.size()) + " dimension(s) and the array at index " + std::to_string(k) + " has " +
                      std::to_string(shape.size()) + " dimension(s)");
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (i != axis && shape[i] != result[i])
        throw Error(
            ErrorClass::ValueError,
            "all the input array dimensions except for the concatenation axis must match exactly, but along dimension " +
                std::to_string(i) + ", the array at index 0 has size " + std::to_string(result[i]) +
                " and the array at index " + std::to_string(k) + " has size " + std::to_string(shape[i]))
            .with_code(401);
    result[axis] += shape[axis];
  }
  one(inference, result);
}
std::vector<Dims> shapes_of(const Inference& inference) {
  std::vector<Dims> shapes;
  for (const OperandType& operand : inference.in) shapes.push_back(operand.type->shape);
  return shapes;
}
}  // namespace

void shape_concatenate(Inference& inference) {
  const Attr& axis = attribute(inference, "axis");
  std::vector<Dims> shapes = shapes_of(inference);
  if (axis.none())
    for (Dims& shape : shapes) shape = Dims{element_count(shape)};
  join(inference, shapes, axis.none() ? 0 : as_int(axis, "axis"));
}
void shape_stack(Inference& inference) {
  std::vector<Dims> shapes = shapes_of(inference);
  if (shapes.empty()) throw Error(ErrorClass::ValueError, "need at least one array to stack");
  for (const Dims& shape : shapes)
    if (!(shape == shapes[0])) throw Error(ErrorClass::ValueError, "all input arrays must have the same shape");
  Dims result = shapes[0];
  int axis = normalize_axis(as_int(attribute(inference, "axis"), "axis"), result.ssize() + 1);
  result.insert(static_cast<std::size_t>(axis), static_cast<std::int64_t>(shapes.size()));
  one(inference, result);
}
void shape_vstack(Inference& inference) {
  std::vector<Dims> shapes = shapes_of(inference);
  for (Dims& shape : shapes)
    while (shape.size() < 2) shape.insert(0, 1);
  join(inference, shapes, 0);
}
void shape_hstack(Inference& inference) {
  std::vector<Dims> shapes = shapes_of(inference);
  for (Dims& shape : shapes)
    if (shape.empty()) shape = Dims{1};
  join(inference, shapes, !shapes.empty() && shapes[0].size() == 1 ? 0 : 1);
}
void shape_column_stack(Inference& inference) {
  std::vector<Dims> shapes = shapes_of(inference);
  for (Dims& shape : shapes)
    if (shape.size() < 2) shape = Dims{shape.empty() ? 1 : shape[0], 1};
  join(inference, shapes, 1);
}
Dims split_points(const Attr& sections, std::int64_t length, bool equal) {
  Dims ends;
  if (auto* points = sections.get<Dims>()) {
    for (std::int64_t p : *points) ends.push_back(p);
    ends.push_back(length);
    return ends;
  }
  std::int64_t n = truncated(sections, "indices_or_sections");
  if (equal && n == 0) throw Error(ErrorClass::ZeroDivisionError, "integer modulo by zero");
  if (n <= 0) throw Error(ErrorClass::ValueError, "number sections must be larger than 0.");
  if (equal && length % n) throw Error(ErrorClass::ValueError, "array split does not result in an equal division");
  std::int64_t end = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    end += length / n + (i < length % n);
    ends.push_back(end);
  }
  return ends;
}
namespace {
void split_rule(Inference& inference, bool equal) {
  const Dims& shape = first(inference);
  std::int64_t asked = as_int(attribute(inference, "axis"), "axis");
  // numpy looks the length up in the shape's tuple.
  if (asked < -shape.ssize() || asked >= shape.ssize()) throw Error(ErrorClass::IndexError, "tuple index out of range");
  auto axis = static_cast<std::size_t>(normalize_axis(asked, shape.ssize()));
  Dims ends = split_points(attribute(inference, "indices_or_sections"), shape[axis], equal);
  inference.results.clear();
  std::int64_t from = 0, length = shape[axis];
  auto clip = [&](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + length : p, 0, length); };
  for (std::int64_t end : ends) {
    Type part;
    part.shape = shape;
    part.shape[axis] = std::max<std::int64_t>(0, clip(end) - clip(from));
    inference.results.push_back(part);
    from = end;
  }
}
}  // namespace
void shape_split(Inference& inference) { split_rule(inference, true); }
void shape_array_split(Inference& inference) { split_rule(inference, false); }

std::vector<std::pair<std::int64_t, std::int64_t>> pad_widths(const Attr& widths, int ndim) {
  std::vector<std::pair<std::int64_t, std::int64_t>> result;
  auto check = [](std::int64_t w) {
    if (w < 0) throw Error(ErrorClass::ValueError, "index can't contain negative values");
    return w;
  };
  if (auto* dims = widths.get<Dims>()) {
    if (dims->size() == 1)
      result.assign(static_cast<std::size_t>(ndim), {check((*dims)[0]), check((*dims)[0])});
    else if (dims->size() == 2)
      result.assign(static_cast<std::size_t>(ndim), {check((*dims)[0]), check((*dims)[1])});
    else
      throw Error(ErrorClass::ValueError,
                  "operands could not be broadcast together with remapped shapes [original->remapped]: (" +
                      std::to_string(dims->size()) + ",)  and requested shape (" + std::to_string(ndim) + ",2)")
          .with_code(401);
  } else if (auto* tuple = widths.get<Attr::Tuple>()) {
    for (const Attr& item : *tuple) {
      Dims pair = as_axes(item, "pad_width").value_or(Dims{0});
      result.push_back({check(pair[0]), check(pair.size() > 1 ? pair[1] : pair[0])});
    }
    if (result.size() == 1) result.assign(static_cast<std::size_t>(ndim), result[0]);
    if (static_cast<int>(result.size()) != ndim)
      throw Error(ErrorClass::ValueError,
                  "operands could not be broadcast together with remapped shapes [original->remapped]: (" +
                      std::to_string(result.size()) + ",2)  and requested shape (" + std::to_string(ndim) + ",2)")
          .with_code(401);
  } else {
    std::int64_t w = check(as_int(widths, "pad_width"));
    result.assign(static_cast<std::size_t>(ndim), {w, w});
  }
  return result;
}
void shape_pad(Inference& inference) {
  const std::string& mode = as_string(attribute(inference, "mode"), "mode");
  if (mode != "constant" && !attribute(inference, "constant_values").get<Ellipsis>())
    throw Error(ErrorClass::ValueError, "unsupported keyword arguments for mode '" + mode + "': {'constant_values'}");
  Dims shape = first(inference);
  auto widths = pad_widths(attribute(inference, "pad_width"), shape.ssize());
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += widths[i].first + widths[i].second;
  one(inference, shape);
}

// ---- indexing, sorting ----

void shape_take(Inference& inference) {
  const Attr& axis_attr = attribute(inference, "axis");
  const Dims& indices = inference.type(1).shape;
  if (axis_attr.none()) return one(inference, indices);
  const Dims& shape = first(inference).empty() ? Dims{1} : first(inference);
  auto axis = static_cast<std::size_t>(normalize_axis(as_int(axis_attr, "axis"), shape.ssize()));
  Dims result(shape.begin(), shape.begin() + axis);
  for (std::int64_t d : indices) result.push_back(d);
  for (std::size_t i = axis + 1; i < shape.size(); ++i) result.push_back(shape[i]);
  one(inference, result);
}
void shape_take_along_axis(Inference& inference) {
  const Attr& axis_attr = attribute(inference, "axis");
  Dims shape = first(inference), indices = inference.type(1).shape;
  if (axis_attr.none())
    shape = Dims{element_count(shape)};
  else
    normalize_axis(as_int(axis_attr, "axis"), shape.ssize());
  if (!is_integer(inference.type(1).dtype)) throw Error(ErrorClass::IndexError, "`indices` must be an integer array");
  if (axis_attr.none() && indices.size() != 1)
    throw Error(ErrorClass::ValueError, "when axis=None, `indices` must have a single dimension.");
  if (shape.size() != indices.size())
    throw Error(ErrorClass::ValueError, "`indices` and `arr` must have the same number of dimensions");
  auto axis = static_cast<std::size_t>(axis_attr.none() ? 0 : normalize_axis(as_int(axis_attr, "axis"), shape.ssize()));
  shape[axis] = indices[axis] = 1;
  auto fits = broadcast(shape, indices);
  if (!fits) {
    std::span<const std::int64_t> a[] = {inference.type(1).shape}, b[] = {shape};
    std::string from = broadcast_shapes_text(a), to = broadcast_shapes_text(b);
    throw Error(ErrorClass::IndexError,
                "shape mismatch: indexing arrays could not be broadcast together with shapes " + from + to)
        .with_code(401);
  }
  Dims result = *fits;
  result[axis] = inference.type(1).shape[axis];
  one(inference, result);
}
void shape_sort(Inference& inference) {
  const Attr& axis_attr = attribute(inference, "axis");
  if (axis_attr.none()) return one(inference, Dims{element_count(first(inference))});
  bool orders_scalars = inference.op.id == OpId::Argsort && first(inference).empty();
  normalize_axis(as_int(axis_attr, "axis"), orders_scalars ? 1 : first(inference).ssize());
  one(inference, orders_scalars ? Dims{1} : first(inference));
}
void shape_searchsorted(Inference& inference) {
  if (first(inference).size() != 1)
    throw Error(ErrorClass::ValueError,
                first(inference).empty() ? "object of too small depth for desired array" : "object too deep for desired array");
  if (inference.in.size() > 2 && inference.in[2].present()) {
    const Type& sorter = inference.type(2);
    if (!is_integer(sorter.dtype)) throw Error(ErrorClass::TypeError, "sorter must only contain integers");
    if (element_count(sorter.shape) != element_count(first(inference)))
      throw Error(ErrorClass::ValueError, "sorter.size must equal a.size");
  }
  one(inference, inference.type(1).shape);
}

// ---- creation ----

namespace {
// A fill value broadcasts into the array; it cannot make it larger.
void check_fill(const Dims& fill, const Dims& shape) {
  // Axes of length one in front are dropped, as in any assignment.
  std::size_t lead = 0;
  while (fill.size() - lead > shape.size() && fill[lead] == 1) ++lead;
  auto text = [](const Dims& dims) {
    std::span<const std::int64_t> list[] = {dims};
    std::string padded = broadcast_shapes_text(list);
    return padded.substr(0, padded.size() - 1);
  };
  auto fits = broadcast(std::span<const std::int64_t>(fill).subspan(lead), shape);
  if (!fits || !(*fits == shape))
    throw Error(ErrorClass::ValueError,
                "could not broadcast input array from shape " + text(fill) + " into shape " + text(shape))
        .with_code(401);
}
}  // namespace

void shape_full(Inference& inference) {
  one(inference, as_shape(attribute(inference, "shape"), "shape"));
  if (inference.op.id == OpId::Full) check_fill(inference.type(0).shape, inference.results[0].shape);
}
namespace {
// Arrays from nothing have no order to keep.
void check_creation(const Inference& inference) {
  if (char order = memory_order(attribute(inference, "order"), 'C'); order != 'C' && order != 'F')
    throw Error(ErrorClass::ValueError, "only 'C' or 'F' order is permitted");
  check_device(attribute(inference, "device"));
}
}  // namespace

void dtype_created(Inference& inference) {
  if (inference.op.id != OpId::Identity) check_creation(inference);
  inference.results[0].dtype = as_dtype(attribute(inference, "dtype")).value_or(DType::Float64);
}
void dtype_full(Inference& inference) {
  check_creation(inference);
  auto dtype = as_dtype(attribute(inference, "dtype"));
  const Type& fill = inference.type(0);
  inference.results[0].dtype = dtype ? *dtype : fill.dtype;
}
void shape_eye(Inference& inference) {
  std::int64_t n = as_int(attribute(inference, "N"), "N");
  const Attr& m = attribute(inference, "M");
  one(inference, as_shape(Dims{n, m.none() ? n : as_int(m, "M")}, "N"));
}
void shape_identity(Inference& inference) {
  std::int64_t n = as_int(attribute(inference, "n"), "n");
  one(inference, as_shape(Dims{n, n}, "n"));
}
void dtype_like(Inference& inference) {
  memory_order(attribute(inference, "order"), 'K');
  check_device(attribute(inference, "device"));
  auto dtype = as_dtype(attribute(inference, "dtype"));
  inference.results[0].dtype = dtype ? *dtype : inference.type(0).dtype;
}
void shape_like(Inference& inference) {
  const Attr& shape = attribute(inference, "shape");
  one(inference, shape.none() ? first(inference) : as_shape(shape, "shape"));
  if (inference.op.id == OpId::FullLike) check_fill(inference.type(1).shape, inference.results[0].shape);
}

}  // namespace autoray::ir
