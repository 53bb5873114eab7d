// The steps in which einsum(optimize=...) contracts its operands. They are numpy's, because they decide more than the speed:
// partial sums are taken in the dtypes of the operands, and pairs are multiplied by matmul or multiply with those ufuncs'
// casts.
//
// Algorithm: numpy's einsum_path, after opt_einsum (D. Smith, J. Gray: Journal of Open Source Software 3(26), 2018).
#pragma once

#include <vector>

#include "ir/rules/contract.h"

namespace autoray::ir {

// Takes operands away, the highest place first, and puts its result behind the others.
struct EinsumStep {
  std::vector<std::size_t> places;  // descending
  Dims result;                      // labels
};
// Whether optimize= asks for steps at all: False and what is not given do not.
bool einsum_is_stepwise(const Attr& optimize);
// TypeError or KeyError for an `optimize` that numpy does not understand. Costs the square of the number of operands for
// 'greedy', its factorial for 'optimal'.
std::vector<EinsumStep> einsum_steps(const Einsum& einsum, const Attr& optimize);

// How a pair is contracted: the labels of extents above one, by where they occur. Labels of either side that are in no group
// are summed first.
struct EinsumPair {
  Dims batch, summed, free_a, free_b;
  bool multiplied() const { return summed.empty(); }  // element by element, by the labels of the result
};
EinsumPair einsum_pair(const Dims& a, const Dims& a_shape, const Dims& b, const Dims& b_shape, const Dims& result);

// The result's dtype and kind when einsum goes by steps: a product of two that was reshaped is an array even without axes.
void infer_einsum_steps(Inference& inference, const Einsum& einsum, std::vector<Dims> shapes, std::vector<DType> dtypes);

}  // namespace autoray::ir
