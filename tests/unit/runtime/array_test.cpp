#include "runtime/array.h"

#include <gtest/gtest.h>

#include <numeric>

#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

Array numbers(Runtime& runtime, ir::Dims shape) {
  Array a = runtime.allocate(ir::DType::Float64, shape);
  std::iota(a.as<double>(), a.as<double>() + a.size(), 0.0);
  return a;
}

TEST(Array, ViewsShareTheElements) {
  Runtime runtime;
  Array a = numbers(runtime, {2, 3});
  Array t = transposed(a, ir::Dims{1, 0});
  EXPECT_EQ(t.shape, (ir::Dims{3, 2}));
  EXPECT_FALSE(t.c_contiguous());
  EXPECT_TRUE(t.f_contiguous());
  t.as<double>()[0] = 7;
  EXPECT_EQ(a.as<double>()[0], 7);
  EXPECT_FALSE(a.storage->unique());
}

TEST(Array, BroadcastViewsAreReadOnly) {
  Runtime runtime;
  Array b = broadcast_view(numbers(runtime, {1, 3}), ir::Dims{4, 3});
  EXPECT_EQ(b.strides, (ir::Dims{0, 8}));
  EXPECT_FALSE(b.can_write());
}

TEST(Array, ReshapeIsAViewWhereStridesAllow) {
  Runtime runtime;
  Array a = numbers(runtime, {2, 3, 4}), result;
  EXPECT_TRUE(try_reshape_view(a, ir::Dims{6, 4}, result));
  EXPECT_EQ(result.data, a.data);
  Array t = transposed(a, ir::Dims{0, 2, 1});
  EXPECT_FALSE(try_reshape_view(t, ir::Dims{24}, result));
  EXPECT_TRUE(try_reshape_view(t, ir::Dims{2, 2, 2, 3}, result));
}

TEST(Array, OverlapIsSeenConservatively) {
  Runtime runtime;
  Array a = numbers(runtime, {10});
  Array head = with_shape_and_strides(a, {4}, {8}), tail = with_shape_and_strides(a, {4}, {8}, 48);
  Array backwards = with_shape_and_strides(a, {10}, {-8}, 72);
  EXPECT_FALSE(may_overlap(head, tail));
  EXPECT_TRUE(may_overlap(a, head));
  EXPECT_TRUE(may_overlap(backwards, tail));
  EXPECT_FALSE(may_overlap(a, numbers(runtime, {10})));
  EXPECT_FALSE(may_overlap(a, with_shape_and_strides(a, {0}, {8})));
}

TEST(Array, CopiesIntoOverlappingMemoryGoThroughATemporary) {
  Runtime runtime;
  Array a = numbers(runtime, {6});
  copy_into(runtime, with_shape_and_strides(a, {6}, {-8}, 40), a);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(a.as<double>()[i], 5 - i);
}

TEST(Array, CastsOfEveryPairGoBothWays) {
  Runtime runtime;
  for (int i = 0; i < ir::kDTypeCount; ++i)
    for (int j = 0; j < ir::kDTypeCount; ++j) {
      auto from = static_cast<ir::DType>(i), to = static_cast<ir::DType>(j);
      Array a = converted(runtime, numbers(runtime, {2}), from);
      Array back = converted(runtime, converted(runtime, a, to), ir::DType::Float64);
      EXPECT_EQ(back.as<double>()[0], 0) << ir::name(from) << " " << ir::name(to);
      EXPECT_EQ(back.as<double>()[1], 1) << ir::name(from) << " " << ir::name(to);
    }
}

}  // namespace
}  // namespace autoray::runtime
