// THE order of summation, a function of length alone: the same bits for every layout, ISA and executor.
//
// Up to 256 items: 16 lanes, item i goes to lane i mod 16, in order; the lanes are combined as a tree (8 + 8, 4 + 4, 2 + 2, 1 +
// 1). Longer: the first part is the largest multiple of 256 that is at most half the length (at least 256); both parts are
// summed by the same rule and added. No FMA. The error is at most about (16 + log2 n) eps times the sum of magnitudes. Products
// take the same order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/scalar/definitions.h"

namespace autoray::runtime {

inline constexpr int kSumLanes = 16;
inline constexpr std::int64_t kSumBlock = 256;

inline std::int64_t sum_split(std::int64_t n) { return n / 2 < kSumBlock ? kSumBlock : n / 2 / kSumBlock * kSumBlock; }

struct SumFold {
  template <class T>
  static T identity() {
    return T(0);
  }
  template <class T>
  static T apply(T a, T b) {
    return scalar::Add::apply(a, b);
  }
};
struct ProductFold {
  template <class T>
  static T identity() {
    return T(1);
  }
  template <class T>
  static T apply(T a, T b) {
    if constexpr (scalar::is_complex_v<T>) {
      // scalar::Multiply's terms, each rounded: g++ 12 makes one instruction of products that are added and subtracted side by
      // side, whatever -ffp-contract says.
      auto rr = a.real() * b.real(), ii = a.imag() * b.imag(), ri = a.real() * b.imag(), ir = a.imag() * b.real();
      asm("" : "+x"(rr), "+x"(ii), "+x"(ri), "+x"(ir));
      return T(rr - ii, ri + ir);
    } else {
      return scalar::Multiply::apply(a, b);
    }
  }
};

// item(i) gives the i-th term in the accumulator's type.
template <class Fold, class T, class Item>
T ordered_fold(std::int64_t begin, std::int64_t n, const Item& item) {
  if (n > kSumBlock) {
    std::int64_t head = sum_split(n);
    T left = ordered_fold<Fold, T>(begin, head, item);
    return Fold::apply(left, ordered_fold<Fold, T>(begin + head, n - head, item));
  }
  T lanes[kSumLanes];
  for (int k = 0; k < kSumLanes; ++k) lanes[k] = Fold::template identity<T>();
  std::int64_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes)
    for (int k = 0; k < kSumLanes; ++k) lanes[k] = Fold::apply(lanes[k], item(begin + i + k));
  for (int k = 0; i < n; ++i, ++k) lanes[k] = Fold::apply(lanes[k], item(begin + i));
  // Times one an imaginary zero may lose its sign: lanes without items take no part in complex products.
  int used = scalar::is_complex_v<T> ? static_cast<int>(std::min<std::int64_t>(n, kSumLanes)) : kSumLanes;
  for (int width = kSumLanes / 2; width > 0; width /= 2)
    for (int k = 0; k < width && k + width < used; ++k) lanes[k] = Fold::apply(lanes[k], lanes[k + width]);
  return lanes[0];
}

template <class T, class Item>
T ordered_sum(std::int64_t begin, std::int64_t n, const Item& item) {
  return ordered_fold<SumFold, T>(begin, n, item);
}

// The same for `width` columns side by side (at most Width): item(i, k) is the i-th term of column k.
template <class Fold, int Width, class T, class Item>
void ordered_columns(std::int64_t begin, std::int64_t n, int width, T* out, const Item& item) {
  if (n > kSumBlock) {
    T right[Width];
    std::int64_t head = sum_split(n);
    ordered_columns<Fold, Width>(begin, head, width, out, item);
    ordered_columns<Fold, Width>(begin + head, n - head, width, right, item);
    for (int k = 0; k < width; ++k) out[k] = Fold::apply(out[k], right[k]);
    return;
  }
  T lanes[kSumLanes][Width];
  int used = static_cast<int>(std::min<std::int64_t>(n, kSumLanes));
  for (int l = 0; l < used; ++l) {
    // Four items of a lane at a time: its accumulators are loaded and stored a quarter as often.
    T* lane = lanes[l];
    std::int64_t i = begin + l, end = begin + n;
    for (int k = 0; k < width; ++k) lane[k] = Fold::apply(Fold::template identity<T>(), item(i, k));
    for (i += kSumLanes; i + 3 * kSumLanes < end; i += 4 * kSumLanes)
      for (int k = 0; k < width; ++k)
        lane[k] = Fold::apply(
            Fold::apply(Fold::apply(Fold::apply(lane[k], item(i, k)), item(i + kSumLanes, k)), item(i + 2 * kSumLanes, k)),
            item(i + 3 * kSumLanes, k));
    for (; i < end; i += kSumLanes)
      for (int k = 0; k < width; ++k) lane[k] = Fold::apply(lane[k], item(i, k));
  }
  // A lane without items holds the identity, which changes nothing.
  for (int half = kSumLanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half && lane + half < used; ++lane)
      for (int k = 0; k < width; ++k) lanes[lane][k] = Fold::apply(lanes[lane][k], lanes[lane + half][k]);
  for (int k = 0; k < width; ++k) out[k] = used ? lanes[0][k] : Fold::template identity<T>();
}

}  // namespace autoray::runtime
