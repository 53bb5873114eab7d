// repr, str and ascii.
#include <algorithm>
#include <cmath>

#include "frontend/string_literals.h"
#include "frontend/types/array_type.h"
#include "frontend/types/lazy_type.h"
#include "frontend/types/native_operand.h"
#include "frontend/types/type_object.h"
#include "runtime/bigint.h"
#include "runtime/lazy/deferral.h"
#include "runtime/printing.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::ObjectKind;

namespace {

constexpr int kDepth = 1000;  // Python's recursion limit

std::string repr_text(const std::string& text) {
  bool single = text.find('\'') != std::string::npos, both = single && text.find('"') != std::string::npos;
  char quote = single && !both ? '"' : '\'';
  std::string r(1, quote);
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    auto u = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      r += '\\';
      r += c;
    } else if (c == '\n') {
      r += "\\n";
    } else if (c == '\r') {
      r += "\\r";
    } else if (c == '\t') {
      r += "\\t";
    } else if (u < 0x20 || u == 0x7f) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\x%02x", u);
      r += buffer;
    } else if (u < 0x80) {
      r += c;
    } else {
      std::size_t length = u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
      std::string_view character = std::string_view(text).substr(i, length);
      std::uint32_t point = code_point(character);
      if (is_printable(point)) {
        r += character;
      } else {
        char buffer[16];
        std::snprintf(buffer, sizeof buffer, point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
        r += buffer;
      }
      i += length - 1;
    }
  }
  return r + quote;
}

std::string repr_bytes(const std::string& data) {
  bool single = data.find('\'') != std::string::npos && data.find('"') == std::string::npos;
  char quote = single ? '"' : '\'';
  std::string r = std::string("b") + quote;
  for (char c : data) {
    auto u = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      r += '\\';
      r += c;
    } else if (c == '\n') {
      r += "\\n";
    } else if (c == '\r') {
      r += "\\r";
    } else if (c == '\t') {
      r += "\\t";
    } else if (u < 0x20 || u >= 0x7f) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\x%02x", u);
      r += buffer;
    } else {
      r += c;
    }
  }
  return r + quote;
}

std::string complex_part(double v) {
  std::string text = runtime::float_repr(v);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string complex_repr(std::complex<double> c) {
  if (c.real() == 0 && !std::signbit(c.real())) return complex_part(c.imag()) + "j";
  std::string imag = complex_part(c.imag());
  if (imag[0] != '-') imag = "+" + imag;
  return "(" + complex_part(c.real()) + imag + "j)";
}

struct Repr {
  Runtime& runtime;
  std::vector<const runtime::Object*> open;  // containers being written: recursion shows as [...]
  int depth = 0;

  std::string items(const std::vector<Value>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i) text += ", ";
      text += one(values[i]);
    }
    return text;
  }
  std::string dict(runtime::Dict& d) {
    std::string text = "{";
    bool first = true;
    for (std::size_t i = 0; i < d.entries().size(); ++i) {
      auto& entry = d.entries()[i];
      if (entry.key.empty()) continue;
      if (!std::exchange(first, false)) text += ", ";
      text += one(entry.key) + ": " + one(entry.value);
    }
    return text + "}";
  }
  std::string one(const Value& v) {
    switch (v.tag()) {
      case runtime::Tag::Empty: return "<not given>";
      case runtime::Tag::None: return "None";
      case runtime::Tag::NotImplemented: return "NotImplemented";
      case runtime::Tag::Ellipsis: return "Ellipsis";
      case runtime::Tag::Bool: return v.as_bool() ? "True" : "False";
      case runtime::Tag::Int: return std::to_string(v.as_int());
      case runtime::Tag::Float: return runtime::float_repr(v.as_float());
      case runtime::Tag::Object: break;
    }
    const runtime::Object* object = v.object();
    ObjectKind kind = object->kind();
    bool container =
        kind == ObjectKind::List || kind == ObjectKind::Tuple || kind == ObjectKind::Dict || kind == ObjectKind::Set;
    if (container) {
      for (const runtime::Object* o : open)
        if (o == object) return kind == ObjectKind::List ? "[...]" : kind == ObjectKind::Dict ? "{...}" : "(...)";
      open.push_back(object);
    }
    if (++depth > kDepth || runtime::stack_low())
      throw Error(ErrorClass::RecursionError, "maximum recursion depth exceeded while getting the repr of an object");
    std::string text = object_text(v, kind);
    --depth;
    if (container) open.pop_back();
    return text;
  }
  std::string object_text(const Value& v, ObjectKind kind) {
    switch (kind) {
      case ObjectKind::BigInt: return v.as<runtime::BigInt>().value.str();
      case ObjectKind::Complex: return complex_repr(v.as<runtime::Complex>().value);
      case ObjectKind::NumpyScalar:
        return runtime::scalar_repr(v.as<runtime::NumpyScalar>().dtype, v.as<runtime::NumpyScalar>().data);
      case ObjectKind::Array: return runtime::array_repr(v.as<runtime::ArrayObject>().array);
      case ObjectKind::Lazy: return lazy_repr(v.as<runtime::LazyArray>());
      case ObjectKind::Str: return repr_text(v.as<runtime::Str>().text);
      case ObjectKind::Bytes: return repr_bytes(v.as<runtime::Bytes>().data);
      case ObjectKind::List: return "[" + items(v.as<runtime::List>().items) + "]";
      case ObjectKind::Tuple: {
        auto& t = v.as<runtime::Tuple>();
        if (t.field_names) {
          std::string text = std::string(t.type_name) + "(";
          for (std::size_t i = 0; i < t.items.size(); ++i)
            text += (i ? ", " : "") + std::string(t.field_names[i]) + "=" + one(t.items[i]);
          return text + ")";
        }
        return "(" + items(t.items) + (t.items.size() == 1 ? ",)" : ")");
      }
      case ObjectKind::Dict: {
        auto& d = v.as<runtime::Dict>();
        if (!d.subclass) return dict(d);
        if (std::string_view(d.subclass) == "Counter") {
          if (d.size() == 0) return "Counter()";
          // Most common first.
          std::vector<std::pair<Value, Value>> pairs;
          for (auto& e : d.entries())
            if (!e.key.empty()) pairs.emplace_back(e.key, e.value);
          std::stable_sort(pairs.begin(), pairs.end(), [&](auto& a, auto& b) { return less(runtime, b.second, a.second); });
          std::string text = "Counter({";
          for (std::size_t i = 0; i < pairs.size(); ++i)
            text += (i ? ", " : "") + one(pairs[i].first) + ": " + one(pairs[i].second);
          return text + "})";
        }
        if (std::string_view(d.subclass) == "defaultdict")
          return "defaultdict(" + (d.default_factory.empty() ? "None" : one(d.default_factory)) + ", " + dict(d) + ")";
        // CPython 3.11 writes an ordered dictionary as a list of pairs.
        std::vector<Value> pairs;
        for (auto& e : d.entries())
          if (!e.key.empty()) pairs.push_back(runtime::make_tuple({e.key, e.value}));
        return std::string(d.subclass) + "(" + (pairs.empty() ? "" : "[" + items(pairs) + "]") + ")";
      }
      case ObjectKind::Set: {
        auto& s = v.as<runtime::Set>();
        std::vector<Value> keys;
        for (auto& e : s.items->entries())
          if (!e.key.empty()) keys.push_back(e.key);
        if (s.frozen) return keys.empty() ? "frozenset()" : "frozenset({" + items(keys) + "})";
        return keys.empty() ? "set()" : "{" + items(keys) + "}";
      }
      case ObjectKind::Slice: {
        auto& s = v.as<runtime::SliceObject>();
        return "slice(" + one(s.start) + ", " + one(s.stop) + ", " + one(s.step) + ")";
      }
      case ObjectKind::Range: {
        auto& r = v.as<runtime::Range>();
        return "range(" + std::to_string(r.start) + ", " + std::to_string(r.stop) +
               (r.step == 1 ? ")" : ", " + std::to_string(r.step) + ")");
      }
      case ObjectKind::Callable: {
        auto& c = v.as<runtime::Callable>();
        if (c.callable_type() == "type") {
          auto& t = static_cast<const TypeObject&>(c);
          return "<class '" + (t.module == "builtins" ? t.name : t.module + "." + t.name) + "'>";
        }
        if (c.callable_type() == "Function") return "<" + c.callable_name() + ">";
        if (c.callable_type() == "ufunc") return "<ufunc '" + c.callable_name() + "'>";
        if (c.callable_type() == "DoFunc") return "<DoFunc " + c.callable_name() + ">";
        return c.callable_type() == "function" ? "<function " + c.callable_name() + ">"
                                               : "<built-in function " + c.callable_name() + ">";
      }
      case ObjectKind::Exception: {
        auto& e = v.as<runtime::Exception>();
        std::string args = items(e.args);
        return std::string(ir::name(e.error_class)) + "(" + args + ")";
      }
      case ObjectKind::Native:
        if (auto* operand = native_operand(v)) return operand->text(runtime);
        return v.as<runtime::NativeObject>().repr();
      default: return "<" + runtime::type_name(v) + " object>";
    }
  }
};

}  // namespace

std::string float_repr(double value) { return runtime::float_repr(value); }

std::string repr(Runtime& runtime, const Value& value) {
  runtime::ForShow show(runtime);
  return Repr{runtime, {}}.one(value);
}

std::string str(Runtime& runtime, const Value& v) {
  runtime::check_stack();
  runtime::ForShow show(runtime);
  if (v.is_object()) {
    switch (v.object()->kind()) {
      case ObjectKind::Str: return v.as<runtime::Str>().text;
      case ObjectKind::NumpyScalar:
        return runtime::scalar_str(v.as<runtime::NumpyScalar>().dtype, v.as<runtime::NumpyScalar>().data);
      case ObjectKind::Array: return runtime::array_str(v.as<runtime::ArrayObject>().array);
      case ObjectKind::Exception: {
        auto& e = v.as<runtime::Exception>();
        if (e.args.empty()) return "";
        if (e.args.size() == 1)
          return e.error_class == ErrorClass::KeyError ? repr(runtime, e.args[0]) : str(runtime, e.args[0]);
        return repr(runtime, runtime::make_tuple(e.args));
      }
      case ObjectKind::Native:
        if (auto* dtype = dynamic_cast<runtime::DTypeObject*>(v.object())) return std::string(ir::name(dtype->dtype));
        break;
      default: break;
    }
  }
  return repr(runtime, v);
}

std::string ascii(Runtime& runtime, const Value& value) {
  std::string text = repr(runtime, value), result;
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      result += text[i++];
      continue;
    }
    std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = lead & (0x7f >> length);
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3f);
    i += length;
    char escape[16];
    std::snprintf(escape, sizeof escape, point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
    result += escape;
  }
  return result;
}

}  // namespace autoray::frontend
