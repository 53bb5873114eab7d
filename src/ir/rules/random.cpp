#include "ir/rules/random.h"

#include "ir/error.h"
#include "ir/rules/elementwise.h"

namespace autoray::ir {
namespace {

std::string function_name(const Op& op) { return std::string(op.path.substr(op.path.rfind('.') + 1)); }

[[noreturn]] void not_an_integer(std::string_view type) {
  throw Error(ErrorClass::TypeError, "'" + std::string(type) + "' object cannot be interpreted as an integer");
}

std::string_view python_type(const Attr& attr) {
  if (attr.get<double>()) return "float";
  if (attr.get<std::string>()) return "str";
  if (attr.get<std::complex<double>>()) return "complex";
  if (attr.none()) return "NoneType";
  if (attr.get<Dims>() || attr.get<Attr::Tuple>()) return "tuple";
  return "object";
}

// Draws list their attributes in one order: size, then dtype (choice: size, replace, axis, shuffle).
constexpr std::size_t kSizeAttr = 0, kDTypeAttr = 1, kChoiceAxisAttr = 2;

const Attr* attribute(const Inference& inference, std::size_t at) {
  return at < inference.attrs.size() ? &inference.attrs[at] : nullptr;
}

struct Argument {
  std::span<const std::int64_t> shape;
  std::size_t number;
};

// numpy's broadcasting of arguments that it numbers in its message.
Dims broadcast_arguments(std::span<const Argument> arguments) {
  std::size_t ndim = 0;
  for (const Argument& argument : arguments) ndim = std::max(ndim, argument.shape.size());
  Dims result(ndim, 1);
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    const Argument* source = nullptr;
    for (const Argument& argument : arguments) {
      std::size_t lead = ndim - argument.shape.size();
      if (axis < lead || argument.shape[axis - lead] == 1) continue;
      std::int64_t extent = argument.shape[axis - lead];
      if (!source) {
        result[axis] = extent;
        source = &argument;
      } else if (result[axis] != extent) {
        auto text = [](std::span<const std::int64_t> shape) {
          std::string joined = "(";
          for (std::size_t i = 0; i < shape.size(); ++i) joined += (i ? "," : "") + std::to_string(shape[i]);
          return joined + (shape.size() == 1 ? ",)" : ")");
        };
        throw Error(ErrorClass::ValueError,
                    "shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is between arg " +
                        std::to_string(source->number) + " with shape " + text(source->shape) + " and arg " +
                        std::to_string(argument.number) + " with shape " + text(argument.shape) + ".");
      }
    }
  }
  return result;
}

void set_result(Inference& inference, Dims shape, bool scalar) {
  Type result;
  result.shape = std::move(shape);
  result.kind = scalar ? Kind::Weak : Kind::Array;
  inference.results.assign(1, std::move(result));
}

}  // namespace

std::optional<Dims> draw_size(const Attr& attr) {
  if (attr.none()) return std::nullopt;
  Dims shape;
  auto add = [&](std::int64_t extent) {
    if (extent < 0) throw Error(ErrorClass::ValueError, "negative dimensions are not allowed");
    shape.push_back(extent);
  };
  if (auto* extent = attr.get<std::int64_t>()) {
    add(*extent);
  } else if (auto* extents = attr.get<Dims>()) {
    for (std::int64_t e : *extents) add(e);
  } else if (auto* items = attr.get<Attr::Tuple>()) {
    for (const Attr& item : *items) {
      if (auto* e = item.get<std::int64_t>()) {
        add(*e);
      } else if (auto* flag = item.get<bool>()) {
        add(*flag);
      } else {
        not_an_integer(python_type(item));
      }
    }
  } else if (auto* flag = attr.get<bool>()) {
    throw Error(ErrorClass::TypeError,
                std::string("expected a sequence of integers or a single integer, got '") + (*flag ? "True" : "False") + "'");
  } else if (auto* real = attr.get<double>()) {
    std::string text = std::to_string(*real);
    while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
    throw Error(ErrorClass::TypeError, "expected a sequence of integers or a single integer, got '" + text + "'");
  } else {
    not_an_integer(python_type(attr));
  }
  if (shape.ssize() > kMaxDims)
    throw Error(ErrorClass::ValueError, "maximum supported dimension for an ndarray is currently " + std::to_string(kMaxDims) +
                                            ", found " + std::to_string(shape.size()));
  return shape;
}

void shape_draw(Inference& inference) {
  std::optional<Dims> size = draw_size(inference.attrs[kSizeAttr]);
  // Integers broadcast before their result is made, the others into it: so numpy numbers them.
  bool integers = inference.op.dtype_rule == dtype_draw_integers;
  SmallVector<Argument, 4> arguments;
  std::size_t number = integers || !size ? 0 : 1;
  for (std::size_t i = 0; i < inference.in.size(); ++i) {
    if (!inference.in[i].present()) {
      ++number;
      continue;
    }
    if (is_complex(inference.type(i).dtype))
      throw Error(ErrorClass::TypeError, "float() argument must be a string or a real number, not 'complex'");
    arguments.push_back({inference.type(i).shape, number++});
  }
  Dims parameters = broadcast_arguments(arguments);
  if (!size) {
    bool scalar = parameters.empty();
    set_result(inference, std::move(parameters), scalar);
    return;
  }
  Argument out{*size, integers ? number : 0};
  arguments.insert(integers ? arguments.size() : 0, out);
  Dims all = broadcast_arguments(arguments);
  if (!parameters.empty() && !(all == *size))
    throw Error(ErrorClass::ValueError, "Output size " + to_string(*size) +
                                            " is not compatible with broadcast dimensions of inputs " + to_string(all) + ".");
  set_result(inference, std::move(*size), false);
}

void shape_rand(Inference& inference) {
  const Attr& dims = inference.attrs[kSizeAttr];
  if (auto* items = dims.get<Attr::Tuple>())
    for (const Attr& item : *items) {
      if (item.get<bool>()) throw Error(ErrorClass::TypeError, "an integer is required");
      if (!item.get<std::int64_t>()) not_an_integer(python_type(item));
    }
  Dims shape = draw_size(dims).value_or(Dims{});
  bool scalar = shape.empty();
  set_result(inference, std::move(shape), scalar);
}

void shape_choice(Inference& inference) {
  std::optional<Dims> size = draw_size(inference.attrs[kSizeAttr]);
  const Type& a = inference.type(0);
  if (a.shape.empty()) {
    set_result(inference, size.value_or(Dims{}), !size);
    return;
  }
  std::int64_t axis = 0;
  if (const Attr* given = attribute(inference, kChoiceAxisAttr)) {
    axis = as_int(*given, "axis");
    std::int64_t ndim = a.shape.ssize();
    if (axis < -ndim || axis >= ndim) throw Error(ErrorClass::IndexError, "tuple index out of range");
    if (axis < 0) axis += ndim;
  }
  Dims shape(a.shape.begin(), a.shape.begin() + axis);
  if (size)
    for (std::int64_t extent : *size) shape.push_back(extent);
  for (std::size_t i = static_cast<std::size_t>(axis) + 1; i < a.shape.size(); ++i) shape.push_back(a.shape[i]);
  set_result(inference, std::move(shape), false);
  // One item of a vector is a numpy scalar; with size=() it is an array.
  if (!size && inference.results[0].shape.empty()) inference.results[0].kind = Kind::Scalar;
}

void dtype_draw(Inference& inference) {
  Type& result = inference.results[0];
  result.dtype = DType::Float64;
  const Attr* given = attribute(inference, kDTypeAttr);
  if (!given) return;
  if (auto dtype = as_dtype(*given)) {
    if (result.kind == Kind::Weak) throw Error(ErrorClass::AttributeError, "'float' object has no attribute 'astype'");
    result.dtype = *dtype;
  }
}

void dtype_draw_float(Inference& inference) {
  DType dtype = as_dtype(*attribute(inference, kDTypeAttr)).value_or(DType::Float64);
  if (dtype != DType::Float64 && dtype != DType::Float32)
    throw Error(ErrorClass::TypeError,
                "Unsupported dtype dtype('" + std::string(name(dtype)) + "') for " + function_name(inference.op));
  inference.results[0].dtype = dtype;
}

void dtype_draw_integers(Inference& inference) {
  std::optional<DType> dtype = as_dtype(*attribute(inference, kDTypeAttr));
  DType result = dtype.value_or(DType::Int64);
  if (!is_integer(result) && !is_bool(result))
    throw Error(ErrorClass::TypeError,
                "Unsupported dtype dtype('" + std::string(name(result)) + "') for " + function_name(inference.op));
  inference.results[0].dtype = result;
  // With a dtype a lone draw is a numpy scalar of it.
  if (dtype && inference.results[0].kind == Kind::Weak) inference.results[0].kind = Kind::Scalar;
}

void dtype_choice(Inference& inference) {
  const Type& a = inference.type(0);
  inference.results[0].dtype = a.shape.empty() ? DType::Int64 : a.dtype;
}

Cost cost_draw(const Inference& inference) {
  Cost cost = cost_elementwise(inference);
  cost.flops *= 10;
  return cost;
}

}  // namespace autoray::ir
