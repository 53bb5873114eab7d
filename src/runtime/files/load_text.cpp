#include <charconv>
#include <cmath>
#include <cstring>

#include "ir/error.h"
#include "runtime/files/text_file.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

using ir::DType;
using ir::Error;
using ir::ErrorClass;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

std::string_view strip(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != lower[i]) return false;
  return true;
}

// The number at the start of `text`; advances it. Python's float(): no hexadecimal, no underscore, any sign.
bool take_double(std::string_view& text, double& value) {
  bool negative = !text.empty() && text.front() == '-';
  std::string_view rest = text;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty() || rest.front() == '-' || rest.front() == '+') return false;
  for (std::string_view word : {"infinity", "inf", "nan"})
    if (equal_ignoring_case(rest.substr(0, word.size()), word)) {
      value = word == "nan" ? NAN : INFINITY;
      if (negative) value = -value;
      text = rest.substr(word.size());
      return true;
    }
  if ((rest.front() < '0' || rest.front() > '9') && rest.front() != '.') return false;
  auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (parsed.ec == std::errc::invalid_argument) return false;
  std::string_view number(rest.data(), static_cast<std::size_t>(parsed.ptr - rest.data()));
  // Out of range: strtod tells overflow (inf) from underflow (0 or a subnormal).
  if (parsed.ec == std::errc::result_out_of_range) value = std::strtod(std::string(number).c_str(), nullptr);
  if (negative) value = -value;
  text = rest.substr(number.size());
  return true;
}

bool parse_double(std::string_view text, double& value) { return take_double(text, value) && text.empty(); }

// 1, 2j, 1+2j, (1+2j).
bool parse_complex(std::string_view text, std::complex<double>& value) {
  if (text.size() >= 2 && text.front() == '(' && text.back() == ')') text = strip(text.substr(1, text.size() - 2));
  double first = 0, second = 0;
  if (!take_double(text, first)) return false;
  if (text.empty()) {
    value = first;
    return true;
  }
  if (text == "j" || text == "J") {
    value = {0, first};
    return true;
  }
  if ((text.front() != '+' && text.front() != '-') || !take_double(text, second) || (text != "j" && text != "J")) return false;
  value = {first, second};
  return true;
}

template <class T>
bool parse_integer(std::string_view text, T& value) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return false;
  }
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

template <class T>
bool parse_item(std::string_view text, char* to) {
  text = strip(text);
  if constexpr (std::is_same_v<T, bool>) {
    std::int64_t value = 0;
    if (!parse_integer(text, value)) return false;
    *to = value != 0;
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    T value = 0;
    if (!parse_integer(text, value)) return false;
    std::memcpy(to, &value, sizeof value);
    return true;
  } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    std::complex<double> value;
    if (!parse_complex(text, value)) return false;
    T item(static_cast<typename T::value_type>(value.real()), static_cast<typename T::value_type>(value.imag()));
    std::memcpy(to, &item, sizeof item);
    return true;
  } else {
    double value = 0;
    if (!parse_double(text, value)) return false;
    T item(static_cast<T>(value));
    std::memcpy(to, static_cast<const void*>(&item), sizeof item);
    return true;
  }
}

// The lines of a text, without their ends.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    std::size_t end = rest_.find_first_of("\n\r");
    line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
      return true;
    }
    bool pair = rest_[end] == '\r' && end + 1 < rest_.size() && rest_[end + 1] == '\n';
    rest_.remove_prefix(end + (pair ? 2 : 1));
    return true;
  }

 private:
  std::string_view rest_;
};

void split(std::string_view line, const LoadTextOptions& options, std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t i = 0;
  for (;;) {
    if (!options.delimiter) {
      while (i < line.size() && is_space(line[i])) ++i;
      if (i == line.size()) return;
    }
    std::size_t begin = i;
    if (options.quote && i < line.size() && line[i] == *options.quote) {
      std::size_t close = line.find(*options.quote, i + 1);
      if (close == std::string_view::npos) close = line.size();
      fields.push_back(line.substr(i + 1, close - i - 1));
      i = std::min(line.size(), close + 1);
      while (i < line.size() && (options.delimiter ? line[i] != *options.delimiter : !is_space(line[i]))) ++i;
    } else {
      while (i < line.size() && (options.delimiter ? line[i] != *options.delimiter : !is_space(line[i]))) ++i;
      fields.push_back(line.substr(begin, i - begin));
    }
    if (i == line.size()) return;
    ++i;
    if (options.delimiter && i == line.size()) {
      fields.push_back(line.substr(i));
      return;
    }
  }
}

std::string_view without_comment(std::string_view line, const std::vector<std::string>& comments) {
  std::size_t end = line.size();
  for (const std::string& mark : comments) end = std::min(end, line.find(mark));
  return line.substr(0, end);
}

std::string shown(std::string_view text) {
  text = text.substr(0, 100);
  return (text.find('\'') == std::string_view::npos ? "'" : "\"") + std::string(text) +
         (text.find('\'') == std::string_view::npos ? "'" : "\"");
}

}  // namespace

Array parse_text(Runtime& runtime, std::string_view text, const LoadTextOptions& options) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Lines lines(text);
  std::string_view line;
  for (std::int64_t i = 0; i < options.skip_rows && lines.next(line); ++i) {
  }
  auto parse = ir::visit_dtype(options.dtype, []<class T>() { return &parse_item<T>; });
  std::size_t size = ir::itemsize(options.dtype);
  std::vector<std::string_view> fields;
  std::vector<char> items;
  std::int64_t rows = 0;
  std::size_t columns = 0, first_width = 0;
  while ((!options.max_rows || rows < *options.max_rows) && lines.next(line)) {
    if ((rows & 0xfff) == 0) runtime.poll();
    line = without_comment(line, options.comments);
    split(line, options, fields);
    // With a delimiter a line of nothing is no row; one of blanks is one field.
    if (fields.empty() || (fields.size() == 1 && line.empty())) continue;
    if (rows == 0) {
      first_width = fields.size();
      columns = options.columns ? options.columns->size() : first_width;
    }
    auto width = static_cast<std::int64_t>(fields.size());
    if (!options.columns && fields.size() != first_width)
      throw Error(ErrorClass::ValueError, "the number of columns changed from " + std::to_string(first_width) + " to " +
                                              std::to_string(width) + " at row " + std::to_string(rows + 1) +
                                              "; use `usecols` to select a subset and avoid this error");
    std::size_t before = items.size();
    if (items.capacity() < before + columns * size) {
      // What the table comes to counts as an array would.
      runtime.budget().charge(static_cast<std::int64_t>(2 * before));
      runtime.budget().refund(static_cast<std::int64_t>(2 * before));
    }
    items.resize(before + columns * size);
    for (std::size_t c = 0; c < columns; ++c) {
      std::int64_t place = options.columns ? (*options.columns)[c] : static_cast<std::int64_t>(c);
      if (place < -width || place >= width)
        throw Error(ErrorClass::ValueError, "invalid column index " + std::to_string(place) + " at row " +
                                                std::to_string(rows + 1) + " with " + std::to_string(width) + " columns");
      if (place < 0) place += width;
      std::string_view field = fields[static_cast<std::size_t>(place)];
      if (!parse(field, items.data() + before + c * size))
        throw Error(ErrorClass::ValueError, "could not convert string " + shown(field) + " to " +
                                                std::string(ir::name(options.dtype)) + " at row " + std::to_string(rows) +
                                                ", column " + std::to_string(place + 1) + ".");
    }
    ++rows;
  }
  ir::Dims shape{rows, rows              ? static_cast<std::int64_t>(columns)
                       : options.columns ? static_cast<std::int64_t>(options.columns->size())
                                         : 1};
  Array array = runtime.allocate(options.dtype, shape);
  array.backend = runtime.native_backend();
  if (!items.empty()) std::memcpy(array.data, items.data(), items.size());
  return array;
}

}  // namespace autoray::runtime
