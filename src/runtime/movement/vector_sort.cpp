// One target, the build's own: the binary is built for a processor. AMD's Zen 4 stores compressed AVX-512 vectors by microcode;
// Zen 5, which older compilers take for the same, has VP2INTERSECT.
#if defined(__AVX512F__) && (defined(__znver3__) || defined(__znver4__)) && !defined(__AVX512VP2INTERSECT__)
#define HWY_DISABLED_TARGETS (HWY_AVX3 | HWY_AVX3_DL)
#endif
#define HWY_WANT_AVX3_DL  // Highway leaves it out otherwise, and is not built where the build's own target is that
#include <hwy/contrib/sort/vqsort.h>
#include <hwy/highway.h>
// After them.
#include <hwy/contrib/sort/traits-inl.h>
#include <hwy/contrib/sort/vqsort-inl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "runtime/movement/fast_sorts.h"

// Highway's seed comes from the operating system; ours is fixed, so that equal runs do equal work. The result does not depend
// on it, and the worst case is bounded by heapsort whatever the pivots.
namespace hwy {
void Sorter::Fill24Bytes(const void*, std::size_t, void* bytes) {
  static constexpr std::uint64_t kSeed[3] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb};
  std::memcpy(bytes, kSeed, sizeof kSeed);
}
}  // namespace hwy

HWY_BEFORE_NAMESPACE();
namespace autoray::runtime {
namespace {
namespace target = hwy::HWY_NAMESPACE;

template <class T>
void ascending(T* keys, std::size_t n) {
  if (n < 2) return;  // Highway takes no empty range
#if VQSORT_ENABLED
  target::SortTag<T> tag;
  target::detail::SharedTraits<target::detail::TraitsLane<target::detail::OrderAscending<T>>> traits;
  target::Sort(tag, traits, keys, n, static_cast<T*>(nullptr));
#else
  std::sort(keys, keys + n);
#endif
}

// What Highway's float order would lose: infinities (it pads with the largest finite number) and the signs of zeros (runs of
// equal keys are filled with one of them); NaNs have no place in it at all.
template <class T>
bool is_special(T v) {
  return !(std::abs(v) <= std::numeric_limits<T>::max()) || (v == 0 && std::signbit(v));
}

// The ordinary numbers by vectors; zeros, infinities and NaNs are set aside in their order and put back around them.
template <class T>
void ascending_with_specials(T* keys, std::size_t n) {
  std::vector<T> zeros, nans;
  std::size_t lowest = 0, highest = 0;
  T* end = keys;
  for (std::size_t i = 0; i < n; ++i) {
    T v = keys[i];
    if (v == 0)
      zeros.push_back(v);
    else if (v != v)
      nans.push_back(v);
    else if (std::isinf(v))
      ++(v < 0 ? lowest : highest);
    else
      *end++ = v;
  }
  ascending(keys, static_cast<std::size_t>(end - keys));
  T* positive = std::lower_bound(keys, end, T{0});
  T* to = std::copy_backward(positive, end, keys + n - nans.size() - highest);
  std::copy_backward(keys, positive, to - zeros.size());
  std::fill_n(keys, lowest, -std::numeric_limits<T>::infinity());
  std::copy(zeros.begin(), zeros.end(), to - zeros.size());
  std::fill_n(keys + n - nans.size() - highest, highest, std::numeric_limits<T>::infinity());
  std::copy(nans.begin(), nans.end(), keys + n - nans.size());
}

}  // namespace

bool vector_sort(ir::DType dtype, void* items, std::int64_t n) {
  return ir::visit_dtype(dtype, [&]<class T>() {
    auto* keys = static_cast<T*>(items);
    auto count = static_cast<std::size_t>(n);
    if constexpr (std::is_floating_point_v<T>) {
      bool special = false;
      for (std::size_t i = 0; i < count; ++i) special |= is_special(keys[i]);
      special ? ascending_with_specials(keys, count) : ascending(keys, count);
      return true;
    } else if constexpr (std::is_integral_v<T> && sizeof(T) >= 2) {
      ascending(keys, count);
      return true;
    } else {
      return false;
    }
  });
}

}  // namespace autoray::runtime
HWY_AFTER_NAMESPACE();
