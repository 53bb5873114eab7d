#include "runtime/elementwise/choice_loops.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <type_traits>

namespace autoray::runtime {
namespace {

// Both are read, so that the choice is a blend by masks and no branch.
template <class T>
void choose_items(const std::uint8_t* condition, const T* x, bool one_x, const T* y, bool one_y, T* out, std::int64_t n) {
  auto blend = [](std::uint8_t c, T a, T b) {
    T mask = static_cast<T>(0 - static_cast<T>(c));
    return static_cast<T>((a & mask) | (b & ~mask));
  };
  T a = *x, b = *y;
  if (one_x && one_y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) out[i] = blend(condition[i], a, b);
  } else if (one_x) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) out[i] = blend(condition[i], a, y[i]);
  } else if (one_y) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) out[i] = blend(condition[i], x[i], b);
  } else {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) out[i] = blend(condition[i], x[i], y[i]);
  }
}

// complex128: two words an item.
using Pair = unsigned __int128;

}  // namespace

void choose(const char* condition, const char* x, std::int64_t xs, const char* y, std::int64_t ys, char* out, std::int64_t size,
            std::int64_t n) {
  auto run = [&]<class T>() {
    choose_items(reinterpret_cast<const std::uint8_t*>(condition), reinterpret_cast<const T*>(x), xs == 0,
                 reinterpret_cast<const T*>(y), ys == 0, reinterpret_cast<T*>(out), n);
  };
  switch (size) {
    case 1: run.template operator()<std::uint8_t>(); break;
    case 2: run.template operator()<std::uint16_t>(); break;
    case 4: run.template operator()<std::uint32_t>(); break;
    case 8: run.template operator()<std::uint64_t>(); break;
    default: run.template operator()<Pair>(); break;
  }
}

bool clip_dense(ir::DType dtype, const char* x, const char* low, const char* high, char* out, std::int64_t n) {
  return ir::visit_dtype(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      auto* items = reinterpret_cast<const T*>(x);
      auto* result = reinterpret_cast<T*>(out);
      T a{}, b{};
      if (low) std::memcpy(&a, low, sizeof a);
      if (high) std::memcpy(&b, high, sizeof b);
      // A NaN bound makes everything NaN, which these comparisons do not: the general way does.
      if (a != a || b != b) return false;
      // maximum, then minimum, for bounds that are numbers: what compares as neither (a NaN) stays.
      auto raised = [a](T v) { return v < a ? a : v; };
      auto lowered = [b](T v) { return v > b ? b : v; };
      if (low && high) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i) result[i] = lowered(raised(items[i]));
      } else if (low) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i) result[i] = raised(items[i]);
      } else {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i) result[i] = lowered(items[i]);
      }
      return true;
    } else {
      return false;
    }
  });
}

void isclose_dense(const double* x, const double* y, double rtol, double atol, bool equal_nan, bool* out, std::int64_t n) {
  // In blocks through the cache: the comparison's bits first, then their bytes, each a loop the compiler vectorises.
  constexpr std::int64_t kBlock = 1024;
  std::uint64_t holds[kBlock];
  for (std::int64_t at = 0; at < n; at += kBlock) {
    std::int64_t count = std::min(kBlock, n - at);
    const double *a = x + at, *b = y + at;
    for (std::int64_t i = 0; i < count; ++i) {
      double size = std::fabs(b[i]), distance = std::fabs(a[i] - b[i]);
      bool near = (distance <= atol + rtol * size) & (size <= __DBL_MAX__);
      bool same = (a[i] == b[i]) | (equal_nan & (a[i] != a[i]) & (b[i] != b[i]));
      holds[i] = near | same;
    }
    for (std::int64_t i = 0; i < count; ++i) out[at + i] = holds[i] != 0;
  }
}

}  // namespace autoray::runtime
