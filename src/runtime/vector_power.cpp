#include "runtime/vector_power.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>

#include <cmath>
#include <limits>

namespace autoray::runtime {
namespace {

constexpr int kEntries = 16;
constexpr double kLn2High = 0x1.62e42fefa38p-1;  // 42 bits: its products with exponents are exact
constexpr double kLn2Low = 0x1.ef35793c7673p-45;
constexpr double kStep = 0x1.62e42fefa39efp-5;  // ln 2 / 16
constexpr double kStepLow = 0x1.abc9e3b39803fp-60;
constexpr double kStepsPerUnit = 0x1.71547652b82fep+4;  // 16 / ln 2
// Added, they round to a multiple of 1 / 16, or of 1, whose low bits are then the sum's.
constexpr double kSixteenths = 0x1.8p+48, kWhole = 0x1.8p+52;
constexpr double kLargestLog = 700;  // beyond, the result may not be a normal number
constexpr double kLargestExponent = 0x1p60;

// -log(c) for c = i / 16, or (16 + i) / 16 for i below 8, on the grid of 2^-42 and the rest; 2^(i / 16) and the rest.
// Constants, because a table made at first use would be asked for at every vector.
alignas(64) constexpr double kLogHigh[kEntries] = {0,
                                                   -0x1.f0a30c0118000p-5,
                                                   -0x1.e27076e2b0000p-4,
                                                   -0x1.5ff3070a7a000p-3,
                                                   -0x1.c8ff7c79aa000p-3,
                                                   -0x1.1675cababa000p-2,
                                                   -0x1.4618bc21c6000p-2,
                                                   -0x1.739d7f6bbd000p-2,
                                                   0x1.62e42fefa3800p-1,
                                                   0x1.269621134d800p-1,
                                                   0x1.e148a1a272000p-2,
                                                   0x1.7fafa3bd81000p-2,
                                                   0x1.269621134e000p-2,
                                                   0x1.a93ed3c8ae000p-3,
                                                   0x1.1178e8227e000p-3,
                                                   0x1.08598b59e4000p-4};
alignas(64) constexpr double kLogLow[kEntries] = {0,
                                                  0x1.d599e83368e91p-45,
                                                  0x1.a342c2af0003cp-45,
                                                  0x1.8586f183bebf2p-44,
                                                  0x1.7794f689f8434p-45,
                                                  -0x1.8380e731f55c4p-44,
                                                  0x1.3d82f484c84ccp-46,
                                                  -0x1.a7389314feb50p-52,
                                                  0x1.ef35793c76730p-45,
                                                  0x1.c93c1df5bb3b6p-44,
                                                  0x1.b36537e3375b2p-44,
                                                  0x1.46fb79bf6d4cbp-44,
                                                  -0x1.1b61f10522625p-44,
                                                  -0x1.8724350562169p-45,
                                                  0x1.1ef78ce2d07f2p-45,
                                                  -0x1.7e5dd7009902cp-46};
alignas(64) constexpr double kExpHigh[kEntries] = {0x1p+0,
                                                   0x1.0b5586cf9890fp+0,
                                                   0x1.172b83c7d517bp+0,
                                                   0x1.2387a6e756238p+0,
                                                   0x1.306fe0a31b715p+0,
                                                   0x1.3dea64c123422p+0,
                                                   0x1.4bfdad5362a27p+0,
                                                   0x1.5ab07dd485429p+0,
                                                   0x1.6a09e667f3bcdp+0,
                                                   0x1.7a11473eb0187p+0,
                                                   0x1.8ace5422aa0dbp+0,
                                                   0x1.9c49182a3f090p+0,
                                                   0x1.ae89f995ad3adp+0,
                                                   0x1.c199bdd85529cp+0,
                                                   0x1.d5818dcfba487p+0,
                                                   0x1.ea4afa2a490dap+0};
alignas(64) constexpr double kExpLow[kEntries] = {0,
                                                  0x1.8a62e4adc610bp-54,
                                                  -0x1.19041b9d78a76p-55,
                                                  0x1.9b07eb6c70573p-54,
                                                  0x1.6f46ad23182e4p-55,
                                                  0x1.ada0911f09ebcp-55,
                                                  0x1.d4397afec42e2p-56,
                                                  0x1.6324c054647adp-54,
                                                  -0x1.bdd3413b26456p-54,
                                                  -0x1.41577ee04992fp-55,
                                                  0x1.6e9f156864b27p-54,
                                                  0x1.c7c46b071f2bep-56,
                                                  0x1.7a1cd345dcc81p-54,
                                                  0x1.11065895048ddp-55,
                                                  0x1.2ed02d75b3707p-55,
                                                  -0x1.e9c23179c2893p-54};

__m512d look_up(const double* table, __m512i index) {
  return _mm512_permutex2var_pd(_mm512_load_pd(table), index, _mm512_load_pd(table + 8));
}

__m512d all(double value) { return _mm512_set1_pd(value); }

// Horner's rule, the highest coefficient first.
template <int N>
__m512d polynomial(__m512d x, const double (&coefficients)[N]) {
  __m512d p = all(coefficients[0]);
  for (int i = 1; i < N; ++i) p = _mm512_fmadd_pd(p, x, all(coefficients[i]));
  return p;
}

// Lanes of libm.
[[gnu::noinline]] __m512d with_special_lanes(__m512d result, __m512d x, __m512d y, unsigned lanes, bool power) {
  alignas(64) double r[8], a[8], b[8];
  _mm512_store_pd(r, result);
  _mm512_store_pd(a, x);
  _mm512_store_pd(b, y);
  for (int i = 0; i < 8; ++i)
    if (lanes >> i & 1) r[i] = power ? std::pow(a[i], b[i]) : std::exp(a[i]);
  return _mm512_load_pd(r);
}

// exp(t + t_low) = 2^n 2^(j / 16) exp(r) for |t| up to kLargestLog, t_low far below t.
__m512d exponential(__m512d t, __m512d t_low) {
  __m512d rounded = _mm512_fmadd_pd(t, all(kStepsPerUnit), all(kWhole));
  __m512d steps = _mm512_sub_pd(rounded, all(kWhole));
  __m512i n = _mm512_castpd_si512(rounded);
  __m512d r = _mm512_fnmadd_pd(steps, all(kStep), t);
  r = _mm512_add_pd(r, _mm512_fnmadd_pd(steps, all(kStepLow), t_low));
  __m512d r2 = _mm512_mul_pd(r, r);
  __m512d even = polynomial(r2, {1.0 / 720, 1.0 / 24, 1.0 / 2});
  __m512d odd = polynomial(r2, {1.0 / 5040, 1.0 / 120, 1.0 / 6});
  __m512d p = _mm512_fmadd_pd(r2, _mm512_fmadd_pd(odd, r, even), r);
  __m512d power = look_up(kExpHigh, n);
  power = _mm512_add_pd(power, _mm512_fmadd_pd(power, p, look_up(kExpLow, n)));
  return _mm512_scalef_pd(power, _mm512_mul_pd(steps, all(1.0 / 16)));  // takes the floor
}

}  // namespace

DoubleVector vector_power(DoubleVector base, DoubleVector exponent) {
  const __m512d one = all(1);
  auto x = reinterpret_cast<__m512d>(base), y = reinterpret_cast<__m512d>(exponent);
  // Comparisons that hold for no NaN and raise no event.
  constexpr int kNotPositive = 0xff;  // every class: NaNs, zeros, infinities, denormal and negative numbers
  __mmask8 plain = _mm512_mask_cmp_pd_mask(static_cast<__mmask8>(~_mm512_fpclass_pd_mask(x, kNotPositive)), _mm512_abs_pd(y),
                                           all(kLargestExponent), _CMP_LE_OQ);
  __m512d a = _mm512_mask_blend_pd(plain, one, x), b = _mm512_mask_blend_pd(plain, one, y);

  // log a = k log 2 - log c + log(1 + r), a = m 2^k, c about 1 / m in sixteenths, r = m c - 1 without rounding.
  __m512d m = _mm512_getmant_pd(a, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_zero), k = _mm512_getexp_pd(a);
  k = _mm512_mask_add_pd(k, _mm512_cmp_pd_mask(m, one, _CMP_LT_OQ), k, one);
  __m512d rounded = _mm512_add_pd(_mm512_rcp14_pd(m), all(kSixteenths)), c = _mm512_sub_pd(rounded, all(kSixteenths));
  __m512i index = _mm512_castpd_si512(rounded);
  __m512d r = _mm512_fmsub_pd(m, c, one);
  __m512d r2 = _mm512_mul_pd(r, r), r2_low = _mm512_fmsub_pd(r, r, r2);
  // The series of log(1 + r) beyond r^2, by Estrin's scheme: the latency of a chain is what a vector costs.
  auto pair = [&](double low, double high) { return _mm512_fmadd_pd(all(high), r, all(low)); };
  const __m512d r4 = _mm512_mul_pd(r2, r2);
  __m512d p = _mm512_fmadd_pd(pair(1.0 / 5, -1.0 / 6), r2, pair(1.0 / 3, -1.0 / 4));
  __m512d high = _mm512_fmadd_pd(pair(1.0 / 9, -1.0 / 10), r2, pair(1.0 / 7, -1.0 / 8));
  __m512d highest = _mm512_fmadd_pd(pair(1.0 / 13, -1.0 / 14), r2, pair(1.0 / 11, -1.0 / 12));
  p = _mm512_fmadd_pd(_mm512_fmadd_pd(highest, r4, high), r4, p);
  const __m512d half = all(0.5);
  __m512d s = _mm512_fnmadd_pd(half, r2, r), s_low = _mm512_fnmadd_pd(half, r2, _mm512_sub_pd(r, s));
  s_low = _mm512_fmadd_pd(_mm512_mul_pd(r, r2), p, _mm512_fnmadd_pd(half, r2_low, s_low));
  __m512d head = _mm512_fmadd_pd(k, all(kLn2High), look_up(kLogHigh, index));
  __m512d tail = _mm512_fmadd_pd(k, all(kLn2Low), look_up(kLogLow, index));
  __m512d log = _mm512_add_pd(head, s);
  __m512d log_low = _mm512_add_pd(_mm512_add_pd(_mm512_sub_pd(head, log), s), _mm512_add_pd(tail, s_low));
  __m512d sum = _mm512_add_pd(log, log_low);
  log_low = _mm512_add_pd(_mm512_sub_pd(log, sum), log_low);
  log = sum;

  // y log x, and the exponential of the two parts.
  __m512d t = _mm512_mul_pd(b, log), t_low = _mm512_fmadd_pd(b, log_low, _mm512_fmsub_pd(b, log, t));
  __mmask8 inside = _mm512_cmp_pd_mask(_mm512_abs_pd(t), all(kLargestLog), _CMP_LT_OQ);
  __m512d power = exponential(_mm512_maskz_mov_pd(inside, t), _mm512_maskz_mov_pd(inside, t_low));

  unsigned special = static_cast<unsigned>(static_cast<__mmask8>(~(plain & inside)));
  if (special) [[unlikely]]
    power = with_special_lanes(power, x, y, special, true);
  return reinterpret_cast<DoubleVector>(power);
}

DoubleVector vector_exp(DoubleVector given) {
  auto x = reinterpret_cast<__m512d>(given);
  __mmask8 inside = _mm512_cmp_pd_mask(_mm512_abs_pd(x), all(kLargestLog), _CMP_LT_OQ);
  __m512d result = exponential(_mm512_maskz_mov_pd(inside, x), _mm512_setzero_pd());
  unsigned special = static_cast<unsigned>(static_cast<__mmask8>(~inside));
  if (special) [[unlikely]]
    result = with_special_lanes(result, x, x, special, false);
  return reinterpret_cast<DoubleVector>(result);
}

}  // namespace autoray::runtime
#endif
