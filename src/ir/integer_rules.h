// Integer semantics where C++ leaves them open, in one place: every executor includes this table.
//   + - * negative   wrap around
//   x // 0, x % 0    0, and the divide-by-zero event
//   INT_MIN // -1    INT_MIN (wraps); INT_MIN % -1 is 0
//   x << n, x >> n   n outside the width (negative too): 0, or -1 for x >> n of a negative x
//   float -> integer truncates; NaN and what does not fit give the smallest integer (0 for unsigned)
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace autoray::ir {

template <class T>
constexpr T wrap_add(T a, T b) {
  return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
constexpr T wrap_subtract(T a, T b) {
  return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
template <class T>
constexpr T wrap_multiply(T a, T b) {
  return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
template <class T>
constexpr T wrap_negative(T a) {
  return static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(a));
}

template <class T>
constexpr T floor_divide_integer(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return wrap_negative(a);
    T q = static_cast<T>(a / b);
    return a % b != 0 && (a < 0) != (b < 0) ? static_cast<T>(q - 1) : q;
  } else {
    return static_cast<T>(a / b);
  }
}
template <class T>
constexpr T remainder_integer(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
    T r = static_cast<T>(a % b);
    return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  } else {
    return static_cast<T>(a % b);
  }
}
template <class T>
constexpr T shift_left(T a, T n) {
  constexpr int kBits = 8 * sizeof(T);
  if (static_cast<std::make_unsigned_t<T>>(n) >= kBits) return 0;
  return static_cast<T>(static_cast<std::uint64_t>(a) << n);
}
template <class T>
constexpr T shift_right(T a, T n) {
  constexpr int kBits = 8 * sizeof(T);
  if (static_cast<std::make_unsigned_t<T>>(n) >= kBits) return a < 0 ? static_cast<T>(-1) : T{0};
  return static_cast<T>(a >> n);
}
template <class T, class F>
constexpr T to_integer(F value) {
  constexpr F kLow = static_cast<F>(std::numeric_limits<T>::min());
  // The first value above the largest: a power of two, exact in every float type used here.
  constexpr F kHigh = static_cast<F>(std::numeric_limits<T>::max() / 2 + 1) * 2;
  if constexpr (std::is_unsigned_v<T>) {
    if (value > F{-1} && value < kHigh) return static_cast<T>(value);
    // Negative values wrap as through int64, which is what the hardware's conversion gives.
    if (value >= static_cast<F>(std::numeric_limits<std::int64_t>::min()) && value < 0)
      return static_cast<T>(static_cast<std::int64_t>(value));
    return 0;
  } else {
    if (value >= kLow && value < kHigh) return static_cast<T>(value);
    return std::numeric_limits<T>::min();
  }
}

}  // namespace autoray::ir
