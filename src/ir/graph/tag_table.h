// Numbered things found by their hashes. Open addressing over one-byte tags, eight of which are compared at once, so that most
// searches touch one word of a small table (the layout of Abseil's "Swiss tables"). Numbers count up from 0; nothing is taken
// out but everything. About ten bytes for each number.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "ir/large_vector.h"

namespace autoray::ir {

class TagTable {
 public:
  using Number = std::uint32_t;
  static constexpr Number kNone = 0xffffffffu;

  // The first number of this hash that `same(number)` agrees to. After kNone, `insert` puts the next number under this hash.
  template <class Same>
  Number find(std::uint32_t hash, Same&& same) {
    const std::uint64_t wanted = kEach * tag(hash);
    const std::size_t mask = tags_.size() - 1;
    hash_ = hash;
    for (std::size_t group = hash & mask;; group = (group + 1) & mask) {
      const std::uint64_t tags = tags_[group];
      const std::uint64_t differ = tags ^ wanted;
      // The high bit of each byte that is zero, sometimes of one above it too: hashes tell.
      for (std::uint64_t hits = (differ - kEach) & ~differ & kHigh; hits; hits &= hits - 1) {
        Number number = numbers_[8 * group + byte_of(hits)];
        if (hashes_[number] == hash && same(number)) return number;
      }
      if (std::uint64_t free = ~tags & kHigh) {
        slot_ = 8 * group + byte_of(free);
        return kNone;
      }
    }
  }
  void insert() {
    put(slot_, hash_, static_cast<Number>(hashes_.size()));
    hashes_.push_back(hash_);
    if (4 * hashes_.size() > 3 * numbers_.size()) grow();
  }
  void clear() { *this = TagTable(); }

 private:
  static constexpr std::uint64_t kEach = 0x0101010101010101u, kHigh = kEach << 7;
  static_assert(std::endian::native == std::endian::little);

  // Of the upper bits; lower ones choose the group. A byte without its high bit is free.
  static std::uint64_t tag(std::uint32_t hash) { return 0x80 | hash >> 25; }
  static std::size_t byte_of(std::uint64_t bits) { return static_cast<std::size_t>(std::countr_zero(bits)) / 8; }
  void put(std::size_t slot, std::uint32_t hash, Number number) {
    tags_[slot / 8] |= tag(hash) << slot % 8 * 8;
    numbers_[slot] = number;
  }
  void grow() {
    tags_.assign(4 * tags_.size(), 0);
    numbers_.assign(8 * tags_.size(), 0);
    const std::size_t mask = tags_.size() - 1;
    for (Number number = 0; number < hashes_.size(); ++number) {
      std::size_t group = hashes_[number] & mask;
      while (!(~tags_[group] & kHigh)) group = (group + 1) & mask;
      put(8 * group + byte_of(~tags_[group] & kHigh), hashes_[number], number);
    }
  }

  LargeVector<std::uint64_t> tags_ = LargeVector<std::uint64_t>(64);  // of eight slots each
  LargeVector<Number> numbers_ = LargeVector<Number>(512);            // by slot
  LargeVector<std::uint32_t> hashes_;                                 // by number
  std::uint32_t hash_ = 0;                                            // of what `find` did not find
  std::size_t slot_ = 0;
};

}  // namespace autoray::ir
