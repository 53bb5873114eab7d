#include "runtime/array.h"

namespace autoray::runtime {

bool Array::c_contiguous() const {
  std::int64_t step = itemsize();
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

bool Array::f_contiguous() const {
  std::int64_t step = itemsize();
  for (std::int64_t extent : shape)
    if (extent == 0) return true;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

Array transposed(const Array& array, std::span<const std::int64_t> axes) {
  Array view = array;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    view.shape[i] = array.shape[axes[i]];
    view.strides[i] = array.strides[axes[i]];
  }
  return view;
}

Array with_shape_and_strides(const Array& array, ir::Dims shape, ir::Dims strides, std::int64_t byte_offset) {
  Array view;
  view.storage = array.storage;
  // A layout without memory has its offset all the same.
  view.data = reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(array.data) + static_cast<std::uintptr_t>(byte_offset));
  view.dtype = array.dtype;
  view.writable = array.writable;
  view.backend = array.backend;
  view.shape = std::move(shape);
  view.strides = std::move(strides);
  return view;
}

Array broadcast_view(const Array& array, std::span<const std::int64_t> shape) {
  ir::Dims strides(shape.size());
  std::size_t lead = shape.size() - array.shape.size();
  for (std::size_t i = 0; i < array.shape.size(); ++i)
    strides[lead + i] = array.shape[i] == 1 && shape[lead + i] != 1 ? 0 : array.strides[i];
  Array view = with_shape_and_strides(array, ir::Dims(shape), std::move(strides));
  view.writable = false;
  return view;
}

bool try_reshape_view(const Array& array, std::span<const std::int64_t> shape, Array& result) {
  std::int64_t itemsize = array.itemsize();
  ir::Dims strides(shape.size());
  if (array.size() == 0 || array.c_contiguous()) {
    result = with_shape_and_strides(array, ir::Dims(shape), ir::contiguous_strides(shape, itemsize));
    return true;
  }
  // Without the axes of length 1, match runs of old axes with runs of new ones of the same element count; a run can be
  // regrouped when its old axes lie one behind the other.
  ir::Dims old_shape, old_strides;
  for (int i = 0; i < array.ndim(); ++i)
    if (array.shape[i] != 1) {
      old_shape.push_back(array.shape[i]);
      old_strides.push_back(array.strides[i]);
    }
  std::size_t oi = 0, ni = 0;
  while (oi < old_shape.size() && ni < shape.size()) {
    std::size_t oj = oi + 1, nj = ni + 1;
    std::int64_t old_count = old_shape[oi], new_count = shape[ni];
    while (old_count != new_count) {
      if (new_count < old_count) {
        new_count *= shape[nj++];
      } else {
        old_count *= old_shape[oj++];
      }
    }
    for (std::size_t k = oi; k + 1 < oj; ++k)
      if (old_strides[k] != old_shape[k + 1] * old_strides[k + 1]) return false;
    strides[nj - 1] = old_strides[oj - 1];
    for (std::size_t k = nj - 1; k > ni; --k) strides[k - 1] = strides[k] * shape[k];
    oi = oj;
    ni = nj;
  }
  std::int64_t last = ni ? strides[ni - 1] : itemsize;
  for (; ni < shape.size(); ++ni) strides[ni] = last;
  result = with_shape_and_strides(array, ir::Dims(shape), std::move(strides));
  return true;
}

namespace {
// Addresses, not pointers: a layout without memory overlaps another one too.
struct Extent {
  std::intptr_t begin, end;
};
Extent extent(const Array& array) {
  auto low = reinterpret_cast<std::intptr_t>(array.data), high = low + array.itemsize();
  for (int i = 0; i < array.ndim(); ++i) {
    std::int64_t reach = (array.shape[i] - 1) * array.strides[i];
    (reach < 0 ? low : high) += reach;
  }
  return {low, high};
}
}  // namespace

bool may_overlap(const Array& a, const Array& b) {
  // Of two blocks of our own.
  const Storage *s = a.storage.get(), *t = b.storage.get();
  if (s != t && s && t && !s->adopted() && !t->adopted()) return false;
  if (a.size() == 0 || b.size() == 0) return false;
  Extent x = extent(a), y = extent(b);
  return x.begin < y.end && y.begin < x.end;
}

}  // namespace autoray::runtime
