// One order of summation, whatever the layout: the same bits for rows, columns, strides, offsets and copies.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "runtime/convert.h"
#include "runtime/reduction/order.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

template <class T>
void same_bits(ir::OpId op, std::int64_t n) {
  Runtime runtime;
  constexpr ir::DType kDType = ir::dtype_of<T>;
  std::mt19937_64 random(static_cast<std::uint64_t>(n));
  std::normal_distribution<double> normal;
  // A plain row, and the same items as a column, at every third place, backwards twice, and one item off alignment.
  Array row = runtime.allocate(kDType, ir::Dims{n});
  for (std::int64_t i = 0; i < n; ++i)
    row.as<T>()[i] = static_cast<T>(op == ir::OpId::Prod ? 1 + 0.01 * normal(random) : normal(random));
  T want{};
  std::memcpy(&want, runtime.run1(op, 0, {&row}).data, sizeof want);
  auto placed = [&](std::int64_t stride, std::int64_t first, std::int64_t room) {
    Array memory = runtime.allocate_zeroed(kDType, ir::Dims{room});
    auto size = static_cast<std::int64_t>(sizeof(T));
    Array view = with_shape_and_strides(memory, {n}, {stride * size}, first * size);
    copy_into(runtime, row, view);
    return view;
  };
  for (const Array& view : {placed(3, 0, 3 * n), placed(1, 1, n + 1), placed(-1, n - 1, n), placed(-2, 2 * n - 2, 2 * n)}) {
    Array got = runtime.run1(op, 0, {&view});
    EXPECT_EQ(std::memcmp(got.data, &want, sizeof want), 0) << n;
  }
  for (std::int64_t width : {2, 5, 64}) {
    Array matrix = runtime.allocate(kDType, ir::Dims{n, width});
    for (std::int64_t k = 0; k < width; ++k) {
      auto size = static_cast<std::int64_t>(sizeof(T));
      copy_into(runtime, row, with_shape_and_strides(matrix, {n}, {width * size}, k * size));
    }
    Array columns = runtime.run1(op, 0, {&matrix}, {std::int64_t{0}});
    ASSERT_EQ(columns.size(), width);
    for (std::int64_t k = 0; k < width; ++k)
      EXPECT_EQ(std::memcmp(columns.as<T>() + k, &want, sizeof want), 0) << n << " in column " << k << " of " << width;
  }
}

TEST(ReductionOrder, SameBitsForEveryLayout) {
  for (std::int64_t n : {1, 2, 3, 5, 7, 8, 12, 15, 16, 17, 30, 255, 256, 257, 511, 512, 513, 1000, 4097}) {
    same_bits<double>(ir::OpId::Sum, n);
    same_bits<float>(ir::OpId::Sum, n);
    same_bits<double>(ir::OpId::Prod, n);
    same_bits<float>(ir::OpId::Mean, n);
  }
}

// The rule of order.h, written as it reads.
double by_the_rule(const double* items, std::int64_t n) {
  if (n > 256) {
    std::int64_t head = std::max<std::int64_t>(n / 2 / 256 * 256, 256);
    return by_the_rule(items, head) + by_the_rule(items + head, n - head);
  }
  std::vector<double> lanes(16, 0.0);
  std::int64_t whole = n / 16 * 16;
  for (std::int64_t i = 0; i < whole; ++i) lanes[static_cast<std::size_t>(i % 16)] += items[i];
  for (std::size_t width = 8, next = static_cast<std::size_t>(whole); width > 0; width /= 2) {
    for (std::size_t k = 0; k < width; ++k) lanes[k] += lanes[k + width];
    for (std::size_t k = 0; k < width && (static_cast<std::size_t>(n) & width); ++k) lanes[k] += items[next++];
  }
  return lanes[0];
}

TEST(ReductionOrder, IsTheDocumentedOne) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (std::int64_t n : {0, 1, 2, 3, 6, 7, 13, 15, 16, 31, 40, 127, 255, 256, 257, 700, 3000}) {
    std::vector<double> items(static_cast<std::size_t>(n));
    for (double& x : items) x = normal(random);
    Runtime runtime;
    Array a = runtime.allocate(ir::DType::Float64, ir::Dims{n});
    std::copy(items.begin(), items.end(), a.as<double>());
    EXPECT_EQ(*runtime.run1(ir::OpId::Sum, 0, {&a}).as<double>(), by_the_rule(items.data(), n)) << n;
  }
}

}  // namespace
}  // namespace autoray::runtime
