// An index read against an array, by numpy's rules: ints, slices, newaxis and ellipsis make a view, whose axes the
// integer and boolean arrays then index. Its cost is that of a view; the arrays' items are checked where they are used.
#pragma once

#include <vector>

#include "runtime/runtime.h"

namespace autoray::runtime {

struct IndexPlan {
  Array base;                 // after the basic part: axes in order, advanced ones marked
  std::vector<int> advanced;  // axes of base that arrays index
  std::vector<Array> indices;
  std::vector<std::size_t> axes;  // of the indexed array: errors name them
  bool together = true;           // no basic axis stands between them
  bool copies = false;            // a 0-d array took part: reading gives no view, though the index is basic
  bool basic() const { return indices.empty(); }
};

IndexPlan make_index_plan(Runtime& runtime, const Array& array, const Value& index);
[[noreturn]] void index_out_of_bounds(std::int64_t index, std::size_t axis, std::int64_t size);

}  // namespace autoray::runtime
