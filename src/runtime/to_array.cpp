// Values to arrays, dtypes and attributes, and back.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/error.h"
#include "ir/suggest.h"
#include "runtime/bigint.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/recorder.h"
#include "runtime/memory_order.h"
#include "runtime/ufunc.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;

namespace {

const std::vector<Value>* sequence_items(const Value& value) {
  if (auto* list = value.get_if<List>()) return &list->items;
  if (auto* tuple = value.get_if<Tuple>()) return &tuple->items;
  return nullptr;
}

[[noreturn]] void ragged(const ir::Dims& shape) {
  throw Error(ErrorClass::ValueError,
              "setting an array element with a sequence. The requested array has an inhomogeneous shape after " +
                  std::to_string(shape.size()) + " dimensions. The detected shape was " + ir::to_string(shape) +
                  " + inhomogeneous part.");
}

// What nested sequences agree on: the common shape, and the promoted dtype of everything inside.
struct Discovery {
  ir::Dims shape;
  std::optional<DType> dtype;
  bool shape_known = false;

  void add(DType found) { dtype = dtype ? ir::promote(*dtype, found) : found; }

  // `depth` counts the sequences around `value`.
  void visit(const Value& value, int depth) {
    if (auto* items = sequence_items(value)) {
      if (depth >= ir::kMaxDims)
        throw Error(ErrorClass::ValueError,
                    "setting an array element with a sequence. The requested array would exceed the maximum "
                    "number of dimension of 64.");
      enter(depth, static_cast<std::int64_t>(items->size()));
      if (items->empty()) leaf(depth + 1);
      for (const Value& item : *items) visit(item, depth + 1);
      return;
    }
    if (auto* array = value.get_if<ArrayObject>()) {
      for (std::int64_t extent : array->array.shape) enter(depth++, extent);
      leaf(depth);
      add(array->array.dtype);
      return;
    }
    if (auto* range = value.get_if<Range>()) {
      enter(depth, range->size());
      leaf(depth + 1);
      add(DType::Int64);
      return;
    }
    leaf(depth);
    add(scalar_dtype(value));
  }

  static DType scalar_dtype(const Value& value) {
    if (value.is_float()) return DType::Float64;
    if (value.is_int()) return DType::Int64;
    if (value.is_bool()) return DType::Bool;
    if (auto* scalar = value.get_if<NumpyScalar>()) return scalar->dtype;
    if (value.is(ObjectKind::Complex)) return DType::Complex128;
    if (auto* big = value.get_if<BigInt>()) {
      if (big->value > 0 && big->value <= BigInteger(UINT64_MAX)) return DType::UInt64;
      throw Error(ErrorClass::OverflowError,
                  "Python int too large for an array of integers (arrays of objects are not supported)");
    }
    throw Error(ErrorClass::TypeError, "a '" + type_name(value) + "' cannot be an array element")
        .with_hint("arrays hold bool, integers, floats and complex numbers; arrays of objects or strings are not supported");
  }

 private:
  void enter(int depth, std::int64_t extent) {
    if (shape_known) {
      if (depth >= shape.ssize() || shape[static_cast<std::size_t>(depth)] != extent) disagree(depth);
      return;
    }
    shape.push_back(extent);
  }
  void leaf(int depth) {
    if (shape_known && depth != shape.ssize()) disagree(depth);
    shape_known = true;
  }
  [[noreturn]] void disagree(int depth) {
    shape.resize(static_cast<std::size_t>(std::min(depth, shape.ssize())));
    ragged(shape);
  }
};

template <class T>
void store_integer(T* place, const Value& value, DType dtype) {
  auto out_of_bounds = [&](const std::string& text) -> void {
    throw Error(ErrorClass::OverflowError, "Python integer " + text + " out of bounds for " + std::string(ir::name(dtype)));
  };
  if (auto* big = value.get_if<BigInt>()) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
      if (big->value >= 0 && big->value <= BigInteger(UINT64_MAX)) {
        *place = static_cast<std::uint64_t>(big->value);
        return;
      }
    }
    out_of_bounds(big->value.str());
  }
  std::int64_t v = value.as_int();
  if (!std::in_range<T>(v)) out_of_bounds(std::to_string(v));
  *place = static_cast<T>(v);
}

// A Python float becomes the Python int that int() makes of it, which must fit.
void check_truncated(double whole, DType dtype) {
  if (whole < -0x1p63 || whole >= (dtype == DType::UInt64 ? 0x1p64 : 0x1p63))
    throw Error(ErrorClass::OverflowError, "Python int too large to convert to C long");
  ir::visit_dtype(dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) < 8) {
      auto v = static_cast<std::int64_t>(whole);
      if (!std::in_range<T>(v))
        throw Error(ErrorClass::OverflowError,
                    "Python integer " + std::to_string(v) + " out of bounds for " + std::string(ir::name(dtype)));
    }
  });
  if (dtype == DType::UInt64 && whole < 0)
    throw Error(ErrorClass::OverflowError, "Python integer " + std::to_string(static_cast<std::int64_t>(whole)) +
                                               " out of bounds for " + std::string(ir::name(dtype)));
}

// One element of `dtype`, with Python's int(), float() and complex() conversions.
void store_item(Runtime& runtime, const Value& value, DType dtype, char* place) {
  if (auto* scalar = value.get_if<NumpyScalar>()) {
    warn_of_cast(runtime, scalar->dtype, dtype);
    cast_loop(scalar->dtype, dtype)(scalar->data, 0, place, 0, 1);
    return;
  }
  bool is_int = value.is_int() || value.is(ObjectKind::BigInt);
  if (is_int && ir::is_integer(dtype)) {
    ir::visit_dtype(dtype, [&]<class T>() {
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) store_integer(reinterpret_cast<T*>(place), value, dtype);
    });
    return;
  }
  double real = 0;
  if (value.is_float()) {
    real = value.as_float();
    if (dtype == DType::Float64) {
      std::memcpy(place, &real, sizeof real);
      return;
    }
    if (ir::is_integer(dtype) && !std::isfinite(real))
      throw Error(std::isnan(real) ? ErrorClass::ValueError : ErrorClass::OverflowError,
                  std::isnan(real) ? "cannot convert float NaN to integer" : "cannot convert float infinity to integer");
    if (ir::is_integer(dtype)) check_truncated(std::trunc(real), dtype);
    cast_loop(DType::Float64, dtype)(reinterpret_cast<const char*>(&real), 0, place, 0, 1);
    return;
  }
  if (value.is_int()) {
    std::int64_t v = value.as_int();
    cast_loop(DType::Int64, dtype)(reinterpret_cast<const char*>(&v), 0, place, 0, 1);
    return;
  }
  if (value.is_bool()) {
    bool v = value.as_bool();
    cast_loop(DType::Bool, dtype)(reinterpret_cast<const char*>(&v), 0, place, 0, 1);
    return;
  }
  if (auto* complex = value.get_if<Complex>()) {
    if (!ir::is_complex(dtype) && !ir::is_bool(dtype))
      throw Error(ErrorClass::TypeError,
                  ir::is_integer(dtype) ? "int() argument must be a string, a bytes-like object or a real number, not 'complex'"
                                        : "float() argument must be a string or a real number, not 'complex'");
    cast_loop(DType::Complex128, dtype)(reinterpret_cast<const char*>(&complex->value), 0, place, 0, 1);
    return;
  }
  if (auto* big = value.get_if<BigInt>()) {
    real = static_cast<double>(big->value);
    cast_loop(DType::Float64, dtype)(reinterpret_cast<const char*>(&real), 0, place, 0, 1);
    return;
  }
  throw Error(ErrorClass::TypeError, "a '" + type_name(value) + "' cannot be an array element");
}

void fill(Runtime& runtime, const Value& value, const Array& target, int axis, char* place) {
  if (auto* items = sequence_items(value)) {
    std::int64_t step = target.strides[static_cast<std::size_t>(axis)];
    for (const Value& item : *items) {
      fill(runtime, item, target, axis + 1, place);
      place += step;
    }
    return;
  }
  if (auto* array = value.get_if<ArrayObject>()) {
    Array part = with_shape_and_strides(target, ir::Dims(target.shape.begin() + axis, target.shape.end()),
                                        ir::Dims(target.strides.begin() + axis, target.strides.end()), place - target.data);
    copy_into(runtime, array->array, part);
    return;
  }
  if (auto* range = value.get_if<Range>()) {
    std::int64_t step = target.strides[static_cast<std::size_t>(axis)], count = range->size();
    for (std::int64_t i = 0; i < count; ++i)
      store_item(runtime, Value::integer(range->start + i * range->step), target.dtype, place + i * step);
    return;
  }
  store_item(runtime, value, target.dtype, place);
}

}  // namespace

Array to_array(Runtime& runtime, const Value& value, std::optional<DType> dtype) {
  if (auto* lazy = value.get_if<LazyArray>()) [[unlikely]] {
    if (Value known = lazy->recorder->known_value(*lazy); !known.empty()) return to_array(runtime, known, dtype);
    throw Error(ErrorClass::TypeError, "the values of a lazy array are not known before it is computed")
        .with_code(405)
        .with_hint("compute() gives them; np.where(condition, a, b) chooses without them");
  }
  if (auto* object = value.get_if<ArrayObject>()) {
    if (!dtype || *dtype == object->array.dtype) return object->array;
    Array result = converted_like(runtime, object->array, *dtype);
    result.backend = object->array.backend;
    runtime.check_fp("cast");
    return result;
  }
  Discovery found;
  found.visit(value, 0);
  DType result_dtype = dtype ? *dtype : found.dtype.value_or(DType::Float64);
  Array result = runtime.allocate(result_dtype, found.shape);
  result.backend = runtime.native_backend();
  fill(runtime, value, result, 0, result.data);
  if (dtype) runtime.check_fp("cast");
  return result;
}

Value from_array(Array array, bool scalar_result) {
  if (scalar_result && array.shape.empty()) return make_scalar(array.dtype, array.data, array.backend);
  return make_array(std::move(array));
}

std::optional<DType> to_dtype(const Value& value) {
  if (value.is_none() || value.empty()) return std::nullopt;
  if (auto* text = value.get_if<Str>()) {
    if (auto dtype = ir::parse_dtype(text->text)) return dtype;
    throw ir::unknown_dtype(text->text);
  }
  if (auto* callable = value.get_if<Callable>())
    if (auto dtype = callable->type_dtype()) return dtype;
  if (value.is(ObjectKind::Native))
    if (auto* object = dynamic_cast<DTypeObject*>(value.object())) return object->dtype;
  throw Error(ErrorClass::TypeError, "Cannot interpret '" + type_name(value) + "' object as a data type").with_code(403);
}

namespace {

std::int64_t integer_of(const Array& array) {
  std::int64_t result = 0;
  cast_loop(array.dtype, DType::Int64)(array.data, 0, reinterpret_cast<char*>(&result), 0, 1);
  return result;
}

ir::Attr tuple_attr(Runtime& runtime, const std::vector<Value>& items) {
  ir::Dims dims;
  for (const Value& item : items) {
    if (item.is_int()) {
      dims.push_back(item.as_int());
      continue;
    }
    auto* scalar = item.get_if<NumpyScalar>();
    if (!scalar || !ir::is_integer(scalar->dtype)) break;
    dims.push_back(*to_attr(runtime, item).get<std::int64_t>());
  }
  if (dims.size() == items.size()) return dims;
  ir::Attr::Tuple tuple;
  tuple.reserve(items.size());
  for (const Value& item : items) tuple.push_back(to_attr(runtime, item));
  return tuple;
}

std::optional<std::int64_t> slice_part(Runtime& runtime, const Value& value) {
  if (value.is_none()) return std::nullopt;
  return ir::as_int(to_attr(runtime, value), "slice index");
}

}  // namespace

ir::Attr to_attr(Runtime& runtime, const Value& value) {
  check_stack();
  switch (value.tag()) {
    case Tag::Empty:
    case Tag::None: return {};
    case Tag::Bool: return value.as_bool();
    case Tag::Int: return value.as_int();
    case Tag::Float: return value.as_float();
    case Tag::Ellipsis: return ir::Ellipsis{};
    default: break;
  }
  if (auto* text = value.get_if<Str>()) return text->text;
  if (auto* tuple = value.get_if<Tuple>()) return tuple_attr(runtime, tuple->items);
  if (auto* list = value.get_if<List>()) return tuple_attr(runtime, list->items);
  if (auto* range = value.get_if<Range>()) {
    ir::Dims dims;
    if (range->size() > ir::kMaxDims * 1024)
      throw Error(ErrorClass::ValueError, "a range of this length cannot be an argument here");
    for (std::int64_t i = 0, n = range->size(); i < n; ++i) dims.push_back(range->start + i * range->step);
    return dims;
  }
  if (auto* slice = value.get_if<SliceObject>())
    return ir::Slice{slice_part(runtime, slice->start), slice_part(runtime, slice->stop), slice_part(runtime, slice->step)};
  if (auto* complex = value.get_if<Complex>()) return complex->value;
  if (auto* scalar = value.get_if<NumpyScalar>()) {
    if (scalar->dtype == DType::Bool) return scalar->data[0] != 0;
    Array view;
    view.data = scalar->data;
    view.dtype = scalar->dtype;
    if (ir::is_integer(scalar->dtype)) return integer_of(view);
    if (ir::is_complex(scalar->dtype)) {
      std::complex<double> result;
      cast_loop(scalar->dtype, DType::Complex128)(scalar->data, 0, reinterpret_cast<char*>(&result), 0, 1);
      return result;
    }
    double result = 0;
    cast_loop(scalar->dtype, DType::Float64)(scalar->data, 0, reinterpret_cast<char*>(&result), 0, 1);
    return result;
  }
  if (auto* object = value.get_if<ArrayObject>()) {
    const Array& array = object->array;
    if (array.ndim() == 0) return to_attr(runtime, make_scalar(array.dtype, array.data));
    if (array.ndim() == 1) {
      std::vector<Value> items;
      for (std::int64_t i = 0; i < array.shape[0]; ++i)
        items.push_back(make_scalar(array.dtype, array.data + i * array.strides[0]));
      return tuple_attr(runtime, items);
    }
    ir::Attr::Tuple rows;
    for (std::int64_t i = 0; i < array.shape[0]; ++i)
      rows.push_back(to_attr(runtime, get_item(runtime, array, Value::integer(i))));
    return rows;
  }
  if (value.is(ObjectKind::BigInt)) throw Error(ErrorClass::OverflowError, "Python int too large to convert to C long");
  if (value.is(ObjectKind::Callable) || value.is(ObjectKind::Native))
    if (auto dtype = to_dtype(value)) return *dtype;
  throw Error(ErrorClass::TypeError, "a '" + type_name(value) + "' object cannot be used as this argument");
}

Value from_attr(const ir::Attr& attr) {
  return std::visit(
      []<class T>(const T& item) -> Value {
        if constexpr (std::is_same_v<T, bool>) {
          return Value::boolean(item);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return Value::integer(item);
        } else if constexpr (std::is_same_v<T, double>) {
          return Value::real(item);
        } else if constexpr (std::is_same_v<T, std::complex<double>>) {
          return make_complex(item);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return make_str(item);
        } else if constexpr (std::is_same_v<T, DType>) {
          return make_dtype(item);
        } else if constexpr (std::is_same_v<T, ir::Dims>) {
          std::vector<Value> items;
          for (std::int64_t v : item) items.push_back(Value::integer(v));
          return make_tuple(std::move(items));
        } else if constexpr (std::is_same_v<T, ir::Attr::Tuple>) {
          std::vector<Value> items;
          for (const ir::Attr& part : item) items.push_back(from_attr(part));
          return make_tuple(std::move(items));
        } else if constexpr (std::is_same_v<T, ir::Slice>) {
          auto part = [](const std::optional<std::int64_t>& v) { return v ? Value::integer(*v) : Value::none(); };
          return make<SliceObject>(part(item.start), part(item.stop), part(item.step));
        } else if constexpr (std::is_same_v<T, ir::Ellipsis>) {
          return Value::ellipsis();
        } else {
          return Value::none();
        }
      },
      attr.value);
}

ir::Attr attribute_of(Runtime& runtime, const ir::Op& op, std::string_view parameter, const Value& value) {
  if (value.is(ObjectKind::List) && parameter == "axis") {
    if (op.op_class == ir::OpClass::Reduction || op.id == ir::OpId::Squeeze)
      throw Error(ErrorClass::TypeError, "'list' object cannot be interpreted as an integer");
    if (op.id == ir::OpId::LinalgNorm)
      throw Error(ErrorClass::TypeError, "'axis' must be None, an integer or a tuple of integers");
  }
  return to_attr(runtime, value);
}

}  // namespace autoray::runtime
