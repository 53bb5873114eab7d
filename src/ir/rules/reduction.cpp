#include "ir/rules/reduction.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/rules/movement.h"

namespace autoray::ir {

void shape_reduce(Inference& inference) {
  const Dims& shape = inference.type(0).shape;
  Dims axes = normalize_axes(as_axes(attribute(inference, "axis"), "axis"), shape.ssize());
  bool keepdims = as_bool(attribute(inference, "keepdims"), "keepdims");
  Type result;
  for (int i = 0; i < shape.ssize(); ++i) {
    bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced) result.shape.push_back(shape[static_cast<std::size_t>(i)]);
    else if (keepdims) result.shape.push_back(1);
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
  result.shape = axis.none() ? Dims{element_count(shape)} : shape;
  if (!axis.none()) normalize_axis(as_int(axis, "axis"), shape.ssize());
  inference.results.assign(1, result);
}

void dtype_sum(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  if (auto asked = as_dtype(attribute(inference, "dtype"))) dtype = *asked;
  else if (is_bool(dtype) || is_signed_integer(dtype)) dtype = DType::Int64;
  else if (is_unsigned(dtype)) dtype = DType::UInt64;
  inference.results[0].dtype = dtype;
}

void dtype_mean(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  if (auto asked = as_dtype(attribute(inference, "dtype"))) dtype = *asked;
  else if (!is_inexact(dtype)) dtype = DType::Float64;
  inference.results[0].dtype = dtype;
}

void dtype_var(Inference& inference) {
  dtype_mean(inference);
  inference.results[0].dtype = real_dtype(inference.results[0].dtype);
}

}  // namespace autoray::ir
