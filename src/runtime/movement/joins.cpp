#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"
#include "runtime/convert.h"
#include "runtime/movement/movement.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::attribute;
using ir::Dims;
using ir::OpId;

namespace {

const ir::Attr& attr(const KernelCall& call, std::string_view name) { return attribute(call.op, call.attrs, name); }

// Copies each operand, seen with the result's rank, behind the one before along `axis`.
void join(KernelCall& call, const std::vector<Array>& parts, std::size_t axis) {
  Array& out = call.allocate();
  Array window = out;
  for (const Array& part : parts) {
    window.shape = part.shape;
    copy_into(call.runtime, part, window);
    window.data += part.shape[axis] * out.strides[axis];
  }
}
Array seen(const Array& a, Dims shape) {
  Array view;
  try_reshape_view(a, shape, view);
  return view;
}
void concatenate_kernel(KernelCall& call) {
  const ir::Attr& axis = attr(call, "axis");
  std::vector<Array> parts;
  for (const Operand& operand : call.in) {
    Array part = *operand.array;
    if (axis.none()) part = seen(contiguous(call.runtime, part, part.dtype), Dims{part.size()});
    parts.push_back(part);
  }
  join(call, parts, axis.none() ? 0 : static_cast<std::size_t>(ir::normalize_axis(ir::as_int(axis, "axis"), parts[0].ndim())));
}
void stack_kernel(KernelCall& call) {
  auto axis = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attr(call, "axis"), "axis"), call.in[0]->ndim() + 1));
  Array& out = call.allocate();
  Array window = out;
  window.shape.erase(axis);
  window.strides.erase(axis);
  for (const Operand& operand : call.in) {
    copy_into(call.runtime, *operand.array, window);
    window.data += out.strides[axis];
  }
}
void vstack_kernel(KernelCall& call) {
  std::vector<Array> parts;
  for (const Operand& operand : call.in) {
    Dims shape = operand->shape;
    while (shape.size() < 2) shape.insert(0, 1);
    parts.push_back(operand->ndim() < 2 ? seen(contiguous(call.runtime, *operand.array, operand->dtype), shape)
                                        : *operand.array);
  }
  join(call, parts, 0);
}
void hstack_kernel(KernelCall& call) {
  std::vector<Array> parts;
  for (const Operand& operand : call.in) parts.push_back(operand->ndim() ? *operand.array : seen(*operand.array, Dims{1}));
  join(call, parts, parts[0].ndim() == 1 ? 0 : 1);
}
void column_stack_kernel(KernelCall& call) {
  std::vector<Array> parts;
  for (const Operand& operand : call.in)
    parts.push_back(operand->ndim() < 2 ? seen(contiguous(call.runtime, *operand.array, operand->dtype),
                                               Dims{operand->ndim() ? operand->shape[0] : 1, 1})
                                        : *operand.array);
  join(call, parts, 1);
}
void split_kernel(KernelCall& call) {
  const Array& x = *call.in[0];
  auto axis = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attr(call, "axis"), "axis"), x.ndim()));
  Dims ends = ir::split_points(attr(call, "indices_or_sections"), x.shape[axis], false);
  std::int64_t from = 0, length = x.shape[axis];
  auto clip = [&](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + length : p, 0, length); };
  for (std::size_t i = 0; i < ends.size(); ++i) {
    call.out[i] =
        with_shape_and_strides(x, call.types[i].shape, x.strides, call.types[i].shape[axis] ? clip(from) * x.strides[axis] : 0);
    from = ends[i];
  }
}
void tile_kernel(KernelCall& call) {
  Array& out = call.allocate();
  if (out.size() == 0) return;
  // (n0, m0, n1, m1, ...) with the operand broadcast over the n's.
  Dims inner = call.in[0]->shape;
  while (inner.size() < out.shape.size()) inner.insert(0, 1);
  Dims shape, source_shape;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    shape.push_back(out.shape[i] / inner[i]);
    shape.push_back(inner[i]);
    source_shape.push_back(1);
    source_shape.push_back(inner[i]);
  }
  Array source = seen(contiguous(call.runtime, *call.in[0], call.in[0]->dtype), source_shape), target;
  try_reshape_view(out, shape, target);
  copy_into(call.runtime, source, target);
}
void repeat_kernel(KernelCall& call) {
  const ir::Attr& axis_attr = attr(call, "axis");
  Array x = contiguous(call.runtime, *call.in[0], call.in[0]->dtype);
  auto axis = static_cast<std::size_t>(axis_attr.none() ? 0 : ir::scan_axis(axis_attr, x.ndim()));
  if (axis_attr.none() || x.ndim() == 0) x = seen(x, Dims{x.size()});
  Array& out = call.allocate();
  Dims counts = ir::repeat_counts(attr(call, "repeats"));
  std::int64_t n = x.shape[axis], outer = 1, inner = x.itemsize();
  for (std::size_t i = 0; i < axis; ++i) outer *= x.shape[i];
  for (std::size_t i = axis + 1; i < x.shape.size(); ++i) inner *= x.shape[i];
  char* to = out.data;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = counts[counts.size() == 1 ? 0 : static_cast<std::size_t>(i)]; k-- > 0; to += inner)
        std::memcpy(to, x.data + (o * n + i) * inner, static_cast<std::size_t>(inner));
}

// The median along an axis, with a NaN where there is one.
Array median_along(KernelCall& call, const Array& x, std::int64_t axis) {
  Runtime& runtime = call.runtime;
  Array sorted = runtime.run1(OpId::Sort, call.backend, {&x}, {axis});
  std::int64_t n = x.shape[static_cast<std::size_t>(axis)];
  auto places = [&](std::int64_t first, std::int64_t count) {
    const std::int64_t shape[] = {count};
    Array p = runtime.allocate(ir::DType::Int64, shape);
    for (std::int64_t i = 0; i < count; ++i) p.as<std::int64_t>()[i] = first + i;
    return p;
  };
  Array middle = places((n - 1) / 2, n % 2 ? 1 : 2);
  Array taken = runtime.run1(OpId::Take, call.backend, {&sorted, &middle}, {axis});
  Array result = runtime.run1(OpId::Mean, call.backend, {&taken}, {axis, {}, {}, true});
  if (!ir::is_inexact(x.dtype)) return result;
  // Sorting puts NaN last.
  Array last_place = places(n - 1, 1), last = runtime.run1(OpId::Take, call.backend, {&sorted, &last_place}, {axis});
  Array is_nan = runtime.run1(OpId::IsNan, call.backend, {&last});
  return runtime.run1(OpId::Where, call.backend, {&is_nan, &last, &result});
}

// Sides filled with a statistic of the axis, or with a ramp from zero to the edge.
void pad_with_statistics(KernelCall& call, const std::string& mode,
                         const std::vector<std::pair<std::int64_t, std::int64_t>>& widths, const Array& centre,
                         const Array& out) {
  Runtime& runtime = call.runtime;
  Array region = centre;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    auto [before, after] = widths[i];
    auto axis = static_cast<std::int64_t>(i);
    std::int64_t n = region.shape[i];
    if (n == 0 && before + after > 0)
      throw ir::Error(ir::ErrorClass::ValueError,
                      "can't extend empty axis " + std::to_string(i) + " using modes other than 'constant' or 'empty'");
    auto slab = [&](std::int64_t at, std::int64_t width) {
      Array part = region;
      part.shape[i] = width;
      part.data += at * out.strides[i];
      return part;
    };
    if (mode == "linear_ramp") {
      for (int side = 0; side < 2; ++side) {
        std::int64_t width = side ? after : before;
        if (width == 0) continue;
        Array edge = converted(runtime, slab(side ? n - 1 : 0, 1), ir::is_inexact(out.dtype) ? out.dtype : ir::DType::Float64);
        auto number = [&](std::int64_t value) {
          Array item = runtime.allocate(ir::DType::Int64, {});
          *item.as<std::int64_t>() = value;
          return converted(runtime, item, edge.dtype);
        };
        auto run = [&](OpId id, const Array& a, const Array& b) { return runtime.run1(id, call.backend, {&a, &b}); };
        // As linspace: where a step vanishes the share of the way is taken first.
        Array zero = number(0), divisions = number(width), step = run(OpId::Divide, edge, divisions);
        Array moves = converted(runtime, step, ir::DType::Bool);
        bool all_move = *runtime.run1(OpId::All, call.backend, {&moves}).as<bool>();
        for (std::int64_t k = 0; k < width; ++k) {
          Array kth = number(k);
          Array value =
              all_move ? run(OpId::Multiply, kth, step) : run(OpId::Multiply, run(OpId::Divide, kth, divisions), edge);
          value = run(OpId::Add, value, zero);
          if (ir::is_integer(out.dtype)) value = runtime.run1(OpId::Floor, call.backend, {&value});
          copy_into(runtime, value, slab(side ? n + width - 1 - k : k - width, 1));
        }
      }
    } else if (before + after > 0) {
      Array statistic = mode == "maximum"   ? runtime.run1(OpId::Max, call.backend, {&region}, {axis, {}, true})
                        : mode == "minimum" ? runtime.run1(OpId::Min, call.backend, {&region}, {axis, {}, true})
                        : mode == "mean"    ? runtime.run1(OpId::Mean, call.backend, {&region}, {axis, {}, {}, true})
                                            : median_along(call, region, axis);
      if (ir::is_integer(out.dtype)) statistic = runtime.run1(OpId::Round, call.backend, {&statistic});
      copy_into(runtime, statistic, slab(-before, before));
      copy_into(runtime, statistic, slab(n, after));
    }
    region = slab(-before, n + before + after);
  }
}

// One axis after the other: the sides are filled from what the axis holds by then.
void pad_kernel(KernelCall& call) {
  const std::string& mode = ir::as_string(attr(call, "mode"), "mode");
  const Array& x = *call.in[0];
  auto widths = ir::pad_widths(attr(call, "pad_width"), x.ndim());
  Array& out = call.allocate();
  Array centre = out;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    centre.data += widths[i].first * out.strides[i];
    centre.shape[i] = x.shape[i];
  }
  if (mode == "constant") {
    const ir::Attr& values = attr(call, "constant_values");
    std::vector<std::pair<double, double>> fill(widths.size(), {0, 0});
    auto number = [](const ir::Attr& a) { return ir::as_double(a, "constant_values"); };
    auto pair_of = [&](const ir::Attr& a) -> std::pair<double, double> {
      if (auto* d = a.get<Dims>()) return {static_cast<double>((*d)[0]), static_cast<double>(d->back())};
      if (auto* t = a.get<ir::Attr::Tuple>()) return {number((*t)[0]), number(t->back())};
      return {number(a), number(a)};
    };
    auto* nested = values.get<ir::Attr::Tuple>();
    bool per_axis = nested && !nested->empty() && ((*nested)[0].get<Dims>() || (*nested)[0].get<ir::Attr::Tuple>());
    if (per_axis && nested->size() != 1 && nested->size() != fill.size())
      throw ir::Error(ir::ErrorClass::ValueError,
                      "operands could not be broadcast together with remapped shapes [original->remapped]: (" +
                          std::to_string(nested->size()) + ",2)  and requested shape (" + std::to_string(fill.size()) + ",2)");
    for (std::size_t i = 0; i < fill.size() && !values.get<ir::Ellipsis>(); ++i)
      fill[i] = pair_of(per_axis ? (*nested)[std::min(i, nested->size() - 1)] : values);
    copy_into(call.runtime, x, centre);
    Array item = call.runtime.allocate(ir::DType::Float64, {});
    // Later axes span the corners, as numpy's.
    Array region = centre;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      for (int side = 0; side < 2; ++side) {
        Array part = region;
        part.shape[i] = side ? widths[i].second : widths[i].first;
        part.data = side ? region.data + region.shape[i] * out.strides[i] : region.data - widths[i].first * out.strides[i];
        *item.as<double>() = side ? fill[i].second : fill[i].first;
        copy_into(call.runtime, item, part);
      }
      region.data -= widths[i].first * out.strides[i];
      region.shape[i] = out.shape[i];
    }
    return;
  }
  copy_into(call.runtime, x, centre);
  if (mode == "maximum" || mode == "minimum" || mode == "mean" || mode == "median" || mode == "linear_ramp")
    return pad_with_statistics(call, mode, widths, centre, out);
  bool edge = mode == "edge", reflect = mode == "reflect", symmetric = mode == "symmetric", wrap = mode == "wrap",
       empty = mode == "empty";
  if (!edge && !reflect && !symmetric && !wrap && !empty) {
    throw ir::Error(ir::ErrorClass::ValueError, "mode '" + mode + "' is not supported");
  }
  Array region = centre;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    std::int64_t n = x.shape[i], before = widths[i].first, after = widths[i].second;
    if (n == 0 && before + after > 0 && !empty)
      throw ir::Error(ir::ErrorClass::ValueError,
                      "can't extend empty axis " + std::to_string(i) + " using modes other than 'constant' or 'empty'");
    auto fill = [&](std::int64_t at) {  // position relative to the data
      std::int64_t p;
      if (edge)
        p = std::clamp<std::int64_t>(at, 0, n - 1);
      else if (wrap)
        p = ((at % n) + n) % n;
      else if (symmetric) {
        p = ((at % (2 * n)) + 2 * n) % (2 * n);
        if (p >= n) p = 2 * n - 1 - p;
      } else if (n == 1)
        p = 0;
      else {
        p = ((at % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2);
        if (p >= n) p = 2 * n - 2 - p;
      }
      Array from = region, to = region;
      from.shape[i] = to.shape[i] = 1;
      from.data += p * out.strides[i];
      to.data += at * out.strides[i];
      copy_into(call.runtime, from, to);
    };
    if (!empty) {
      for (std::int64_t k = 1; k <= before; ++k) fill(-k);
      for (std::int64_t k = 0; k < after; ++k) fill(n + k);
    }
    region.data -= before * out.strides[i];
    region.shape[i] = out.shape[i];
  }
}

}  // namespace

std::span<const KernelRow> join_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Concatenate, concatenate_kernel, "autoray"},
                                        {OpId::Stack, stack_kernel, "autoray"},
                                        {OpId::Vstack, vstack_kernel, "autoray"},
                                        {OpId::Hstack, hstack_kernel, "autoray"},
                                        {OpId::ColumnStack, column_stack_kernel, "autoray"},
                                        {OpId::Split, split_kernel, "autoray"},
                                        {OpId::ArraySplit, split_kernel, "autoray"},
                                        {OpId::Tile, tile_kernel, "autoray"},
                                        {OpId::Repeat, repeat_kernel, "autoray"},
                                        {OpId::Pad, pad_kernel, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
