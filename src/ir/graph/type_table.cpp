#include "ir/graph/type_table.h"

#include <algorithm>

namespace autoray::ir {
namespace {

// At most `most`, which a product that overflows is above too.
std::int64_t saturating_product(std::span<const std::int64_t> extents, std::int64_t factor, std::int64_t most) {
  for (std::int64_t extent : extents)
    if (extent == 0) return 0;
  std::int64_t product = factor;
  for (std::int64_t extent : extents)
    if (__builtin_mul_overflow(product, extent, &product)) return most;
  return std::min(product, most);
}

}  // namespace

TypesId TypeTable::intern(std::span<const Type> types) {
  std::uint64_t hash = types.size();
  auto mix = [&](std::uint64_t v) {
    hash = (hash ^ v) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 29;
  };
  for (const Type& type : types) {
    mix(static_cast<std::uint64_t>(type.dtype) << 8 | static_cast<std::uint64_t>(type.kind));
    for (std::int64_t extent : type.shape) mix(static_cast<std::uint64_t>(extent) + 1);
  }
  auto [first, last] = ids_.equal_range(hash);
  for (; first != last; ++first)
    if (std::equal(types.begin(), types.end(), lists_[first->second].begin(), lists_[first->second].end()))
      return first->second;
  auto id = static_cast<TypesId>(lists_.size());
  lists_.emplace_back(types.begin(), types.end());
  Size size{0, 0, static_cast<std::uint32_t>(types.size())};
  for (const Type& type : types) {
    size.elements += saturating_product(type.shape, 1, kMostBytes - size.elements);
    size.bytes += saturating_product(type.shape, static_cast<std::int64_t>(itemsize(type.dtype)), kMostBytes - size.bytes);
  }
  sizes_.push_back(size);
  ids_.emplace(hash, id);
  return id;
}

}  // namespace autoray::ir
