// a[index] and a[index] = value: views where the index is basic, gather and scatter where arrays take part.
#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/index.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/index_plan.h"

namespace autoray::runtime {

using ir::Dims;
using ir::DType;
using ir::Error;
using ir::ErrorClass;

namespace {

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

Gather make_gather(Runtime& runtime, const IndexPlan& plan) {
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
    // Nothing is out of bounds where nothing is taken.
    for (std::size_t i = 0; i < g.offsets.size(); ++i)
      if (p[i] < -n || p[i] >= n) index_out_of_bounds(p[i], plan.axes[k], n);
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

bool has_ellipsis(const Value& index) {
  auto* tuple = index.get_if<Tuple>();
  if (!tuple) return index.is_ellipsis();
  return std::any_of(tuple->items.begin(), tuple->items.end(), [](const Value& v) { return v.is_ellipsis(); });
}

}  // namespace

Value get_item(Runtime& runtime, const Array& array, const Value& index) {
  // a[i] of one dimension and a[i] of more: the hottest cases.
  if (index.is_int()) {
    if (array.shape.empty())
      throw Error(ErrorClass::IndexError, "too many indices for array: array is 0-dimensional, but 1 were indexed");
    std::int64_t i = index.as_int(), n = array.shape[0];
    if (i < -n || i >= n) index_out_of_bounds(i, 0, n);
    char* place = array.data + (i < 0 ? i + n : i) * array.strides[0];
    if (array.shape.size() == 1) return make_scalar(array.dtype, place, array.backend);
    Array view = array;
    view.data = place;
    view.shape.erase(0);
    view.strides.erase(0);
    return make_array(std::move(view));
  }
  IndexPlan plan = make_index_plan(runtime, array, index);
  if (plan.basic()) {
    // Ints alone give a scalar; an ellipsis keeps a 0-d array.
    if (plan.base.shape.empty() && !has_ellipsis(index)) return make_scalar(array.dtype, plan.base.data, array.backend);
    return make_array(plan.copies ? converted(runtime, plan.base, array.dtype) : std::move(plan.base));
  }
  Gather g = make_gather(runtime, plan);
  Array result = runtime.allocate(array.dtype, g.result_shape());
  result.backend = array.backend;
  with_item_size(array.itemsize(), [&](auto size) {
    for_each(runtime, g, result, [](const char* from, char* to) { std::memcpy(to, from, decltype(size)::value); });
  });
  if (result.shape.empty() && !has_ellipsis(index)) return make_scalar(result.dtype, result.data, result.backend);
  return make_array(std::move(result));
}

namespace {

// numpy takes a mask over a whole array by a way of its own.
bool is_whole_mask(const Array& array, const Value& index) {
  auto* tuple = index.get_if<Tuple>();
  auto* mask = tuple && tuple->items.size() == 1 ? tuple->items[0].get_if<ArrayObject>() : index.get_if<ArrayObject>();
  return mask && mask->array.dtype == DType::Bool && mask->array.ndim() == array.ndim() && array.ndim() > 0;
}

// One element takes one number; a mask over the whole array takes a vector of them.
void check_assigned(const Array& array, const Value& index, const Array& value) {
  if (value.ndim() == 0) return;
  auto* tuple = index.get_if<Tuple>();
  auto integer = [](const Value& part) {
    auto* scalar = part.get_if<NumpyScalar>();
    auto* item = part.get_if<ArrayObject>();
    return part.is_int() || (scalar && ir::is_integer(scalar->dtype)) ||
           (item && item->array.ndim() == 0 && ir::is_integer(item->array.dtype));
  };
  bool integers = integer(index) ? array.ndim() == 1 : tuple && static_cast<int>(tuple->items.size()) == array.ndim();
  if (tuple)
    for (const Value& part : tuple->items) integers &= integer(part);
  // A bool element takes the truth of an array of one item.
  if (integers && !(ir::is_bool(array.dtype) && value.size() == 1)) {
    if (ir::is_complex(array.dtype))
      throw Error(ErrorClass::TypeError, "only 0-dimensional arrays can be converted to Python scalars");
    throw Error(ErrorClass::ValueError, "setting an array element with a sequence.");
  }
  if ((is_whole_mask(array, index) || (index.is_bool() && array.ndim() == 0)) && value.ndim() > 1)
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
    if (i < -n || i >= n) index_out_of_bounds(i, 0, n);
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
  IndexPlan plan = make_index_plan(runtime, array, index);
  // Python scalars convert as scalars do (int out of range: OverflowError); arrays by casting.
  bool python = !item.is(ObjectKind::Array) && !item.is(ObjectKind::NumpyScalar);
  Array value = to_array(runtime, item, python ? std::optional(array.dtype) : std::nullopt);
  check_assigned(array, index, value);
  const Dims given = value.shape;
  auto mismatch = [&](const Dims& target) {
    if (is_whole_mask(array, index))
      throw Error(ErrorClass::ValueError, "NumPy boolean array indexing assignment cannot assign " + std::to_string(given[0]) +
                                              " input values to the " + std::to_string(target[0]) +
                                              " output values where the mask is true")
          .with_code(401);
    std::span<const std::int64_t> a[] = {plan.basic() ? value.shape : given}, b[] = {target};
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
    // Leading axes of length one are dropped, as numpy does; all of them where arrays index and nothing is written.
    bool nothing = !plan.basic() && ir::writes_nothing(value.shape, target);
    while (value.shape.size() > target.size() && (nothing || value.shape[0] == 1)) {
      value.shape.erase(0);
      value.strides.erase(0);
    }
    auto fits = ir::broadcast(value.shape, target);
    if (!fits || !(*fits == target)) mismatch(target);
  };
  if (plan.basic()) {
    fitted(plan.base.shape);
    copy_into(runtime, value, plan.base);
    runtime.check_fp("cast");
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
  runtime.check_fp("cast");
}

}  // namespace autoray::runtime
