// repr, str, format and %-formatting.
#include <algorithm>
#include <charconv>
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

// ---- the format mini-language ----

namespace {

struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', grouping = 0, type = 0;
  bool alternate = false, zero = false, no_negative_zero = false;
  std::int64_t width = -1, precision = -1;
};

std::size_t utf8_length(unsigned char c) { return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4; }
std::int64_t count_points(std::string_view text) {
  std::int64_t n = 0;
  for (char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

Spec parse_spec(std::string_view s) {
  Spec spec;
  std::size_t i = 0;
  auto is_align = [](char c) { return c == '<' || c == '>' || c == '=' || c == '^'; };
  if (!s.empty()) {
    std::size_t n = utf8_length(static_cast<unsigned char>(s[0]));
    if (s.size() > n && is_align(s[n])) {
      spec.fill = s.substr(0, n);
      spec.align = s[n];
      i = n + 1;
    } else if (is_align(s[0])) {
      spec.align = s[0];
      i = 1;
    }
  }
  if (i < s.size() && (s[i] == '+' || s[i] == '-' || s[i] == ' ')) spec.sign = s[i++];
  if (i < s.size() && s[i] == 'z') spec.no_negative_zero = true, ++i;
  if (i < s.size() && s[i] == '#') spec.alternate = true, ++i;
  if (i < s.size() && s[i] == '0') {
    spec.zero = true;
    ++i;
    if (!spec.align) {
      spec.align = '=';
      spec.fill = "0";
    }
  }
  auto number = [&](std::int64_t& value) {
    std::size_t start = i;
    std::int64_t n = 0;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') {
      n = 10 * n + (s[i++] - '0');
      if (n > 100'000'000) throw Error(ErrorClass::ValueError, "Too many decimal digits in format string");
    }
    if (i > start) value = n;
    return i > start;
  };
  number(spec.width);
  if (i < s.size() && (s[i] == ',' || s[i] == '_')) spec.grouping = s[i++];
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (!number(spec.precision)) throw Error(ErrorClass::ValueError, "Format specifier missing precision");
  }
  if (i < s.size()) spec.type = s[i++];
  if (i < s.size()) throw Error(ErrorClass::ValueError, "Invalid format specifier '" + std::string(s) + "'");
  return spec;
}

std::string pad(const Spec& spec, std::string prefix, std::string body, char default_align) {
  std::int64_t length = count_points(prefix) + count_points(body);
  if (spec.width <= length) return prefix + body;
  std::int64_t room = spec.width - length;
  char align = spec.align ? spec.align : default_align;
  std::int64_t left = align == '<' ? 0 : align == '^' ? room / 2 : room;
  std::string before, after;
  for (std::int64_t k = 0; k < left; ++k) before += spec.fill;
  for (std::int64_t k = left; k < room; ++k) after += spec.fill;
  if (align == '=') return prefix + before + body;
  return before + prefix + body + after;
}

std::string grouped(std::string digits, char separator, int size) {
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - size; at > 0; at -= size)
    digits.insert(static_cast<std::size_t>(at), 1, separator);
  return digits;
}

// Zero padding counts the separators in: 0>10,d.
std::string group_number(const Spec& spec, std::string digits, std::size_t prefix_length, std::size_t rest_length, int size) {
  if (!spec.grouping) return digits;
  std::string plain = digits;
  digits = grouped(plain, spec.grouping, size);
  if (spec.align == '=' && spec.fill == "0")
    while (static_cast<std::int64_t>(digits.size() + prefix_length + rest_length) < spec.width) {
      plain.insert(0, 1, '0');
      digits = grouped(plain, spec.grouping, size);
      if (static_cast<std::int64_t>(digits.size() + prefix_length + rest_length) > spec.width) break;
    }
  return digits;
}

std::string sign_text(const Spec& spec, bool negative) {
  return negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
}

std::string format_integer(const Spec& spec, const Value& value) {
  if (spec.precision >= 0) throw Error(ErrorClass::ValueError, "Precision not allowed in integer format specifier");
  runtime::BigInteger big = runtime::big_value(value);
  bool negative = big < 0;
  if (negative) big = -big;
  std::string digits, prefix = sign_text(spec, negative);
  char type = spec.type ? spec.type : 'd';
  if (type == 'c') {
    std::string text;
    auto c = static_cast<std::uint32_t>(big);
    if (negative || big > 0x10ffff) throw Error(ErrorClass::OverflowError, "%c arg not in range(0x110000)");
    text += c < 0x80 ? std::string(1, static_cast<char>(c)) : std::string();
    return pad(spec, "", text, '<');
  }
  if (type == 'd' || type == 'n') {
    digits = big.str();
  } else {
    if (spec.grouping == ',') throw Error(ErrorClass::ValueError, std::string("Cannot specify ',' with '") + type + "'.");
    int shift = type == 'b' ? 1 : type == 'o' ? 3 : 4;
    if (big == 0) digits = "0";
    while (big > 0) {
      int d = static_cast<int>(big & ((1 << shift) - 1));
      digits += type == 'X' ? "0123456789ABCDEF"[d] : "0123456789abcdef"[d];
      big >>= static_cast<unsigned>(shift);
    }
    std::reverse(digits.begin(), digits.end());
    if (spec.alternate) prefix += std::string("0") + type;
  }
  digits = group_number(spec, digits, prefix.size(), 0, type == 'd' || type == 'n' ? 3 : 4);
  return pad(spec, prefix, digits, '>');
}

std::string real_digits(double magnitude, char type, std::int64_t precision, bool alternate) {
  std::string buffer(static_cast<std::size_t>(std::max<std::int64_t>(precision, 0)) + 400, '\0');
  auto convert = [&](std::chars_format f, int p) {
    auto r = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, f, p);
    return std::string(buffer.data(), r.ptr);
  };
  auto p = static_cast<int>(precision);
  switch (type) {
    case 'f':
    case 'F':
    case '%': {
      std::string text = convert(std::chars_format::fixed, p);
      if (alternate && p == 0) text += '.';
      return text;
    }
    case 'e':
    case 'E': {
      std::string text = convert(std::chars_format::scientific, p);
      if (alternate && p == 0) text.insert(text.find('e'), ".");
      return text;
    }
    default: {
      if (p == 0) p = 1;
      if (!alternate) {
        std::string text = convert(std::chars_format::general, p);
        return text;
      }
      char format[16];
      std::snprintf(format, sizeof format, "%%#.%dg", p);
      int n = std::snprintf(buffer.data(), buffer.size(), format, magnitude);
      return buffer.substr(0, static_cast<std::size_t>(n));
    }
  }
}

// The digits of a float without sign.
std::string real_body(const Spec& spec, double v, std::string& upper_type) {
  char type = spec.type;
  (void)upper_type;
  double magnitude = std::fabs(v);
  std::string text;
  bool percent = type == '%';
  if (std::isnan(v)) {
    text = "nan";
  } else if (std::isinf(v)) {
    text = "inf";
  } else if (!type && spec.precision < 0) {
    text = runtime::float_repr(magnitude);
  } else if (!type) {
    // Like 'g', but with a digit after the point.
    text = real_digits(magnitude, 'g', spec.precision, spec.alternate);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
  } else {
    text = real_digits(percent ? magnitude * 100 : magnitude, type, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
  }
  if (percent) text += '%';
  if (type == 'E' || type == 'F' || type == 'G')
    for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

std::string format_real(const Spec& spec, double v) {
  std::string ignored, text = real_body(spec, v, ignored);
  bool negative = std::signbit(v) && !std::isnan(v);
  if (spec.no_negative_zero && text.find_first_of("123456789") == std::string::npos) negative = false;
  std::string prefix = sign_text(spec, negative);
  if (spec.grouping) {
    std::size_t point = text.find_first_of(".eE%");
    std::string whole = text.substr(0, point), rest = point == std::string::npos ? "" : text.substr(point);
    if (std::isfinite(v)) text = group_number(spec, whole, prefix.size(), rest.size(), 3) + rest;
  }
  return pad(spec, prefix, text, '>');
}

std::string format_complex(const Spec& spec, std::complex<double> c) {
  if (spec.align == '=' || spec.zero)
    throw Error(ErrorClass::ValueError, "'=' alignment flag is not allowed in complex format specifier");
  std::string ignored;
  Spec part = spec;
  part.width = -1;
  if (!spec.type && spec.precision < 0) {
    std::string text = complex_repr(c);
    return pad(spec, "", text, '>');
  }
  std::string real = sign_text(spec, std::signbit(c.real())) + real_body(part, c.real(), ignored);
  std::string imag = (std::signbit(c.imag()) ? "-" : "+") + real_body(part, c.imag(), ignored) + "j";
  return pad(spec, "", real + imag, '>');
}

[[noreturn]] void unknown_code(char type, const std::string& type_name) {
  throw Error(ErrorClass::ValueError, std::string("Unknown format code '") + type + "' for object of type '" + type_name + "'");
}

}  // namespace

std::string format(Runtime& runtime, const Value& v, std::string_view text) {
  runtime::ForShow show(runtime);
  if (v.is(ObjectKind::NumpyScalar)) {
    // numpy formats the Python number, also without a specification: f"{np.float32(0.1)}" is 0.10000000149011612.
    auto& s = v.as<runtime::NumpyScalar>();
    return format(runtime, python_scalar(s.dtype, s.data), text);
  }
  if (v.is(ObjectKind::Array)) {
    auto& array = v.as<runtime::ArrayObject>().array;
    if (array.ndim() == 0) return format(runtime, python_scalar(array.dtype, array.data), text);
    if (text.empty()) return str(runtime, v);
    throw Error(ErrorClass::TypeError, "unsupported format string passed to numpy.ndarray.__format__");
  }
  if (text.empty()) return str(runtime, v);
  Spec spec = parse_spec(text);
  std::string type = runtime::type_name(v);
  if (auto* s = v.get_if<runtime::Str>()) {
    if (spec.type && spec.type != 's') unknown_code(spec.type, type);
    if (spec.align == '=' && !spec.zero)
      throw Error(ErrorClass::ValueError, "'=' alignment not allowed in string format specifier");
    if (spec.align == '=') spec.align = '<';
    if (spec.sign != '-') throw Error(ErrorClass::ValueError, "Sign not allowed in string format specifier");
    std::string body = s->text;
    if (spec.precision >= 0 && s->length > spec.precision) {
      std::size_t bytes = 0;
      for (std::int64_t k = 0; k < spec.precision; ++k) bytes += utf8_length(static_cast<unsigned char>(body[bytes]));
      body.resize(bytes);
    }
    return pad(spec, "", body, '<');
  }
  bool integer = is_integer_value(v);
  if (integer) {
    if (std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos && spec.type)
      return format_real(spec, real_of(v));
    if (spec.type && std::string_view("bcdoxXn").find(spec.type) == std::string_view::npos) unknown_code(spec.type, type);
    return format_integer(spec, v);
  }
  if (v.is_float()) {
    if (spec.type && std::string_view("eEfFgGn%").find(spec.type) == std::string_view::npos) unknown_code(spec.type, type);
    if (spec.type == 'n') spec.type = 'g';
    return format_real(spec, v.as_float());
  }
  if (auto* c = v.get_if<runtime::Complex>()) {
    if (spec.type && std::string_view("eEfFgGn").find(spec.type) == std::string_view::npos) unknown_code(spec.type, type);
    return format_complex(spec, c->value);
  }
  throw Error(ErrorClass::TypeError, "unsupported format string passed to " + type + ".__format__");
}

std::string ascii(Runtime& runtime, const Value& value) {
  std::string text = repr(runtime, value), result;
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      result += text[i++];
      continue;
    }
    std::size_t length = utf8_length(lead);
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

std::string percent_format(Runtime& runtime, std::string_view pattern, const Value& args) {
  std::string result;
  std::size_t next = 0;
  const std::vector<Value>* tuple = args.is(ObjectKind::Tuple) ? &args.as<runtime::Tuple>().items : nullptr;
  auto* dict = args.get_if<runtime::Dict>();
  bool used_dict = false;
  auto argument = [&]() -> const Value& {
    if (tuple) {
      if (next >= tuple->size()) throw Error(ErrorClass::TypeError, "not enough arguments for format string");
      return (*tuple)[next++];
    }
    if (next++ > 0) throw Error(ErrorClass::TypeError, "not enough arguments for format string");
    return args;
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      result += pattern[i];
      continue;
    }
    if (++i >= pattern.size()) throw Error(ErrorClass::ValueError, "incomplete format");
    const Value* from_dict = nullptr;
    if (pattern[i] == '(') {
      if (!dict) throw Error(ErrorClass::TypeError, "format requires a mapping");
      std::size_t close = pattern.find(')', i);
      if (close == std::string_view::npos) throw Error(ErrorClass::ValueError, "incomplete format key");
      from_dict = dict->find(pattern.substr(i + 1, close - i - 1));
      if (!from_dict) {
        auto key = runtime::make<runtime::Exception>(
            ErrorClass::KeyError, std::vector<Value>{runtime::make_str(std::string(pattern.substr(i + 1, close - i - 1)))});
        throw runtime::Raised{key};
      }
      used_dict = true;
      i = close + 1;
    }
    Spec spec;
    spec.align = '>';
    bool left = false;
    for (; i < pattern.size(); ++i) {
      char c = pattern[i];
      if (c == '-')
        left = true;
      else if (c == '+')
        spec.sign = '+';
      else if (c == ' ')
        spec.sign = spec.sign == '+' ? '+' : ' ';
      else if (c == '#')
        spec.alternate = true;
      else if (c == '0')
        spec.zero = true;
      else
        break;
    }
    auto number = [&](std::int64_t& value) {
      if (i < pattern.size() && pattern[i] == '*') {
        value = index_of(argument(), "*");
        if (value < 0) {
          left = true;
          value = -value;
        }
        ++i;
        return;
      }
      value = 0;
      while (i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9') value = 10 * value + (pattern[i++] - '0');
    };
    std::int64_t width = -1;
    number(width);
    spec.width = width > 0 ? width : -1;
    if (i < pattern.size() && pattern[i] == '.') {
      ++i;
      number(spec.precision);
    }
    while (i < pattern.size() && (pattern[i] == 'l' || pattern[i] == 'h' || pattern[i] == 'L')) ++i;
    if (i >= pattern.size()) throw Error(ErrorClass::ValueError, "incomplete format");
    char type = pattern[i];
    if (type == '%') {
      result += '%';
      continue;
    }
    const Value& raw = from_dict ? *from_dict : argument();
    Value v = raw;
    if (auto* s = raw.get_if<runtime::NumpyScalar>(); s && type != 's' && type != 'r') v = python_scalar(s->dtype, s->data);
    bool numeric = type != 's' && type != 'r' && type != 'a' && type != 'c';
    if (left)
      spec.align = '<';
    else if (spec.zero && numeric) {
      spec.align = '=';
      spec.fill = "0";
    }
    spec.type = type == 'i' || type == 'u' ? 'd' : type;
    switch (spec.type) {
      case 's':
      case 'r':
      case 'a': {
        std::string body = type == 's' ? str(runtime, v) : type == 'a' ? ascii(runtime, v) : repr(runtime, v);
        if (spec.precision >= 0) body = body.substr(0, static_cast<std::size_t>(spec.precision));
        result += pad(spec, "", body, '>');
        break;
      }
      case 'c':
        result += v.is(ObjectKind::Str) ? pad(spec, "", v.as<runtime::Str>().text, '>') : format_integer(spec, v);
        break;
      case 'd':
      case 'x':
      case 'X':
      case 'o': {
        if (v.is_float() && spec.type == 'd') v = runtime::make_int(runtime::BigInteger(std::trunc(v.as_float())));
        if (!is_integer_value(v))
          throw Error(ErrorClass::TypeError, std::string("%") + type + " format: " +
                                                 (type == 'd' || type == 'i' || type == 'u' ? "a real number" : "an integer") +
                                                 " is required, not " + runtime::type_name(v));
        spec.precision = -1;
        result += format_integer(spec, v);
        break;
      }
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': result += format_real(spec, real_of(v)); break;
      default:
        throw Error(ErrorClass::ValueError, std::string("unsupported format character '") + type + "' (0x" +
                                                "0123456789abcdef"[(type >> 4) & 15] + "0123456789abcdef"[type & 15] +
                                                ") at index " + std::to_string(i));
    }
  }
  if (tuple ? next < tuple->size() : next == 0 && !used_dict && !dict)
    throw Error(ErrorClass::TypeError, "not all arguments converted during string formatting");
  return result;
}

}  // namespace autoray::frontend
