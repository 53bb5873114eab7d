// format(), whose specification PEP 3101 defines, and the older "%d items" % n. Both end in one layout: a sign or prefix, the
// text, and what fills the width.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "frontend/string_literals.h"
#include "frontend/types/array_type.h"
#include "frontend/types/type_object.h"
#include "runtime/bigint.h"
#include "runtime/lazy/deferral.h"
#include "runtime/printing.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::ObjectKind;

namespace {

constexpr std::int64_t kAbsent = -1;
// Of width and precision. CPython's limit is its largest index; text of that length is no more use than this.
constexpr std::int64_t kMostDigits = 100'000'000;

struct Spec {
  std::string fill = " ";
  char align = 0, sign = 0, grouping = 0, type = 0;  // 0: not given
  bool alternate = false, no_negative_zero = false, zero = false;
  std::int64_t width = kAbsent, precision = kAbsent;
};

bool is_any_of(char type, std::string_view types) { return type && types.find(type) != std::string_view::npos; }

// ---- text ----

std::size_t utf8_length(char first) {
  auto c = static_cast<unsigned char>(first);
  return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

std::int64_t count_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

std::string_view first_points(std::string_view text, std::int64_t count) {
  std::size_t bytes = 0;
  for (; count > 0 && bytes < text.size(); --count) bytes += utf8_length(text[bytes]);
  return text.substr(0, bytes);
}

std::string pad(const Spec& spec, const std::string& prefix, const std::string& body, char default_align) {
  std::int64_t room = spec.width - count_points(prefix) - count_points(body);
  if (room <= 0) return prefix + body;
  char align = spec.align ? spec.align : default_align;
  std::int64_t left = align == '<' ? 0 : align == '^' ? room / 2 : room;
  std::string before, after;
  for (std::int64_t k = 0; k < left; ++k) before += spec.fill;
  for (std::int64_t k = left; k < room; ++k) after += spec.fill;
  return align == '=' ? prefix + before + body : before + prefix + body + after;
}

// ---- numbers ----

std::string sign_text(const Spec& spec, bool negative) {
  return negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
}

std::string grouped(std::string digits, char separator, int size) {
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - size; at > 0; at -= size)
    digits.insert(static_cast<std::size_t>(at), 1, separator);
  return digits;
}

// Zeros that fill the width are grouped with the digits: format(1234, "010,") is 00,001,234. `others`: the characters beside
// the digits.
std::string group_digits(const Spec& spec, std::string digits, std::size_t others, int size) {
  if (!spec.grouping) return digits;
  std::string result = grouped(digits, spec.grouping, size);
  if (spec.align == '=' && spec.fill == "0")
    while (static_cast<std::int64_t>(result.size() + others) < spec.width)
      result = grouped(digits.insert(0, 1, '0'), spec.grouping, size);
  return result;
}

// The digits of a whole number, in the base that the type names.
std::string integer_digits(runtime::BigInteger magnitude, char type) {
  if (!is_any_of(type, "boxX")) return magnitude.str();
  int shift = type == 'b' ? 1 : type == 'o' ? 3 : 4;
  const char* characters = type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string digits;
  do {
    digits += characters[static_cast<int>(magnitude & ((1 << shift) - 1))];
    magnitude >>= static_cast<unsigned>(shift);
  } while (magnitude > 0);
  std::ranges::reverse(digits);
  return digits;
}

std::string base_prefix(const Spec& spec) {
  return spec.alternate && is_any_of(spec.type, "boxX") ? std::string("0") + spec.type : std::string();
}

std::string character(const runtime::BigInteger& code) {
  if (code < 0 || code > 0x10ffff) throw Error(ErrorClass::OverflowError, "%c arg not in range(0x110000)");
  std::string text;
  append_utf8(text, static_cast<std::uint32_t>(code));
  return text;
}

std::string format_integer(const Spec& spec, const Value& value) {
  if (spec.precision >= 0) throw Error(ErrorClass::ValueError, "Precision not allowed in integer format specifier");
  if (spec.no_negative_zero)
    throw Error(ErrorClass::ValueError, "Negative zero coercion (z) not allowed in integer format specifier");
  runtime::BigInteger big = runtime::big_value(value);
  if (spec.type == 'c') {
    if (spec.sign) throw Error(ErrorClass::ValueError, "Sign not allowed with integer format specifier 'c'");
    if (spec.alternate) throw Error(ErrorClass::ValueError, "Alternate form (#) not allowed with integer format specifier 'c'");
    if (value.is(ObjectKind::BigInt)) throw Error(ErrorClass::OverflowError, "Python int too large to convert to C long");
    return pad(spec, "", character(big), '>');
  }
  std::string prefix = sign_text(spec, big < 0) + base_prefix(spec);
  std::string digits = integer_digits(big < 0 ? -big : big, spec.type);
  digits = group_digits(spec, digits, prefix.size(), is_any_of(spec.type, "boxX") ? 4 : 3);
  return pad(spec, prefix, digits, '>');
}

// The digits of a finite magnitude as C's 'f', 'e' and 'g' write them. `alternate`: with a point always, and in 'g' with the
// zeros that end it. (glibc's "%#.5g" loses zeros where 99999.5 becomes 1.0000e+05.)
std::string converted(double magnitude, char type, std::int64_t precision, bool alternate) {
  auto write = [&](std::chars_format form, std::int64_t digits) {
    std::string text(static_cast<std::size_t>(digits) + 400, '\0');
    auto end = std::to_chars(text.data(), text.data() + text.size(), magnitude, form, static_cast<int>(digits)).ptr;
    text.resize(static_cast<std::size_t>(end - text.data()));
    if (alternate && digits == 0) text.insert(std::min(text.find('e'), text.size()), ".");
    return text;
  };
  if (type == 'f') return write(std::chars_format::fixed, precision);
  if (type == 'e') return write(std::chars_format::scientific, precision);
  if (!alternate) return write(std::chars_format::general, precision);
  std::string text = write(std::chars_format::scientific, precision - 1);
  int exponent = std::stoi(text.substr(text.find('e') + 1));
  return exponent < -4 || exponent >= precision ? text : write(std::chars_format::fixed, precision - 1 - exponent);
}

// As 'g', but with a digit after the point, for which one of `precision` is kept: 12.0 in two digits is 1.2e+01.
std::string with_decimal(double magnitude, std::int64_t precision, bool alternate) {
  std::string text = converted(magnitude, 'e', precision - 1, alternate);
  std::size_t e = text.find('e');
  if (std::stoi(text.substr(e + 1)) == precision - 1) {
    if (alternate || text.find('.') == std::string::npos) return text;
    std::size_t end = text.find_last_not_of('0', e - 1);
    return text.erase(text[end] == '.' ? end : end + 1, e - (text[end] == '.' ? end : end + 1));
  }
  text = converted(magnitude, 'g', precision, alternate);
  if (text.ends_with('.')) return text + '0';
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

// A float's magnitude. Without a type it is written like repr, or like 'g' where a precision is given; `one_decimal`: and
// shows a digit after the point.
std::string real_body(const Spec& spec, double value, bool one_decimal) {
  double magnitude = std::fabs(spec.type == '%' ? value * 100 : value);
  std::string text;
  char type = spec.type == '%' ? 'f' : static_cast<char>(std::tolower(spec.type));
  if (type == 'n' || (!type && spec.precision >= 0)) type = 'g';
  if (std::isnan(value)) {
    text = "nan";
  } else if (std::isinf(value) || std::isinf(magnitude)) {
    text = "inf";
  } else if (type) {
    std::int64_t precision = spec.precision < 0 ? 6 : spec.precision;
    if (type == 'g') precision = std::max<std::int64_t>(precision, 1);
    text = !spec.type && one_decimal ? with_decimal(magnitude, precision, spec.alternate)
                                     : converted(magnitude, type, precision, spec.alternate);
  } else {
    text = runtime::float_repr(magnitude);
    if (!one_decimal && text.ends_with(".0")) text.resize(text.size() - (spec.alternate ? 1 : 2));
    if (spec.alternate && text.find('.') == std::string::npos) text.insert(std::min(text.find('e'), text.size()), ".");
  }
  if (is_any_of(spec.type, "EFG")) std::ranges::transform(text, text.begin(), [](char c) { return std::toupper(c); });
  if (spec.type == '%') text += '%';
  return text;
}

struct RealText {
  std::string sign, body;
};

RealText real_text(const Spec& spec, double value, bool one_decimal) {
  RealText text = {"", real_body(spec, value, one_decimal)};
  bool negative = std::signbit(value) && !std::isnan(value);
  if (spec.no_negative_zero && std::isfinite(value)) {
    std::string_view digits = std::string_view(text.body).substr(0, text.body.find_first_of("eE"));
    if (digits.find_first_of("123456789") == std::string_view::npos) negative = false;
  }
  text.sign = sign_text(spec, negative);
  if (spec.grouping && std::isfinite(value)) {
    std::size_t whole = std::min(text.body.find_first_not_of("0123456789"), text.body.size());
    std::string rest = text.body.substr(whole);
    text.body = group_digits(spec, text.body.substr(0, whole), text.sign.size() + rest.size(), 3) + rest;
  }
  return text;
}

std::string format_real(const Spec& spec, double value) {
  RealText text = real_text(spec, value, true);
  return pad(spec, text.sign, text.body, '>');
}

std::string format_complex(const Spec& spec, std::complex<double> value) {
  if (spec.fill == "0") throw Error(ErrorClass::ValueError, "Zero padding is not allowed in complex format specifier");
  if (spec.align == '=') throw Error(ErrorClass::ValueError, "'=' alignment flag is not allowed in complex format specifier");
  bool imaginary_alone = !spec.type && value.real() == 0 && !std::signbit(value.real());
  Spec part = spec;
  part.width = kAbsent;
  std::string text;
  if (!imaginary_alone) {
    RealText real = real_text(part, value.real(), false);
    text = real.sign + real.body;
    part.sign = '+';
  }
  RealText imaginary = real_text(part, value.imag(), false);
  text += imaginary.sign + imaginary.body + "j";
  if (!spec.type && !imaginary_alone) text = "(" + text + ")";
  return pad(spec, "", text, '>');
}

std::string format_text(const Spec& spec, std::string_view text) {
  auto refuse = [](const char* what) {
    throw Error(ErrorClass::ValueError, std::string(what) + " not allowed in string format specifier");
  };
  if (spec.sign) refuse(spec.sign == ' ' ? "Space" : "Sign");
  if (spec.no_negative_zero) refuse("Negative zero coercion (z)");
  if (spec.alternate) refuse("Alternate form (#)");
  if (spec.align == '=') refuse("'=' alignment");
  if (spec.precision >= 0) text = first_points(text, spec.precision);
  return pad(spec, "", std::string(text), '<');
}

// ---- the specification ----

std::string shown(char c) {
  if (c > 32) return {c};
  char text[8];
  std::snprintf(text, sizeof text, "\\x%x", static_cast<unsigned char>(c));
  return text;
}

// `number`: zeros may stand between a sign and the digits.
Spec parse_spec(std::string_view text, bool number, char default_type, const std::string& type_name) {
  Spec spec;
  std::size_t i = 0;
  bool fill_given = false;
  auto at = [&](char c) { return i < text.size() && text[i] == c; };
  auto is_align = [&](std::size_t k) { return k < text.size() && is_any_of(text[k], "<>=^"); };
  if (std::size_t length = text.empty() ? 1 : utf8_length(text[0]); is_align(length)) {
    spec.fill = text.substr(0, length);
    spec.align = text[length];
    fill_given = true;
    i = length + 1;
  } else if (is_align(0)) {
    spec.align = text[i++];
  }
  if (at('+') || at('-') || at(' ')) spec.sign = text[i++];
  if (at('z')) spec.no_negative_zero = true, ++i;
  if (at('#')) spec.alternate = true, ++i;
  if (!fill_given && at('0')) {
    spec.fill = "0";
    if (!spec.align && number) spec.align = '=';
    ++i;
  }
  auto digits = [&](std::int64_t& value) {
    std::size_t start = i;
    for (std::int64_t n = 0; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      n = 10 * n + (text[i] - '0');
      if (n > kMostDigits) throw Error(ErrorClass::ValueError, "Too many decimal digits in format string");
      value = n;
    }
    return i > start;
  };
  digits(spec.width);
  auto both = [] { return Error(ErrorClass::ValueError, "Cannot specify both ',' and '_'."); };
  if (at(',')) spec.grouping = text[i++];
  if (at('_')) {
    if (spec.grouping) throw both();
    spec.grouping = text[i++];
  }
  if (at(',') && spec.grouping == '_') throw both();
  if (at('.')) {
    ++i;
    if (!digits(spec.precision)) throw Error(ErrorClass::ValueError, "Format specifier missing precision");
  }
  if (count_points(text.substr(i)) > 1)
    throw Error(ErrorClass::ValueError,
                "Invalid format specifier '" + std::string(text) + "' for object of type '" + type_name + "'");
  if (i < text.size()) {
    spec.type = text[i];
    if (utf8_length(spec.type) > 1) {
      char code[16];
      std::snprintf(code, sizeof code, "\\x%x", code_point(text.substr(i)));
      throw Error(ErrorClass::ValueError,
                  std::string("Unknown format code '") + code + "' for object of type '" + type_name + "'");
    }
  }
  char type = spec.type ? spec.type : default_type;
  if (spec.grouping && type && !is_any_of(type, spec.grouping == '_' ? "deEfFgG%boxX" : "deEfFgG%"))
    throw Error(ErrorClass::ValueError, std::string("Cannot specify '") + spec.grouping + "' with '" + shown(type) + "'.");
  return spec;
}

void check_type(const Spec& spec, std::string_view types, const std::string& type_name) {
  if (spec.type && !is_any_of(spec.type, types))
    throw Error(ErrorClass::ValueError,
                "Unknown format code '" + shown(spec.type) + "' for object of type '" + type_name + "'");
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
  std::string type = runtime::type_name(v);
  if (auto* s = v.get_if<runtime::Str>()) {
    Spec spec = parse_spec(text, false, 's', type);
    check_type(spec, "s", type);
    return format_text(spec, s->text);
  }
  if (is_integer_value(v)) {
    Spec spec = parse_spec(text, true, 'd', type);
    check_type(spec, "bcdoxXneEfFgG%", type);
    return is_any_of(spec.type, "eEfFgG%") ? format_real(spec, real_of(v)) : format_integer(spec, v);
  }
  if (v.is_float()) {
    Spec spec = parse_spec(text, true, 0, type);
    check_type(spec, "eEfFgGn%", type);
    return format_real(spec, v.as_float());
  }
  if (auto* c = v.get_if<runtime::Complex>()) {
    Spec spec = parse_spec(text, true, 0, type);
    check_type(spec, "eEfFgGn", type);
    return format_complex(spec, c->value);
  }
  throw Error(ErrorClass::TypeError, "unsupported format string passed to " + type + ".__format__");
}

// ---- "%d items" % n ----

namespace {

// What stands right of the %: a tuple's items one after the other, or one value, which may be a mapping too.
class PercentArguments {
 public:
  PercentArguments(Runtime& runtime, const Value& value) : runtime_(runtime), value_(value) {
    auto* tuple = value.get_if<runtime::Tuple>();
    items_ = tuple ? std::span<const Value>(tuple->items) : std::span(&value_, 1);
    // What has items of its own need not be used up; numpy's numbers are among these.
    mapping_ = value.is(ObjectKind::Dict) || value.is(ObjectKind::List) || value.is(ObjectKind::Bytes) ||
               value.is(ObjectKind::Range) || is_array_like(value);
  }
  Value next() {
    if (named_ || next_ == items_.size()) throw Error(ErrorClass::TypeError, "not enough arguments for format string");
    return items_[next_++];
  }
  Value named(std::string_view key) {
    if (!mapping_) throw Error(ErrorClass::TypeError, "format requires a mapping");
    named_ = true;
    return get_item(runtime_, value_, runtime::make_str(std::string(key)));
  }
  bool used_up() const { return mapping_ || next_ == items_.size(); }

 private:
  Runtime& runtime_;
  const Value& value_;
  std::span<const Value> items_;
  std::size_t next_ = 0;
  bool mapping_, named_ = false;
};

// numpy's numbers and arrays without dimensions as Python's; what is no number stays.
Value python_number(const Value& value) {
  if (auto* scalar = value.get_if<runtime::NumpyScalar>()) return python_scalar(scalar->dtype, scalar->data);
  if (auto* array = value.get_if<runtime::ArrayObject>(); array && array->array.ndim() == 0)
    return python_scalar(array->array.dtype, array->array.data);
  return value;
}

// np.True_ counts as 1 but is no index.
bool is_numpy_bool(const Value& value) {
  auto* scalar = value.get_if<runtime::NumpyScalar>();
  return scalar && ir::is_bool(scalar->dtype);
}

std::string percent_integer(Runtime& runtime, Spec spec, char type, const Value& value) {
  bool whole = is_any_of(type, "xXo");
  Value number = whole && is_numpy_bool(value) ? value : python_number(value);
  if (number.is_float() && !whole) number = call(runtime, builtin_type(runtime, "int"), {std::span(&number, 1), {}, {}});
  if (auto* scalar = value.get_if<runtime::NumpyScalar>(); scalar && !whole && ir::is_complex(scalar->dtype))
    number = call(runtime, builtin_type(runtime, "int"), {std::span(&value, 1), {}, {}});
  if (!is_integer_value(number))
    throw Error(ErrorClass::TypeError, std::string("%") + type + " format: " + (whole ? "an integer" : "a real number") +
                                           " is required, not " + (is_array_like(value) ? "numpy." : "") +
                                           runtime::type_name(value));
  runtime::BigInteger big = runtime::big_value(number);
  std::string digits = integer_digits(big < 0 ? -big : big, type);
  if (auto missing = spec.precision - static_cast<std::int64_t>(digits.size()); missing > 0)
    digits.insert(0, static_cast<std::size_t>(missing), '0');
  return pad(spec, sign_text(spec, big < 0) + base_prefix(spec), digits, '>');
}

std::string percent_real(Runtime& runtime, const Spec& spec, const Value& value) {
  if (!value.is(ObjectKind::NumpyScalar)) return format_real(spec, real_of(value));
  return format_real(spec, real_of(call(runtime, builtin_type(runtime, "float"), {std::span(&value, 1), {}, {}})));
}

std::string percent_character(const Spec& spec, const Value& value) {
  auto required = [] { return Error(ErrorClass::TypeError, "%c requires int or char"); };
  if (auto* text = value.get_if<runtime::Str>()) {
    if (text->length != 1) throw required();
    return pad(spec, "", text->text, '>');
  }
  Value number = is_numpy_bool(value) ? value : python_number(value);
  if (!is_integer_value(number)) throw required();
  return pad(spec, "", character(runtime::big_value(number)), '>');
}

}  // namespace

std::string percent_format(Runtime& runtime, std::string_view pattern, const Value& args) {
  PercentArguments arguments(runtime, args);
  std::string result;
  std::size_t i = 0;
  auto at = [&](char c) { return i < pattern.size() && pattern[i] == c; };
  // A count in the pattern or, for *, among the arguments; false: there is none.
  auto count = [&](std::int64_t& value, const char* too_big, const char* c_type) {
    std::size_t start = i;
    if (at('*')) {
      ++i;
      Value given = arguments.next();
      if (!is_integer_value(given)) throw Error(ErrorClass::TypeError, "* wants int");
      if (given.is(ObjectKind::BigInt))
        throw Error(ErrorClass::OverflowError, std::string("Python int too large to convert to C ") + c_type);
      value = index_of(given, "*");
      if (value > kMostDigits || value < -kMostDigits) throw Error(ErrorClass::ValueError, too_big);
      return true;
    }
    for (std::int64_t n = 0; i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9'; ++i) {
      n = 10 * n + (pattern[i] - '0');
      if (n > kMostDigits) throw Error(ErrorClass::ValueError, too_big);
      value = n;
    }
    return i > start;
  };
  while (i < pattern.size()) {
    if (pattern[i] != '%') {
      result += pattern[i++];
      continue;
    }
    ++i;
    if (at('%')) {
      result += pattern[i++];
      continue;
    }
    Value value;
    if (at('(')) {
      std::size_t start = ++i;
      for (int open = 1; open > 0; ++i) {
        if (i >= pattern.size()) throw Error(ErrorClass::ValueError, "incomplete format key");
        open += pattern[i] == '(' ? 1 : pattern[i] == ')' ? -1 : 0;
      }
      value = arguments.named(pattern.substr(start, i - 1 - start));
    }
    Spec spec;
    bool left = false, zeros = false;
    for (; i < pattern.size() && is_any_of(pattern[i], "-+ #0"); ++i) switch (pattern[i]) {
        case '-': left = true; break;
        case '+': spec.sign = '+'; break;
        case ' ': spec.sign = spec.sign ? spec.sign : ' '; break;
        case '#': spec.alternate = true; break;
        default: zeros = true; break;
      }
    if (count(spec.width, "width too big", "ssize_t") && spec.width < 0) left = true, spec.width = -spec.width;
    if (at('.')) {
      ++i;
      spec.precision = 0;
      count(spec.precision, "precision too big", "int");
      spec.precision = std::max<std::int64_t>(spec.precision, 0);
    }
    if (at('l') || at('h') || at('L')) ++i;
    if (i >= pattern.size()) throw Error(ErrorClass::ValueError, "incomplete format");
    if (value.empty()) value = arguments.next();
    char type = pattern[i];
    bool number = is_any_of(type, "diouxXeEfFgG");
    spec.type = is_any_of(type, "iu") ? 'd' : type;
    if (left) {
      spec.align = '<';
    } else if (zeros && number) {
      spec.align = '=';
      spec.fill = "0";
    } else {
      spec.align = '>';
    }
    if (is_any_of(type, "sra")) {
      std::string text = type == 's' ? str(runtime, value) : type == 'a' ? ascii(runtime, value) : repr(runtime, value);
      result += pad(spec, "", std::string(spec.precision < 0 ? text : first_points(text, spec.precision)), '>');
    } else if (type == 'c') {
      result += percent_character(spec, value);
    } else if (is_any_of(type, "diouxX")) {
      result += percent_integer(runtime, spec, type, value);
    } else if (number) {
      result += percent_real(runtime, spec, value);
    } else {
      std::uint32_t code = code_point(pattern.substr(i));
      char hex[16];
      std::snprintf(hex, sizeof hex, "0x%x", code);
      throw Error(ErrorClass::ValueError, "unsupported format character '" +
                                              (code < 32 || code > 126 ? "?" : std::string(1, type)) + "' (" + hex +
                                              ") at index " + std::to_string(count_points(pattern.substr(0, i))));
    }
    ++i;
  }
  if (!arguments.used_up()) throw Error(ErrorClass::TypeError, "not all arguments converted during string formatting");
  return result;
}

}  // namespace autoray::frontend
