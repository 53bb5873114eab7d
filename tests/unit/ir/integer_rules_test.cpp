// The table against mathematics in 128 bits, where nothing wraps: all pairs of int8, corners of the others.
#include "ir/integer_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace autoray::ir {
namespace {

template <class T>
std::vector<T> corners() {
  std::vector<T> list;
  if constexpr (sizeof(T) == 1) {
    for (int i = 0; i < 256; ++i) list.push_back(static_cast<T>(i));
  } else {
    constexpr T kMin = std::numeric_limits<T>::min(), kMax = std::numeric_limits<T>::max();
    list = {
        kMin, static_cast<T>(kMin + 1), static_cast<T>(-7), static_cast<T>(-1), 0, 1, 2, 7, kMax / 2, static_cast<T>(kMax - 1),
        kMax};
  }
  return list;
}

template <class T>
class IntegerRules : public testing::Test {};
using Types = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t,
                             std::uint64_t>;
TYPED_TEST_SUITE(IntegerRules, Types);

TYPED_TEST(IntegerRules, AgreeWithMathematicsModuloTheWidth) {
  using T = TypeParam;
  using Wide = __int128;
  for (T a : corners<T>())
    for (T b : corners<T>()) {
      Wide x = a, y = b;
      EXPECT_EQ(wrap_add(a, b), static_cast<T>(x + y));
      EXPECT_EQ(wrap_subtract(a, b), static_cast<T>(x - y));
      EXPECT_EQ(wrap_multiply(a, b), static_cast<T>(static_cast<unsigned __int128>(x) * static_cast<unsigned __int128>(y)));
      EXPECT_EQ(wrap_negative(a), static_cast<T>(-x));
      if (b == 0) {
        EXPECT_EQ(floor_divide_integer(a, b), T{0});
        EXPECT_EQ(remainder_integer(a, b), T{0});
      } else {
        Wide q = x / y;
        if (x % y != 0 && (x < 0) != (y < 0)) --q;
        EXPECT_EQ(floor_divide_integer(a, b), static_cast<T>(q)) << +a << " // " << +b;
        EXPECT_EQ(remainder_integer(a, b), static_cast<T>(x - q * y)) << +a << " % " << +b;
      }
      bool outside = y < 0 || y >= 8 * static_cast<int>(sizeof(T));
      T left = outside ? T{0} : static_cast<T>(static_cast<unsigned __int128>(x) << static_cast<int>(y));
      T right = outside ? static_cast<T>(x < 0 ? -1 : 0) : static_cast<T>(x >> static_cast<int>(y));
      EXPECT_EQ(shift_left(a, b), left) << +a << " << " << +b;
      EXPECT_EQ(shift_right(a, b), right) << +a << " >> " << +b;
    }
}

TYPED_TEST(IntegerRules, FloatsTruncateAndTheRestIsGuarded) {
  using T = TypeParam;
  EXPECT_EQ((to_integer<T>(3.9)), T{3});
  EXPECT_EQ((to_integer<T>(-0.5)), T{0});
  double low = static_cast<double>(std::numeric_limits<T>::min()), high = std::ldexp(1.0, std::numeric_limits<T>::digits);
  EXPECT_EQ((to_integer<T>(low)), std::numeric_limits<T>::min());
  T smallest = std::is_signed_v<T> ? std::numeric_limits<T>::min() : T{0};
  EXPECT_EQ((to_integer<T>(std::nan(""))), smallest);
  EXPECT_EQ((to_integer<T>(high)), smallest);
  EXPECT_EQ((to_integer<T>(HUGE_VAL)), smallest);
  EXPECT_EQ((to_integer<T>(-HUGE_VAL)), smallest);
}

}  // namespace
}  // namespace autoray::ir
