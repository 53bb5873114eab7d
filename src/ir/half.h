// float16 is storage only: every computation converts to float32, computes, and rounds once back. Conversions are
// round-to-nearest-even and keep NaN payload bits as far as they fit; one hardware instruction where F16C exists.
#pragma once

#include <bit>
#include <cstdint>

namespace autoray::ir {

// _Float16 is the IEEE binary16 type of GCC and clang on x86-64.
struct Half {
  std::uint16_t bits = 0;

  Half() = default;
  explicit Half(float value) : bits(std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) {}
  // One rounding from double (going through float would round twice).
  explicit Half(double value) : bits(std::bit_cast<std::uint16_t>(static_cast<_Float16>(value))) {}
  explicit operator float() const { return static_cast<float>(std::bit_cast<_Float16>(bits)); }
  explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }
};

}  // namespace autoray::ir
