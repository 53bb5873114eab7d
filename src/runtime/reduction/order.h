// THE order of summation, a function of length alone: the same bits for every layout, ISA and executor.
//
// Up to 256 items: 16 lanes, item i goes to lane i mod 16, in order; the lanes are added as a tree (8 + 8, 4 + 4, 2 + 2, 1 + 1).
// Longer: the first part is the largest multiple of 256 that is at most half the length (at least 256); both parts are summed by
// the same rule and added. No FMA. The error is at most about (16 + log2 n) eps times the sum of magnitudes.
#pragma once

#include <cstdint>

namespace autoray::runtime {

inline constexpr int kSumLanes = 16;
inline constexpr std::int64_t kSumBlock = 256;

inline std::int64_t sum_split(std::int64_t n) { return n / 2 < kSumBlock ? kSumBlock : n / 2 / kSumBlock * kSumBlock; }

// item(i) gives the i-th term in the accumulator's type.
template <class T, class Item>
T ordered_sum(std::int64_t begin, std::int64_t n, const Item& item) {
  if (n > kSumBlock) {
    std::int64_t head = sum_split(n);
    T left = ordered_sum<T>(begin, head, item);
    return left + ordered_sum<T>(begin + head, n - head, item);
  }
  T lanes[kSumLanes] = {};
  std::int64_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes)
    for (int k = 0; k < kSumLanes; ++k) lanes[k] = lanes[k] + item(begin + i + k);
  for (int k = 0; i < n; ++i, ++k) lanes[k] = lanes[k] + item(begin + i);
  for (int width = kSumLanes / 2; width > 0; width /= 2)
    for (int k = 0; k < width; ++k) lanes[k] = lanes[k] + lanes[k + width];
  return lanes[0];
}

}  // namespace autoray::runtime
