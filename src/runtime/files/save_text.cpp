#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/files/text_file.h"
#include "runtime/printing.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

using ir::DType;
using ir::Error;
using ir::ErrorClass;

// One conversion of a pattern, with the literal text before it.
struct Conversion {
  std::string literal;
  std::string flags;  // flags, width and precision, without the '%'
  char kind = 0;      // 0: none, the text after the last conversion
};

std::vector<Conversion> parse_pattern(std::string_view pattern) {
  std::vector<Conversion> parts(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      parts.back().literal += pattern[i];
      continue;
    }
    if (i + 1 < pattern.size() && pattern[i + 1] == '%') {
      parts.back().literal += '%';
      ++i;
      continue;
    }
    std::size_t begin = ++i;
    while (i < pattern.size() && std::strchr("-+ #0123456789.", pattern[i]) && pattern[i] != '\0') ++i;
    if (i == pattern.size()) throw Error(ErrorClass::ValueError, "incomplete format");
    if (!std::strchr("eEfFgGdiuxXosrc", pattern[i]) || pattern[i] == '\0') {
      char code[8];
      std::snprintf(code, sizeof code, "%x", static_cast<unsigned char>(pattern[i]));
      throw Error(ErrorClass::ValueError, "unsupported format character '" + std::string(1, pattern[i]) + "' (0x" + code +
                                              ") at index " + std::to_string(i));
    }
    parts.back().flags = pattern.substr(begin, i - begin);
    // Widths beyond this are a mistake or an attack.
    if (parts.back().flags.size() > 12) throw Error(ErrorClass::ValueError, "width too big");
    for (std::size_t d = 0, run = 0; d < parts.back().flags.size(); ++d) {
      run = parts.back().flags[d] >= '0' && parts.back().flags[d] <= '9' ? run + 1 : 0;
      if (run > 4) throw Error(ErrorClass::ValueError, "width too big");
    }
    parts.back().kind = pattern[i];
    parts.emplace_back();
  }
  return parts;
}

template <class T>
std::string print(const std::string& format, T value) {
  int length = std::snprintf(nullptr, 0, format.c_str(), value);
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  std::snprintf(text.data(), text.size(), format.c_str(), value);
  text.pop_back();
  return text;
}

double real_of(DType dtype, const char* item) {
  double value = 0;
  cast_loop(dtype, DType::Float64)(item, 0, reinterpret_cast<char*>(&value), 0, 1);
  return value;
}

std::string convert(const Conversion& conversion, DType dtype, const char* item) {
  std::string start = "%" + conversion.flags;
  switch (conversion.kind) {
    case 's': return print(start + "s", scalar_str(dtype, item).c_str());
    case 'r': return print(start + "s", scalar_repr(dtype, item).c_str());
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'c': {
      bool decimal = std::strchr("diu", conversion.kind) != nullptr;
      if (ir::is_real_floating(dtype)) {
        if (!decimal)
          throw Error(ErrorClass::TypeError, "Mismatch between array dtype ('" + std::string(ir::name(dtype)) +
                                                 "') and format specifier ('%" + conversion.flags + conversion.kind + "')");
        double value = real_of(dtype, item);
        if (std::isnan(value)) throw Error(ErrorClass::ValueError, "cannot convert float NaN to integer");
        if (std::isinf(value)) throw Error(ErrorClass::OverflowError, "cannot convert float infinity to integer");
        value = std::trunc(value);
        if (std::fabs(value) < 0x1p63) return print(start + "ld", static_cast<long>(value));
        // Exact beyond 64 bits, as Python's int.
        if (conversion.flags.find('.') != std::string::npos)
          throw Error(ErrorClass::NotImplementedError, "a precision with numbers of this size is not supported");
        return print(start + ".0f", value);
      }
      if (dtype == DType::UInt64) {
        std::uint64_t value;
        std::memcpy(&value, item, sizeof value);
        return print(start + (decimal ? 'l' : 'l') + (decimal ? 'u' : conversion.kind), value);
      }
      std::int64_t value = 0;
      cast_loop(dtype, DType::Int64)(item, 0, reinterpret_cast<char*>(&value), 0, 1);
      if (conversion.kind == 'c') return print(start + "c", static_cast<int>(value));
      if (decimal) return print(start + "ld", static_cast<long>(value));
      // Python writes the sign before the digits of the magnitude.
      if (value < 0)
        return "-" + print(start + 'l' + conversion.kind, static_cast<unsigned long>(-static_cast<unsigned long>(value)));
      return print(start + 'l' + conversion.kind, static_cast<unsigned long>(value));
    }
    default: {
      double value = real_of(dtype, item);
      if (!std::isfinite(value)) {
        // Zeros do not fill before nan and inf.
        std::string flags;
        for (std::size_t i = 0; i < start.size(); ++i)
          if (!(start[i] == '0' && (i == 1 || std::strchr("-+ #%", start[i - 1])))) flags += start[i];
        if (std::isnan(value)) value = std::fabs(value);
        start = flags;
      }
      return print(start + conversion.kind, value);
    }
  }
}

std::size_t count_percent(std::string_view text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '%')); }

// The real and imaginary part of an item in one pattern each.
std::string complex_item(const std::vector<Conversion>& pattern, DType dtype, const char* item) {
  DType part = ir::real_dtype(dtype);
  auto with_sign = pattern[0];
  with_sign.flags = "+" + with_sign.flags;
  return " (" + pattern[0].literal + convert(pattern[0], part, item) + convert(with_sign, part, item + ir::itemsize(part)) +
         "j)";
}

std::string commented(const std::string& text, const SaveTextOptions& options) {
  std::string result = options.comments;
  for (char c : text) {
    result += c;
    if (c == '\n') result += options.comments;
  }
  return result + options.newline;
}

}  // namespace

std::string format_text(Runtime& runtime, const Array& array, const SaveTextOptions& options) {
  if (array.ndim() != 1 && array.ndim() != 2)
    throw Error(ErrorClass::ValueError, "Expected 1D or 2D array, got " + std::to_string(array.ndim()) + "D array instead");
  std::int64_t rows = array.shape[0], columns = array.ndim() == 2 ? array.shape[1] : 1;
  std::int64_t row_stride = array.strides[0], column_stride = array.ndim() == 2 ? array.strides[1] : 0;
  bool is_complex = ir::is_complex(array.dtype);
  // One pattern an item, or one for a whole row.
  std::vector<std::vector<Conversion>> patterns;
  bool whole_row = false;
  if (options.format_is_list) {
    if (static_cast<std::int64_t>(options.formats.size()) != columns) {
      std::string shown;
      for (const std::string& format : options.formats) shown += (shown.empty() ? "'" : ", '") + format + "'";
      throw Error(ErrorClass::AttributeError, "fmt has wrong shape.  [" + shown + "]");
    }
    for (const std::string& format : options.formats) patterns.push_back(parse_pattern(format));
  } else {
    const std::string& format = options.formats[0];
    auto percents = static_cast<std::int64_t>(count_percent(format));
    patterns.push_back(parse_pattern(format));
    whole_row = percents != 1;
    if (whole_row && percents != (is_complex ? 2 * columns : columns))
      throw Error(ErrorClass::ValueError, "fmt has wrong number of % formats:  " + format);
  }
  for (const auto& pattern : patterns)
    if (!whole_row && pattern.size() != 2)
      throw Error(ErrorClass::TypeError, "not all arguments converted during string formatting");
  std::string text;
  if (!options.header.empty()) text += commented(options.header, options);
  for (std::int64_t r = 0; r < rows; ++r) {
    if ((r & 0xfff) == 0) runtime.poll();
    const char* row = array.data + r * row_stride;
    if (whole_row) {
      const auto& pattern = patterns[0];
      for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
        auto at = static_cast<std::int64_t>(i);
        const char* item =
            is_complex ? row + at / 2 * column_stride + at % 2 * (array.itemsize() / 2) : row + at * column_stride;
        text += pattern[i].literal + convert(pattern[i], ir::real_dtype(array.dtype), item);
      }
      text += pattern.back().literal;
    } else {
      for (std::int64_t c = 0; c < columns; ++c) {
        const auto& pattern = patterns[options.format_is_list ? static_cast<std::size_t>(c) : 0];
        if (c) text += options.delimiter;
        if (is_complex) {
          text += complex_item(pattern, array.dtype, row + c * column_stride);
        } else {
          text += pattern[0].literal + convert(pattern[0], array.dtype, row + c * column_stride) + pattern[1].literal;
        }
      }
    }
    text += options.newline;
  }
  if (!options.footer.empty()) text += commented(options.footer, options);
  return text;
}

}  // namespace autoray::runtime
