#include "codegen/object/rolled.h"

#include <gtest/gtest.h>

namespace autoray::codegen::object {
namespace {

// Steps of two kernels: one of two buffers and a number, one of one buffer.
class Steps {
 public:
  Steps() {
    f.kernels.resize(2);
    f.kernels[0].buffers = {ir::DType::Float64, ir::DType::Float64};
    f.kernels[0].arguments = 1;
    f.kernels[1].buffers = {ir::DType::Float64};
  }
  void two(std::int64_t from, std::int64_t to, std::int64_t number, Base base = kWorkspace) {
    begin(0);
    f.buffers.push_back({base, from});
    f.buffers.push_back({kFirstParameter, to});
    f.numbers.push_back(number);
  }
  void one(std::int64_t at) {
    begin(1);
    f.buffers.push_back({kWorkspace, at});
  }
  // Every loop as "first period count", and whether its steps are all steps once, in order.
  std::vector<std::vector<std::uint32_t>> rolled() const {
    std::vector<std::vector<std::uint32_t>> list;
    std::uint32_t next = 0;
    for (const Repeated& r : roll(f)) {
      EXPECT_EQ(r.first, next);
      next += r.period * r.count;
      list.push_back({r.first, r.period, r.count});
    }
    EXPECT_EQ(next, f.steps.size());
    return list;
  }
  Function f;

 private:
  void begin(std::uint32_t kernel) {
    f.steps.push_back({kernel, static_cast<std::uint32_t>(f.buffers.size()), static_cast<std::uint32_t>(f.numbers.size())});
  }
};
using Loops = std::vector<std::vector<std::uint32_t>>;

TEST(Rolled, EqualSteps) {
  Steps s;
  for (int i = 0; i < 1000; ++i) s.two(0, 0, 5);
  EXPECT_EQ(s.rolled(), (Loops{{0, 1, 1000}}));
}

TEST(Rolled, PlacesAndNumbersGrow) {
  Steps s;
  for (int i = 0; i < 100; ++i) s.two(8 * i, 4000 - 16 * i, 7 - i);
  EXPECT_EQ(s.rolled(), (Loops{{0, 1, 100}}));
}

TEST(Rolled, ALoopEndsWhereTheDistanceChanges) {
  Steps s;
  for (int i = 0; i < 10; ++i) s.two(8 * i, 0, 0);
  for (int i = 0; i < 10; ++i) s.two(1000 + 24 * i, 0, 0);
  EXPECT_EQ(s.rolled(), (Loops{{0, 1, 10}, {10, 1, 10}}));
}

TEST(Rolled, ATurnOfSeveralSteps) {
  Steps s;
  for (int i = 0; i < 50; ++i) {
    s.two(0, 8 * i, 0);
    s.one(64);
    s.two(64, 8 * i, 1);
  }
  EXPECT_EQ(s.rolled(), (Loops{{0, 3, 50}}));
}

TEST(Rolled, PlacesThatAlternate) {
  Steps s;
  for (int i = 0; i < 40; ++i) s.two(i % 2 ? 512 : 0, i % 2 ? 0 : 512, 0);
  EXPECT_EQ(s.rolled(), (Loops{{0, 2, 20}}));
}

TEST(Rolled, AnotherBaseIsAnotherLoop) {
  Steps s;
  for (int i = 0; i < 8; ++i) s.two(8 * i, 0, 0, i < 4 ? kWorkspace : kData);
  EXPECT_EQ(s.rolled(), (Loops{{0, 1, 4}, {4, 1, 4}}));
}

TEST(Rolled, TrianglesAreALoopARow) {
  Steps s;
  for (int j = 0; j < 30; ++j) {
    for (int i = 0; i < j; ++i) s.two(400 * i, 0, 0);
    s.one(400 * j);
  }
  EXPECT_LE(s.rolled().size(), 60u);
}

TEST(Rolled, NothingRepeats) {
  Steps s;
  EXPECT_TRUE(s.rolled().empty());
  for (int i = 0; i < 20; ++i) s.one(i * i * i);
  std::uint32_t rows = 0;
  for (const auto& loop : s.rolled()) rows += loop[1];
  EXPECT_EQ(rows, 10u);  // two turns of ten
}

}  // namespace
}  // namespace autoray::codegen::object
