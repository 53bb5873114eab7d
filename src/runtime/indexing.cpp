// numpy's indexing: ints, slices, newaxis and ellipsis make views; integer and boolean arrays gather and scatter.
#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"

namespace autoray::runtime {

using ir::Dims;
using ir::DType;
using ir::Error;
using ir::ErrorClass;

namespace {

struct Item {
  enum Kind { Int, Slice, NewAxis, Ellipsis, Ints } kind;
  std::int64_t integer = 0;
  const SliceObject* slice = nullptr;
  Array array;  // int64 indices
};

std::int64_t part(const Value& v, std::int64_t fallback) {
  if (v.is_none()) return fallback;
  if (v.is_int()) return v.as_int();
  if (v.is_bool()) return v.as_bool();
  if (auto* s = v.get_if<NumpyScalar>(); s && ir::is_integer(s->dtype)) {
    std::int64_t i = 0;
    cast_loop(s->dtype, DType::Int64)(s->data, 0, reinterpret_cast<char*>(&i), 0, 1);
    return i;
  }
  if (v.is(ObjectKind::BigInt)) throw Error(ErrorClass::IndexError, "cannot fit 'int' into an index-sized integer");
  throw Error(ErrorClass::TypeError, "slice indices must be integers or None or have an __index__ method");
}

[[noreturn]] void out_of_bounds(std::int64_t i, std::size_t axis, std::int64_t size) {
  throw Error(ErrorClass::IndexError, "index " + std::to_string(i) + " is out of bounds for axis " + std::to_string(axis) +
                                          " with size " + std::to_string(size));
}

void apply_slice(const SliceObject& s, std::int64_t& data_offset, std::int64_t length, std::int64_t stride, Dims& shape,
                 Dims& strides) {
  std::int64_t step = part(s.step, 1);
  if (step == 0) throw Error(ErrorClass::ValueError, "slice step cannot be zero");
  if (step < -INT64_MAX) step = -INT64_MAX;
  auto clip = [&](std::int64_t v) {
    if (v < 0)
      v = v < -length ? -1 : v + length;
    else
      return std::min(v, step < 0 ? length - 1 : length);
    return v < 0 ? (step < 0 ? std::int64_t{-1} : std::int64_t{0}) : v;
  };
  std::int64_t start = s.start.is_none() ? (step < 0 ? length - 1 : 0) : clip(part(s.start, 0));
  std::int64_t stop = s.stop.is_none() ? (step < 0 ? -1 : length) : clip(part(s.stop, 0));
  std::int64_t count =
      step > 0 ? (stop > start ? (stop - start - 1) / step + 1 : 0) : (start > stop ? (start - stop - 1) / -step + 1 : 0);
  if (count) data_offset += start * stride;
  shape.push_back(count);
  strides.push_back(count > 1 ? stride * step : stride);
}

// A boolean array stands for the int64 indices of its true places, one array an axis.
std::vector<Array> nonzero_indices(Runtime& runtime, const Array& mask) {
  Array flat = contiguous(runtime, mask, DType::Bool);
  std::int64_t n = flat.size(), count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += flat.data[i] != 0;
  std::vector<Array> result;
  const std::int64_t shape[] = {count};
  for (int k = 0; k < mask.ndim(); ++k) result.push_back(runtime.allocate(DType::Int64, shape));
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!flat.data[i]) continue;
    std::int64_t rest = i;
    for (std::size_t k = mask.shape.size(); k-- > 0;) {
      result[k].as<std::int64_t>()[at] = rest % mask.shape[k];
      rest /= mask.shape[k];
    }
    ++at;
  }
  return result;
}

struct Plan {
  Array base;                 // after the basic part: axes in order, advanced ones marked
  std::vector<int> advanced;  // axes of base that arrays index
  std::vector<Array> indices;
  bool together = true;  // no basic axis stands between them
  bool basic() const { return indices.empty(); }
};

Plan make_plan(Runtime& runtime, const Array& array, const Value& index) {
  std::vector<Item> items;
  bool has_array = false, has_ellipsis = false;
  int consumed = 0;
  auto add = [&](const Value& v) {
    Item item{};
    if (v.is_int()) {
      item.kind = Item::Int;
      item.integer = v.as_int();
      ++consumed;
    } else if (v.is_none()) {
      item.kind = Item::NewAxis;
    } else if (v.is_ellipsis()) {
      if (has_ellipsis) throw Error(ErrorClass::IndexError, "an index can only have a single ellipsis ('...')");
      has_ellipsis = true;
      item.kind = Item::Ellipsis;
    } else if (auto* s = v.get_if<SliceObject>()) {
      item.kind = Item::Slice;
      item.slice = s;
      ++consumed;
    } else if (auto* scalar = v.get_if<NumpyScalar>(); scalar && ir::is_integer(scalar->dtype)) {
      item.kind = Item::Int;
      item.integer = part(v, 0);
      ++consumed;
    } else {
      if (v.is(ObjectKind::Str) || v.is_float() || v.is(ObjectKind::Dict) || v.is(ObjectKind::Callable))
        throw Error(ErrorClass::IndexError,
                    "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are "
                    "valid indices");
      Array a = to_array(runtime, v);
      if (a.size() == 0 && !v.is(ObjectKind::Array)) a = runtime.allocate(DType::Int64, a.shape);
      has_array = true;
      if (ir::is_bool(a.dtype)) {
        if (a.ndim() == 0) {
          // A 0-d bool adds an axis of length one or none.
          Item axis{};
          axis.kind = Item::NewAxis;
          items.push_back(axis);
          const std::int64_t shape[] = {*a.data ? 1 : 0};
          item.kind = Item::Ints;
          item.array = runtime.allocate_zeroed(DType::Int64, shape);
          item.integer = -1;  // indexes the new axis
          items.back() = item;
          items.back().integer = -1;
          return;
        }
        for (int k = 0; k < a.ndim(); ++k) {
          auto axis = static_cast<std::size_t>(consumed + k);
          if (!has_ellipsis && axis < array.shape.size() && a.shape[static_cast<std::size_t>(k)] != array.shape[axis])
            throw Error(ErrorClass::IndexError, "boolean index did not match indexed array along axis " + std::to_string(axis) +
                                                    "; size of axis is " + std::to_string(array.shape[axis]) +
                                                    " but size of corresponding boolean axis is " +
                                                    std::to_string(a.shape[static_cast<std::size_t>(k)]));
        }
        for (Array& indices : nonzero_indices(runtime, a)) {
          item.kind = Item::Ints;
          item.array = indices;
          items.push_back(item);
          ++consumed;
        }
        return;
      }
      if (!ir::is_integer(a.dtype) && !v.get_if<ArrayObject>())
        throw Error(ErrorClass::IndexError,
                    "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are "
                    "valid indices");
      if (!ir::is_integer(a.dtype))
        throw Error(ErrorClass::IndexError, "arrays used as indices must be of integer (or boolean) type");
      item.kind = Item::Ints;
      item.array = contiguous(runtime, a, DType::Int64);
      ++consumed;
    }
    items.push_back(std::move(item));
  };
  if (auto* tuple = index.get_if<Tuple>()) {
    for (const Value& v : tuple->items) add(v);
  } else {
    add(index);
  }
  if (consumed > array.ndim())
    throw Error(ErrorClass::IndexError, "too many indices for array: array is " + std::to_string(array.ndim()) +
                                            "-dimensional, but " + std::to_string(consumed) + " were indexed");
  if (!has_ellipsis) {
    Item rest{};
    rest.kind = Item::Ellipsis;
    items.push_back(rest);
  }
  Plan plan;
  Dims shape, strides;
  std::int64_t offset = 0;
  std::size_t axis = 0;
  int last_advanced = -2;
  for (Item& item : items) {
    switch (item.kind) {
      case Item::Int: {
        std::int64_t i = item.integer, n = array.shape[axis];
        if (i < -n || i >= n) out_of_bounds(i, axis, n);
        if (has_array) {
          // Among arrays an int is an array too: it takes part in broadcasting and in the placement of axes.
          Array one = runtime.allocate(DType::Int64, {});
          *one.as<std::int64_t>() = i;
          if (last_advanced >= 0 && last_advanced != shape.ssize() - 1) plan.together = false;
          plan.advanced.push_back(shape.ssize());
          last_advanced = shape.ssize();
          plan.indices.push_back(one);
          shape.push_back(n);
          strides.push_back(array.strides[axis]);
        } else {
          offset += (i < 0 ? i + n : i) * array.strides[axis];
        }
        ++axis;
        break;
      }
      case Item::Slice:
        apply_slice(*item.slice, offset, array.shape[axis], array.strides[axis], shape, strides);
        ++axis;
        break;
      case Item::NewAxis:
        shape.push_back(1);
        strides.push_back(0);
        break;
      case Item::Ellipsis:
        for (int k = array.ndim() - consumed; k-- > 0; ++axis) {
          shape.push_back(array.shape[axis]);
          strides.push_back(array.strides[axis]);
        }
        break;
      case Item::Ints:
        if (last_advanced >= 0 && last_advanced != shape.ssize() - 1) plan.together = false;
        plan.advanced.push_back(shape.ssize());
        last_advanced = shape.ssize();
        plan.indices.push_back(item.array);
        if (item.integer == -1) {
          shape.push_back(1);
          strides.push_back(0);
        } else {
          std::int64_t n = array.shape[axis];
          auto* p = item.array.as<std::int64_t>();
          for (std::int64_t k = 0, m = item.array.size(); k < m; ++k)
            if (p[k] < -n || p[k] >= n) out_of_bounds(p[k], axis, n);
          shape.push_back(n);
          strides.push_back(array.strides[axis]);
          ++axis;
        }
        break;
    }
  }
  plan.base = with_shape_and_strides(array, shape, strides, offset);
  return plan;
}

// The byte offsets of an advanced index's places, in the order of its broadcast shape.
struct Gather {
  Dims index_shape;  // broadcast of the index arrays
  std::vector<std::int64_t> offsets;
  Array rest;            // base without the advanced axes
  std::size_t position;  // where the index axes stand in the result
  Dims result_shape() const {
    Dims shape(rest.shape.begin(), rest.shape.begin() + position);
    for (std::int64_t d : index_shape) shape.push_back(d);
    for (std::size_t i = position; i < rest.shape.size(); ++i) shape.push_back(rest.shape[i]);
    return shape;
  }
};

Gather make_gather(Runtime& runtime, const Plan& plan) {
  Gather g;
  std::vector<std::span<const std::int64_t>> shapes;
  for (const Array& a : plan.indices) shapes.push_back(a.shape);
  try {
    g.index_shape = ir::broadcast_all(shapes);
  } catch (const Error&) {
    throw Error(ErrorClass::IndexError, "shape mismatch: indexing arrays could not be broadcast together with shapes " +
                                            ir::broadcast_shapes_text(shapes))
        .with_code(401);
  }
  g.offsets.assign(static_cast<std::size_t>(ir::element_count(g.index_shape)), 0);
  for (std::size_t k = 0; k < plan.indices.size(); ++k) {
    Array indices = contiguous(runtime, broadcast_view(plan.indices[k], g.index_shape), DType::Int64);
    auto axis = static_cast<std::size_t>(plan.advanced[k]);
    std::int64_t n = plan.base.shape[axis], stride = plan.base.strides[axis];
    auto* p = indices.as<std::int64_t>();
    for (std::size_t i = 0; i < g.offsets.size(); ++i) g.offsets[i] += (p[i] < 0 ? p[i] + n : p[i]) * stride;
  }
  Dims shape, strides;
  for (std::size_t i = 0; i < plan.base.shape.size(); ++i) {
    if (std::find(plan.advanced.begin(), plan.advanced.end(), static_cast<int>(i)) != plan.advanced.end()) continue;
    shape.push_back(plan.base.shape[i]);
    strides.push_back(plan.base.strides[i]);
  }
  g.rest = with_shape_and_strides(plan.base, shape, strides);
  g.position = plan.together ? static_cast<std::size_t>(plan.advanced[0]) : 0;
  return g;
}

// Calls f(place in the base, place in the other array) for every item of the result; `other` has the result's shape.
template <class F>
void for_each(Runtime& runtime, const Gather& g, const Array& other, F&& f) {
  std::size_t index_ndim = g.index_shape.size();
  // The other array with the index axes in front.
  Dims order;
  for (std::size_t i = 0; i < index_ndim; ++i) order.push_back(static_cast<std::int64_t>(g.position + i));
  for (std::size_t i = 0; i < other.shape.size(); ++i)
    if (i < g.position || i >= g.position + index_ndim) order.push_back(static_cast<std::int64_t>(i));
  Array o = transposed(other, order);
  std::int64_t inner = g.rest.size();
  if (inner == 0) return;
  Dims counter(index_ndim, 0), inner_counter(g.rest.shape.size(), 0);
  char* other_place = o.data;
  for (std::size_t k = 0; k < g.offsets.size(); ++k) {
    char* base = g.rest.data + g.offsets[k];
    if (g.rest.shape.empty()) {
      f(base, other_place);
    } else {
      char *b = base, *p = other_place;
      std::fill(inner_counter.begin(), inner_counter.end(), 0);
      for (std::int64_t i = 0; i < inner; ++i) {
        f(b, p);
        for (std::size_t axis = g.rest.shape.size(); axis-- > 0;) {
          b += g.rest.strides[axis];
          p += o.strides[index_ndim + axis];
          if (++inner_counter[axis] < g.rest.shape[axis]) break;
          inner_counter[axis] = 0;
          b -= g.rest.strides[axis] * g.rest.shape[axis];
          p -= o.strides[index_ndim + axis] * g.rest.shape[axis];
        }
      }
    }
    if ((k & 0xffff) == 0xffff) runtime.poll();
    for (std::size_t axis = index_ndim; axis-- > 0;) {
      other_place += o.strides[axis];
      if (++counter[axis] < g.index_shape[axis]) break;
      counter[axis] = 0;
      other_place -= o.strides[axis] * g.index_shape[axis];
    }
  }
}

template <class F>
void with_item_size(std::int64_t size, F&& f) {
  switch (size) {
    case 1: f(std::integral_constant<std::size_t, 1>{}); break;
    case 2: f(std::integral_constant<std::size_t, 2>{}); break;
    case 4: f(std::integral_constant<std::size_t, 4>{}); break;
    case 8: f(std::integral_constant<std::size_t, 8>{}); break;
    default: f(std::integral_constant<std::size_t, 16>{});
  }
}

}  // namespace

Value get_item(Runtime& runtime, const Array& array, const Value& index) {
  // a[i] of one dimension and a[i] of more: the hottest cases.
  if (index.is_int()) {
    if (array.shape.empty())
      throw Error(ErrorClass::IndexError, "too many indices for array: array is 0-dimensional, but 1 were indexed");
    std::int64_t i = index.as_int(), n = array.shape[0];
    if (i < -n || i >= n) out_of_bounds(i, 0, n);
    char* place = array.data + (i < 0 ? i + n : i) * array.strides[0];
    if (array.shape.size() == 1) return make_scalar(array.dtype, place, array.backend);
    Array view = array;
    view.data = place;
    view.shape.erase(0);
    view.strides.erase(0);
    return make_array(std::move(view));
  }
  Plan plan = make_plan(runtime, array, index);
  if (plan.basic()) {
    // Ints alone give a scalar; an ellipsis keeps a 0-d array.
    if (plan.base.shape.empty()) {
      bool ellipsis = index.is_ellipsis();
      if (auto* tuple = index.get_if<Tuple>()) {
        ellipsis = false;
        for (const Value& v : tuple->items) ellipsis |= v.is_ellipsis();
      }
      if (!ellipsis) return make_scalar(array.dtype, plan.base.data, array.backend);
    }
    return make_array(std::move(plan.base));
  }
  Gather g = make_gather(runtime, plan);
  Array result = runtime.allocate(array.dtype, g.result_shape());
  result.backend = array.backend;
  with_item_size(array.itemsize(), [&](auto size) {
    for_each(runtime, g, result, [](const char* from, char* to) { std::memcpy(to, from, decltype(size)::value); });
  });
  if (result.shape.empty()) return make_scalar(result.dtype, result.data, result.backend);
  return make_array(std::move(result));
}

namespace {

// One element takes one number; a mask over the whole array takes a vector of them.
void check_assigned(const Array& array, const Value& index, const Array* element, const Array& value) {
  if (value.ndim() == 0) return;
  auto* tuple = index.get_if<Tuple>();
  auto integer = [](const Value& part) {
    auto* scalar = part.get_if<NumpyScalar>();
    return part.is_int() || (scalar && ir::is_integer(scalar->dtype));
  };
  bool integers = integer(index) ? array.ndim() == 1 : tuple && static_cast<int>(tuple->items.size()) == array.ndim();
  if (tuple)
    for (const Value& part : tuple->items) integers &= integer(part);
  if (integers && element && element->ndim() == 0) {
    if (ir::is_complex(array.dtype))
      throw Error(ErrorClass::TypeError, "only 0-dimensional arrays can be converted to Python scalars");
    throw Error(ErrorClass::ValueError, "setting an array element with a sequence.");
  }
  auto* mask = index.get_if<ArrayObject>();
  bool masks = mask && mask->array.dtype == DType::Bool && mask->array.ndim() == array.ndim() && array.ndim() > 0;
  if ((masks || (index.is_bool() && array.ndim() == 0)) && value.ndim() > 1)
    throw Error(ErrorClass::TypeError,
                "NumPy boolean array indexing assignment requires a 0 or 1-dimensional input, input has " +
                    std::to_string(value.ndim()) + " dimensions");
}

}  // namespace

void set_item(Runtime& runtime, const Array& array, const Value& index, const Value& item) {
  if (!array.can_write()) throw Error(ErrorClass::ValueError, "assignment destination is read-only");
  if (array.storage) array.storage->bump_version();
  if (index.is_int() && array.shape.size() == 1) {
    std::int64_t i = index.as_int(), n = array.shape[0];
    if (i < -n || i >= n) out_of_bounds(i, 0, n);
    char* place = array.data + (i < 0 ? i + n : i) * array.strides[0];
    if (item.is_float() && array.dtype == DType::Float64) {
      double v = item.as_float();
      std::memcpy(place, &v, sizeof v);
      return;
    }
    if (item.is_int() && array.dtype == DType::Int64) {
      std::int64_t v = item.as_int();
      std::memcpy(place, &v, sizeof v);
      return;
    }
  }
  Plan plan = make_plan(runtime, array, index);
  // Python scalars convert as scalars do (int out of range: OverflowError); arrays by casting.
  bool python = !item.is(ObjectKind::Array) && !item.is(ObjectKind::NumpyScalar);
  Array value = to_array(runtime, item, python ? std::optional(array.dtype) : std::nullopt);
  check_assigned(array, index, plan.basic() ? &plan.base : nullptr, value);
  auto mismatch = [&](const Dims& target) {
    std::span<const std::int64_t> a[] = {value.shape}, b[] = {target};
    std::string from = ir::broadcast_shapes_text(a), to = ir::broadcast_shapes_text(b);
    from.pop_back();
    to.pop_back();
    if (plan.basic())
      throw Error(ErrorClass::ValueError, "could not broadcast input array from shape " + from + " into shape " + to)
          .with_code(401);
    throw Error(ErrorClass::ValueError,
                "shape mismatch: value array of shape " + from + " could not be broadcast to indexing result of shape " + to)
        .with_code(401);
  };
  auto fitted = [&](const Dims& target) {
    // Leading axes of length one are dropped, as numpy does.
    while (value.shape.size() > target.size() && value.shape[0] == 1) {
      value.shape.erase(0);
      value.strides.erase(0);
    }
    auto fits = ir::broadcast(value.shape, target);
    if (!fits || !(*fits == target)) mismatch(target);
  };
  if (plan.basic()) {
    fitted(plan.base.shape);
    copy_into(runtime, value, plan.base);
    return;
  }
  Gather g = make_gather(runtime, plan);
  Dims shape = g.result_shape();
  // NumPy's masked write: one mask over the leading axes takes as many values as it has true places.
  fitted(shape);
  Array source = value.dtype == array.dtype && !may_overlap(value, array) ? value : converted(runtime, value, array.dtype);
  source = broadcast_view(source, shape);
  with_item_size(array.itemsize(), [&](auto size) {
    for_each(runtime, g, source, [](char* to, const char* from) { std::memcpy(to, from, decltype(size)::value); });
  });
}

}  // namespace autoray::runtime
