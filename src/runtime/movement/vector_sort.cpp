// One target, the build's own: the binary is built for a processor. AMD's Zen 4 stores compressed AVX-512 vectors by microcode,
// which makes AVX2's quicksort three times faster there.
#if defined(__AVX512F__) && (defined(__znver3__) || defined(__znver4__))
#define HWY_DISABLED_TARGETS (HWY_AVX3 | HWY_AVX3_DL)
#endif
#include <hwy/contrib/sort/vqsort.h>
#include <hwy/highway.h>
// After them.
#include <hwy/contrib/sort/traits-inl.h>
#include <hwy/contrib/sort/vqsort-inl.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

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
#if VQSORT_ENABLED
  target::SortTag<T> tag;
  target::detail::SharedTraits<target::detail::TraitsLane<target::detail::OrderAscending<T>>> traits;
  target::Sort(tag, traits, keys, n, static_cast<T*>(nullptr));
#else
  std::sort(keys, keys + n);
#endif
}

}  // namespace

bool vector_sort(ir::DType dtype, void* items, std::int64_t n) {
  return ir::visit_dtype(dtype, [&]<class T>() {
    auto* keys = static_cast<T*>(items);
    auto count = static_cast<std::size_t>(n);
    if constexpr (std::is_floating_point_v<T>) {
      // NaNs have no place in the order of vectors: they go last beforehand.
      ascending(keys, static_cast<std::size_t>(std::partition(keys, keys + count, [](T v) { return v == v; }) - keys));
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
