#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/memory_order.h"
#include "runtime/movement/movement.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::attribute;
using ir::Dims;
using ir::OpId;

namespace {

const ir::Attr& attr(const KernelCall& call, std::string_view name) { return attribute(call.op, call.attrs, name); }

// As a view where the strides allow it, else a copy in C order.
Array reshaped(KernelCall& call, const Array& array, std::span<const std::int64_t> shape) {
  Array result;
  if (try_reshape_view(array, shape, result)) return result;
  Array copy = converted(call.runtime, array, array.dtype);
  try_reshape_view(copy, shape, result);
  return result;
}

void reshape_kernel(KernelCall& call) {
  char order = ir::memory_order(attr(call, "order"), 'C');
  const Array& x = *call.in[0];
  if (order == 'K') throw ir::Error(ir::ErrorClass::ValueError, "order 'K' is not permitted for reshaping");
  const ir::Attr& copy = attr(call, "copy");
  if (order == 'F' || (order == 'A' && x.f_contiguous() && !x.c_contiguous())) {
    // Column-major reading is row-major reading of the transpose.
    Dims axes, shape = call.types[0].shape;
    for (int i = x.ndim(); i-- > 0;) axes.push_back(i);
    std::reverse(shape.begin(), shape.end());
    Array part = reshaped(call, transposed(x, axes), shape);
    Dims back;
    for (int i = part.ndim(); i-- > 0;) back.push_back(i);
    call.out[0] = transposed(part, back);
  } else {
    call.out[0] = reshaped(call, x, call.types[0].shape);
  }
  bool shares = call.out[0].storage == x.storage;
  if (auto* asked = copy.get<bool>(); asked && !*asked && !shares && x.storage)
    throw ir::Error(ir::ErrorClass::ValueError, "Unable to avoid creating a copy while reshaping.");
  if (auto* asked = copy.get<bool>(); asked && *asked && shares)
    call.out[0] = converted(call.runtime, call.out[0], call.out[0].dtype);
}
void transpose_kernel(KernelCall& call) {
  auto axes = ir::as_axes(attr(call, "axes"), "axes");
  Dims normal;
  int ndim = call.in[0]->ndim();
  if (axes)
    normal = ir::normalize_axes(axes, ndim);
  else
    for (int i = ndim; i-- > 0;) normal.push_back(i);
  call.out[0] = transposed(*call.in[0], normal);
}
void swapaxes_kernel(KernelCall& call) {
  Array view = *call.in[0];
  auto a = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attr(call, "axis1"), "axis1"), view.ndim()));
  auto b = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attr(call, "axis2"), "axis2"), view.ndim()));
  std::swap(view.shape[a], view.shape[b]);
  std::swap(view.strides[a], view.strides[b]);
  call.out[0] = std::move(view);
}
void moveaxis_kernel(KernelCall& call) {
  int ndim = call.in[0]->ndim();
  Dims source = ir::normalize_axes(ir::as_axes(attr(call, "source"), "source"), ndim),
       destination = ir::normalize_axes(ir::as_axes(attr(call, "destination"), "destination"), ndim);
  Dims order(static_cast<std::size_t>(ndim), -1);
  for (std::size_t i = 0; i < source.size(); ++i) order[static_cast<std::size_t>(destination[i])] = source[i];
  std::int64_t next = 0;
  for (std::int64_t& o : order) {
    if (o >= 0) continue;
    while (std::find(source.begin(), source.end(), next) != source.end()) ++next;
    o = next++;
  }
  call.out[0] = transposed(*call.in[0], order);
}
// Only axes of length one come or go.
void unit_axes_kernel(KernelCall& call) {
  const Array& x = *call.in[0];
  Dims strides;
  std::size_t at = 0;
  for (std::int64_t extent : call.types[0].shape) {
    while (at < x.shape.size() && x.shape[at] == 1 && extent != 1) ++at;
    if (extent == 1 && (at >= x.shape.size() || x.shape[at] != 1))
      strides.push_back(x.itemsize());
    else
      strides.push_back(x.strides[at++]);
  }
  call.out[0] = with_shape_and_strides(x, call.types[0].shape, strides);
}
void ravel_kernel(KernelCall& call) {
  char order = ir::memory_order(attr(call, "order"), 'C');
  Array x = *call.in[0];
  bool column_major = x.f_contiguous() && !x.c_contiguous();
  if (order == 'K' && !column_major) {
    x = transposed(x, memory_axes(x));
  } else if (order == 'F' || ((order == 'A' || order == 'K') && column_major)) {
    Dims axes;
    for (int i = x.ndim(); i-- > 0;) axes.push_back(i);
    x = transposed(x, axes);
  }
  // A view of dense memory alone, where a reshape is one of all that its strides allow.
  if (call.op.id == OpId::Flatten || !x.c_contiguous()) x = converted(call.runtime, x, x.dtype);
  call.out[0] = reshaped(call, x, call.types[0].shape);
}
void broadcast_to_kernel(KernelCall& call) { call.out[0] = broadcast_view(*call.in[0], call.types[0].shape); }
void atleast_kernel(KernelCall& call) {
  for (std::size_t i = 0; i < call.in.size(); ++i) call.out[i] = reshaped(call, *call.in[i], call.types[i].shape);
}
void flip_kernel(KernelCall& call) {
  const Array& x = *call.in[0];
  Dims strides = x.strides;
  std::int64_t skip = 0;
  for (std::int64_t a : ir::normalize_axes(ir::as_axes(attr(call, "axis"), "axis"), x.ndim())) {
    auto i = static_cast<std::size_t>(a);
    if (x.shape[i]) skip += (x.shape[i] - 1) * strides[i];
    strides[i] = -strides[i];
  }
  call.out[0] = with_shape_and_strides(x, x.shape, std::move(strides), skip);
}
void diagonal_kernel(KernelCall& call) {
  const Array& x = *call.in[0];
  std::int64_t offset = ir::as_int(attr(call, "offset"), "offset");
  auto a = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attr(call, "axis1"), "axis1"), x.ndim()));
  auto b = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attr(call, "axis2"), "axis2"), x.ndim()));
  Dims strides;
  for (std::size_t i = 0; i < x.shape.size(); ++i)
    if (i != a && i != b) strides.push_back(x.strides[i]);
  strides.push_back(x.strides[a] + x.strides[b]);
  std::int64_t skip = call.types[0].shape.back() == 0 ? 0 : offset >= 0 ? offset * x.strides[b] : -offset * x.strides[a];
  call.out[0] = with_shape_and_strides(x, call.types[0].shape, strides, skip);
  call.out[0].writable = false;
}
void trace_kernel(KernelCall& call) {
  const Array& x = *call.in[0];
  const ir::Attr attrs[] = {attr(call, "offset"), attr(call, "axis1"), attr(call, "axis2")};
  Array d = call.runtime.run1(OpId::Diagonal, call.backend, {&x}, {attrs[0], attrs[1], attrs[2]});
  call.out[0] = call.runtime.run1(OpId::Sum, call.backend, {&d}, {std::int64_t{-1}, attr(call, "dtype")});
}
void diag_kernel(KernelCall& call) {
  const Array& x = *call.in[0];
  std::int64_t k = ir::as_int(attr(call, "k"), "k");
  if (x.ndim() == 2) {
    Dims strides = {x.strides[0] + x.strides[1]};
    std::int64_t skip = call.types[0].shape[0] == 0 ? 0 : k >= 0 ? k * x.strides[1] : -k * x.strides[0];
    call.out[0] = with_shape_and_strides(x, call.types[0].shape, strides, skip);
    call.out[0].writable = false;
    return;
  }
  Array result = call.runtime.allocate_zeroed(x.dtype, call.types[0].shape);
  Array line = with_shape_and_strides(result, x.shape, Dims{result.strides[0] + result.strides[1]},
                                      k >= 0 ? k * result.strides[1] : -k * result.strides[0]);
  copy_into(call.runtime, x, line);
  call.out[0] = std::move(result);
}
void triangle_kernel(KernelCall& call) {
  bool lower = call.op.id == OpId::Tril;
  Array result = call.runtime.allocate(call.types[0].dtype, call.types[0].shape);
  copy_into(call.runtime, *call.in[0], result);
  std::int64_t rows = result.shape[result.shape.size() - 2], columns = result.shape.back(), size = result.itemsize();
  const std::int64_t k = ir::diagonal_number(attr(call, "k"), rows, columns);
  std::int64_t matrices = rows && columns ? result.size() / (rows * columns) : 0;
  for (std::int64_t m = 0; m < matrices; ++m)
    for (std::int64_t i = 0; i < rows; ++i) {
      char* row = result.data + (m * rows + i) * columns * size;
      std::int64_t from = lower ? std::clamp<std::int64_t>(i + k + 1, 0, columns) : 0,
                   to = lower ? columns : std::clamp<std::int64_t>(i + k, 0, columns);
      if (to > from) std::memset(row + from * size, 0, static_cast<std::size_t>((to - from) * size));
    }
  call.out[0] = std::move(result);
}
void roll_kernel(KernelCall& call) {
  const ir::Attr& axis_attr = attr(call, "axis");
  const ir::Attr& shift = attr(call, "shift");
  Dims shifts = shift.get<double>() ? Dims{ir::truncated(shift, "shift")} : ir::as_axes(shift, "shift").value_or(Dims{0});
  Array x = *call.in[0];
  Array result = call.runtime.allocate(x.dtype, x.shape);
  Array target = result;
  Dims axes;
  if (axis_attr.none()) {
    x = reshaped(call, x, Dims{x.size()});
    target = reshaped(call, target, Dims{x.size()});
    axes = Dims(shifts.size(), 0);
  } else {
    axes = ir::as_axes(axis_attr, "axis").value_or(Dims{});
    // numpy pairs up the slices of every axis, and finds none to take apart.
    if (x.ndim() == 0 && axes.empty())
      throw ir::Error(ir::ErrorClass::ValueError, "not enough values to unpack (expected 2, got 0)");
    for (std::int64_t& a : axes) a = ir::normalize_axis(a, x.ndim());
    if (shifts.size() == 1) shifts = Dims(axes.size(), shifts[0]);
    if (axes.size() == 1) axes = Dims(shifts.size(), axes[0]);
    if (axes.size() != shifts.size())
      throw ir::Error(ir::ErrorClass::ValueError, "'shift' and 'axis' should be scalars or 1D sequences");
  }
  Dims total(x.shape.size(), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) total[static_cast<std::size_t>(axes[i])] += shifts[i];
  call.out[0] = result;
  if (x.size() == 0) return;
  // Each axis cuts in two: copy every combination of halves.
  std::size_t ndim = x.shape.size();
  for (std::size_t i = 0; i < ndim; ++i) total[i] = ((total[i] % x.shape[i]) + x.shape[i]) % x.shape[i];
  for (std::uint64_t mask = 0; mask < (std::uint64_t{1} << ndim); ++mask) {
    Array from = x, to = target;
    bool some = true;
    for (std::size_t i = 0; i < ndim && some; ++i) {
      std::int64_t n = x.shape[i], s = total[i];
      bool wrapped = mask >> i & 1;
      std::int64_t length = wrapped ? s : n - s;
      some = length > 0;
      from.data += (wrapped ? n - s : 0) * from.strides[i];
      to.data += (wrapped ? 0 : s) * to.strides[i];
      from.shape[i] = to.shape[i] = length;
    }
    if (some) copy_into(call.runtime, from, to);
  }
}

}  // namespace

std::span<const KernelRow> view_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Reshape, reshape_kernel, "autoray"},
                                        {OpId::Transpose, transpose_kernel, "autoray"},
                                        {OpId::Swapaxes, swapaxes_kernel, "autoray"},
                                        {OpId::Moveaxis, moveaxis_kernel, "autoray"},
                                        {OpId::ExpandDims, unit_axes_kernel, "autoray"},
                                        {OpId::Squeeze, unit_axes_kernel, "autoray"},
                                        {OpId::Ravel, ravel_kernel, "autoray"},
                                        {OpId::Flatten, ravel_kernel, "autoray"},
                                        {OpId::BroadcastTo, broadcast_to_kernel, "autoray"},
                                        {OpId::AtLeast1d, atleast_kernel, "autoray"},
                                        {OpId::AtLeast2d, atleast_kernel, "autoray"},
                                        {OpId::Flip, flip_kernel, "autoray"},
                                        {OpId::Diagonal, diagonal_kernel, "autoray"},
                                        {OpId::Diag, diag_kernel, "autoray"},
                                        {OpId::Tril, triangle_kernel, "autoray"},
                                        {OpId::Triu, triangle_kernel, "autoray"},
                                        {OpId::Roll, roll_kernel, "autoray"},
                                        {OpId::Trace, trace_kernel, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
