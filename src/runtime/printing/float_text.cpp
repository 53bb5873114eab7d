#include "runtime/printing/float_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "runtime/printing.h"

namespace autoray::runtime {
namespace {

// d.ddd x 10^exponent without the point; "0" and exponent 0 for zero.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

Decimal split_scientific(const char* begin, const char* end) {
  Decimal result;
  const char* at = begin;
  for (; at != end && *at != 'e'; ++at)
    if (*at != '.') result.digits.push_back(*at);
  if (at != end) result.exponent = std::atoi(at + 1);
  return result;
}

void drop_trailing_zeros(std::string& digits) {
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
}

template <class T>
Decimal shortest(T magnitude) {
  char text[64];
  auto end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
  *end = '\0';
  return split_scientific(text, end);
}

// The library knows no binary16: the fewest digits that read back as the same number, the nearest of those.
// Five always do. Above a power of two the numbers lie twice as far apart as below, so the nearest decimal
// may fail where its neighbour does.
Decimal shortest(ir::Half magnitude) {
  double exact = static_cast<double>(magnitude);
  for (int digits = 0;; ++digits) {
    char text[64];
    auto end = std::to_chars(text, text + sizeof text, exact, std::chars_format::scientific, digits).ptr;
    *end = '\0';
    Decimal result = split_scientific(text, end);
    int nearest = std::atoi(result.digits.c_str());
    for (int candidate : {nearest, nearest + 1, nearest - 1}) {
      std::string mantissa = std::to_string(candidate);
      double value = std::strtod((mantissa + 'e' + std::to_string(result.exponent - digits)).c_str(), nullptr);
      if (ir::Half(value).bits != magnitude.bits) continue;
      result.exponent += static_cast<int>(mantissa.size()) - digits - 1;
      result.digits = std::move(mantissa);
      drop_trailing_zeros(result.digits);
      return result;
    }
  }
}

template <class T>
double exact_value(T value) {
  return static_cast<double>(value);
}

// Digits behind the point of the positional form.
int fraction_digits(const Decimal& decimal) {
  return std::max(0, static_cast<int>(decimal.digits.size()) - 1 - decimal.exponent);
}

std::string with_sign(bool negative, bool plus, std::string text, int pad_left, std::size_t integer_digits) {
  if (negative) {
    text.insert(0, 1, '-');
  } else if (plus) {
    text.insert(0, 1, '+');
  }
  std::size_t width = integer_digits + (negative || plus);
  if (static_cast<std::size_t>(pad_left) > width) text.insert(0, static_cast<std::size_t>(pad_left) - width, ' ');
  return text;
}

// How many fraction digits the exact value is rounded to, or -1 when the shortest digits stand.
int rounding_place(const FloatStyle& style, int shortest_fraction) {
  if (!style.unique) return style.precision;
  if (style.precision >= 0 && shortest_fraction > style.precision) return style.precision;
  if (shortest_fraction < style.min_digits) return style.min_digits;
  return -1;
}

void finish_fraction(std::string& fraction, const FloatStyle& style) {
  if (style.keep_zeros) {
    if (style.precision > static_cast<int>(fraction.size())) fraction.resize(static_cast<std::size_t>(style.precision), '0');
  } else {
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  }
}

}  // namespace

template <class T>
std::string positional_text(T value, const FloatStyle& style) {
  double exact = exact_value(value);
  bool negative = std::signbit(exact);
  exact = std::fabs(exact);
  Decimal decimal = shortest(negative ? T(-static_cast<double>(value)) : value);
  std::string whole, fraction;
  if (int place = rounding_place(style, exact == 0 ? 0 : fraction_digits(decimal)); place >= 0) {
    std::string text(512 + static_cast<std::size_t>(place), '\0');
    auto end = std::to_chars(text.data(), text.data() + text.size(), exact, std::chars_format::fixed, place).ptr;
    text.resize(static_cast<std::size_t>(end - text.data()));
    std::size_t point = text.find('.');
    whole = text.substr(0, point);
    if (point != std::string::npos) fraction = text.substr(point + 1);
  } else if (decimal.exponent < 0) {
    whole = "0";
    fraction = std::string(static_cast<std::size_t>(-decimal.exponent - 1), '0') + decimal.digits;
  } else {
    auto integer_digits = static_cast<std::size_t>(decimal.exponent) + 1;
    whole = decimal.digits.substr(0, integer_digits);
    whole.resize(integer_digits, '0');
    if (decimal.digits.size() > integer_digits) fraction = decimal.digits.substr(integer_digits);
  }
  finish_fraction(fraction, style);
  std::size_t integer_digits = whole.size();
  std::string text = std::move(whole);
  text += '.';
  text += fraction;
  if (static_cast<std::size_t>(style.pad_right) > fraction.size())
    text.append(static_cast<std::size_t>(style.pad_right) - fraction.size(), ' ');
  return with_sign(negative, style.plus, std::move(text), style.pad_left, integer_digits);
}

template <class T>
std::string scientific_text(T value, const FloatStyle& style) {
  double exact = exact_value(value);
  bool negative = std::signbit(exact);
  exact = std::fabs(exact);
  Decimal decimal = shortest(negative ? T(-static_cast<double>(value)) : value);
  if (int place = rounding_place(style, static_cast<int>(decimal.digits.size()) - 1); place >= 0) {
    std::string text(64 + static_cast<std::size_t>(place), '\0');
    auto end = std::to_chars(text.data(), text.data() + text.size() - 1, exact, std::chars_format::scientific, place).ptr;
    *end = '\0';
    decimal = split_scientific(text.data(), end);
  }
  std::string fraction = decimal.digits.substr(1);
  finish_fraction(fraction, style);
  std::string text(1, decimal.digits[0]);
  text += '.';
  text += fraction;
  text += decimal.exponent < 0 ? "e-" : "e+";
  std::string exponent = std::to_string(std::abs(decimal.exponent));
  auto wanted = static_cast<std::size_t>(std::max(style.exp_digits, 2));
  if (exponent.size() < wanted) exponent.insert(0, wanted - exponent.size(), '0');
  text += exponent;
  return with_sign(negative, style.plus, std::move(text), style.pad_left, 1);
}

// From here on repr writes an exponent: 10^16, or 10^digits of the narrower types.
template <class T>
constexpr double kPositionalBelow = std::is_same_v<T, double>  ? 1e16
                                    : std::is_same_v<T, float> ? 1e6
                                                               : 1e3;

template <class T>
std::string shortest_text(T value, bool bare) {
  double exact = exact_value(value);
  if (std::isnan(exact)) return "nan";
  if (std::isinf(exact)) return exact < 0 ? "-inf" : "inf";
  bool negative = std::signbit(exact);
  Decimal decimal = shortest(negative ? T(-static_cast<double>(value)) : value);
  std::string text;
  double magnitude = std::fabs(exact);
  if (exact != 0 && (magnitude < 1e-4 || magnitude >= kPositionalBelow<T>)) {
    text = decimal.digits.substr(0, 1);
    if (decimal.digits.size() > 1) text += '.' + decimal.digits.substr(1);
    text += decimal.exponent < 0 ? "e-" : "e+";
    if (std::abs(decimal.exponent) < 10) text += '0';
    text += std::to_string(std::abs(decimal.exponent));
    if (negative) text.insert(0, 1, '-');
    return text;
  }
  FloatStyle style;
  text = positional_text(value, style);
  if (bare) {
    if (text.back() == '.') text.pop_back();
  } else if (text.back() == '.') {
    text += '0';
  }
  return text;
}

std::string float_repr(double value) { return shortest_text(value); }
std::string float_repr(float value) { return shortest_text(value); }

#define AUTORAY_FLOAT_TEXT(T)                                    \
  template std::string positional_text<T>(T, const FloatStyle&); \
  template std::string scientific_text<T>(T, const FloatStyle&); \
  template std::string shortest_text<T>(T, bool);
AUTORAY_FLOAT_TEXT(double)
AUTORAY_FLOAT_TEXT(float)
AUTORAY_FLOAT_TEXT(ir::Half)
#undef AUTORAY_FLOAT_TEXT

}  // namespace autoray::runtime
