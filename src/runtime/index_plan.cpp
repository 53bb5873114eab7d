#include "runtime/index_plan.h"

#include <algorithm>

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
  Array array;                    // int64 indices
  std::int64_t mask_extent = -1;  // of the boolean array that the indices come from
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

}  // namespace

void index_out_of_bounds(std::int64_t i, std::size_t axis, std::int64_t size) {
  throw Error(ErrorClass::IndexError, "index " + std::to_string(i) + " is out of bounds for axis " + std::to_string(axis) +
                                          " with size " + std::to_string(size));
}

IndexPlan make_index_plan(Runtime& runtime, const Array& array, const Value& index) {
  std::vector<Item> items;
  bool has_array = false, has_ellipsis = false, copies = false;
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
      if (a.ndim() == 0 && ir::is_integer(a.dtype)) {
        // An integer, but what is taken by it alone is a copy as if by an array.
        copies = true;
        item.kind = Item::Int;
        cast_loop(a.dtype, DType::Int64)(a.data, 0, reinterpret_cast<char*>(&item.integer), 0, 1);
        ++consumed;
        items.push_back(item);
        return;
      }
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
        std::size_t k = 0;
        for (Array& indices : nonzero_indices(runtime, a)) {
          item.kind = Item::Ints;
          item.array = indices;
          item.mask_extent = a.shape[k++];
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
  IndexPlan plan;
  plan.copies = copies;
  Dims shape, strides;
  std::int64_t offset = 0;
  std::size_t axis = 0;
  bool apart = false;  // something basic came after the last array, be it an ellipsis of no axes
  auto advance = [&] {
    if (!plan.advanced.empty() && apart) plan.together = false;
    plan.advanced.push_back(shape.ssize());
    apart = false;
  };
  for (Item& item : items) {
    if (item.kind != Item::Int && item.kind != Item::Ints) apart = true;
    switch (item.kind) {
      case Item::Int: {
        std::int64_t i = item.integer, n = array.shape[axis];
        if (i < -n || i >= n) index_out_of_bounds(i, axis, n);
        if (has_array) {
          // Among arrays an int is an array too: it takes part in broadcasting and in the placement of axes.
          Array one = runtime.allocate(DType::Int64, {});
          *one.as<std::int64_t>() = i;
          advance();
          plan.indices.push_back(one);
          plan.axes.push_back(axis);
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
        advance();
        plan.indices.push_back(item.array);
        plan.axes.push_back(axis);
        if (item.integer == -1) {
          shape.push_back(1);
          strides.push_back(0);
        } else {
          std::int64_t n = array.shape[axis];
          // numpy compares no mask of length 0.
          if (item.mask_extent > 0 && item.mask_extent != n)
            throw Error(ErrorClass::IndexError, "boolean index did not match indexed array along axis " + std::to_string(axis) +
                                                    "; size of axis is " + std::to_string(n) +
                                                    " but size of corresponding boolean axis is " +
                                                    std::to_string(item.mask_extent));
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

}  // namespace autoray::runtime
