#include "frontend/types/array_type.h"

#include <algorithm>
#include <cstring>

#include "frontend/captured.h"
#include "frontend/types/lazy_type.h"
#include "frontend/types/type_object.h"
#include "ir/signature.h"
#include "runtime/bigint.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/deferral.h"
#include "runtime/memory_order.h"
#include "runtime/ufunc.h"

namespace autoray::frontend {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using runtime::Array;
using runtime::ArrayObject;
using runtime::make;
using runtime::NumpyScalar;

Value python_scalar(DType dtype, const void* item) {
  return ir::visit_dtype(dtype, [&]<class T>() -> Value {
    T v;
    std::memcpy(static_cast<void*>(&v), item, sizeof(T));
    if constexpr (std::is_same_v<T, bool>)
      return Value::boolean(v);
    else if constexpr (std::is_same_v<T, std::uint64_t>) {
      if (v <= static_cast<std::uint64_t>(INT64_MAX)) return Value::integer(static_cast<std::int64_t>(v));
      return runtime::make_int(runtime::BigInteger(v));
    } else if constexpr (std::is_integral_v<T>)
      return Value::integer(static_cast<std::int64_t>(v));
    else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
      return runtime::make_complex({static_cast<double>(v.real()), static_cast<double>(v.imag())});
    else
      return Value::real(static_cast<double>(v));
  });
}

namespace {

Array array_of(Runtime& runtime, const Value& self) {
  if (auto* a = self.get_if<ArrayObject>()) return a->array;
  return runtime::to_array(runtime, self);
}

DType dtype_of(const Value& self) {
  if (auto* lazy = self.get_if<runtime::LazyArray>()) return lazy->type().dtype;
  auto* object = self.peek<ArrayObject>();
  return object ? object->array.dtype : self.peek<NumpyScalar>()->dtype;
}

Array type_of_array(const Value& self) {
  if (auto* lazy = self.get_if<runtime::LazyArray>()) {
    Array type = runtime::layout_of(lazy->type());
    type.strides = lazy->recorder->strides(*lazy);
    return type;
  }
  auto* object = self.peek<ArrayObject>();
  if (object && !object->deferred()) return object->array;
  Array type;
  type.dtype = dtype_of(self);
  if (object) type.shape = object->array.shape, type.strides = object->array.strides;
  return type;
}

Value dims_tuple(std::span<const std::int64_t> dims) {
  std::vector<Value> items;
  for (std::int64_t d : dims) items.push_back(Value::integer(d));
  return runtime::make_tuple(std::move(items));
}

Value to_list(const Array& a, int axis, const char* place) {
  if (axis == a.ndim()) return python_scalar(a.dtype, place);
  std::vector<Value> items;
  auto i = static_cast<std::size_t>(axis);
  items.reserve(static_cast<std::size_t>(a.shape[i]));
  for (std::int64_t k = 0; k < a.shape[i]; ++k) items.push_back(to_list(a, axis + 1, place + k * a.strides[i]));
  return runtime::make_list(std::move(items));
}

// self[...] = value
void store(Runtime& runtime, const Value& self, const Value& value) { set_item(runtime, self, Value::ellipsis(), value); }

// Calls the op with self in front.
Value op_method(Runtime& runtime, ir::OpId id, const Value& self, const Arguments& a) {
  std::vector<Value> positional = {self};
  positional.insert(positional.end(), a.positional.begin(), a.positional.end());
  runtime::BackendId backend = runtime.native_backend();
  if (auto* object = self.peek<ArrayObject>()) backend = object->array.backend;
  auto* scalar = self.peek<NumpyScalar>();
  if (scalar) backend = scalar->backend;
  if (self.is(runtime::ObjectKind::Lazy)) backend = runtime::kLazy;
  Value result = runtime.call(id, backend, {positional, a.keyword_names, a.keyword_values});
  // A scalar's methods give scalars where an array's would give a 0-d array.
  if (auto* array = result.peek<ArrayObject>(); array && scalar && array->array.ndim() == 0)
    return runtime::from_array(result.as<ArrayObject>().array, true);
  return result;
}

// Methods whose arguments may be spread: x.reshape(2, 3), x.transpose(1, 0).
Value spread(Runtime& runtime, std::string_view op, const Value& self, const Arguments& a) {
  if (a.positional.size() < 2) {
    if (op == "transpose" && a.positional.size() == 1 && a.positional[0].is_int()) {
      Value axes = runtime::make_tuple({a.positional[0]});
      return op_method(runtime, ir::find_op(op), self, {std::span(&axes, 1), a.keyword_names, a.keyword_values});
    }
    return op_method(runtime, ir::find_op(op), self, a);
  }
  Value shape = runtime::make_tuple(std::vector<Value>(a.positional.begin(), a.positional.end()));
  return op_method(runtime, ir::find_op(op), self, {std::span(&shape, 1), a.keyword_names, a.keyword_values});
}

Value call_op(Runtime& runtime, std::string_view op, std::vector<Value> args) {
  return op_method(runtime, ir::find_op(op), args[0], {std::span(args).subspan(1), {}, {}});
}

using ArrayMethod = Value (*)(Runtime&, const Value& self, const Arguments&);
struct Row {
  std::string_view name;
  ArrayMethod method;
};

Value method_item(Runtime& runtime, const Value& self, const Arguments& a) {
  Array array = array_of(runtime, self);
  if (a.positional.empty()) {
    if (array.size() != 1) throw Error(ErrorClass::ValueError, "can only convert an array of size 1 to a Python scalar");
    return python_scalar(array.dtype, array.data);
  }
  Value index = a.positional.size() == 1 ? a.positional[0]
                                         : runtime::make_tuple(std::vector<Value>(a.positional.begin(), a.positional.end()));
  if (a.positional.size() == 1 && index.is_int()) {
    // One integer counts through all axes; a 0-d array has its one item at 0.
    std::int64_t i = index.as_int(), n = array.size();
    if (i < -n || i >= n)
      throw Error(ErrorClass::IndexError, "index " + std::to_string(i) + " is out of bounds for size " + std::to_string(n));
    if (array.ndim() != 1)
      array = array_of(runtime, call_op(runtime, "reshape", {runtime::make_array(array), Value::integer(-1)}));
  } else if (a.positional.size() > 1 && static_cast<int>(a.positional.size()) != array.ndim()) {
    throw Error(ErrorClass::ValueError, "incorrect number of indices for array");
  }
  Value item = runtime::get_item(runtime, array, index);
  if (auto* s = item.get_if<NumpyScalar>()) return python_scalar(s->dtype, s->data);
  throw Error(ErrorClass::ValueError, "incorrect number of indices for array");
}
Value method_tolist(Runtime& runtime, const Value& self, const Arguments&) {
  Array array = array_of(runtime, self);
  return to_list(array, 0, array.data);
}
// The method has more parameters than the function: astype(dtype, order='K', casting='unsafe', subok=True, copy=True).
Value method_astype(Runtime& runtime, const Value& self, const Arguments& a) {
  static constexpr std::string_view kParameters[] = {"dtype", "order", "casting", "subok", "copy"};
  const Value* given[5] = {};
  check_keywords(a, "astype", {"dtype", "order", "casting", "subok", "copy"});
  check_arguments({a.positional, {}, {}}, "astype", 0, 5);
  for (std::size_t i = 0; i < a.positional.size(); ++i) given[i] = &a.positional[i];
  for (std::size_t i = 0; i < 5; ++i)
    if (const Value* value = keyword(a, kParameters[i])) given[i] = value;
  if (!given[0]) throw Error(ErrorClass::TypeError, "astype() missing required argument 'dtype' (pos 1)");
  // Only an order asks for more than the type.
  bool ordered = (given[4] || given[1]) && !self.is(runtime::ObjectKind::Lazy);
  const Array array = ordered ? array_of(runtime, self) : type_of_array(self);
  DType dtype = runtime::to_dtype(*given[0]).value_or(DType::Float64);
  char order = given[1] ? runtime::order_of(*given[1]) : 'K';
  ir::Casting casting = given[2] ? runtime::casting_of(given[2]) : ir::Casting::Unsafe;
  if (!ir::can_cast(array.dtype, dtype, casting))
    throw Error(ErrorClass::TypeError, "Cannot cast array data from dtype('" + std::string(ir::name(array.dtype)) +
                                           "') to dtype('" + std::string(ir::name(dtype)) + "') according to the rule '" +
                                           std::string(runtime::casting_name(casting)) + "'");
  bool in_order = order == 'K' || (order == 'C' && array.c_contiguous()) || (order == 'F' && array.f_contiguous()) ||
                  (order == 'A' && (array.c_contiguous() || array.f_contiguous()));
  if (given[4] && !truth(runtime, *given[4]) && dtype == array.dtype && in_order && self.is(runtime::ObjectKind::Array))
    return self;
  Value target = runtime::make_dtype(dtype);
  Value cast = op_method(runtime, ir::find_op("astype"), self, {std::span(&target, 1), {}, {}});
  // The cast keeps the array's order.
  if (order == 'A') order = runtime::is_fortran(array) ? 'F' : 'C';
  if (order == 'K' || array.ndim() < 2 || (order == 'C' ? array.c_contiguous() : runtime::is_fortran(array))) return cast;
  Value letter = runtime::make_str(std::string(1, order));
  std::string_view name = "order";
  return op_method(runtime, ir::find_op("copy"), cast, {{}, std::span(&name, 1), std::span(&letter, 1)});
}
// clip(min=None, max=None, out=None): the function's newer pair of names.
Value method_clip(Runtime& runtime, const Value& self, const Arguments& a) {
  static constexpr std::string_view kParameters[] = {"min", "max", "out"};
  check_arguments({a.positional, {}, {}}, "clip", 0, 3);
  std::vector<std::string_view> names(a.keyword_names.begin(), a.keyword_names.end());
  std::vector<Value> values(a.keyword_values.begin(), a.keyword_values.end());
  for (std::size_t i = 0; i < a.positional.size(); ++i) {
    names.push_back(kParameters[i]);
    values.push_back(a.positional[i]);
  }
  return op_method(runtime, ir::find_op("clip"), self, {{}, names, values});
}
// copy(order='C'): the function's default keeps the order, the method's does not.
Value method_copy(Runtime& runtime, const Value& self, const Arguments& a) {
  check_keywords(a, "copy", {"order"});
  check_arguments({a.positional, {}, {}}, "copy", 0, 1);
  const Value* given = a.positional.empty() ? keyword(a, "order") : &a.positional[0];
  Value order = given ? *given : runtime::make_str("C");
  std::string_view name = "order";
  return op_method(runtime, ir::find_op("copy"), self, {{}, std::span(&name, 1), std::span(&order, 1)});
}
// Real arrays are their own conjugates.
Value method_conjugate(Runtime& runtime, const Value& self, const Arguments& a) {
  if (!ir::is_complex(dtype_of(self)) && a.positional.empty() && a.keyword_names.empty()) return self;
  return op_method(runtime, ir::find_op("conjugate"), self, a);
}
Value method_fill(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "fill", 1, 1);
  DType dtype = dtype_of(self);
  bool sequence = a.positional[0].is(runtime::ObjectKind::List) || a.positional[0].is(runtime::ObjectKind::Tuple);
  if (sequence && ir::is_real_floating(dtype)) throw Error(ErrorClass::ValueError, "setting an array element with a sequence.");
  if (sequence && ir::is_bool(dtype)) {
    store(runtime, self, Value::boolean(truth(runtime, a.positional[0])));
    return Value::none();
  }
  if (sequence)
    throw Error(ErrorClass::TypeError, "int() argument must be a string, a bytes-like object or a real number, not '" +
                                           runtime::type_name(a.positional[0]) + "'");
  store(runtime, self, a.positional[0]);
  return Value::none();
}
Value method_sort(Runtime& runtime, const Value& self, const Arguments& a) {
  Value sorted = op_method(runtime, ir::find_op("sort"), self, a);
  store(runtime, self, sorted);
  return Value::none();
}
Value method_reshape(Runtime& r, const Value& s, const Arguments& a) { return spread(r, "reshape", s, a); }
Value method_transpose(Runtime& r, const Value& s, const Arguments& a) { return spread(r, "transpose", s, a); }
Value method_tobytes(Runtime& runtime, const Value& self, const Arguments&) {
  Array c = array_of(runtime, self);
  c = runtime::contiguous(runtime, c, c.dtype);
  return make<runtime::Bytes>(std::string(c.data, static_cast<std::size_t>(c.nbytes())));
}
// Methods that numpy's scalars share with Python's numbers.
template <FunctionName Name>
Value method_of_number(Runtime& runtime, const Value& self, const Arguments& a) {
  if (!self.is(runtime::ObjectKind::NumpyScalar))
    throw Error(ErrorClass::AttributeError, std::string("'numpy.ndarray' object has no attribute '") + Name.text + "'");
  Array array = array_of(runtime, self);
  return call_method(runtime, python_scalar(array.dtype, array.data), Name.text, a);
}

constexpr Row kMethods[] = {{"item", method_item},
                            {"tolist", method_tolist},
                            {"astype", method_astype},
                            {"clip", method_clip},
                            {"copy", method_copy},
                            {"conj", method_conjugate},
                            {"conjugate", method_conjugate},
                            {"fill", method_fill},
                            {"sort", method_sort},
                            {"reshape", method_reshape},
                            {"transpose", method_transpose},
                            {"tobytes", method_tobytes},
                            {"is_integer", method_of_number<"is_integer">},
                            {"as_integer_ratio", method_of_number<"as_integer_ratio">},
                            {"hex", method_of_number<"hex">},
                            {"bit_count", method_of_number<"bit_count">}};

constexpr std::string_view kAttributes[] = {"shape", "dtype", "ndim", "size", "itemsize", "nbytes", "strides",
                                            "T",     "mT",    "real", "imag", "flat",     "flags",  "base"};

class Flags final : public runtime::NativeObject {
 public:
  explicit Flags(Array a) : array_(std::move(a)) {}
  std::string native_type() const override { return "flagsobj"; }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    bool v;
    if (name == "c_contiguous" || name == "contiguous")
      v = array_.size() == 0 || array_.c_contiguous();
    else if (name == "f_contiguous")
      v = array_.size() == 0 || array_.f_contiguous();
    else if (name == "writeable")
      v = array_.can_write();
    else if (name == "aligned")
      v = true;
    else if (name == "owndata")
      v = array_.storage && array_.data == array_.storage->data() && array_.c_contiguous();
    else
      return false;
    result = Value::boolean(v);
    return true;
  }
  bool get_item(Runtime& runtime, const Value& key, Value& result) override {
    std::string name = runtime::text_of(key, "flag");
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    return get_attribute(runtime, name, result);
  }

 private:
  Array array_;
};

ir::OpId method_op(std::string_view name) {
  ir::OpId id = ir::find_op(name);
  return id != ir::OpId::Count && ir::op(id).has(ir::kMethod) ? id : ir::OpId::Count;
}

class BoundArrayMethod final : public BoundCallable {
 public:
  BoundArrayMethod(Value self, std::string name) : BoundCallable(std::move(self), std::move(name)) {}
  Value call(Runtime& runtime, const Arguments& a) override {
    Value result;
    call_array_method(runtime, self(runtime), callable_name(), a, result);
    return result;
  }
};
Value bound_method(Runtime& runtime, const Value& self, std::string_view name) {
  return own_in_trace(runtime, make<BoundArrayMethod>(self, std::string(name)));
}

}  // namespace

bool array_method(Runtime& runtime, const Value& self, std::string_view name, Value& result) {
  bool known = method_op(name) != ir::OpId::Count;
  for (const Row& row : kMethods) known |= row.name == name;
  if (known) result = bound_method(runtime, self, name);
  return known;
}

bool call_array_method(Runtime& runtime, const Value& self, std::string_view name, const Arguments& a, Value& result) {
  if (self.is(runtime::ObjectKind::Lazy) && lazy_method(runtime, self, name, a, result)) return true;
  for (const Row& row : kMethods)
    if (row.name == name) {
      result = row.method(runtime, self, a);
      return true;
    }
  ir::OpId id = method_op(name);
  if (id == ir::OpId::Count || (name == "dot" && self.is(runtime::ObjectKind::NumpyScalar))) return false;
  result = op_method(runtime, id, self, a);
  return true;
}

bool array_attribute(Runtime& runtime, const Value& self, std::string_view name, Value& result) {
  if (self.is(runtime::ObjectKind::Lazy)) return lazy_attribute(runtime, self, name, result);
  auto* object = self.peek<ArrayObject>();
  if (name == "shape")
    result = object ? dims_tuple(object->array.shape) : runtime::make_tuple({});
  else if (name == "dtype")
    result = runtime::make_dtype(dtype_of(self));
  else if (name == "ndim")
    result = Value::integer(object ? object->array.ndim() : 0);
  else if (name == "size")
    result = Value::integer(object ? object->array.size() : 1);
  else if (name == "itemsize")
    result = Value::integer(static_cast<std::int64_t>(ir::itemsize(dtype_of(self))));
  else if (name == "nbytes")
    result = Value::integer(object ? object->array.nbytes() : static_cast<std::int64_t>(ir::itemsize(dtype_of(self))));
  else if (name == "strides")
    result = object ? dims_tuple(object->array.strides) : runtime::make_tuple({});
  else if (name == "T") {
    if (!object) {
      result = self;
      return true;
    }
    if (runtime.deferral()) {
      result = op_method(runtime, ir::OpId::Transpose, self, {});
      return true;
    }
    ir::Dims axes;
    for (int i = object->array.ndim(); i-- > 0;) axes.push_back(i);
    result = runtime::make_array(runtime::transposed(object->array, axes));
  } else if (name == "mT") {
    if (!object || object->array.ndim() < 2) throw Error(ErrorClass::ValueError, "matrix transpose with ndim < 2 is undefined");
    result = call_op(runtime, "swapaxes", {self, Value::integer(-1), Value::integer(-2)});
  } else if (name == "real" || name == "imag") {
    if (object && runtime.deferral() && (name == "real" || ir::is_complex(object->array.dtype))) {
      result = op_method(runtime, ir::find_op(name), self, {});
    } else if (object && ir::is_complex(object->array.dtype)) {
      // A writable view on one half of each pair.
      Array view = self.as<ArrayObject>().array;
      view.dtype = ir::real_dtype(view.dtype);
      if (name == "imag") view.data += view.itemsize();
      result = runtime::make_array(std::move(view));
    } else if (object && name == "real") {
      result = self;
    } else {
      result = op_method(runtime, ir::find_op(name), self, {});
    }
  } else if (name == "flat") {
    result = call_op(runtime, "reshape", {self, Value::integer(-1)});
  } else if (name == "flags") {
    result = make<Flags>(array_of(runtime, self));
  } else if (name == "base") {
    throw Error(ErrorClass::AttributeError, "'base' is not kept: an array knows its memory and not the array it was taken from")
        .with_code(202)
        .with_hint("np.may_share_memory(a, b) tells whether two arrays may share elements");
  } else {
    for (const Row& row : kMethods)
      if (row.name == name) {
        result = bound_method(runtime, self, name);
        return true;
      }
    if (method_op(name) == ir::OpId::Count || (name == "dot" && !object)) return false;
    result = bound_method(runtime, self, name);
  }
  return true;
}

bool set_array_attribute(Runtime& runtime, const Value& self, std::string_view name, const Value& value) {
  if (runtime.captures && self.is(runtime::ObjectKind::Lazy))
    runtime.captures->refuse("sets '" + std::string(name) + "' of an array");
  auto* object = self.get_if<ArrayObject>();
  if (!object) return false;
  if (name == "shape") {
    Array view;
    auto asked = ir::as_axes(runtime::to_attr(runtime, value), "shape");
    if (!asked) throw Error(ErrorClass::TypeError, "expected a sequence of integers or a single integer, got 'None'");
    ir::Dims shape = ir::resolve_reshape(object->array.size(), *asked);
    if (!runtime::try_reshape_view(object->array, shape, view))
      throw Error(ErrorClass::AttributeError,
                  "Incompatible shape for in-place modification. Use `.reshape()` to make a copy with the desired shape.");
    if (object->deferred())
      runtime.deferral()->reshape(*object, shape);
    else
      object->array = std::move(view);
    return true;
  }
  if (name == "real" || name == "imag") {
    if (name == "imag" && !ir::is_complex(object->array.dtype))
      throw Error(ErrorClass::TypeError, "array does not have imaginary part to set");
    Value view;
    array_attribute(runtime, self, name, view);
    store(runtime, view, value);
    return true;
  }
  return false;
}

std::vector<std::string_view> array_attribute_names() {
  std::vector<std::string_view> names(std::begin(kAttributes), std::end(kAttributes));
  for (const Row& row : kMethods) names.push_back(row.name);
  for (const ir::Op& op : ir::all_ops())
    if (op.has(ir::kMethod)) names.push_back(op.path);
  return names;
}

}  // namespace autoray::frontend
