// Where a node came from: the script's call stack when it was recorded, as a number. A place is a file, a line, a column and
// the function it stands in; a stack is a place and the stack of its caller, so that nodes of one loop share all but the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/interner.h"

namespace autoray::ir {

using SourceId = std::uint32_t;
inline constexpr SourceId kNoSource = 0;

struct SourcePlace {
  NameId file = 0, function = 0;
  std::uint32_t line = 0, column = 0;  // from 1
  std::uint32_t length = 0;            // of the expression, bytes
  SourceId caller = kNoSource;         // the stack below it

  friend bool operator==(const SourcePlace&, const SourcePlace&) = default;
};

class SourceTable {
 public:
  SourceTable() : places_(1) {}
  SourceId intern(const SourcePlace& place);
  const SourcePlace& place(SourceId id) const { return places_[id]; }
  std::size_t size() const { return places_.size(); }
  int depth(SourceId id) const {  // frames
    int count = 0;
    for (; id != kNoSource; id = places_[id].caller) ++count;
    return count;
  }

  // The files' texts, for who shows the lines; a copy of each file that recorded anything.
  void keep_text(NameId file, std::string_view text) { texts_.try_emplace(file, text); }
  std::string_view text(NameId file) const {
    auto found = texts_.find(file);
    return found == texts_.end() ? std::string_view() : found->second;
  }

 private:
  struct Hash {
    std::size_t operator()(const SourcePlace& p) const {
      std::uint64_t h = (std::uint64_t{p.line} << 32 | p.column) * 0x9e3779b97f4a7c15ull;
      h ^= std::uint64_t{p.length} << 30;
      h ^= (std::uint64_t{p.file} << 40 | std::uint64_t{p.function} << 20 | p.caller) * 0xff51afd7ed558ccdull;
      return h ^ (h >> 31);
    }
  };
  std::vector<SourcePlace> places_;
  std::unordered_map<SourcePlace, SourceId, Hash> ids_;
  std::unordered_map<NameId, std::string> texts_;
};

}  // namespace autoray::ir
