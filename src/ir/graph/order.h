// Sorting the few inputs of a node without memory of its own: std::stable_sort asks for a buffer each time, which costs more
// than the visit of a node. Longer lists go to it all the same.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

namespace autoray::ir {

template <class T, class Less>
void stable_order(std::span<T> items, Less&& less) {
  if (items.size() > 16) {
    std::stable_sort(items.begin(), items.end(), less);
    return;
  }
  for (std::size_t i = 1; i < items.size(); ++i)
    for (std::size_t k = i; k > 0 && less(items[k], items[k - 1]); --k) std::swap(items[k], items[k - 1]);
}

}  // namespace autoray::ir
