// Every transcendental function against MPFR: at most 4 ULP over the whole range, subnormals and huge arguments included, and
// the same bits wherever a value stands in an array.
#include "runtime/vector_math.h"

#include <gtest/gtest.h>
#include <mpfr.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace autoray::runtime {
namespace {

using Unary = int (*)(mpfr_t, const mpfr_t, mpfr_rnd_t);
using Binary = int (*)(mpfr_t, const mpfr_t, const mpfr_t, mpfr_rnd_t);

struct Row {
  VectorFunction function;
  const char* name;
  Unary unary;
  Binary binary;
};
const Row kRows[] = {
    {VectorFunction::Exp, "exp", mpfr_exp, nullptr},       {VectorFunction::Expm1, "expm1", mpfr_expm1, nullptr},
    {VectorFunction::Log, "log", mpfr_log, nullptr},       {VectorFunction::Log2, "log2", mpfr_log2, nullptr},
    {VectorFunction::Log10, "log10", mpfr_log10, nullptr}, {VectorFunction::Log1p, "log1p", mpfr_log1p, nullptr},
    {VectorFunction::Sin, "sin", mpfr_sin, nullptr},       {VectorFunction::Cos, "cos", mpfr_cos, nullptr},
    {VectorFunction::Tan, "tan", mpfr_tan, nullptr},       {VectorFunction::Asin, "asin", mpfr_asin, nullptr},
    {VectorFunction::Acos, "acos", mpfr_acos, nullptr},    {VectorFunction::Atan, "atan", mpfr_atan, nullptr},
    {VectorFunction::Sinh, "sinh", mpfr_sinh, nullptr},    {VectorFunction::Cosh, "cosh", mpfr_cosh, nullptr},
    {VectorFunction::Tanh, "tanh", mpfr_tanh, nullptr},    {VectorFunction::Asinh, "asinh", mpfr_asinh, nullptr},
    {VectorFunction::Acosh, "acosh", mpfr_acosh, nullptr}, {VectorFunction::Atanh, "atanh", mpfr_atanh, nullptr},
    {VectorFunction::Pow, "pow", nullptr, mpfr_pow},       {VectorFunction::Atan2, "atan2", nullptr, mpfr_atan2},
    {VectorFunction::Hypot, "hypot", nullptr, mpfr_hypot}, {VectorFunction::Cbrt, "cbrt", mpfr_cbrt, nullptr},
    {VectorFunction::Exp2, "exp2", mpfr_exp2, nullptr}};

// Distance in units in the last place of the exact value, which has more digits than a double.
template <class T>
double ulps(T got, const mpfr_t exact) {
  double rounded = sizeof(T) == 4 ? static_cast<double>(mpfr_get_flt(exact, MPFR_RNDN)) : mpfr_get_d(exact, MPFR_RNDN);
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : 1e300;
  if (std::isinf(rounded) || std::isinf(static_cast<double>(got))) {
    if (static_cast<double>(got) == rounded) return 0;
    // Next to the largest number, infinity is one step away.
    double largest = std::numeric_limits<T>::max();
    return std::fabs(std::isinf(rounded) ? static_cast<double>(got) : rounded) > largest * (1 - 1e-6) ? 1 : 1e300;
  }
  int exponent;
  std::frexp(rounded, &exponent);
  constexpr int kDigits = std::numeric_limits<T>::digits, kLeast = std::numeric_limits<T>::min_exponent;
  double step = std::ldexp(1.0, std::max(exponent, kLeast) - kDigits);
  mpfr_t difference;
  mpfr_init2(difference, 200);
  mpfr_set_d(difference, static_cast<double>(got), MPFR_RNDN);
  mpfr_sub(difference, difference, exact, MPFR_RNDN);
  double distance = std::fabs(mpfr_get_d(difference, MPFR_RNDN));
  mpfr_clear(difference);
  return distance / step;
}

template <class T>
std::vector<T> arguments(std::mt19937_64& random, int count) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  std::vector<T> list = {T(0),
                         T(-0.0),
                         T(1),
                         T(-1),
                         T(0.5),
                         T(2),
                         std::numeric_limits<T>::min(),
                         std::numeric_limits<T>::denorm_min(),
                         -std::numeric_limits<T>::denorm_min(),
                         std::numeric_limits<T>::max(),
                         -std::numeric_limits<T>::max(),
                         std::numeric_limits<T>::infinity(),
                         -std::numeric_limits<T>::infinity(),
                         std::numeric_limits<T>::quiet_NaN(),
                         std::nextafter(T(1), T(0)),
                         std::nextafter(T(1), T(2)),
                         T(1e22),
                         T(3.14159265358979),
                         T(-745.2),
                         T(709.8)};
  std::normal_distribution<double> normal;
  while (static_cast<int>(list.size()) < count) {
    // Any bits (all exponents alike), and numbers of everyday size.
    auto bits = static_cast<Bits>(random());
    T any;
    std::memcpy(&any, &bits, sizeof any);
    list.push_back(any);
    list.push_back(static_cast<T>(normal(random)));
    list.push_back(static_cast<T>(30 * normal(random)));
  }
  return list;
}

template <class T>
void measure(const Row& row, int count) {
  std::mt19937_64 random(7);
  std::vector<T> x = arguments<T>(random, count), y = x, out(x.size());
  std::shuffle(y.begin(), y.end(), random);
  auto n = static_cast<std::int64_t>(x.size());
  constexpr std::int64_t kStep = sizeof(T);
  auto *px = reinterpret_cast<char*>(x.data()), *py = reinterpret_cast<char*>(y.data()),
       *po = reinterpret_cast<char*>(out.data());
  if (row.unary)
    vector_unary(row.function, px, kStep, po, kStep, n, sizeof(T) == 4);
  else
    vector_binary(row.function, px, kStep, py, kStep, po, kStep, n, sizeof(T) == 4);
  mpfr_t a, b, exact;
  // The exponents of hidden results reach far below a double's: mpfr's own range is wide enough.
  mpfr_inits2(160, a, b, exact, nullptr);
  double worst = 0;
  T worst_x{}, worst_y{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    mpfr_set_d(a, static_cast<double>(x[i]), MPFR_RNDN);
    mpfr_set_d(b, static_cast<double>(y[i]), MPFR_RNDN);
    if (row.unary)
      row.unary(exact, a, MPFR_RNDN);
    else
      row.binary(exact, a, b, MPFR_RNDN);
    double distance = ulps(out[i], exact);
    if (distance > worst) {
      worst = distance;
      worst_x = x[i];
      worst_y = y[i];
    }
  }
  mpfr_clears(a, b, exact, nullptr);
  EXPECT_LE(worst, 4.0) << row.name << (sizeof(T) == 4 ? " float32" : " float64") << " at " << worst_x
                        << (row.unary ? "" : ", ") << (row.unary ? T(0) : worst_y);
}

TEST(VectorMath, WithinFourUlpsOfMpfr) {
  for (const Row& row : kRows) {
    measure<double>(row, 6000);
    measure<float>(row, 3000);
  }
}

// Powers of small integers, halves and reciprocals whose result a double holds are that double.
TEST(VectorMath, RepresentablePowersAreExact) {
  std::vector<double> x, y;
  std::vector<double> expected;
  mpfr_t a, b, exact;
  mpfr_inits2(2000, a, b, exact, nullptr);
  for (int base = -40; base <= 40; ++base)
    for (int exponent = -20; exponent <= 40; ++exponent) {
      mpfr_set_d(a, base / 4.0, MPFR_RNDN);
      mpfr_set_si(b, exponent, MPFR_RNDN);
      mpfr_pow(exact, a, b, MPFR_RNDN);
      double rounded = mpfr_get_d(exact, MPFR_RNDN);
      if (!mpfr_number_p(exact) || mpfr_cmp_d(exact, rounded) != 0) continue;
      x.push_back(base / 4.0);
      y.push_back(exponent);
      expected.push_back(rounded);
    }
  mpfr_clears(a, b, exact, nullptr);
  std::vector<double> out(x.size());
  constexpr std::int64_t kStep = sizeof(double);
  vector_binary(VectorFunction::Pow, reinterpret_cast<char*>(x.data()), kStep, reinterpret_cast<char*>(y.data()), kStep,
                reinterpret_cast<char*>(out.data()), kStep, static_cast<std::int64_t>(x.size()), false);
  ASSERT_GT(x.size(), 1000u);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(out[i], expected[i]) << x[i] << " ** " << y[i];
}

TEST(VectorMath, BitsDoNotDependOnThePlace) {
  std::mt19937_64 random(3);
  for (const Row& row : kRows) {
    std::vector<double> x = arguments<double>(random, 60), together(x.size());
    auto n = static_cast<std::int64_t>(x.size());
    auto call = [&](const double* p, double* out, std::int64_t count) {
      const char* from = reinterpret_cast<const char*>(p);
      char* to = reinterpret_cast<char*>(out);
      if (row.unary)
        vector_unary(row.function, from, 8, to, 8, count, false);
      else
        vector_binary(row.function, from, 8, from, 8, to, 8, count, false);
    };
    call(x.data(), together.data(), n);
    for (std::size_t i = 0; i < x.size(); ++i) {
      double alone;
      call(&x[i], &alone, 1);
      if (std::isnan(alone)) continue;
      EXPECT_EQ(std::memcmp(&alone, &together[i], 8), 0) << row.name << " " << x[i];
    }
  }
}

}  // namespace
}  // namespace autoray::runtime
