#include <algorithm>
#include <cstring>
#include <numeric>

#include "ir/error.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/movement/fast_sorts.h"
#include "runtime/movement/movement.h"
#include "runtime/runtime.h"
#include "runtime/scalar/definitions.h"

namespace autoray::runtime {

using ir::attribute;
using ir::Dims;
using ir::DType;
using ir::OpId;

namespace {

const ir::Attr& attr(const KernelCall& call, std::string_view name) { return attribute(call.op, call.attrs, name); }

// numpy's order: NaNs last, complex by parts.
template <class T>
struct Before {
  bool operator()(const T& a, const T& b) const {
    if constexpr (scalar::is_complex_v<T>)
      return scalar::complex_less(a, b);
    else if constexpr (std::is_same_v<T, ir::Half>)
      return Before<float>{}(static_cast<float>(a), static_cast<float>(b));
    else if constexpr (std::is_floating_point_v<T>)
      return a < b || (b != b && a == a);
    else
      return a < b;
  }
};

template <class T>
bool is_nan(const T& item) {
  if constexpr (std::is_same_v<T, ir::Half>)
    return is_nan(static_cast<float>(item));
  else
    return item != item;
}

// Every kind sorts the same way here; unknown ones are refused, by their first letter as numpy does.
void check_kind(const KernelCall& call) {
  const ir::Attr& kind = attr(call, "kind");
  if (!kind.none()) {
    const std::string& text = ir::as_string(kind, "kind");
    if (text.empty() || !std::strchr("qQhHmMsS", text[0]))
      throw ir::Error(ir::ErrorClass::ValueError, "sort kind must be one of 'quick', 'heap', or 'stable' (got '" + text + "')");
    if (!attr(call, "stable").none())
      throw ir::Error(ir::ErrorClass::ValueError,
                      "`kind` and keyword parameters can't be provided at the same time. Use only one.");
  }
  if (!attr(call, "order").none())
    throw ir::Error(ir::ErrorClass::ValueError, "Cannot specify order when the array has no fields.");
}

// The operand in C order with the sorted axis last; the op's axis attribute says which (None: flattened).
Array axis_last(KernelCall& call, const Array& x, int& axis) {
  const ir::Attr& axis_attr = attr(call, "axis");
  if (axis_attr.none()) {
    Array flat = contiguous(call.runtime, x, x.dtype), view;
    try_reshape_view(flat, Dims{flat.size()}, view);
    axis = 0;
    return flat.storage == x.storage ? converted(call.runtime, view, view.dtype) : view;
  }
  axis = ir::normalize_axis(ir::as_int(axis_attr, "axis"), x.ndim());
  Dims order;
  for (int i = 0; i < x.ndim(); ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  return converted(call.runtime, transposed(x, order), x.dtype);
}
Array axis_back(const Array& x, int axis) {
  Dims order;
  for (int i = 0; i < x.ndim() - 1; ++i) order.push_back(i);
  order.insert(static_cast<std::size_t>(axis), x.ndim() - 1);
  return transposed(x, order);
}

void sort_kernel(KernelCall& call) {
  check_kind(call);
  int axis;
  Array x = axis_last(call, *call.in[0], axis);
  std::int64_t n = x.ndim() ? x.shape.back() : 1, rows = n ? x.size() / n : 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    call.runtime.poll();
    sort_row(x.dtype, x.data + r * n * x.itemsize(), n);
  }
  Array result = axis_back(x, axis);
  call.out[0] = result.c_contiguous() ? result : converted(call.runtime, result, result.dtype);
}
void argsort_kernel(KernelCall& call) {
  check_kind(call);
  int axis;
  Array x = axis_last(
      call, call.in[0]->ndim() ? *call.in[0] : with_shape_and_strides(*call.in[0], Dims{1}, Dims{call.in[0]->itemsize()}),
      axis);
  std::int64_t n = x.shape.back(), rows = n ? x.size() / n : 0;
  Array order = call.runtime.allocate(DType::Int64, x.shape);
  for (std::int64_t r = 0; r < rows; ++r) {
    call.runtime.poll();
    argsort_row(x.dtype, x.data + r * n * x.itemsize(), n, order.as<std::int64_t>() + r * n);
  }
  Array result = axis_back(order, axis);
  call.out[0] = result.c_contiguous() ? result : converted(call.runtime, result, result.dtype);
}
void searchsorted_kernel(KernelCall& call) {
  DType dtype = ir::promote(call.in[0]->dtype, call.in[1]->dtype);
  Array a = converted(call.runtime, *call.in[0], dtype), v = converted(call.runtime, *call.in[1], dtype);
  const std::string& side = ir::as_string(attr(call, "side"), "side");
  if (side != "left" && side != "right")
    throw ir::Error(ir::ErrorClass::ValueError, "search side must be one of 'left' or 'right' (got '" + side + "')");
  if (call.in[2].present()) {
    Array sorter = contiguous(call.runtime, *call.in[2], DType::Int64);
    a = call.runtime.run1(OpId::Take, call.backend, {&a, &sorter});
  }
  Array& out = call.allocate();
  search_row(dtype, a.data, a.size(), v.data, v.size(), side == "right", out.as<std::int64_t>());
}
void take_kernel(KernelCall& call) {
  const ir::Attr& axis_attr = attr(call, "axis");
  const std::string& mode = ir::as_string(attr(call, "mode"), "mode");
  Array x = contiguous(call.runtime, *call.in[0], call.in[0]->dtype);
  if (x.ndim() == 0) x = with_shape_and_strides(x, Dims{1}, Dims{x.itemsize()});
  if (mode != "raise" && mode != "wrap" && mode != "clip")
    throw ir::Error(ir::ErrorClass::ValueError, "clipmode must be one of 'clip', 'raise', or 'wrap' (got '" + mode + "')");
  // A Python float is cut, as int() does; indices in an array are not.
  bool castable = ir::is_integer(call.in[1]->dtype) || ir::is_bool(call.in[1]->dtype) || call.in[1].kind == ir::Kind::Weak;
  if (!castable && call.in[1]->size())
    throw ir::Error(ir::ErrorClass::TypeError, "Cannot cast array data from dtype('" +
                                                   std::string(ir::name(call.in[1]->dtype)) +
                                                   "') to dtype('int64') according to the rule 'safe'");
  Array indices = contiguous(call.runtime, *call.in[1], DType::Int64);
  Array& out = call.allocate();
  std::int64_t n = x.size(), outer = 1, inner = x.itemsize();
  if (!axis_attr.none()) {
    auto axis = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(axis_attr, "axis"), x.ndim()));
    n = x.shape[axis];
    for (std::size_t i = 0; i < axis; ++i) outer *= x.shape[i];
    for (std::size_t i = axis + 1; i < x.shape.size(); ++i) inner *= x.shape[i];
  }
  std::int64_t count = indices.size();
  if (n == 0 && count) throw ir::Error(ir::ErrorClass::IndexError, "cannot do a non-empty take from an empty axes.");
  char* to = out.data;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = 0; k < count; ++k, to += inner) {
      std::int64_t i = indices.as<std::int64_t>()[k];
      if (mode == "wrap")
        i = ((i % n) + n) % n;
      else if (mode == "clip")
        i = std::clamp<std::int64_t>(i, 0, n - 1);
      else {
        if (i < -n || i >= n)
          throw ir::Error(
              ir::ErrorClass::IndexError,
              "index " + std::to_string(i) + " is out of bounds for " +
                  (axis_attr.none() ? "size "
                                    : "axis " + std::to_string(ir::normalize_axis(ir::as_int(axis_attr, "axis"), x.ndim())) +
                                          " with size ") +
                  std::to_string(n));
        if (i < 0) i += n;
      }
      std::memcpy(to, x.data + (o * n + i) * inner, static_cast<std::size_t>(inner));
    }
}
void take_along_axis_kernel(KernelCall& call) {
  const ir::Attr& axis_attr = attr(call, "axis");
  Array x = *call.in[0];
  if (axis_attr.none()) {
    Array flat = contiguous(call.runtime, x, x.dtype);
    try_reshape_view(flat, Dims{flat.size()}, x);
  }
  auto axis = static_cast<std::size_t>(axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), x.ndim()));
  Array& out = call.allocate();
  Array indices = contiguous(call.runtime, broadcast_view(*call.in[1], out.shape), DType::Int64);
  Dims wide = out.shape;
  wide[axis] = x.shape[axis];
  Array source = broadcast_view(x, wide);
  std::int64_t n = x.shape[axis];
  Dims index(out.shape.size(), 0);
  auto size = static_cast<std::size_t>(x.itemsize());
  for (std::int64_t k = 0, total = out.size(); k < total; ++k) {
    std::int64_t i = indices.as<std::int64_t>()[k];
    if (i < -n || i >= n)
      throw ir::Error(ir::ErrorClass::IndexError, "index " + std::to_string(i) + " is out of bounds for axis " +
                                                      std::to_string(axis) + " with size " + std::to_string(n));
    std::int64_t offset = (i < 0 ? i + n : i) * source.strides[axis];
    for (std::size_t a = 0; a < index.size(); ++a)
      if (a != axis) offset += index[a] * source.strides[a];
    std::memcpy(out.data + static_cast<std::size_t>(k) * size, source.data + offset, size);
    for (std::size_t a = index.size(); a-- > 0;) {
      if (++index[a] < out.shape[a]) break;
      index[a] = 0;
    }
  }
}
void nonzero_kernel(KernelCall& call) {
  Array mask = converted(call.runtime, *call.in[0], DType::Bool);
  if (mask.ndim() == 0)
    throw ir::Error(ir::ErrorClass::ValueError,
                    "Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead. If the context "
                    "of this error is of the form `arr[nonzero(cond)]`, just use `arr[cond]`.");
  std::int64_t count = 0, n = mask.size();
  for (std::int64_t i = 0; i < n; ++i) count += mask.data[i] != 0;
  const std::int64_t shape[] = {count};
  std::vector<Array> results;
  for (int k = 0; k < mask.ndim(); ++k) results.push_back(call.runtime.allocate(DType::Int64, shape));
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!mask.data[i]) continue;
    std::int64_t rest = i;
    for (std::size_t k = mask.shape.size(); k-- > 0;) {
      results[k].as<std::int64_t>()[at] = rest % mask.shape[k];
      rest /= mask.shape[k];
    }
    ++at;
  }
  for (Array& r : results) call.dynamic_out->push_back(std::move(r));
}
// The order of items of a row: as numpy sorts, but that its float16 rows have NaN first.
template <class T>
bool before_in_row(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, ir::Half>)
    return is_nan(a) ? !is_nan(b) : static_cast<float>(a) < static_cast<float>(b);
  else
    return Before<T>{}(a, b);
}
// unique(axis=): rows of what lies along the axis, in the order of their items; NaN equals nothing.
void unique_rows(KernelCall& call) {
  const Array& source = *call.in[0];
  int axis = ir::normalize_axis(ir::as_int(attr(call, "axis"), "axis"), source.ndim());
  Dims order;
  order.push_back(axis);
  for (int i = 0; i < source.ndim(); ++i)
    if (i != axis) order.push_back(i);
  Array x = converted(call.runtime, transposed(source, order), source.dtype);
  std::int64_t n = x.shape[0], width = n ? x.size() / n : 0;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n)), firsts, counts;
  std::iota(rows.begin(), rows.end(), 0);
  const std::int64_t inverse_shape[] = {n};
  Array inverse = call.runtime.allocate(DType::Int64, inverse_shape);
  ir::visit_dtype(x.dtype, [&]<class T>() {
    auto row = [&](std::int64_t r) { return x.as<T>() + r * width; };
    auto same = [](const T& a, const T& b) {
      if constexpr (std::is_same_v<T, ir::Half>)
        return static_cast<float>(a) == static_cast<float>(b);
      else
        return a == b;
    };
    std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
      return std::lexicographical_compare(row(a), row(a) + width, row(b), row(b) + width, before_in_row<T>);
    });
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t here = rows[static_cast<std::size_t>(i)];
      if (i == 0 || !std::equal(row(here), row(here) + width, row(rows[static_cast<std::size_t>(i - 1)]), same)) {
        firsts.push_back(here);
        counts.push_back(0);
      }
      ++counts.back();
      inverse.as<std::int64_t>()[here] = static_cast<std::int64_t>(firsts.size()) - 1;
    }
  });
  const std::int64_t count[] = {static_cast<std::int64_t>(firsts.size())};
  auto ints = [&](const std::vector<std::int64_t>& v) {
    Array a = call.runtime.allocate(DType::Int64, count);
    std::copy(v.begin(), v.end(), a.as<std::int64_t>());
    return a;
  };
  Array places = ints(firsts);
  call.dynamic_out->push_back(
      call.runtime.run1(OpId::Take, call.backend, {&source, &places}, {static_cast<std::int64_t>(axis)}));
  if (ir::as_bool(attr(call, "return_index"), "return_index")) call.dynamic_out->push_back(places);
  if (ir::as_bool(attr(call, "return_inverse"), "return_inverse")) call.dynamic_out->push_back(inverse);
  if (ir::as_bool(attr(call, "return_counts"), "return_counts")) call.dynamic_out->push_back(ints(counts));
}
void unique_kernel(KernelCall& call) {
  if (const ir::Attr& axis = attr(call, "axis"); !axis.none()) {
    if (call.in[0]->ndim() != 1) return unique_rows(call);
    ir::normalize_axis(ir::as_int(axis, "axis"), 1);
  }
  bool want_index = ir::as_bool(attr(call, "return_index"), "return_index"),
       want_inverse = ir::as_bool(attr(call, "return_inverse"), "return_inverse"),
       want_counts = ir::as_bool(attr(call, "return_counts"), "return_counts"),
       equal_nan = ir::as_bool(attr(call, "equal_nan"), "equal_nan");
  Array x = contiguous(call.runtime, *call.in[0], call.in[0]->dtype);
  std::int64_t n = x.size();
  ir::visit_dtype(x.dtype, [&]<class T>() {
    const T* p = x.as<T>();
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    Before<T> before;
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return before(p[a], p[b]); });
    std::vector<std::int64_t> firsts, counts;
    Array inverse = call.runtime.allocate(DType::Int64, x.shape);
    auto same = [&](std::int64_t a, std::int64_t b) {
      if (before(p[a], p[b]) || before(p[b], p[a])) return false;
      return equal_nan || !is_nan(p[a]);
    };
    // Complex NaNs are one value, whatever their other part; they stand last.
    auto both_nan = [&](std::int64_t a, std::int64_t b) { return equal_nan && is_nan(p[a]) && is_nan(p[b]); };
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t before_this = i ? order[static_cast<std::size_t>(i - 1)] : 0, here = order[static_cast<std::size_t>(i)];
      if (i == 0 || !(same(before_this, here) || both_nan(before_this, here))) {
        firsts.push_back(order[static_cast<std::size_t>(i)]);
        counts.push_back(0);
      }
      ++counts.back();
      inverse.as<std::int64_t>()[order[static_cast<std::size_t>(i)]] = static_cast<std::int64_t>(firsts.size()) - 1;
    }
    const std::int64_t shape[] = {static_cast<std::int64_t>(firsts.size())};
    Array values = call.runtime.allocate(x.dtype, shape);
    for (std::size_t i = 0; i < firsts.size(); ++i) values.as<T>()[i] = p[firsts[i]];
    auto ints = [&](const std::vector<std::int64_t>& v) {
      Array a = call.runtime.allocate(DType::Int64, shape);
      std::copy(v.begin(), v.end(), a.as<std::int64_t>());
      return a;
    };
    call.dynamic_out->push_back(values);
    if (want_index) call.dynamic_out->push_back(ints(firsts));
    if (want_inverse) call.dynamic_out->push_back(inverse);
    if (want_counts) call.dynamic_out->push_back(ints(counts));
  });
}
void bincount_kernel(KernelCall& call) {
  if (call.in[0]->ndim() != 1) throw ir::Error(ir::ErrorClass::ValueError, "object too deep for desired array");
  if (!ir::is_integer(call.in[0]->dtype) && !ir::is_bool(call.in[0]->dtype))
    throw ir::Error(ir::ErrorClass::TypeError, "Cannot cast array data from dtype('" +
                                                   std::string(ir::name(call.in[0]->dtype)) +
                                                   "') to dtype('int64') according to the rule 'safe'");
  Array x = contiguous(call.runtime, *call.in[0], DType::Int64);
  std::int64_t most = ir::as_int(attr(call, "minlength"), "minlength");
  if (most < 0) throw ir::Error(ir::ErrorClass::ValueError, "'minlength' must not be negative");
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (x.as<std::int64_t>()[i] < 0)
      throw ir::Error(ir::ErrorClass::ValueError, "'list' argument must have no negative elements");
    most = std::max(most, x.as<std::int64_t>()[i] + 1);
  }
  const std::int64_t shape[] = {most};
  // Nothing counted is a count, weights or not.
  if (!call.in[1].present() || x.size() == 0) {
    Array out = call.runtime.allocate_zeroed(DType::Int64, shape);
    for (std::int64_t i = 0; i < x.size(); ++i) ++out.as<std::int64_t>()[x.as<std::int64_t>()[i]];
    call.dynamic_out->push_back(out);
    return;
  }
  Array w = contiguous(call.runtime, *call.in[1], DType::Float64);
  if (w.size() != x.size()) throw ir::Error(ir::ErrorClass::ValueError, "The weights and list don't have the same length.");
  Array out = call.runtime.allocate_zeroed(DType::Float64, shape);
  for (std::int64_t i = 0; i < x.size(); ++i) out.as<double>()[x.as<std::int64_t>()[i]] += w.as<double>()[i];
  call.dynamic_out->push_back(out);
}

}  // namespace

void sort_row(DType dtype, void* items, std::int64_t n) {
  if (vector_sort(dtype, items, n)) return;
  ir::visit_dtype(dtype, [&]<class T>() {
    T* begin = static_cast<T*>(items);
    // Equal keys can differ in their zeros' signs and in what NaN hides: they keep their order, whatever the kind.
    if constexpr (std::is_integral_v<T>)
      std::sort(begin, begin + n);
    else
      std::stable_sort(begin, begin + n, Before<T>{});
  });
}
void search_row(DType dtype, const void* row, std::int64_t n, const void* values, std::int64_t count, bool behind,
                std::int64_t* places) {
  ir::visit_dtype(dtype, [&]<class T>() {
    const T *begin = static_cast<const T*>(row), *end = begin + n, *v = static_cast<const T*>(values);
    for (std::int64_t k = 0; k < count; ++k)
      places[k] =
          (behind ? std::upper_bound(begin, end, v[k], Before<T>{}) : std::lower_bound(begin, end, v[k], Before<T>{})) - begin;
  });
}
void argsort_row(DType dtype, const void* items, std::int64_t n, std::int64_t* order) {
  if (radix_argsort(dtype, items, n, order)) return;
  ir::visit_dtype(dtype, [&]<class T>() {
    struct Keyed {
      T key;
      std::int64_t index;
    };
    std::vector<Keyed> keyed(static_cast<std::size_t>(n));
    const T* keys = static_cast<const T*>(items);
    for (std::int64_t i = 0; i < n; ++i) keyed[static_cast<std::size_t>(i)] = {keys[i], i};
    std::stable_sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) { return Before<T>{}(a.key, b.key); });
    for (std::int64_t i = 0; i < n; ++i) order[i] = keyed[static_cast<std::size_t>(i)].index;
  });
}

std::span<const KernelRow> sort_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Sort, sort_kernel, "autoray"},
                                        {OpId::Argsort, argsort_kernel, "autoray"},
                                        {OpId::Searchsorted, searchsorted_kernel, "autoray"},
                                        {OpId::Take, take_kernel, "autoray"},
                                        {OpId::TakeAlongAxis, take_along_axis_kernel, "autoray"},
                                        {OpId::Nonzero, nonzero_kernel, "autoray"},
                                        {OpId::Unique, unique_kernel, "autoray"},
                                        {OpId::Bincount, bincount_kernel, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
