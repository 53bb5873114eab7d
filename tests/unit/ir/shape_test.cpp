#include "ir/shape.h"

#include <gtest/gtest.h>

#include "ir/error.h"

namespace autoray::ir {
namespace {

TEST(Shape, Broadcast) {
  EXPECT_EQ(broadcast(Dims{2, 3}, Dims{3}), (Dims{2, 3}));
  EXPECT_EQ(broadcast(Dims{2, 1}, Dims{1, 3}), (Dims{2, 3}));
  EXPECT_EQ(broadcast(Dims{}, Dims{4}), (Dims{4}));
  EXPECT_EQ(broadcast(Dims{0}, Dims{1}), (Dims{0}));
  EXPECT_EQ(broadcast(Dims{0}, Dims{2}), std::nullopt);
  EXPECT_EQ(broadcast(Dims{2, 3}, Dims{4}), std::nullopt);
}

TEST(Shape, CountsAreChecked) {
  EXPECT_EQ(element_count(Dims{}), 1);
  EXPECT_EQ(element_count(Dims{2, 0, 3}), 0);
  EXPECT_THROW(element_count(Dims{1ll << 40, 1ll << 40}), Error);
}

TEST(Shape, StridesAreInCOrder) {
  EXPECT_EQ(contiguous_strides(Dims{2, 3, 4}, 8), (Dims{96, 32, 8}));
  EXPECT_EQ(contiguous_strides(Dims{}, 8), Dims{});
}

TEST(Shape, Axes) {
  EXPECT_EQ(normalize_axis(-1, 3), 2);
  EXPECT_THROW(normalize_axis(3, 3), Error);
  EXPECT_THROW(normalize_axis(-4, 3), Error);
  EXPECT_EQ(normalize_axes(Dims{-1, 0}, 2), (Dims{1, 0}));
  EXPECT_THROW(normalize_axes(Dims{1, -1}, 2), Error);
  try {
    normalize_axis(2, 2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::AxisError);
    EXPECT_EQ(error.message(), "axis 2 is out of bounds for array of dimension 2");
  }
}

TEST(Shape, Reshape) {
  EXPECT_EQ(resolve_reshape(6, Dims{-1, 2}), (Dims{3, 2}));
  EXPECT_EQ(resolve_reshape(0, Dims{0, 5}), (Dims{0, 5}));
  EXPECT_THROW(resolve_reshape(6, Dims{4, 2}), Error);
  EXPECT_THROW(resolve_reshape(6, Dims{-1, -1}), Error);
  EXPECT_THROW(resolve_reshape(6, Dims{0, -1}), Error);
  EXPECT_THROW(resolve_reshape(1, Dims{1ll << 62, 1ll << 62}), Error);
}

TEST(Shape, Text) {
  EXPECT_EQ(to_string(Dims{}), "()");
  EXPECT_EQ(to_string(Dims{4}), "(4,)");
  EXPECT_EQ(to_string(Dims{2, 3}), "(2, 3)");
}

}  // namespace
}  // namespace autoray::ir
