// Result types as small numbers: equal lists of types have equal ids. A program has few different types, so entries stay for
// the table's life and their addresses do not change.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "ir/type.h"

namespace autoray::ir {

using TypesId = std::uint32_t;

class TypeTable {
 public:
  TypesId intern(std::span<const Type> types);
  TypesId intern(const Type& type) { return intern(std::span(&type, 1)); }
  std::span<const Type> types(TypesId id) const { return lists_[id]; }
  const Type& type(TypesId id, std::size_t result = 0) const { return lists_[id][result]; }
  std::size_t size() const { return lists_.size(); }

 private:
  std::deque<std::vector<Type>> lists_;
  std::unordered_multimap<std::uint64_t, TypesId> ids_;
};

}  // namespace autoray::ir
