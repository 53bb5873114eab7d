#include "ir/rules/einsum_terms.h"

#include <algorithm>

namespace autoray::ir {

namespace {

bool has(const Dims& labels, std::int64_t label) { return std::ranges::find(labels, label) != labels.end(); }

}  // namespace

EinsumTerms::EinsumTerms(const Einsum& einsum) : einsum_(einsum) {
  for (const Dims& given : einsum.inputs) {
    Dims& distinct = labels_.emplace_back();
    for (std::int64_t label : given)
      if (!has(distinct, label)) distinct.push_back(label);
  }
}

bool EinsumTerms::needed(std::int64_t label, std::size_t i, std::size_t j) const {
  if (has(einsum_.output, label)) return true;
  for (std::size_t k = 0; k < labels_.size(); ++k)
    if (k != i && k != j && has(labels_[k], label)) return true;
  return false;
}

Dims EinsumTerms::sum_alone(std::size_t term) {
  Dims axes, kept;
  for (std::size_t axis = 0; axis < labels_[term].size(); ++axis) {
    if (needed(labels_[term][axis], term, term))
      kept.push_back(labels_[term][axis]);
    else
      axes.push_back(static_cast<std::int64_t>(axis));
  }
  labels_[term] = std::move(kept);
  return axes;
}

std::pair<std::size_t, std::size_t> EinsumTerms::cheapest_pair() const {
  std::pair<std::size_t, std::size_t> best{0, 1};
  double least = -1;
  for (std::size_t i = 0; i < labels_.size() && labels_.size() > 2; ++i)
    for (std::size_t j = i + 1; j < labels_.size(); ++j) {
      double cost = 1, size = 1;
      auto count = [&](std::int64_t label) {
        cost *= static_cast<double>(einsum_.extent(label));
        if (needed(label, i, j)) size *= static_cast<double>(einsum_.extent(label));
      };
      for (std::int64_t label : labels_[i]) count(label);
      for (std::int64_t label : labels_[j])
        if (!has(labels_[i], label)) count(label);
      // The multiplications, and among equals the smaller result.
      cost += size / 16;
      if (least < 0 || cost < least) {
        least = cost;
        best = {i, j};
      }
    }
  return best;
}

EinsumPair EinsumTerms::join(std::size_t i, std::size_t j) {
  EinsumPair pair;
  for (std::int64_t label : labels_[i]) {
    if (!has(labels_[j], label))
      pair.free_a.push_back(label);
    else
      (needed(label, i, j) ? pair.batch : pair.summed).push_back(label);
  }
  for (std::int64_t label : labels_[j])
    if (!has(labels_[i], label)) pair.free_b.push_back(label);
  Dims& joined = labels_[i] = pair.batch;
  for (const Dims* free : {&pair.free_a, &pair.free_b})
    for (std::int64_t label : *free) joined.push_back(label);
  labels_.erase(labels_.begin() + static_cast<std::ptrdiff_t>(j));
  return pair;
}

}  // namespace autoray::ir
