// Result types as small numbers: equal lists of types have equal ids. A program has few different types, so entries stay for
// the table's life and their addresses do not change.
#pragma once

#include <cstdint>
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
  // Of all results together; at most kMostBytes, so that sums over a graph do not overflow.
  std::int64_t bytes(TypesId id) const { return sizes_[id].bytes; }
  std::int64_t elements(TypesId id) const { return sizes_[id].elements; }
  std::uint32_t results(TypesId id) const { return sizes_[id].results; }
  std::size_t size() const { return lists_.size(); }

  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 50;

 private:
  struct Size {
    std::int64_t bytes, elements;
    std::uint32_t results;
  };

  std::vector<std::vector<Type>> lists_;  // by id; a list itself stays where it is
  std::vector<Size> sizes_;               // by id
  std::unordered_multimap<std::uint64_t, TypesId> ids_;
};

}  // namespace autoray::ir
