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

#include "ir/number_traits.h"

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
  if constexpr (is_signed_v<T>) {
    // 1 where the machine's division has no answer.
    auto zero = b == T(0), minus_one = b == static_cast<T>(-1);
    T divisor = select(zero || minus_one, T(1), b), q = static_cast<T>(a / divisor);
    T rest = wrap_subtract(a, wrap_multiply(q, divisor));
    T down = select(rest != T(0) && (a < T(0)) != (divisor < T(0)), wrap_subtract(q, T(1)), q);
    return select(zero, T(0), select(minus_one, wrap_negative(a), down));
  } else {
    auto zero = b == T(0);
    return select(zero, T(0), static_cast<T>(a / select(zero, T(1), b)));
  }
}
template <class T>
constexpr T remainder_integer(T a, T b) {
  auto zero = b == T(0);
  if constexpr (is_signed_v<T>) {
    T divisor = select(zero || b == static_cast<T>(-1), T(1), b);
    T rest = wrap_subtract(a, wrap_multiply(static_cast<T>(a / divisor), divisor));
    return select(rest != T(0) && (rest < T(0)) != (divisor < T(0)), wrap_add(rest, divisor), rest);
  } else {
    T divisor = select(zero, T(1), b);
    return select(zero, T(0), wrap_subtract(a, wrap_multiply(static_cast<T>(a / divisor), divisor)));
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
