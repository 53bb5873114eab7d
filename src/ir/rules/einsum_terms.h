// The order in which einsum's loop over all operands contracts them. It decides bits, so kernels and compiled code both ask
// here. Costs the square of the number of terms a step.
#pragma once

#include <utility>

#include "ir/rules/contract.h"
#include "ir/rules/einsum_path.h"

namespace autoray::ir {

class EinsumTerms {
 public:
  // One term an operand, with each label once.
  explicit EinsumTerms(const Einsum& einsum);
  std::size_t size() const { return labels_.size(); }
  const Dims& labels(std::size_t term) const { return labels_[term]; }

  // The axes whose labels stand in this term alone and not in the result, which are summed at once: the term loses them.
  Dims sum_alone(std::size_t term);
  // Which two come next, i < j.
  std::pair<std::size_t, std::size_t> cheapest_pair() const;
  // Term j goes; i becomes the product, with the labels of batch, free_a and free_b in this order.
  EinsumPair join(std::size_t i, std::size_t j);

 private:
  bool needed(std::int64_t label, std::size_t i, std::size_t j) const;

  const Einsum& einsum_;
  std::vector<Dims> labels_;
};

}  // namespace autoray::ir
