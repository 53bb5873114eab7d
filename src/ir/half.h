// float16 is storage only: every computation converts to float32, computes, and rounds once back. Conversions are
// round-to-nearest-even and keep NaN payload bits as far as they fit; one hardware instruction where F16C exists.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace autoray::ir {

// _Float16 is the IEEE binary16 type of GCC and clang on x86-64.
struct Half {
  std::uint16_t bits = 0;

  Half() = default;
  explicit Half(float value) : bits(std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) {}
  // One rounding from double.
#ifdef __AVX512FP16__
  explicit Half(double value) : bits(std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) {}
#else
  // libgcc's function tells the x87 unit alone of an overflow.
  explicit Half(double value) : Half(to_odd(value)) {}
#endif
  explicit operator float() const { return static_cast<float>(std::bit_cast<_Float16>(bits)); }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }

  // The float next to a double, of two the one whose last bit is set: rounding that to float16 is rounding once.
  static float to_odd(double value) {
    const float near = static_cast<float>(value);
    const double back = near;
    auto bits = std::bit_cast<std::uint32_t>(near);
    const bool inexact = back < value || back > value;  // not of NaNs
    const bool below = std::fabs(back) < std::fabs(value);
    bits += inexact && !(bits & 1) ? (below ? 1u : ~0u) : 0u;
    return std::bit_cast<float>(bits);
  }
};

}  // namespace autoray::ir
