#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/loop_templates.h"
#include "runtime/scalar/complex_functions.h"

namespace autoray::runtime {

using ir::OpId;

namespace {

// Remainder and floor_divide of floats start from fmod, which the library computes bit by bit. Where the quotient is below
// 2^digits, x - trunc(x / y) * y is that same number: the fused operation is exact, and a quotient that was rounded up to an
// integer leaves the wrong sign, which one exact addition mends. So a block is done by vectors, or item by item where some
// quotient is larger, or not finite.
template <class Op, class T>
void modulo_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
#if defined(__FMA__)
  constexpr std::int64_t kBlock = 256, kSize = sizeof(T);
  constexpr T kLargest = static_cast<T>(std::int64_t{1} << (std::numeric_limits<T>::digits - 2));
  bool dense = s[2] == kSize && (s[0] == 0 || s[0] == kSize) && (s[1] == 0 || s[1] == kSize);
  if (dense && n >= 8) {
    T x[kBlock], y[kBlock], mod[kBlock];
    for (std::int64_t at = 0; at < n; at += kBlock) {
      std::int64_t count = std::min(kBlock, n - at);
      for (auto& [items, k] : {std::pair{x, 0}, std::pair{y, 1}}) {
        auto* from = reinterpret_cast<const T*>(d[k] + at * s[k]);
        for (std::int64_t i = 0; i < count; ++i) items[i] = s[k] ? from[i] : *from;
      }
      auto* out = reinterpret_cast<T*>(d[2]) + at;
      unsigned events = _mm_getcsr();
      int plain = 1;
      for (std::int64_t i = 0; i < count; ++i) {
        T quotient = x[i] / y[i], whole = std::trunc(quotient), rest = std::fma(-whole, y[i], x[i]);
        mod[i] = rest != 0 && (rest < 0) != (x[i] < 0) ? rest + std::copysign(y[i], x[i]) : std::copysign(rest, x[i]);
        // An infinite y has a quotient of zero too.
        plain &= (std::fabs(quotient) < kLargest) & (std::fabs(y[i]) <= std::numeric_limits<T>::max());
      }
      if (plain) {
        for (std::int64_t i = 0; i < count; ++i) out[i] = Op::template from_fmod<T>(x[i], y[i], mod[i]);
      } else {
        _mm_setcsr(events);
        for (std::int64_t i = 0; i < count; ++i) out[i] = Op::template apply<T>(x[i], y[i]);
      }
    }
    return;
  }
#endif
  binary_loop<Op, T>(d, s, n);
}

template <class Op, class... Ts>
void modulo(LoopList& list, OpId id) {
  (list.push_back({id, ir::dtype_of<Ts>, modulo_loop<Op, Ts>}), ...);
}

}  // namespace

std::span<const LoopRow> arithmetic_loops() {
  static const LoopList rows = [] {
    using namespace scalar;
    LoopList l;
#include "runtime/elementwise/loop_rows.def"
#include "runtime/scalar/arithmetic.def"
    // Later rows replace earlier ones.
    modulo<FloorDivide, AUTORAY_FLOATS>(l, OpId::FloorDivide);
    modulo<Remainder, AUTORAY_FLOATS>(l, OpId::Remainder);
    return l;
  }();
  return rows;
}

}  // namespace autoray::runtime
