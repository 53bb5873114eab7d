#include "ir/graph/type_table.h"

#include <algorithm>

namespace autoray::ir {

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
    if (std::equal(types.begin(), types.end(), lists_[first->second].begin(), lists_[first->second].end())) return first->second;
  auto id = static_cast<TypesId>(lists_.size());
  lists_.emplace_back(types.begin(), types.end());
  ids_.emplace(hash, id);
  return id;
}

}  // namespace autoray::ir
