// Text of single items: numpy scalars.
#include <cmath>
#include <cstring>

#include "runtime/printing.h"
#include "runtime/printing/float_text.h"

namespace autoray::runtime {
namespace {

template <class T>
T load(const void* item) {
  T value;
  std::memcpy(static_cast<void*>(&value), item, sizeof(T));
  return value;
}

// 1+2j, and 2j where the real part is +0.
template <class T>
std::string complex_text(std::complex<T> value, bool parentheses) {
  std::string imaginary = shortest_text(value.imag(), true) + 'j';
  if (value.real() == 0 && !std::signbit(value.real())) return imaginary;
  if (imaginary[0] != '-') imaginary.insert(0, 1, '+');
  std::string text = shortest_text(value.real(), true) + imaginary;
  return parentheses ? '(' + text + ')' : text;
}

std::string item_text(ir::DType dtype, const void* item, bool parentheses) {
  return ir::visit_dtype(dtype, [&]<class T>() -> std::string {
    if constexpr (std::is_same_v<T, bool>) {
      return load<std::uint8_t>(item) ? "True" : "False";
    } else if constexpr (std::is_integral_v<T>) {
      return std::to_string(load<T>(item));
    } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      return complex_text(load<T>(item), parentheses);
    } else {
      return shortest_text(load<T>(item));
    }
  });
}

}  // namespace

std::string scalar_str(ir::DType dtype, const void* item) { return item_text(dtype, item, true); }

std::string scalar_repr(ir::DType dtype, const void* item) {
  if (dtype == ir::DType::Bool) return "np." + item_text(dtype, item, false) + "_";
  return "np." + std::string(ir::name(dtype)) + '(' + item_text(dtype, item, false) + ')';
}

}  // namespace autoray::runtime
