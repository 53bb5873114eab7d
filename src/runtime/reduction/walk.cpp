#include "runtime/reduction/walk.h"

#include <cstdlib>

#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"

namespace autoray::runtime {

using ir::Dims;

namespace {

struct Axis {
  std::int64_t extent, stride, out;  // bytes; items of the result, 0 for a reduced axis
  bool reduced;
  int number;
};
using Axes = ir::SmallVector<Axis, 8>;

// In memory order, neighbours that lie one behind the other joined.
Axes ordered(const Array& x, const bool* reduced) {
  Axes axes;
  for (int i = 0; i < x.ndim(); ++i) {
    auto a = static_cast<std::size_t>(i);
    if (x.shape[a] != 1) axes.push_back({x.shape[a], x.strides[a], 0, reduced[i], i});
  }
  std::int64_t step = 1;
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (axes[i].reduced) continue;
    axes[i].out = step;
    step *= axes[i].extent;
  }
  Axes sorted = axes;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Axis& a, const Axis& b) { return std::llabs(a.stride) > std::llabs(b.stride); });
  // Items are combined in their logical order, whatever the layout: reduced axes must not change places.
  int last = -1;
  bool logical = true;
  for (const Axis& a : sorted) {
    if (!a.reduced) continue;
    logical &= a.number > last;
    last = a.number;
  }
  if (!logical) sorted = axes;
  Axes joined;
  for (const Axis& a : sorted) {
    if (!joined.empty()) {
      Axis& before = joined.back();
      if (before.reduced == a.reduced && before.stride == a.stride * a.extent && before.out == a.out * a.extent) {
        before = {before.extent * a.extent, a.stride, a.out, a.reduced, a.number};
        continue;
      }
    }
    joined.push_back(a);
  }
  return joined;
}

}  // namespace

Walk walk_of(KernelCall& call, const Array& x, ir::DType dtype) {
  constexpr int kMost = 64;
  bool reduced[kMost] = {};
  Walk walk;
  walk.data = x.dtype == dtype ? x : converted(call.runtime, x, dtype);
  for (std::int64_t a : ir::reduction_axes(ir::attribute(call.op, call.attrs, "axis"), x.ndim())) reduced[a] = true;
  std::int64_t size = walk.data.itemsize();
  Axes axes = ordered(walk.data, reduced);
  int groups = 0;
  for (const Axis& a : axes) groups += a.reduced;
  bool direct = groups <= 1;
  bool rows = groups == 0;
  for (const Axis& a : axes) rows |= a.reduced && a.stride == size;
  bool columns = !rows && !axes.empty() && !axes.back().reduced && axes.back().stride == size;
  if (!direct || (!rows && !columns)) {
    // Rows of a copy: kept axes first.
    Dims order;
    for (bool want : {false, true})
      for (int i = 0; i < x.ndim(); ++i)
        if (reduced[i] == want) order.push_back(i);
    std::int64_t kept = 1, n = 1;
    for (int i = 0; i < x.ndim(); ++i) (reduced[i] ? n : kept) *= x.shape[static_cast<std::size_t>(i)];
    walk.data = converted(call.runtime, transposed(walk.data, order), dtype);
    walk.n = n;
    walk.stride = size;
    walk.outer = kept;
    walk.outer_shape.push_back(kept);
    walk.outer_strides.push_back(n * size);
    walk.outer_out.push_back(1);
    return walk;
  }
  walk.columns = columns;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& a = axes[i];
    if (a.reduced) {
      walk.n = a.extent;
      walk.stride = a.stride;
    } else if (columns && i + 1 == axes.size()) {
      walk.width = a.extent;
      walk.width_out = a.out;
    } else {
      walk.outer *= a.extent;
      walk.outer_shape.push_back(a.extent);
      walk.outer_strides.push_back(a.stride);
      walk.outer_out.push_back(a.out);
    }
  }
  return walk;
}

}  // namespace autoray::runtime
