// Rules of products, and the arithmetic of axes and labels that rules and kernels share.
#pragma once

#include <string>
#include <vector>

#include "ir/op.h"

namespace autoray::ir {

void shape_matmul(Inference& inference);
void shape_dot(Inference& inference);
void shape_inner(Inference& inference);
void shape_outer(Inference& inference);
void shape_vdot(Inference& inference);
void shape_tensordot(Inference& inference);
void shape_kron(Inference& inference);
void shape_einsum(Inference& inference);
void shape_cov(Inference& inference);

void dtype_contracted(Inference& inference);  // promotion in which Python scalars count as the arrays they become
void dtype_einsum(Inference& inference);
void dtype_cov(Inference& inference);  // at least float64

Cost cost_contract(const Inference& inference);  // a multiplication and an addition for every term

// The axes that a product sums over, normalised, pair by pair.
struct SummedAxes {
  Dims a, b;
};
// tensordot's `axes`: a number n (the last n of a, the first n of b) or two axes or sequences of axes.
SummedAxes tensordot_axes(const Attr& axes, const Dims& a, const Dims& b);
// dot: the last axis of a, the last but one of b (its only one when 1-d); inner: the last of both. Checks the extents.
SummedAxes dot_axes(const Dims& a, const Dims& b);
SummedAxes inner_axes(const Dims& a, const Dims& b);

// einsum's subscripts: a label for every axis of every operand and of the result. Labels are character codes; the axes of
// an ellipsis have labels from 256 on, counted from the right.
struct Einsum {
  std::vector<Dims> inputs;
  Dims output;
  Dims extents;  // by label

  std::int64_t extent(std::int64_t label) const { return extents[static_cast<std::size_t>(label)]; }
};
Einsum parse_einsum(const std::string& subscripts, std::span<const Dims> shapes);
// By label: the length of its axes, where those of length one stretch.
Dims einsum_extents(std::span<const Dims> inputs, std::span<const Dims> shapes);
// The dtype of one loop over all operands; TypeError when an operand cannot be cast to it.
DType einsum_dtype(std::span<const Dims> inputs, const Dims& output, std::span<const DType> dtypes, std::optional<DType> asked,
                   const std::string& casting);
Casting einsum_casting(const std::string& casting);  // ValueError for what is none

}  // namespace autoray::ir
