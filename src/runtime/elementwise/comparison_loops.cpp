#include <immintrin.h>

#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"

namespace autoray::runtime {

using ir::OpId;

#if defined(__AVX512F__) && defined(__AVX512BW__)
namespace {

// Comparisons of dense float64: a compare gives eight bits, and 64 bits are a store of 64 bytes. The compiler narrows vectors
// of lanes step by step instead, which costs a fifth of the time.
template <class Op, int Predicate>
void comparison_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  constexpr std::int64_t kSize = sizeof(double), kItems = 64;
  std::int64_t i = 0;
  if (s[2] == 1 && (s[0] == kSize || s[0] == 0) && (s[1] == kSize || s[1] == 0)) {
    auto* x = reinterpret_cast<const double*>(d[0]);
    auto* y = reinterpret_cast<const double*>(d[1]);
    auto load = [](const double* from, bool one, std::int64_t at) {
      return one ? _mm512_set1_pd(*from) : _mm512_loadu_pd(from + at);
    };
    for (; i + kItems <= n; i += kItems) {
      std::uint64_t bits = 0;
#pragma GCC unroll 8
      for (int k = 0; k < 8; ++k) {
        __mmask8 part = _mm512_cmp_pd_mask(load(x, s[0] == 0, i + 8 * k), load(y, s[1] == 0, i + 8 * k), Predicate);
        bits |= std::uint64_t{part} << (8 * k);
      }
      _mm512_storeu_si512(d[2] + i, _mm512_maskz_set1_epi8(bits, 1));
    }
    if (i == n) return;
  }
  char* rest[3];
  for (int k = 0; k < 3; ++k) rest[k] = d[k] + i * s[k];
  binary_loop<Op, double>(rest, s, n - i);
}

}  // namespace
#endif

std::span<const LoopRow> comparison_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
#include "runtime/elementwise/loop_rows.def"
#include "runtime/scalar/comparison.def"
#if defined(__AVX512F__) && defined(__AVX512BW__)
    // Later rows replace earlier ones.
    auto doubles = [&](OpId id, Loop loop) { l.push_back({id, ir::DType::Float64, loop}); };
    doubles(OpId::Equal, comparison_loop<Equal, _CMP_EQ_OQ>);
    doubles(OpId::NotEqual, comparison_loop<NotEqual, _CMP_NEQ_UQ>);
    doubles(OpId::Less, comparison_loop<Less, _CMP_LT_OQ>);
    doubles(OpId::LessEqual, comparison_loop<LessEqual, _CMP_LE_OQ>);
    doubles(OpId::Greater, comparison_loop<Greater, _CMP_GT_OQ>);
    doubles(OpId::GreaterEqual, comparison_loop<GreaterEqual, _CMP_GE_OQ>);
#endif
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
