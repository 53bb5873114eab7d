// Text of arrays: first every shown item is looked at to agree on one format (widths, precision, exponents),
// then the items are laid out in nested brackets with line breaks.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "runtime/printing.h"
#include "runtime/printing/float_text.h"

namespace autoray::runtime {
namespace {

template <class T>
T load(const char* item) {
  T value;
  std::memcpy(static_cast<void*>(&value), item, sizeof(T));
  return value;
}

using FloatMode = PrintOptions::FloatMode;

bool summarised(const Array& array, const PrintOptions& options) { return array.size() > options.threshold; }

// Calls visit(item) on the items that are shown: all, or the corners of a summarised array.
void for_each_shown(const Array& array, const PrintOptions& options, int axis, const char* data,
                    const std::function<void(const char*)>& visit) {
  if (axis == array.ndim()) {
    visit(data);
    return;
  }
  std::int64_t extent = array.shape[axis], edge = options.edgeitems;
  bool skip = summarised(array, options) && edge > 0 && extent > 2 * edge;
  for (std::int64_t i = 0; i < extent; ++i) {
    if (skip && i == edge) i = extent - edge;
    for_each_shown(array, options, axis + 1, data + i * array.strides[axis], visit);
  }
}

// ---- one format for all shown items ----

class ItemFormat {
 public:
  virtual ~ItemFormat() = default;
  virtual std::string text(const char* item) const = 0;
};

class BoolFormat final : public ItemFormat {
 public:
  explicit BoolFormat(const Array& array) : pad_(array.ndim() > 0) {}
  std::string text(const char* item) const override { return load<std::uint8_t>(item) ? (pad_ ? " True" : "True") : "False"; }

 private:
  bool pad_;
};

template <class T>
class IntegerFormat final : public ItemFormat {
 public:
  IntegerFormat(const Array& array, const PrintOptions& options) : sign_(options.sign) {
    bool first = true;
    T low = 0, high = 0;
    for_each_shown(array, options, 0, array.data, [&](const char* item) {
      T value = load<T>(item);
      low = first ? value : std::min(low, value);
      high = first ? value : std::max(high, value);
      first = false;
    });
    if (sign_ == ' ' && low < 0) sign_ = '-';
    width_ = std::to_string(high).size();
    if (high >= 0 && sign_ != '-') ++width_;
    width_ = std::max(width_, std::to_string(low).size());
  }
  std::string text(const char* item) const override {
    T value = load<T>(item);
    std::string result = std::to_string(value);
    if (value >= 0 && sign_ != '-') result.insert(0, 1, sign_);
    if (result.size() < width_) result.insert(0, width_ - result.size(), ' ');
    return result;
  }

 private:
  char sign_;
  std::size_t width_ = 0;
};

// Quotients as the dtype computes them.
inline double divide(double a, double b) { return a / b; }
inline float divide(float a, float b) { return a / b; }
inline ir::Half divide(ir::Half a, ir::Half b) { return ir::Half(static_cast<float>(a) / static_cast<float>(b)); }

template <class T>
constexpr int kDecimalPrecision = std::is_same_v<T, double>  ? 15
                                  : std::is_same_v<T, float> ? 6
                                                             : 3;

template <class T>
class RealFormat {
 public:
  // `values` are the shown items.
  RealFormat(const std::vector<T>& values, const PrintOptions& options, char sign) : options_(options), sign_(sign) {
    std::vector<T> finite;
    finite.reserve(values.size());
    double largest = 0, smallest = 0;
    T largest_item{}, smallest_item{};
    bool any_nonzero = false, any_negative = false, negative_infinity = false;
    for (T value : values) {
      auto v = static_cast<double>(value);
      if (!std::isfinite(v)) {
        negative_infinity |= std::isinf(v) && v < 0;
        continue;
      }
      finite.push_back(value);
      any_negative |= std::signbit(v);
      if (v == 0) continue;
      double magnitude = std::fabs(v);
      if (!any_nonzero || magnitude > largest) largest = magnitude, largest_item = T(magnitude);
      if (!any_nonzero || magnitude < smallest) smallest = magnitude, smallest_item = T(magnitude);
      any_nonzero = true;
    }
    if (any_nonzero) {
      double cutoff = std::pow(10.0, std::min(8, kDecimalPrecision<T>));
      exponential_ =
          largest >= cutoff || (!options.suppress && (smallest < static_cast<double>(T(0.0001)) ||
                                                      static_cast<double>(divide(largest_item, smallest_item)) > 1000.0));
    }
    style_.precision = options.floatmode == FloatMode::Unique ? -1 : options.precision;
    style_.plus = sign == '+';
    if (finite.empty()) {
      style_.pad_left = style_.pad_right = 0;
    } else if (exponential_) {
      measure_exponential(finite);
    } else {
      measure_positional(finite);
    }
    if (sign_ == ' ' && !any_negative) ++style_.pad_left;
    if (finite.size() != values.size()) {
      int offset = style_.pad_right + 1;
      bool signed_infinity = sign_ != '-' || negative_infinity;
      style_.pad_left = std::max({style_.pad_left, static_cast<int>(options.nanstr.size()) - offset,
                                  static_cast<int>(options.infstr.size()) + signed_infinity - offset});
    }
  }

  std::string text(T value) const {
    auto v = static_cast<double>(value);
    if (!std::isfinite(v)) {
      std::string result = std::isnan(v) ? options_.nanstr : options_.infstr;
      if (std::isinf(v) && v < 0) {
        result.insert(0, 1, '-');
      } else if (sign_ == '+') {
        result.insert(0, 1, '+');
      }
      auto width = static_cast<std::size_t>(std::max(0, style_.pad_left + style_.pad_right + 1));
      if (result.size() < width) result.insert(0, width - result.size(), ' ');
      return result;
    }
    return exponential_ ? scientific_text(value, style_) : positional_text(value, style_);
  }

 private:
  void measure_exponential(const std::vector<T>& finite) {
    FloatStyle first;
    first.precision = style_.precision;
    first.plus = style_.plus;
    first.unique = options_.floatmode != FloatMode::Fixed;
    first.keep_zeros = !first.unique;
    int whole = 0, fraction = 0, exponent = 0;
    for (T value : finite) {
      std::string text = scientific_text(value, first);
      auto point = static_cast<int>(text.find('.')), e = static_cast<int>(text.find('e'));
      whole = std::max(whole, point);
      fraction = std::max(fraction, e - point - 1);
      exponent = std::max(exponent, static_cast<int>(text.size()) - e - 2);
    }
    style_.unique = first.unique;
    style_.keep_zeros = true;
    style_.precision = style_.min_digits = fraction;
    style_.exp_digits = exponent;
    style_.pad_left = whole;
    style_.pad_right = exponent + 2 + fraction;
  }

  void measure_positional(const std::vector<T>& finite) {
    FloatStyle first;
    first.precision = style_.precision;
    first.plus = style_.plus;
    first.unique = options_.floatmode != FloatMode::Fixed;
    first.keep_zeros = !first.unique;
    int whole = 0, fraction = 0;
    for (T value : finite) {
      std::string text = positional_text(value, first);
      auto point = static_cast<int>(text.find('.'));
      whole = std::max(whole, point);
      fraction = std::max(fraction, static_cast<int>(text.size()) - point - 1);
    }
    style_.unique = first.unique;
    style_.pad_left = whole;
    style_.pad_right = fraction;
    if (options_.floatmode == FloatMode::Fixed || options_.floatmode == FloatMode::MaxPrecEqual) {
      style_.precision = style_.min_digits = fraction;
      style_.keep_zeros = true;
    }
  }

  const PrintOptions& options_;
  char sign_;
  bool exponential_ = false;
  FloatStyle style_;
};

template <class T>
class FloatFormat final : public ItemFormat {
 public:
  FloatFormat(const Array& array, const PrintOptions& options) : format_(values(array, options), options, options.sign) {}
  std::string text(const char* item) const override { return format_.text(load<T>(item)); }

 private:
  static std::vector<T> values(const Array& array, const PrintOptions& options) {
    std::vector<T> result;
    for_each_shown(array, options, 0, array.data, [&](const char* item) { result.push_back(load<T>(item)); });
    return result;
  }
  RealFormat<T> format_;
};

// The parts are formatted apart, the imaginary one always with its sign.
template <class T>
class ComplexFormat final : public ItemFormat {
 public:
  ComplexFormat(const Array& array, const PrintOptions& options)
      : real_(parts(array, options, 0), options, options.sign), imaginary_(parts(array, options, 1), options, '+') {}
  std::string text(const char* item) const override {
    std::string imaginary = imaginary_.text(load<T>(item + sizeof(T)));
    std::size_t end = imaginary.find_last_not_of(' ') + 1;
    imaginary.insert(end, 1, 'j');
    return real_.text(load<T>(item)) + imaginary;
  }

 private:
  static std::vector<T> parts(const Array& array, const PrintOptions& options, int part) {
    std::vector<T> result;
    for_each_shown(array, options, 0, array.data,
                   [&](const char* item) { result.push_back(load<T>(item + part * static_cast<int>(sizeof(T)))); });
    return result;
  }
  RealFormat<T> real_, imaginary_;
};

std::unique_ptr<ItemFormat> item_format(const Array& array, const PrintOptions& options) {
  return ir::visit_dtype(array.dtype, [&]<class T>() -> std::unique_ptr<ItemFormat> {
    if constexpr (std::is_same_v<T, bool>) {
      return std::make_unique<BoolFormat>(array);
    } else if constexpr (std::is_integral_v<T>) {
      return std::make_unique<IntegerFormat<T>>(array, options);
    } else if constexpr (std::is_same_v<T, std::complex<float>>) {
      return std::make_unique<ComplexFormat<float>>(array, options);
    } else if constexpr (std::is_same_v<T, std::complex<double>>) {
      return std::make_unique<ComplexFormat<double>>(array, options);
    } else {
      return std::make_unique<FloatFormat<T>>(array, options);
    }
  });
}

// ---- layout ----

std::string_view without_trailing_spaces(std::string_view text) {
  std::size_t last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

struct Layout {
  const Array& array;
  const PrintOptions& options;
  const ItemFormat& format;
  std::string_view separator;
  bool summary;

  // The last axis: items side by side, a new line where the next one would not fit.
  std::string row(const char* data, const std::string& indent, int width) const {
    int axis = array.ndim() - 1;
    std::int64_t extent = array.shape[axis], stride = array.strides[axis];
    int item_width = width - std::max(static_cast<int>(without_trailing_spaces(separator).size()), 1);
    std::string done, line = indent;
    auto add = [&](std::string_view word) {
      if (static_cast<int>(line.size() + word.size()) > item_width && line.size() > indent.size()) {
        done += without_trailing_spaces(line);
        done += '\n';
        line = indent;
      }
      line += word;
    };
    for_each_place(
        extent,
        [&](std::int64_t i, bool last) {
          add(format.text(data + i * stride));
          if (!last) line += separator;
        },
        [&] {
          add("...");
          line += separator;
        });
    return '[' + (done + line).substr(indent.size()) + ']';
  }

  std::string nested(int axis, const char* data, const std::string& indent, int width) const {
    if (axis == array.ndim()) return format.text(data);
    if (axis == array.ndim() - 1) return row(data, indent, width);
    std::string row_end(without_trailing_spaces(separator));
    row_end.append(static_cast<std::size_t>(array.ndim() - axis - 1), '\n');
    std::string text = "[";
    bool first = true;
    auto start = [&] {
      if (!first) text += indent;
      first = false;
    };
    for_each_place(
        array.shape[axis],
        [&](std::int64_t i, bool last) {
          start();
          text += nested(axis + 1, data + i * array.strides[axis], indent + ' ', width - 1);
          if (!last) text += row_end;
        },
        [&] {
          start();
          text += "...";
          text += row_end;
        });
    return text + ']';
  }

  // item(i, is the last) for each shown place; gap() where items are left out.
  template <class Item, class Gap>
  void for_each_place(std::int64_t extent, Item item, Gap gap) const {
    std::int64_t edge = options.edgeitems;
    bool skip = summary && 2 * edge < extent;
    std::int64_t lead = skip ? edge : 0;
    // One item always stands at the end.
    std::int64_t trail = std::max<std::int64_t>(skip ? edge : extent, 1);
    for (std::int64_t i = 0; i < lead; ++i) item(i, false);
    if (skip) gap();
    for (std::int64_t i = extent - trail; i < extent; ++i) item(i, i == extent - 1);
  }
};

std::string body(const Array& array, const PrintOptions& options, std::string_view separator, std::size_t prefix, int suffix) {
  if (array.size() == 0) return "[]";
  auto format = item_format(array, options);
  Layout layout{array, options, *format, separator, summarised(array, options)};
  return layout.nested(0, array.data, std::string(1 + prefix, ' '), options.linewidth - suffix);
}

bool dtype_is_implied(ir::DType dtype) {
  return dtype == ir::DType::Bool || dtype == ir::DType::Int64 || dtype == ir::DType::Float64 || dtype == ir::DType::Complex128;
}

}  // namespace

std::string array_to_string(const Array& array, const PrintOptions& options, std::string_view separator,
                            std::string_view prefix, std::string_view suffix) {
  return body(array, options, separator, prefix.size(), static_cast<int>(suffix.size()));
}

std::string array_str(const Array& array, const PrintOptions& options) {
  if (array.ndim() == 0) return scalar_str(array.dtype, array.data);
  return body(array, options, " ", 0, 0);
}

std::string array_repr(const Array& array, const PrintOptions& options) {
  constexpr std::string_view kPrefix = "array(";
  std::string text(kPrefix);
  text += body(array, options, ", ", kPrefix.size(), 1);
  std::string extras;
  bool empty = array.size() == 0;
  if ((empty && !(array.ndim() == 1)) || summarised(array, options)) extras = "shape=" + ir::to_string(array.shape);
  if (empty || !dtype_is_implied(array.dtype)) {
    if (!extras.empty()) extras += ", ";
    extras += "dtype=" + std::string(ir::name(array.dtype));
  }
  if (extras.empty()) return text + ')';
  text += ',';
  extras += ')';
  std::size_t line_start = text.rfind('\n') + 1;  // npos + 1 is 0
  if (text.size() - line_start + extras.size() + 1 > static_cast<std::size_t>(std::max(0, options.linewidth))) {
    text += '\n';
    text.append(kPrefix.size(), ' ');
  } else {
    text += ' ';
  }
  return text + extras;
}

}  // namespace autoray::runtime
