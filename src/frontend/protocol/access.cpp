// Attributes, items, iteration, calls.
#include <algorithm>

#include "frontend/captured.h"
#include "frontend/types/array_type.h"
#include "frontend/types/lazy_type.h"
#include "frontend/types/methods.h"
#include "frontend/types/named_tuple.h"
#include "frontend/types/native_operand.h"
#include "ir/suggest.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/captures.h"
#include "runtime/lazy/deferral.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Dict;
using runtime::List;
using runtime::make;
using runtime::ObjectKind;
using runtime::Ref;
using runtime::Str;
using runtime::Tuple;

// ---- helpers of native functions ----

void check_arguments(const Arguments& a, std::string_view name, std::size_t least, std::size_t most) {
  if (!a.keyword_names.empty()) throw Error(ErrorClass::TypeError, std::string(name) + "() takes no keyword arguments");
  std::size_t n = a.positional.size();
  if (n >= least && n <= most) return;
  // CPython words each of these calling conventions in its own way.
  if (most == 0)
    throw Error(ErrorClass::TypeError, std::string(name) + "() takes no arguments (" + std::to_string(n) + " given)");
  if (least == 1 && most == 1)
    throw Error(ErrorClass::TypeError, std::string(name) + "() takes exactly one argument (" + std::to_string(n) + " given)");
  if (least == most)
    throw Error(ErrorClass::TypeError, std::string(name) + " expected " + std::to_string(least) + " argument" +
                                           (least == 1 ? "" : "s") + ", got " + std::to_string(n));
  throw Error(ErrorClass::TypeError, std::string(name) + " expected at " +
                                         (n < least ? "least " + std::to_string(least) : "most " + std::to_string(most)) +
                                         " argument" + ((n < least ? least : most) == 1 ? "" : "s") + ", got " +
                                         std::to_string(n));
}

const Value* keyword(const Arguments& a, std::string_view name) {
  for (std::size_t i = 0; i < a.keyword_names.size(); ++i)
    if (a.keyword_names[i] == name) return &a.keyword_values[i];
  return nullptr;
}

void check_keywords(const Arguments& a, std::string_view function, std::initializer_list<std::string_view> allowed) {
  for (std::string_view name : a.keyword_names)
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      throw Error(ErrorClass::TypeError,
                  "'" + std::string(name) + "' is an invalid keyword argument for " + std::string(function) + "()")
          .with_hint(ir::suggestion(name, std::span(allowed.begin(), allowed.size())));
}

std::int64_t index_of(const Value& v, std::string_view what) {
  if (v.is_int()) return v.as_int();
  if (v.is_bool()) return v.as_bool();
  if (auto* s = v.get_if<runtime::NumpyScalar>(); s && (ir::is_integer(s->dtype) || ir::is_bool(s->dtype)))
    return index_of(python_scalar(s->dtype, s->data), what);
  if (auto* a = v.get_if<runtime::ArrayObject>(); a && a->array.ndim() == 0 && ir::is_integer(a->array.dtype))
    return index_of(python_scalar(a->array.dtype, a->array.data), what);
  if (v.is(ObjectKind::BigInt)) throw Error(ErrorClass::OverflowError, "cannot fit 'int' into an index-sized integer");
  if (auto* lazy = v.get_if<runtime::LazyArray>()) return index_of(known_value(*lazy, "the value"), what);
  throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object cannot be interpreted as an integer");
}

double real_of(const Value& v) {
  if (v.is_float()) return v.as_float();
  if (v.is_int()) return static_cast<double>(v.as_int());
  if (v.is_bool()) return v.as_bool();
  if (v.is(ObjectKind::BigInt)) return big_int_as_double(v);
  if (auto* s = v.get_if<runtime::NumpyScalar>()) return real_of(python_scalar(s->dtype, s->data));
  if (auto* a = v.get_if<runtime::ArrayObject>()) {
    if (a->array.size() == 1 && a->array.ndim() == 0) return real_of(python_scalar(a->array.dtype, a->array.data));
    throw Error(ErrorClass::TypeError, "only 0-dimensional arrays can be converted to Python scalars");
  }
  if (auto* lazy = v.get_if<runtime::LazyArray>()) return real_of(known_value(*lazy, "the value"));
  throw Error(ErrorClass::TypeError, "must be real number, not " + runtime::type_name(v));
}

// ---- attributes ----

std::span<const MethodRow> methods_of(const Value& v) {
  switch (v.tag()) {
    case runtime::Tag::Int:
    case runtime::Tag::Float:
    case runtime::Tag::Bool: return number_methods();
    case runtime::Tag::Object: break;
    default: return {};
  }
  switch (v.object()->kind()) {
    case ObjectKind::BigInt:
    case ObjectKind::Complex: return number_methods();
    case ObjectKind::Str: return str_methods();
    case ObjectKind::Bytes: return bytes_methods();
    case ObjectKind::List: return list_methods();
    case ObjectKind::Tuple: return tuple_methods();
    case ObjectKind::Dict: return dict_methods();
    case ObjectKind::Set: return v.as<runtime::Set>().frozen ? frozenset_methods() : set_methods();
    case ObjectKind::Range: return range_methods();
    default: return {};
  }
}

Method find_method(const Value& v, std::string_view name) {
  for (const MethodRow& row : methods_of(v))
    if (row.name == name) return row.method;
  return nullptr;
}

namespace {

class BoundMethod final : public BoundCallable {
 public:
  BoundMethod(Value s, Method m, std::string n) : BoundCallable(std::move(s), std::move(n)), method_(m) {}
  Value call(Runtime& runtime, const Arguments& arguments) override { return method_(runtime, self(runtime), arguments); }

 private:
  Method method_;
};

std::vector<std::string> attribute_names(const Value& v) {
  std::vector<std::string> names;
  for (const MethodRow& row : methods_of(v)) names.emplace_back(row.name);
  if (auto* native = v.get_if<runtime::NativeObject>()) names = native->attribute_names();
  if (is_array_like(v))
    for (std::string_view name : v.is(ObjectKind::Lazy) ? lazy_attribute_names() : array_attribute_names())
      names.emplace_back(name);
  return names;
}

std::string library_name(const Value& v) {
  auto* native = v.get_if<runtime::NativeObject>();
  if (!native || native->native_type() != "module") return {};
  std::string text = native->repr();  // <module 'numpy'>
  std::string name = text.substr(9, text.size() - 11);
  return name == "numpy" || name.starts_with("numpy.") || name.starts_with("scipy") ? name : std::string();
}
std::string not_available(std::string_view library, std::string_view name) {
  return "'" + std::string(library) + "." + std::string(name) + "' is not available here";
}

// What is known about a failed look-up beyond the name itself.
std::string attribute_hint(const Value& v, const std::string& near) {
  if (!near.empty()) return "did you mean '" + near + "'?";
  return v.is_none() ? "the value is None: a function without return, or a method that changes its object in place, gives it"
                     : "";
}

[[noreturn]] void no_attribute(const Value& v, std::string_view name) {
  std::vector<std::string> names = attribute_names(v);
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string near = ir::did_you_mean(name, views);
  std::string type = runtime::type_name(v);
  std::string message;
  if (auto* native = v.get_if<runtime::NativeObject>(); native && type == "module") {
    std::string text = native->repr();  // <module 'numpy'>
    message = "module " + text.substr(8, text.size() - 9) + " has no attribute '" + std::string(name) + "'";
  } else if (v.is(ObjectKind::Array) || v.is(ObjectKind::NumpyScalar)) {
    message = "'numpy." + type + "' object has no attribute '" + std::string(name) + "'";
  } else if (type == "type") {
    message = "type object '" + v.as<runtime::Callable>().callable_name() + "' has no attribute '" + std::string(name) + "'";
  } else {
    message = "'" + type + "' object has no attribute '" + std::string(name) + "'";
  }
  // CPython suggests in its traceback and not in str(exception): here it is the hint.
  Error error(ErrorClass::AttributeError, message);
  std::string hint = attribute_hint(v, near);
  // A library's function that is not there may well be in numpy.
  if (std::string library = library_name(v); !library.empty()) {
    error.with_code(202);
    hint = not_available(library, name) + (hint.empty() ? "" : "; " + hint);
  }
  error.with_hint(hint);
  throw error;
}

// A slice resolved against a length, as PySlice_AdjustIndices.
struct Bounds {
  std::int64_t start, stop, step, count;
};
Bounds bounds_of(const runtime::SliceObject& s, std::int64_t length) {
  Bounds b{};
  auto part = [&](const Value& v, std::int64_t fallback) {
    if (v.is_none()) return fallback;
    if (v.is(ObjectKind::BigInt)) return is_negative_big_int(v) ? INT64_MIN : INT64_MAX;
    if (!is_integer_value(v) && !is_array_like(v))
      throw Error(ErrorClass::TypeError, "slice indices must be integers or None or have an __index__ method");
    return index_of(v, "slice index");
  };
  b.step = part(s.step, 1);
  if (b.step == 0) throw Error(ErrorClass::ValueError, "slice step cannot be zero");
  if (b.step == INT64_MIN) b.step = -INT64_MAX;
  auto clip = [&](std::int64_t v) {
    if (v < 0)
      v = v < -length ? -1 : v + length;
    else
      return std::min(v, b.step < 0 ? length - 1 : length);
    return v < 0 ? (b.step < 0 ? -1 : 0) : v;
  };
  b.start = s.start.is_none() ? (b.step < 0 ? length - 1 : 0) : clip(part(s.start, 0));
  b.stop = s.stop.is_none() ? (b.step < 0 ? -1 : length) : clip(part(s.stop, 0));
  if (b.step > 0)
    b.count = b.stop > b.start ? (b.stop - b.start - 1) / b.step + 1 : 0;
  else
    b.count = b.start > b.stop ? (b.start - b.stop - 1) / -b.step + 1 : 0;
  return b;
}

}  // namespace

Value get_attribute(Runtime& runtime, const Value& v, std::string_view name) {
  Value result;
  if (auto* native = v.get_if<runtime::NativeObject>()) {
    if (native->get_attribute(runtime, name, result)) return result;
    no_attribute(v, name);
  }
  if (is_array_like(v)) {
    if (array_attribute(runtime, v, name, result)) return result;
    no_attribute(v, name);
  }
  if (auto* callable = v.get_if<runtime::Callable>()) {
    if (callable->get_attribute(runtime, name, result)) return result;
    if (name == "__name__" || name == "__qualname__") return runtime::make_str(callable->callable_name());
    no_attribute(v, name);
  }
  if (auto* tuple = v.get_if<Tuple>(); tuple && tuple->field_names && named_tuple_attribute(runtime, v, name, result))
    return result;
  if (auto* e = v.get_if<runtime::Exception>()) {
    if (name == "args") return runtime::make_tuple(e->args);
    if (name == "__cause__") return e->cause.empty() ? Value::none() : e->cause;
    if (name == "__suppress_context__") return Value::boolean(!e->cause.empty());
    if (name == "__context__") return e->context.empty() ? Value::none() : e->context;
    if (name == "code" && e->error_class == ErrorClass::SystemExit) return e->args.empty() ? Value::none() : e->args[0];
    if (name == "value" && e->error_class == ErrorClass::StopIteration) return e->args.empty() ? Value::none() : e->args[0];
  }
  if (auto* s = v.get_if<runtime::SliceObject>()) {
    if (name == "start") return s->start;
    if (name == "stop") return s->stop;
    if (name == "step") return s->step;
    if (name == "indices")
      return runtime::make_native("indices", [v](Runtime&, const Arguments& a) {
        check_arguments(a, "slice.indices", 1, 1);
        std::int64_t length = index_of(a.positional[0], "length");
        if (length < 0) throw Error(ErrorClass::ValueError, "length should not be negative");
        Bounds b = bounds_of(v.as<runtime::SliceObject>(), length);
        return runtime::make_tuple({Value::integer(b.start), Value::integer(b.stop), Value::integer(b.step)});
      });
  }
  if (auto* r = v.get_if<runtime::Range>()) {
    if (name == "start") return Value::integer(r->start);
    if (name == "stop") return Value::integer(r->stop);
    if (name == "step") return Value::integer(r->step);
  }
  if (is_integer_value(v) || v.is_float()) {
    if (name == "real") return v.is_bool() ? Value::integer(v.as_bool()) : v;
    if (name == "imag") return v.is_float() ? Value::real(0) : Value::integer(0);
    if (name == "numerator" && !v.is_float()) return v;
    if (name == "denominator" && !v.is_float()) return Value::integer(1);
  }
  if (auto* c = v.get_if<runtime::Complex>()) {
    if (name == "real") return Value::real(c->value.real());
    if (name == "imag") return Value::real(c->value.imag());
  }
  if (auto* d = v.get_if<Dict>(); d && name == "default_factory" && d->subclass)
    return d->default_factory.empty() ? Value::none() : d->default_factory;
  if (name == "__class__") return type_of(runtime, v);
  if (name == "__doc__") return Value::none();
  if (Method method = find_method(v, name)) return own_in_trace(runtime, make<BoundMethod>(v, method, std::string(name)));
  no_attribute(v, name);
}

void delete_attribute(Runtime& runtime, const Value& v, std::string_view name) {
  // Functions take an Empty value as "remove".
  if (auto* callable = v.get_if<runtime::Callable>(); callable && callable->set_attribute(runtime, name, Value())) return;
  no_attribute(v, name);
}

void set_attribute(Runtime& runtime, const Value& v, std::string_view name, const Value& value) {
  if (auto* native = v.get_if<runtime::NativeObject>(); native && native->set_attribute(runtime, name, value)) return;
  if (auto* callable = v.get_if<runtime::Callable>(); callable && callable->set_attribute(runtime, name, value)) return;
  if (is_array_like(v) && set_array_attribute(runtime, v, name, value)) return;
  if (auto* tuple = v.get_if<Tuple>(); tuple && tuple->field_names)
    for (std::size_t i = 0; i < tuple->items.size(); ++i)
      if (name == tuple->field_names[i]) throw Error(ErrorClass::AttributeError, "can't set attribute");
  if (find_method(v, name))
    throw Error(ErrorClass::AttributeError,
                "'" + runtime::type_name(v) + "' object attribute '" + std::string(name) + "' is read-only");
  no_attribute(v, name);
}

Value call_method(Runtime& runtime, const Value& v, std::string_view name, const Arguments& arguments) {
  if (Method method = find_method(v, name)) return method(runtime, v, arguments);
  if (is_array_like(v)) {
    Value result;
    if (call_array_method(runtime, v, name, arguments, result)) return result;
  }
  return call(runtime, get_attribute(runtime, v, name), arguments);
}

Value call(Runtime& runtime, const Value& callable, const Arguments& arguments) {
  runtime::check_stack();
  if (auto* c = callable.get_if<runtime::Callable>()) {
    Ref<runtime::Callable> held = Ref<runtime::Callable>::share(c);
    return held->call(runtime, arguments);
  }
  throw Error(ErrorClass::TypeError, "'" + runtime::type_name(callable) + "' object is not callable");
}

// ---- items ----

namespace {

std::int64_t checked_index(const Value& key, std::int64_t length, const char* type, const char* what = "index out of range") {
  if (!is_integer_value(key) && !is_array_like(key))
    throw Error(ErrorClass::TypeError,
                std::string(type) + " indices must be integers or slices, not " + runtime::type_name(key));
  std::int64_t i = index_of(key, "index");
  if (i < 0) i += length;
  if (i < 0 || i >= length)
    throw Error(ErrorClass::IndexError, std::string(type) + " " + what)
        .with_hint(length == 0 ? "it is empty"
                               : "its length is " + std::to_string(length) + ": indices go from " + std::to_string(-length) +
                                     " to " + std::to_string(length - 1));
  return i;
}

std::vector<Value> sliced(const std::vector<Value>& items, const Bounds& b) {
  std::vector<Value> result;
  result.reserve(static_cast<std::size_t>(b.count));
  for (std::int64_t k = 0, i = b.start; k < b.count; ++k, i += b.step) result.push_back(items[static_cast<std::size_t>(i)]);
  return result;
}

// Byte offset of code point i.
std::size_t offset_of(const Str& s, std::int64_t i) {
  if (s.ascii()) return static_cast<std::size_t>(i);
  std::size_t at = 0;
  for (; i > 0; --i) {
    auto c = static_cast<unsigned char>(s.text[at]);
    at += c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
  }
  return at;
}

Value str_item(const Str& s, const Value& key) {
  if (auto* slice = key.get_if<runtime::SliceObject>()) {
    Bounds b = bounds_of(*slice, s.length);
    std::string text;
    if (b.step == 1) {
      std::size_t from = offset_of(s, b.start), to = offset_of(s, b.start + b.count);
      return runtime::make_str(s.text.substr(from, to - from));
    }
    if (s.ascii()) {
      for (std::int64_t k = 0, i = b.start; k < b.count; ++k, i += b.step) text += s.text[static_cast<std::size_t>(i)];
    } else {
      for (std::int64_t k = 0, i = b.start; k < b.count; ++k, i += b.step) {
        std::size_t from = offset_of(s, i), to = offset_of(s, i + 1);
        text += s.text.substr(from, to - from);
      }
    }
    return runtime::make_str(std::move(text));
  }
  std::int64_t i = checked_index(key, s.length, "string");
  std::size_t from = offset_of(s, i), to = offset_of(s, i + 1);
  return runtime::make_str(s.text.substr(from, to - from));
}

[[noreturn]] void key_error(Dict& dict, const Value& key) {
  auto exception = make<runtime::Exception>(ErrorClass::KeyError, std::vector<Value>{key});
  if (auto* text = key.get_if<Str>(); text && dict.size() <= 1000) {
    std::vector<std::string_view> known;
    for (auto& entry : dict.entries())
      if (auto* name = entry.key.get_if<Str>()) known.push_back(name->text);
    exception->hint = ir::suggestion(text->text, known);
  }
  throw runtime::Raised{exception};
}

}  // namespace

Value get_item(Runtime& runtime, const Value& v, const Value& key) {
  if (!v.is_object()) throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object is not subscriptable");
  switch (v.object()->kind()) {
    case ObjectKind::List: {
      auto& items = v.as<List>().items;
      if (auto* s = key.get_if<runtime::SliceObject>())
        return runtime::make_list(sliced(items, bounds_of(*s, static_cast<std::int64_t>(items.size()))));
      return items[static_cast<std::size_t>(checked_index(key, static_cast<std::int64_t>(items.size()), "list"))];
    }
    case ObjectKind::Tuple: {
      auto& items = v.as<Tuple>().items;
      if (auto* s = key.get_if<runtime::SliceObject>())
        return runtime::make_tuple(sliced(items, bounds_of(*s, static_cast<std::int64_t>(items.size()))));
      return items[static_cast<std::size_t>(checked_index(key, static_cast<std::int64_t>(items.size()), "tuple"))];
    }
    case ObjectKind::Str: return str_item(v.as<Str>(), key);
    case ObjectKind::Bytes: {
      auto& data = v.as<runtime::Bytes>().data;
      auto n = static_cast<std::int64_t>(data.size());
      if (auto* s = key.get_if<runtime::SliceObject>()) {
        Bounds b = bounds_of(*s, n);
        std::string part;
        for (std::int64_t k = 0, i = b.start; k < b.count; ++k, i += b.step) part += data[static_cast<std::size_t>(i)];
        return make<runtime::Bytes>(std::move(part));
      }
      return Value::integer(
          static_cast<unsigned char>(data[static_cast<std::size_t>(checked_index(key, n, "index", "out of range"))]));
    }
    case ObjectKind::Range: {
      auto& r = v.as<runtime::Range>();
      if (auto* s = key.get_if<runtime::SliceObject>()) {
        Bounds b = bounds_of(*s, r.size());
        return make<runtime::Range>(r.start + b.start * r.step, r.start + (b.start + b.count * b.step) * r.step,
                                    r.step * b.step);
      }
      return Value::integer(r.start + checked_index(key, r.size(), "range object") * r.step);
    }
    case ObjectKind::Dict: {
      auto& d = v.as<Dict>();
      if (Value* found = d.find(key)) return *found;
      if (d.subclass) {
        if (std::string_view(d.subclass) == "Counter") return Value::integer(0);
        if (!d.default_factory.empty() && !d.default_factory.is_none()) {
          Value made = call(runtime, d.default_factory, {});
          d.set(key, made);
          return made;
        }
      }
      key_error(d, key);
    }
    case ObjectKind::Array: {
      if (runtime.deferral() && !runtime::any_lazy({std::span(&key, 1), {}, {}})) [[unlikely]]
        return runtime.deferral()->get_item(v, key);
      auto& array = v.as<runtime::ArrayObject>().array;
      if (runtime.has_lazy_arrays() && runtime::any_lazy({std::span(&key, 1), {}, {}})) {
        // A place among values that are not known yet.
        auto lazy = runtime.recorder().leaf(v);
        return runtime.recorder().get_item(*lazy, key);
      }
      return runtime::get_item(runtime, array, key);
    }
    case ObjectKind::Lazy: return runtime.recorder().get_item(v.as<runtime::LazyArray>(), key);
    case ObjectKind::NumpyScalar: {
      if (key.is_ellipsis() || (key.is(ObjectKind::Tuple) && key.as<Tuple>().items.empty()) || key.is_none())
        return runtime::get_item(runtime, runtime::to_array(runtime, v), key);
      throw Error(ErrorClass::IndexError, "invalid index to scalar variable.");
    }
    case ObjectKind::Native: {
      Value result;
      if (v.as<runtime::NativeObject>().get_item(runtime, key, result)) return result;
      break;
    }
    default: break;
  }
  throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object is not subscriptable");
}

namespace {

std::vector<Value> items_to_assign(Runtime& runtime, const Value& value) {
  try {
    return collect(runtime, value);
  } catch (const Error& e) {
    if (!e.message().ends_with("object is not iterable")) throw;
    throw Error(ErrorClass::TypeError, "can only assign an iterable");
  }
}

}  // namespace

void set_item(Runtime& runtime, const Value& v, const Value& key, const Value& value) {
  if (v.is_object()) switch (v.object()->kind()) {
      case ObjectKind::List: {
        auto& items = v.as<List>().items;
        auto n = static_cast<std::int64_t>(items.size());
        if (auto* s = key.get_if<runtime::SliceObject>()) {
          Bounds b = bounds_of(*s, n);
          std::vector<Value> fresh = items_to_assign(runtime, value);
          if (b.step == 1) {
            auto at = items.begin() + static_cast<std::ptrdiff_t>(b.start);
            at = items.erase(at, at + static_cast<std::ptrdiff_t>(b.count));
            items.insert(at, fresh.begin(), fresh.end());
            return;
          }
          if (static_cast<std::int64_t>(fresh.size()) != b.count)
            throw Error(ErrorClass::ValueError, "attempt to assign sequence of size " + std::to_string(fresh.size()) +
                                                    " to extended slice of size " + std::to_string(b.count));
          for (std::int64_t k = 0, i = b.start; k < b.count; ++k, i += b.step)
            items[static_cast<std::size_t>(i)] = fresh[static_cast<std::size_t>(k)];
          return;
        }
        items[static_cast<std::size_t>(checked_index(key, n, "list", "assignment index out of range"))] = value;
        return;
      }
      case ObjectKind::Dict: v.as<Dict>().set(key, value); return;
      case ObjectKind::Array:
        if (runtime.deferral()) [[unlikely]]
          runtime.deferral()->set_item(v, key, value);
        else
          runtime::set_item(runtime, v.as<runtime::ArrayObject>().array, key, value);
        return;
      case ObjectKind::Lazy: runtime.recorder().set_item(v.as<runtime::LazyArray>(), key, value); return;
      case ObjectKind::Native:
        if (auto* operand = native_operand(v); operand && operand->set_item(runtime, key, value)) return;
        break;
      default: break;
    }
  throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object does not support item assignment");
}

void delete_item(Runtime& runtime, const Value& v, const Value& key) {
  if (auto* operand = native_operand(v); operand && operand->delete_item(runtime, key)) return;
  if (auto* list = v.get_if<List>()) {
    auto& items = list->items;
    auto n = static_cast<std::int64_t>(items.size());
    if (auto* s = key.get_if<runtime::SliceObject>()) {
      Bounds b = bounds_of(*s, n);
      std::vector<bool> drop(items.size());
      for (std::int64_t k = 0, i = b.start; k < b.count; ++k, i += b.step) drop[static_cast<std::size_t>(i)] = true;
      std::vector<Value> kept;
      for (std::size_t i = 0; i < items.size(); ++i)
        if (!drop[i]) kept.push_back(items[i]);
      items.swap(kept);
      return;
    }
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(checked_index(key, n, "list", "assignment index out of range")));
    return;
  }
  if (auto* dict = v.get_if<Dict>()) {
    if (dict->pop(key).empty()) {
      if (dict->subclass && std::string_view(dict->subclass) == "Counter") return;
      key_error(*dict, key);
    }
    return;
  }
  if (v.is(ObjectKind::Array)) throw Error(ErrorClass::ValueError, "cannot delete array elements");
  throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object doesn't support item deletion");
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (container.is_object()) switch (container.object()->kind()) {
      case ObjectKind::Dict: return container.as<Dict>().find(item) != nullptr;
      case ObjectKind::Set: return container.as<runtime::Set>().items->find(item) != nullptr;
      case ObjectKind::Bytes: {
        auto& data = container.as<runtime::Bytes>().data;
        if (auto* part = item.get_if<runtime::Bytes>()) return data.find(part->data) != std::string::npos;
        if (!is_integer_value(item))
          throw Error(ErrorClass::TypeError, "a bytes-like object is required, not '" + runtime::type_name(item) + "'");
        std::int64_t byte = index_of(item, "byte");
        if (byte < 0 || byte > 255) throw Error(ErrorClass::ValueError, "byte must be in range(0, 256)");
        return data.find(static_cast<char>(byte)) != std::string::npos;
      }
      case ObjectKind::Str: {
        auto* part = item.get_if<Str>();
        if (!part)
          throw Error(ErrorClass::TypeError, "'in <string>' requires string as left operand, not " + runtime::type_name(item));
        return container.as<Str>().text.find(part->text) != std::string::npos;
      }
      case ObjectKind::Range: {
        auto& r = container.as<runtime::Range>();
        if (!item.is_int()) break;
        std::int64_t x = item.as_int();
        if (r.step > 0 ? x < r.start || x >= r.stop : x > r.start || x <= r.stop) return false;
        return (x - r.start) % r.step == 0;
      }
      case ObjectKind::Lazy:
      case ObjectKind::Array: {
        const Value operands[] = {container, item};
        Value same = runtime::operator_call(runtime, ir::find_op("equal"), operands);
        return truth(runtime, runtime::operator_call(runtime, ir::find_op("any"), std::span(&same, 1)));
      }
      case ObjectKind::Native: {
        bool result;
        if (container.as<runtime::NativeObject>().contains(runtime, item, result)) return result;
        break;
      }
      default: break;
    }
  Ref<runtime::Iterator> iterator;
  try {
    iterator = iterate(runtime, container);
  } catch (const Error&) {
    throw Error(ErrorClass::TypeError, "argument of type '" + runtime::type_name(container) + "' is not iterable");
  }
  Value candidate;
  while (iterator->next(runtime, candidate))
    if (candidate.identical(item) || equal(runtime, candidate, item)) return true;
  return false;
}

std::int64_t length(Runtime&, const Value& v) {
  if (v.is_object()) switch (v.object()->kind()) {
      case ObjectKind::List: return static_cast<std::int64_t>(v.as<List>().items.size());
      case ObjectKind::Tuple: return static_cast<std::int64_t>(v.as<Tuple>().items.size());
      case ObjectKind::Str: return v.as<Str>().length;
      case ObjectKind::Bytes: return static_cast<std::int64_t>(v.as<runtime::Bytes>().data.size());
      case ObjectKind::Dict: return v.as<Dict>().size();
      case ObjectKind::Set: return v.as<runtime::Set>().items->size();
      case ObjectKind::Range: return v.as<runtime::Range>().size();
      case ObjectKind::Array:
        if (v.peek<runtime::ArrayObject>()->array.ndim() == 0) throw Error(ErrorClass::TypeError, "len() of unsized object");
        return v.peek<runtime::ArrayObject>()->array.shape[0];
      case ObjectKind::Lazy: {
        const ir::Dims& shape = v.as<runtime::LazyArray>().type().shape;
        if (shape.empty()) throw Error(ErrorClass::TypeError, "len() of unsized object");
        return shape[0];
      }
      case ObjectKind::Native:
        if (auto n = v.as<runtime::NativeObject>().length()) return *n;
        break;
      default: break;
    }
  throw Error(ErrorClass::TypeError, "object of type '" + runtime::type_name(v) + "' has no len()");
}

// ---- iteration ----

namespace {

class IndexIterator final : public runtime::Iterator {
 public:
  explicit IndexIterator(Value sequence) : sequence_(std::move(sequence)) {}
  bool advance(Runtime& runtime, Value& result) override {
    switch (sequence_.empty() ? ObjectKind::Cell : sequence_.object()->kind()) {
      case ObjectKind::List: return at(sequence_.as<List>().items, result);
      case ObjectKind::Tuple: return at(sequence_.as<Tuple>().items, result);
      case ObjectKind::Range: {
        auto& r = sequence_.as<runtime::Range>();
        if (index_ >= r.size()) return false;
        result = Value::integer(r.start + index_++ * r.step);
        return true;
      }
      case ObjectKind::Str: {
        auto& text = sequence_.as<Str>().text;
        if (index_ >= static_cast<std::int64_t>(text.size())) return false;
        auto c = static_cast<unsigned char>(text[static_cast<std::size_t>(index_)]);
        std::int64_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        result = runtime::make_str(text.substr(static_cast<std::size_t>(index_), static_cast<std::size_t>(n)));
        index_ += n;
        return true;
      }
      case ObjectKind::Bytes: {
        auto& data = sequence_.as<runtime::Bytes>().data;
        if (index_ >= static_cast<std::int64_t>(data.size())) return false;
        result = Value::integer(static_cast<unsigned char>(data[static_cast<std::size_t>(index_++)]));
        return true;
      }
      case ObjectKind::Array: {
        if (index_ >= sequence_.peek<runtime::ArrayObject>()->array.shape[0]) return false;
        Value place = Value::integer(index_++);
        if (runtime.deferral()) [[unlikely]]
          result = runtime.deferral()->get_item(sequence_, place);
        else
          result = runtime::get_item(runtime, sequence_.as<runtime::ArrayObject>().array, place);
        return true;
      }
      default: return false;
    }
  }
  void clear() override { sequence_.clear(); }

 private:
  bool at(const std::vector<Value>& items, Value& result) {
    if (index_ >= static_cast<std::int64_t>(items.size())) return false;
    result = items[static_cast<std::size_t>(index_++)];
    return true;
  }
  Value sequence_;
  std::int64_t index_ = 0;
};

class KeyIterator final : public runtime::Iterator {
 public:
  KeyIterator(Ref<Dict> dict, const char* what)
      : dict_(std::move(dict)), what_(what), version_(dict_->version()), size_(dict_->size()) {}
  bool advance(Runtime&, Value& result) override {
    if (!dict_) return false;
    if (dict_->size() != size_ || (dict_->version() != version_))
      throw Error(ErrorClass::RuntimeError, std::string(what_) + (dict_->size() != size_ ? " changed size during iteration"
                                                                                         : " keys changed during iteration"));
    auto& entries = dict_->entries();
    while (at_ < entries.size() && entries[at_].key.empty()) ++at_;
    if (at_ >= entries.size()) return false;
    result = entries[at_++].key;
    return true;
  }
  void clear() override { dict_ = nullptr; }

 private:
  Ref<Dict> dict_;
  const char* what_;
  std::uint64_t version_;
  std::int64_t size_;
  std::size_t at_ = 0;
};

}  // namespace

Ref<runtime::Iterator> iterate(Runtime& runtime, const Value& v) {
  if (v.is_object()) switch (v.object()->kind()) {
      case ObjectKind::Iterator: return Ref<runtime::Iterator>::share(&v.as<runtime::Iterator>());
      case ObjectKind::Array:
        if (v.peek<runtime::ArrayObject>()->array.ndim() == 0) throw Error(ErrorClass::TypeError, "iteration over a 0-d array");
        return make<IndexIterator>(v);
      case ObjectKind::Lazy: return lazy_iterate(runtime, v);
      case ObjectKind::List:
      case ObjectKind::Tuple:
      case ObjectKind::Range:
      case ObjectKind::Str:
      case ObjectKind::Bytes: return make<IndexIterator>(v);
      case ObjectKind::Dict: return make<KeyIterator>(Ref<Dict>::share(&v.as<Dict>()), "dictionary");
      case ObjectKind::Set: return make<KeyIterator>(v.as<runtime::Set>().items, "Set");
      case ObjectKind::Native: {
        Value iterable;
        if (v.as<runtime::NativeObject>().iterate(runtime, iterable)) return iterate(runtime, iterable);
        break;
      }
      default: break;
    }
  throw Error(ErrorClass::TypeError, "'" + runtime::type_name(v) + "' object is not iterable");
}

std::vector<Value> collect(Runtime& runtime, const Value& v) {
  if (auto* list = v.get_if<List>()) return list->items;
  if (auto* tuple = v.get_if<Tuple>()) return tuple->items;
  std::vector<Value> items;
  auto iterator = iterate(runtime, v);
  Value item;
  while (iterator->next(runtime, item)) {
    items.push_back(std::move(item));
    if ((items.size() & 1023) == 0) runtime.poll();
  }
  return items;
}

}  // namespace autoray::frontend
