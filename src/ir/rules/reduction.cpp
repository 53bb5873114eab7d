#include "ir/rules/reduction.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/rules/movement.h"

namespace autoray::ir {

Dims reduction_axes(const Attr& axis, int ndim) {
  if (auto* i = axis.get<std::int64_t>(); i && ndim == 0 && (*i == 0 || *i == -1)) return {};
  return normalize_axes(as_axes(axis, "axis"), ndim);
}

int scan_axis(const Attr& axis, int ndim) { return normalize_axis(as_int(axis, "axis"), ndim ? ndim : 1); }

// A mask is of bool and broadcasts into the operand.
static void check_mask(const Type& mask, const Dims& shape, bool shape_first) {
  // A mean counts what the mask takes before it adds up.
  if (!shape_first && mask.dtype != DType::Bool)
    throw Error(ErrorClass::TypeError, "Cannot cast array data from dtype('" + std::string(name(mask.dtype)) +
                                           "') to dtype('bool') according to the rule 'safe'");
  if (mask.shape.size() > shape.size())
    throw Error(ErrorClass::ValueError, "input operand has more dimensions than allowed by the axis remapping");
  std::span<const std::int64_t> shapes[] = {shape, mask.shape};
  if (Dims all = broadcast_all(shapes); !(all == shape))
    throw Error(ErrorClass::ValueError, "non-broadcastable operand with shape " + to_string(shape) +
                                            " doesn't match the broadcast shape " + to_string(all));
  if (shape_first && mask.dtype != DType::Bool) check_mask(mask, shape, false);
}

void shape_reduce(Inference& inference) {
  const Dims& shape = inference.type(0).shape;
  bool counts = inference.op.id == OpId::Mean || inference.op.id == OpId::Std || inference.op.id == OpId::Var;
  bool masked = inference.in.size() > 1 && inference.in[1].present();
  if (masked) check_mask(inference.type(1), shape, counts);
  // numpy reads off the shape how many items a mean divides by, and for that an axis must exist; under a mask it counts them.
  bool strict = counts && !masked;
  const Attr& axis = attribute(inference, "axis");
  Dims axes = strict ? normalize_axes(as_axes(axis, "axis"), shape.ssize()) : reduction_axes(axis, shape.ssize());
  bool keepdims = as_bool(attribute(inference, "keepdims"), "keepdims");
  Type result;
  for (int i = 0; i < shape.ssize(); ++i) {
    bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced)
      result.shape.push_back(shape[static_cast<std::size_t>(i)]);
    else if (keepdims)
      result.shape.push_back(1);
  }
  inference.results.assign(1, result);
}

void shape_arg_reduce(Inference& inference) {
  const Attr& axis = attribute(inference, "axis");
  if (!axis.none()) as_int(axis, "axis");
  shape_reduce(inference);
}

void shape_scan(Inference& inference) {
  const Attr& axis = attribute(inference, "axis");
  const Dims& shape = inference.type(0).shape;
  Type result;
  result.shape = axis.none() || shape.empty() ? Dims{element_count(shape)} : shape;
  if (!axis.none()) scan_axis(axis, shape.ssize());
  inference.results.assign(1, result);
}

void dtype_sum(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  if (auto asked = as_dtype(attribute(inference, "dtype")))
    dtype = *asked;
  else if (is_bool(dtype) || is_signed_integer(dtype))
    dtype = DType::Int64;
  else if (is_unsigned(dtype))
    dtype = DType::UInt64;
  inference.results[0].dtype = dtype;
}

void dtype_mean(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  if (auto asked = as_dtype(attribute(inference, "dtype")))
    dtype = *asked;
  else if (!is_inexact(dtype))
    dtype = DType::Float64;
  inference.results[0].dtype = dtype;
}

void dtype_var(Inference& inference) {
  dtype_mean(inference);
  if (attribute(inference, "dtype").none()) inference.results[0].dtype = real_dtype(inference.results[0].dtype);
}

}  // namespace autoray::ir
