// Attribute lists as small numbers: a graph's nodes name theirs by id, and equal lists have equal ids.
//
// Lists are kept as bytes (a tag and a compact payload a value), so that "equal" is structural and typed: 1, 1.0 and True
// differ, -1 and -2 differ, and no hash is taken for an identity. An entry costs 24 bytes up to 12 bytes of text and 8 bytes of
// index; it is counted, and its place is reused when the last node that names it goes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/type.h"

namespace autoray::ir {

using AttrsId = std::uint32_t;

// The bytes of a list, and back. Decoding accepts what encoding wrote.
std::string encode_attrs(std::span<const Attr> attrs);
std::vector<Attr> decode_attrs(std::string_view bytes);

class AttrTable {
 public:
  AttrTable();
  ~AttrTable();
  AttrTable(const AttrTable&) = delete;
  AttrTable& operator=(const AttrTable&) = delete;

  // The id of this list, counted once more for the caller.
  AttrsId intern(std::span<const Attr> attrs);
  void retain(AttrsId id) { ++entries_[id].references; }
  void release(AttrsId id) {
    if (--entries_[id].references == 0) erase(id);
  }

  std::string_view bytes(AttrsId id) const;
  std::vector<Attr> attrs(AttrsId id) const { return decode_attrs(bytes(id)); }
  std::size_t live() const { return live_; }
  std::size_t memory() const;  // bytes, the index included

 private:
  static constexpr std::uint32_t kInline = 12;
  struct Entry {
    std::uint32_t references;
    std::uint32_t hash;
    std::uint32_t size;
    char text[kInline];  // longer lists: the first eight bytes are a pointer
  };
  static_assert(sizeof(Entry) == 24);

  void erase(AttrsId id);
  void grow();
  const char* data(const Entry& e) const;

  std::vector<Entry> entries_;
  std::vector<AttrsId> free_;
  std::vector<std::uint32_t> slots_;  // id + 1; 0: free. Linear probing, no tombstones (deletion shifts back).
  std::size_t live_ = 0;
  std::string scratch_;
};

}  // namespace autoray::ir
