// float64 to float16: the nearest, of two equally near ones the even one, and the event of an overflow.
#include "ir/half.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <cmath>
#include <limits>

namespace autoray::ir {
namespace {

Half of_bits(unsigned bits) {
  Half h;
  h.bits = static_cast<std::uint16_t>(bits);
  return h;
}

void rounds_to(double value, unsigned bits) {
  EXPECT_EQ(Half(value).bits, bits) << value;
  EXPECT_EQ(Half(-value).bits, bits | 0x8000u) << -value;
}

TEST(Half, IsTheNearestToADouble) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    const auto low = static_cast<double>(of_bits(bits));
    // Beyond the largest one infinity takes the place of the next, 2^16.
    const double high = bits + 1 == 0x7c00 ? 0x1p16 : static_cast<double>(of_bits(bits + 1));
    const double middle = (low + high) / 2;  // exact
    rounds_to(low, bits);
    rounds_to(std::nextafter(low, kInfinity), bits);
    rounds_to(std::nextafter(middle, 0), bits);
    rounds_to(middle, bits % 2 ? bits + 1 : bits);
    rounds_to(std::nextafter(middle, kInfinity), bits + 1);
    rounds_to(std::nextafter(high, 0), bits + 1);
  }
  for (double value : {0x1p17, 1e30, 3.5e38, 1e300, kInfinity}) rounds_to(value, 0x7c00);
  for (double value : {1e-30, 1e-46, 5e-324}) rounds_to(value, 0);
  EXPECT_TRUE(std::isnan(static_cast<double>(Half(std::numeric_limits<double>::quiet_NaN()))));
}

TEST(Half, TellsOfAnOverflow) {
  auto overflows = [](double given) {
    volatile double value = given;
    _mm_setcsr(_mm_getcsr() & ~0x3fu);
    volatile std::uint16_t bits = Half(value).bits;
    (void)bits;
    return (_mm_getcsr() & _MM_EXCEPT_OVERFLOW) != 0;
  };
  for (double value : {65520.0, 1e6, -1e6, 1e30, 1e300}) EXPECT_TRUE(overflows(value)) << value;
  for (double value : {0.0, 65504.0, 65519.0, 1e-300, std::numeric_limits<double>::infinity()})
    EXPECT_FALSE(overflows(value)) << value;
}

}  // namespace
}  // namespace autoray::ir
