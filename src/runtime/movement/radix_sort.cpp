#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/movement/fast_sorts.h"

namespace autoray::runtime {
namespace {

struct Keyed {
  std::uint64_t key;
  std::int64_t index;
};

// Unsigned, in numpy's order: -0 equals +0, all NaNs are one key, the last.
template <class T>
std::uint64_t ordered_key(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return std::numeric_limits<std::uint64_t>::max();
    auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(value) + 0.0);
    return bits >> 63 ? ~bits : bits | (std::uint64_t{1} << 63);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) ^ (std::uint64_t{1} << 63);
  } else {
    return value;
  }
}

void radix_sort(std::vector<Keyed>& items) {
  constexpr int kDigits = 8;
  constexpr std::size_t kValues = 256;
  std::vector<std::size_t> counts(kDigits * kValues, 0);
  for (const Keyed& item : items)
    for (int digit = 0; digit < kDigits; ++digit) ++counts[digit * kValues + (item.key >> (8 * digit) & 0xff)];
  std::vector<Keyed> other(items.size());
  for (int digit = 0; digit < kDigits; ++digit) {
    std::size_t* count = &counts[digit * kValues];
    // A digit in which all agree orders nothing.
    if (count[items[0].key >> (8 * digit) & 0xff] == items.size()) continue;
    std::size_t place = 0;
    for (std::size_t value = 0; value < kValues; ++value) place += std::exchange(count[value], place);
    for (const Keyed& item : items) other[count[item.key >> (8 * digit) & 0xff]++] = item;
    items.swap(other);
  }
}

}  // namespace

bool radix_argsort(ir::DType dtype, const void* items, std::int64_t n, std::int64_t* order) {
  // Below, the passes over the counts cost more than comparing.
  constexpr std::int64_t kFewest = 512;
  return ir::visit_dtype(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) {
      if (n == 0) return true;
      std::vector<Keyed> keyed(static_cast<std::size_t>(n));
      for (std::int64_t i = 0; i < n; ++i)
        keyed[static_cast<std::size_t>(i)] = {ordered_key(static_cast<const T*>(items)[i]), i};
      if (n < kFewest) {
        std::sort(keyed.begin(), keyed.end(),
                  [](const Keyed& a, const Keyed& b) { return a.key != b.key ? a.key < b.key : a.index < b.index; });
      } else {
        radix_sort(keyed);
      }
      for (std::int64_t i = 0; i < n; ++i) order[i] = keyed[static_cast<std::size_t>(i)].index;
      return true;
    } else {
      return false;
    }
  });
}

}  // namespace autoray::runtime
