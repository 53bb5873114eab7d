// How a reduction walks its operand: along contiguous rows, or down columns with many of them side by side, without a copy
// wherever one group of axes is reduced. The order in which items are combined never depends on the walk (order.h).
#pragma once

#include <algorithm>

#include "runtime/convert.h"
#include "runtime/kernel.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

struct Walk {
  Array data;                                      // of the dtype asked for; keeps the elements alive
  std::int64_t n = 1;                              // items that become one
  std::int64_t stride = 0;                         // bytes between them
  std::int64_t width = 1;                          // kept items side by side: columns, when not 1
  std::int64_t width_out = 1;                      // and their distance in the result, in items
  ir::Dims outer_shape, outer_strides, outer_out;  // kept axes around these: extents, bytes, items of the result
  std::int64_t outer = 1;                          // product of outer_shape
  bool columns = false;
};

// The walk over `x` in `dtype` for the axes of the call's `axis` attribute. Copies when dtype differs, when reduced axes lie
// apart in memory, or when neither a reduced nor a kept axis is contiguous. O(ndim) else.
Walk walk_of(KernelCall& call, const Array& x, ir::DType dtype);

// Columns are taken so many at a time: their accumulators stay in the nearest cache.
inline constexpr std::int64_t kColumns = 512;

// row(const T* items, n) -> R; columns(const T* first, n, stride, width, R* results) with width <= kColumns.
template <class T, class R, class Row, class Columns>
void reduce(Runtime& runtime, const Walk& walk, R* out, const Row& row, const Columns& columns) {
  const char* p = walk.data.data;
  ir::Dims index(walk.outer_shape.size(), 0);
  std::int64_t since = 0;
  for (std::int64_t o = 0; o < walk.outer; ++o) {
    if (!walk.columns) {
      *out = row(reinterpret_cast<const T*>(p), walk.n);
    } else {
      R results[kColumns];
      for (std::int64_t k = 0; k < walk.width; k += kColumns) {
        std::int64_t w = std::min(kColumns, walk.width - k);
        columns(reinterpret_cast<const T*>(p) + k, walk.n, walk.stride, w, results);
        R* to = out + k * walk.width_out;
        for (std::int64_t i = 0; i < w; ++i) to[i * walk.width_out] = results[i];
      }
    }
    if ((since += walk.n * walk.width) > (1 << 16)) {
      runtime.poll();
      since = 0;
    }
    for (std::size_t axis = index.size(); axis-- > 0;) {
      p += walk.outer_strides[axis];
      out += walk.outer_out[axis];
      if (++index[axis] < walk.outer_shape[axis]) break;
      index[axis] = 0;
      p -= walk.outer_strides[axis] * walk.outer_shape[axis];
      out -= walk.outer_out[axis] * walk.outer_shape[axis];
    }
  }
}

}  // namespace autoray::runtime
