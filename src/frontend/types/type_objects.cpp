// The types of the language as values, and what they construct.
#include <charconv>
#include <cmath>

#include "frontend/string_literals.h"
#include "frontend/types/array_type.h"
#include "frontend/types/class_methods.h"
#include "frontend/types/methods.h"
#include "frontend/types/named_tuple.h"
#include "frontend/types/type_object.h"
#include "runtime/bigint.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/lazy_array.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Dict;
using runtime::make;
using runtime::ObjectKind;
using runtime::Str;

namespace {

std::string_view stripped(std::string_view t) {
  while (!t.empty() && std::isspace(static_cast<unsigned char>(t.front()))) t.remove_prefix(1);
  while (!t.empty() && std::isspace(static_cast<unsigned char>(t.back()))) t.remove_suffix(1);
  return t;
}

Value int_from_text(Runtime& runtime, const Value& v, std::string_view text, int base) {
  auto bad = [&]() -> Value {
    throw Error(ErrorClass::ValueError,
                "invalid literal for int() with base " + std::to_string(base) + ": " + repr(runtime, v));
  };
  std::string_view t = stripped(text);
  bool negative = false;
  if (!t.empty() && (t[0] == '-' || t[0] == '+')) {
    negative = t[0] == '-';
    t.remove_prefix(1);
  }
  if (base != 0 && (base < 2 || base > 36)) throw Error(ErrorClass::ValueError, "int() base must be >= 2 and <= 36, or 0");
  int used = base;
  if (t.size() > 1 && t[0] == '0') {
    char c = t[1] | 0x20;
    int prefix = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
    if (prefix && (base == 0 || base == prefix)) {
      used = prefix;
      t.remove_prefix(2);
    }
  }
  if (used == 0) used = 10;
  if (t.size() > 4300 && used == 10)
    throw Error(ErrorClass::ValueError, "Exceeds the limit (4300 digits) for integer string conversion: value has " +
                                            std::to_string(t.size()) +
                                            " digits; use sys.set_int_max_str_digits() to increase the limit");
  runtime::BigInteger value = 0;
  bool digit = false;
  for (char c : t) {
    if (c == '_') {
      if (!digit) return bad();
      digit = false;
      continue;
    }
    int d = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? (c | 0x20) - 'a' + 10 : 99;
    if (d >= used) return bad();
    value = value * used + d;
    digit = true;
  }
  if (!digit) return bad();
  return runtime::make_int(negative ? runtime::BigInteger(-value) : value);
}

// What int() and float() see of a complex numpy scalar; Python's own complex they refuse.
Value real_part_alone(Runtime& runtime, const runtime::NumpyScalar& scalar) {
  runtime::warn_of_cast(runtime, scalar.dtype, ir::DType::Float64);
  return Value::real(python_scalar(scalar.dtype, scalar.data).as<runtime::Complex>().value.real());
}

Value construct_int(Runtime& runtime, const TypeObject& type, const Arguments& a) {
  check_keywords(a, "int", {"base"});
  if (a.positional.empty()) return Value::integer(0);
  const Value& v = a.positional[0];
  const Value* base_value = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "base");
  if (auto* s = v.get_if<Str>())
    return int_from_text(runtime, v, s->text, base_value ? static_cast<int>(index_of(*base_value, "base")) : 10);
  if (base_value) throw Error(ErrorClass::TypeError, "int() can't convert non-string with explicit base");
  if (v.is_int() || v.is(ObjectKind::BigInt)) return v;
  if (v.is_bool()) return Value::integer(v.as_bool());
  if (v.is_float()) {
    double d = v.as_float();
    if (std::isnan(d)) throw Error(ErrorClass::ValueError, "cannot convert float NaN to integer");
    if (std::isinf(d)) throw Error(ErrorClass::OverflowError, "cannot convert float infinity to integer");
    if (std::fabs(d) < 9e18) return Value::integer(static_cast<std::int64_t>(d));
    return runtime::make_int(runtime::BigInteger(std::trunc(d)));
  }
  if (auto* s = v.get_if<runtime::NumpyScalar>()) {
    Value inner = python_scalar(s->dtype, s->data);
    if (ir::is_complex(s->dtype)) inner = real_part_alone(runtime, *s);
    return construct_int(runtime, type, {std::span(&inner, 1), {}, {}});
  }
  if (auto* array = v.get_if<runtime::ArrayObject>()) {
    if (array->array.ndim() != 0)
      throw Error(ErrorClass::TypeError, "only 0-dimensional arrays can be converted to Python scalars");
    Value inner = python_scalar(array->array.dtype, array->array.data);
    return construct_int(runtime, type, {std::span(&inner, 1), {}, {}});
  }
  throw Error(ErrorClass::TypeError,
              "int() argument must be a string, a bytes-like object or a real number, not '" + runtime::type_name(v) + "'");
}

double text_to_double(Runtime& runtime, const Value& v, std::string_view text) {
  std::string digits;
  std::string_view t = stripped(text);
  for (std::size_t i = 0; i < t.size(); ++i) {
    bool between = i > 0 && i + 1 < t.size() && std::isdigit(static_cast<unsigned char>(t[i - 1])) &&
                   std::isdigit(static_cast<unsigned char>(t[i + 1]));
    if (t[i] == '_' && between) continue;
    digits += static_cast<char>(std::tolower(static_cast<unsigned char>(t[i])));
  }
  const char* begin = digits.data();
  const char* end = begin + digits.size();
  bool negative = false;
  if (begin != end && (*begin == '+' || *begin == '-')) negative = *begin++ == '-';
  double value = 0;
  std::string_view rest(begin, static_cast<std::size_t>(end - begin));
  if (rest == "inf" || rest == "infinity")
    value = INFINITY;
  else if (rest == "nan")
    value = NAN;
  else {
    bool plain = !rest.empty() && (std::isdigit(static_cast<unsigned char>(rest[0])) || rest[0] == '.');
    char* stop = nullptr;
    if (plain && rest.find('x') == std::string_view::npos) value = std::strtod(begin, &stop);
    if (!plain || stop != end) throw Error(ErrorClass::ValueError, "could not convert string to float: " + repr(runtime, v));
  }
  return negative ? -value : value;
}

Value construct_float(Runtime& runtime, const TypeObject&, const Arguments& a) {
  check_arguments(a, "float", 0, 1);
  if (a.positional.empty()) return Value::real(0);
  const Value& v = a.positional[0];
  if (auto* s = v.get_if<Str>()) return Value::real(text_to_double(runtime, v, s->text));
  if (auto* s = v.get_if<runtime::NumpyScalar>(); s && ir::is_complex(s->dtype)) return real_part_alone(runtime, *s);
  if (v.is(ObjectKind::Complex))
    throw Error(ErrorClass::TypeError, "float() argument must be a string or a real number, not 'complex'");
  try {
    return Value::real(real_of(v));
  } catch (const Error& e) {
    if (e.message().starts_with("must be real number"))
      throw Error(ErrorClass::TypeError,
                  "float() argument must be a string or a real number, not '" + runtime::type_name(v) + "'");
    throw;
  }
}

// "1+2j", "(1e3j)", "-j", "nan-infj": an optional real part, then an optional imaginary one.
std::complex<double> text_to_complex(std::string_view text) {
  std::string t(stripped(text));
  if (t.size() > 1 && t.front() == '(' && t.back() == ')') t = stripped(std::string_view(t).substr(1, t.size() - 2));
  auto bad = [] { return Error(ErrorClass::ValueError, "complex() arg is a malformed string"); };
  // A signed number; a sign alone (or nothing) before j counts 1.
  auto number = [&](const char*& p, double& value) {
    const char* begin = p;
    std::size_t sign = *p == '+' || *p == '-';
    bool digits = (p[sign] >= '0' && p[sign] <= '9') || p[sign] == '.' || (p[sign] | 0x20) == 'i' || (p[sign] | 0x20) == 'n';
    char* stop = const_cast<char*>(p);
    value = digits ? std::strtod(p, &stop) : 0;
    if (std::string_view(begin, static_cast<std::size_t>(stop - begin)).find_first_of("xX(") != std::string_view::npos)
      throw bad();
    if (stop != begin) {
      p = stop;
    } else if ((p[sign] | 0x20) == 'j') {
      value = *p == '-' ? -1 : 1;
      p += sign;
    } else {
      throw bad();
    }
  };
  const char* p = t.c_str();
  double first = 0, second = 0;
  number(p, first);
  if ((*p | 0x20) == 'j' && !p[1]) return {0, first};
  if (!*p) return first;
  if (*p != '+' && *p != '-') throw bad();
  number(p, second);
  if ((*p | 0x20) != 'j' || p[1]) throw bad();
  return {first, second};
}

bool is_number(const Value& v) { return is_integer_value(v) || v.is_float() || v.is(ObjectKind::Complex) || is_array_like(v); }

}  // namespace

std::complex<double> complex_of(const Value& v) {
  if (auto* c = v.get_if<runtime::Complex>()) return c->value;
  if (auto* s = v.get_if<runtime::NumpyScalar>(); s && ir::is_complex(s->dtype))
    return complex_of(python_scalar(s->dtype, s->data));
  if (auto* a = v.get_if<runtime::ArrayObject>(); a && a->array.ndim() == 0 && ir::is_complex(a->array.dtype))
    return complex_of(python_scalar(a->array.dtype, a->array.data));
  return real_of(v);
}

namespace {

Value construct_complex(Runtime&, const TypeObject&, const Arguments& a) {
  check_keywords(a, "complex", {"real", "imag"});
  const Value* re = a.positional.size() > 0 ? &a.positional[0] : keyword(a, "real");
  const Value* im = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "imag");
  if (re && re->is(ObjectKind::Str)) {
    if (im) throw Error(ErrorClass::TypeError, "complex() can't take second arg if first is a string");
    return runtime::make_complex(text_to_complex(re->as<Str>().text));
  }
  if (im && im->is(ObjectKind::Str)) throw Error(ErrorClass::TypeError, "complex() second arg can't be a string");
  for (const Value* part : {re, im})
    if (part && !is_number(*part))
      throw Error(ErrorClass::TypeError, std::string("complex() ") + (part == re ? "first" : "second") +
                                             " argument must be a " + (part == re ? "string or a " : "") + "number, not '" +
                                             runtime::type_name(*part) + "'");
  std::complex<double> r = re ? complex_of(*re) : 0, i = im ? complex_of(*im) : 0;
  // What is real has no other part to add: -0.0 keeps its sign.
  auto has_parts = [](const Value* v) {
    if (auto* s = v ? v->get_if<runtime::NumpyScalar>() : nullptr) return ir::is_complex(s->dtype);
    if (auto* array = v ? v->get_if<runtime::ArrayObject>() : nullptr) return ir::is_complex(array->array.dtype);
    return v && v->is(ObjectKind::Complex);
  };
  if (!im) return runtime::make_complex(r);
  return runtime::make_complex(
      {has_parts(im) ? r.real() - i.imag() : r.real(), has_parts(re) ? i.real() + r.imag() : i.real()});
}

Value construct_bool(Runtime& runtime, const TypeObject&, const Arguments& a) {
  check_arguments(a, "bool", 0, 1);
  return Value::boolean(!a.positional.empty() && truth(runtime, a.positional[0]));
}

Value construct_str(Runtime& runtime, const TypeObject&, const Arguments& a) {
  if (a.positional.size() > 3)
    throw Error(ErrorClass::TypeError, "str() takes at most 3 arguments (" + std::to_string(a.positional.size()) + " given)");
  if (a.positional.size() > 1 || !a.keyword_names.empty()) {
    check_keywords(a, "str", {"encoding", "errors"});
    auto* bytes = a.positional.empty() ? nullptr : a.positional[0].get_if<runtime::Bytes>();
    if (!bytes)
      throw Error(
          ErrorClass::TypeError,
          "decoding " + (a.positional.empty() ? "NoneType" : runtime::type_name(a.positional[0])) + " is not supported");
    return decode_bytes(bytes->data, {a.positional.subspan(1), a.keyword_names, a.keyword_values});
  }
  return runtime::make_str(a.positional.empty() ? "" : str(runtime, a.positional[0]));
}

Value construct_bytes(Runtime& runtime, const TypeObject&, const Arguments& a) {
  check_keywords(a, "bytes", {"encoding", "errors"});
  check_arguments({a.positional, {}, {}}, "bytes", 0, 3);
  if (a.positional.empty()) return make<runtime::Bytes>("");
  const Value& v = a.positional[0];
  if (auto* s = v.get_if<Str>()) {
    if (a.positional.size() < 2 && !keyword(a, "encoding"))
      throw Error(ErrorClass::TypeError, "string argument without an encoding");
    return encode_text(s->text, {a.positional.subspan(1), a.keyword_names, a.keyword_values});
  }
  if (v.is_int()) {
    if (v.as_int() < 0) throw Error(ErrorClass::ValueError, "negative count");
    if (v.as_int() > (std::int64_t{1} << 30)) throw Error(ErrorClass::MemoryError, "the bytes are too many");
    return make<runtime::Bytes>(std::string(static_cast<std::size_t>(v.as_int()), '\0'));
  }
  if (auto* b = v.get_if<runtime::Bytes>()) return make<runtime::Bytes>(b->data);
  std::string data;
  for (const Value& item : collect(runtime, v)) {
    std::int64_t byte = index_of(item, "bytes");
    if (byte < 0 || byte > 255) throw Error(ErrorClass::ValueError, "bytes must be in range(0, 256)");
    data += static_cast<char>(byte);
  }
  return make<runtime::Bytes>(std::move(data));
}

Value construct_list(Runtime& runtime, const TypeObject&, const Arguments& a) {
  check_arguments(a, "list", 0, 1);
  return runtime::make_list(a.positional.empty() ? std::vector<Value>{} : collect(runtime, a.positional[0]));
}
Value construct_tuple(Runtime& runtime, const TypeObject&, const Arguments& a) {
  check_arguments(a, "tuple", 0, 1);
  if (!a.positional.empty() && a.positional[0].is(ObjectKind::Tuple) && !a.positional[0].as<runtime::Tuple>().field_names)
    return a.positional[0];
  return runtime::make_tuple(a.positional.empty() ? std::vector<Value>{} : collect(runtime, a.positional[0]));
}
Value construct_set(Runtime& runtime, const TypeObject& type, const Arguments& a) {
  check_arguments(a, type.name, 0, 1);
  auto set = make<runtime::Set>(type.name == "frozenset");
  if (!a.positional.empty())
    for (const Value& item : collect(runtime, a.positional[0])) set->items->set(item, Value::none());
  return set;
}

void update_dict(Runtime& runtime, Dict& dict, const Value& source) {
  if (auto* other = source.get_if<Dict>()) {
    for (auto& e : other->entries())
      if (!e.key.empty()) dict.set(e.key, e.value);
    return;
  }
  std::size_t index = 0;
  for (const Value& pair : collect(runtime, source)) {
    bool sequence =
        pair.is(ObjectKind::Str) || pair.is(ObjectKind::List) || pair.is(ObjectKind::Tuple) || pair.is(ObjectKind::Array);
    std::vector<Value> two;
    try {
      two = collect(runtime, pair);
    } catch (const Error&) {
      if (sequence) throw;
      throw Error(ErrorClass::TypeError,
                  "cannot convert dictionary update sequence element #" + std::to_string(index) + " to a sequence");
    }
    if (two.size() != 2)
      throw Error(ErrorClass::ValueError, "dictionary update sequence element #" + std::to_string(index) + " has length " +
                                              std::to_string(two.size()) + "; 2 is required");
    dict.set(two[0], two[1]);
    ++index;
  }
}

Value construct_dict(Runtime& runtime, const TypeObject&, const Arguments& a) {
  if (a.positional.size() > 1)
    throw Error(ErrorClass::TypeError, "dict expected at most 1 argument, got " + std::to_string(a.positional.size()));
  auto dict = make<Dict>();
  if (!a.positional.empty()) update_dict(runtime, *dict, a.positional[0]);
  for (std::size_t i = 0; i < a.keyword_names.size(); ++i) dict->set(a.keyword_names[i], a.keyword_values[i]);
  return dict;
}

Value construct_range(Runtime&, const TypeObject&, const Arguments& a) {
  check_arguments(a, "range", 1, 3);
  std::int64_t p[3] = {0, 0, 1};
  if (a.positional.size() == 1)
    p[1] = index_of(a.positional[0], "range");
  else
    for (std::size_t i = 0; i < a.positional.size(); ++i) p[i] = index_of(a.positional[i], "range");
  if (p[2] == 0) throw Error(ErrorClass::ValueError, "range() arg 3 must not be zero");
  return make<runtime::Range>(p[0], p[1], p[2]);
}

Value construct_slice(Runtime&, const TypeObject&, const Arguments& a) {
  check_arguments(a, "slice", 1, 3);
  const std::size_t n = a.positional.size();
  Value start = n > 1 ? a.positional[0] : Value::none();
  Value stop = a.positional[n > 1 ? 1 : 0];
  Value step = n > 2 ? a.positional[2] : Value::none();
  return make<runtime::SliceObject>(std::move(start), std::move(stop), std::move(step));
}

Value construct_type(Runtime& runtime, const TypeObject&, const Arguments& a) {
  if (a.positional.size() != 1)
    throw Error(ErrorClass::TypeError, "type() takes 1 argument: classes cannot be made").with_code(201);
  return type_of(runtime, a.positional[0]);
}

Value construct_object(Runtime&, const TypeObject& t, const Arguments&) {
  throw Error(ErrorClass::TypeError, "cannot create '" + t.name + "' instances");
}

Value construct_exception(Runtime&, const TypeObject& t, const Arguments& a) {
  return make<runtime::Exception>(*t.error_class, std::vector<Value>(a.positional.begin(), a.positional.end()));
}

Value construct_scalar(Runtime& runtime, const TypeObject& t, const Arguments& a) {
  check_arguments(a, t.name, 0, 1);
  if (a.positional.empty()) {
    char zero[16] = {};
    return runtime::make_scalar(*t.dtype, zero, runtime.native_backend());
  }
  Value v = a.positional[0];
  if (auto* s = v.get_if<Str>()) v = Value::real(text_to_double(runtime, v, s->text));
  runtime::Array array = runtime::to_array(runtime, v, *t.dtype);
  return runtime::from_array(std::move(array), true);
}

struct BuiltinType {
  std::string_view name;
  TypeObject::Construct construct;
  TypeObject::Matches matches;
  std::optional<ir::DType> dtype;
};

bool scalar_is(const Value& v, ir::DType d) {
  auto* s = v.get_if<runtime::NumpyScalar>();
  return s && s->dtype == d;
}
#define KIND(k) [](const TypeObject&, const Value& v) { return v.is(ObjectKind::k); }
const BuiltinType* builtin_types(std::size_t& count) {
  static const BuiltinType kTypes[] = {
      {"int", construct_int,
       [](const TypeObject&, const Value& v) { return v.is_int() || v.is_bool() || v.is(ObjectKind::BigInt); },
       ir::DType::Int64},
      {"float", construct_float,
       [](const TypeObject&, const Value& v) { return v.is_float() || scalar_is(v, ir::DType::Float64); }, ir::DType::Float64},
      {"complex", construct_complex,
       [](const TypeObject&, const Value& v) { return v.is(ObjectKind::Complex) || scalar_is(v, ir::DType::Complex128); },
       ir::DType::Complex128},
      {"bool", construct_bool, [](const TypeObject&, const Value& v) { return v.is_bool(); }, ir::DType::Bool},
      {"str", construct_str, KIND(Str), {}},
      {"bytes", construct_bytes, KIND(Bytes), {}},
      {"list", construct_list, KIND(List), {}},
      {"tuple", construct_tuple, KIND(Tuple), {}},
      {"dict", construct_dict, KIND(Dict), {}},
      {"set",
       construct_set,
       [](const TypeObject&, const Value& v) { return v.is(ObjectKind::Set) && !v.as<runtime::Set>().frozen; },
       {}},
      {"frozenset",
       construct_set,
       [](const TypeObject&, const Value& v) { return v.is(ObjectKind::Set) && v.as<runtime::Set>().frozen; },
       {}},
      {"range", construct_range, KIND(Range), {}},
      {"slice", construct_slice, KIND(Slice), {}},
      {"type",
       construct_type,
       [](const TypeObject&, const Value& v) {
         auto* c = v.get_if<runtime::Callable>();
         return c && c->callable_type() == "type";
       },
       {}},
      {"object", construct_object, [](const TypeObject&, const Value&) { return true; }, {}},
      {"NoneType", construct_object, [](const TypeObject&, const Value& v) { return v.is_none(); }, {}},
      {"ellipsis", construct_object, [](const TypeObject&, const Value& v) { return v.is_ellipsis(); }, {}},
      {"function",
       construct_object,
       [](const TypeObject&, const Value& v) {
         return v.is(ObjectKind::Callable) && v.as<runtime::Callable>().callable_type() == "function";
       },
       {}},
      {"ndarray", construct_object, KIND(Array), {}},
  };
  count = std::size(kTypes);
  return kTypes;
}
#undef KIND

bool matches_exception(const TypeObject& t, const Value& v) {
  auto* e = v.get_if<runtime::Exception>();
  return e && ir::derives(e->error_class, *t.error_class);
}
bool matches_name(const TypeObject& t, const Value& v) { return runtime::type_name(v) == t.name; }
bool matches_scalar(const TypeObject& t, const Value& v) { return scalar_is(v, *t.dtype); }

// While a function is traced a graph's array stands for what the plain call has there: some value of that type.
Value stand_in(Runtime& runtime, const Value& v) {
  auto* lazy = v.get_if<runtime::LazyArray>();
  if (!lazy || !runtime.captures) return v;
  const ir::Type& type = lazy->type();
  runtime::Array array;
  array.dtype = type.dtype;
  char item[16] = {};
  array.data = item;
  if (type.kind != ir::Kind::Array) return runtime::from_kind(array, type.kind);
  array.data = nullptr;
  return runtime::make_array(std::move(array));
}

}  // namespace

bool TypeObject::get_attribute(Runtime& runtime, std::string_view attribute, Value& result) {
  if (attribute == "__module__") {
    result = runtime::make_str(module);
    return true;
  }
  return class_attribute(runtime, *this, attribute, result);
}

Value builtin_type(Runtime& runtime, std::string_view name) {
  std::string key = "type " + std::string(name);
  if (auto found = runtime.language_objects.find(key); found != runtime.language_objects.end()) return found->second;
  std::size_t count;
  const BuiltinType* rows = builtin_types(count);
  for (std::size_t i = 0; i < count; ++i)
    if (rows[i].name == name) {
      auto type = make<TypeObject>(std::string(name), rows[i].construct, rows[i].matches);
      type->dtype = rows[i].dtype;
      if (name == "ndarray") type->module = "numpy";
      return runtime.language_objects[key] = type;
    }
  for (int c = 0; c <= static_cast<int>(ErrorClass::UserWarning); ++c) {
    auto error_class = static_cast<ErrorClass>(c);
    if (ir::name(error_class) != name) continue;
    auto type = make<TypeObject>(std::string(name), construct_exception, matches_exception);
    type->error_class = error_class;
    Value value = type;
    // OSError's other names.
    return runtime.language_objects[key] = value;
  }
  return {};
}

Value scalar_type(Runtime& runtime, ir::DType dtype) {
  std::string name(ir::name(dtype));
  std::string key = "type numpy." + name;
  if (auto found = runtime.language_objects.find(key); found != runtime.language_objects.end()) return found->second;
  auto type = make<TypeObject>(name, construct_scalar, matches_scalar);
  type->dtype = dtype;
  type->module = "numpy";
  return runtime.language_objects[key] = type;
}

Value named_type(Runtime& runtime, std::string_view name, std::string_view module, TypeObject::Construct construct) {
  std::string key = "type " + std::string(name);
  if (auto found = runtime.language_objects.find(key); found != runtime.language_objects.end()) return found->second;
  auto type = make<TypeObject>(std::string(name), construct, matches_name);
  type->module = module;
  return runtime.language_objects[key] = type;
}

Value type_of(Runtime& runtime, const Value& given) {
  const Value v = stand_in(runtime, given);
  if (auto* tuple = v.get_if<runtime::Tuple>(); tuple && tuple->field_names)
    if (Value type = named_tuple_type(runtime, *tuple); !type.empty()) return type;
  if (auto* s = v.get_if<runtime::NumpyScalar>()) return scalar_type(runtime, s->dtype);
  std::string name = runtime::type_name(v);
  Value known = builtin_type(runtime, name);
  if (!known.empty()) return known;
  std::string key = "type " + name;
  if (auto found = runtime.language_objects.find(key); found != runtime.language_objects.end()) return found->second;
  auto type = make<TypeObject>(name, construct_object, matches_name);
  return runtime.language_objects[key] = type;
}

bool is_instance(Runtime& runtime, const Value& given, const Value& type) {
  runtime::check_stack();
  if (auto* tuple = type.get_if<runtime::Tuple>()) {
    for (const Value& t : tuple->items)
      if (is_instance(runtime, given, t)) return true;
    return false;
  }
  const Value v = stand_in(runtime, given);
  auto* callable = type.get_if<runtime::Callable>();
  if (!callable || callable->callable_type() != "type")
    throw Error(ErrorClass::TypeError, "isinstance() arg 2 must be a type, a tuple of types, or a union");
  auto& t = static_cast<TypeObject&>(*callable);
  return t.matches(t, v);
}

}  // namespace autoray::frontend
