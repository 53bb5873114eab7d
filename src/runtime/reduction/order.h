// THE order of summation, a function of length alone: the same bits for every layout, ISA and executor.
//
// Up to 256 items: 16 lanes; of the whole sixteens item i goes to lane i mod 16, in order. Then the lanes are halved, 8 + 8, 4
// + 4, 2 + 2, 1 + 1, and after each halving to w lanes the next w items are added to them, if w is a binary digit of the number
// of items. So no vector is ever partly filled, and the last items come last: where each sum waits for the one before, as in a
// triangular solve, the newest item has a few additions before it and not the whole tree. Longer: the first part is the largest
// multiple of 256 that is at most half the length (at least 256); both parts are summed by the same rule and added. No FMA. The
// error is at most about (24 + log2 n) eps times the sum of magnitudes. Products take the same order.
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

// The lanes' halves, and what is left of n items from `next` on.
template <class Fold, int width, class T, class Item>
[[gnu::always_inline]] inline void fold_rest(T* lanes, std::int64_t next, std::int64_t n, const Item& item) {
  for (int k = 0; k < width; ++k) lanes[k] = Fold::apply(lanes[k], lanes[k + width]);
  if (n & width) {
    for (int k = 0; k < width; ++k) lanes[k] = Fold::apply(lanes[k], item(next + k));
    next += width;
  }
  if constexpr (width > 1) fold_rest<Fold, width / 2>(lanes, next, n, item);
}

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
  std::int64_t i = begin;
  for (std::int64_t end = begin + n / kSumLanes * kSumLanes; i < end; i += kSumLanes)
    for (int k = 0; k < kSumLanes; ++k) lanes[k] = Fold::apply(lanes[k], item(i + k));
  fold_rest<Fold, kSumLanes / 2>(lanes, i, n, item);
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
  const std::int64_t end = begin + n / kSumLanes * kSumLanes;
  auto first = [&](T* lane, std::int64_t i) {
    for (int k = 0; k < width; ++k) lane[k] = Fold::apply(Fold::template identity<T>(), item(i, k));
  };
  int held = begin < end ? kSumLanes : 0;  // lanes with items
  for (int l = 0; l < held; ++l) {
    // Four items of a lane at a time: its accumulators are loaded and stored a quarter as often.
    T* lane = lanes[l];
    std::int64_t i = begin + l;
    first(lane, i);
    for (i += kSumLanes; i + 3 * kSumLanes < end; i += 4 * kSumLanes)
      for (int k = 0; k < width; ++k)
        lane[k] = Fold::apply(
            Fold::apply(Fold::apply(Fold::apply(lane[k], item(i, k)), item(i + kSumLanes, k)), item(i + 2 * kSumLanes, k)),
            item(i + 3 * kSumLanes, k));
    for (; i < end; i += kSumLanes)
      for (int k = 0; k < width; ++k) lane[k] = Fold::apply(lane[k], item(i, k));
  }
  std::int64_t next = end;
  for (int half = kSumLanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half && held; ++lane)
      for (int k = 0; k < width; ++k) lanes[lane][k] = Fold::apply(lanes[lane][k], lanes[lane + half][k]);
    if (held) held = half;
    if (!(n & half)) continue;
    for (int lane = 0; lane < half; ++lane, ++next)
      if (held)
        for (int k = 0; k < width; ++k) lanes[lane][k] = Fold::apply(lanes[lane][k], item(next, k));
      else
        first(lanes[lane], next);
    held = half;
  }
  for (int k = 0; k < width; ++k) out[k] = held ? lanes[0][k] : Fold::template identity<T>();
}

}  // namespace autoray::runtime
