// Names as small numbers: equal texts have equal ids, and an id gives its text back. Owned by an Engine; texts live as long.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace autoray::ir {

using NameId = std::uint32_t;

class Interner {
 public:
  NameId intern(std::string_view text) {
    if (auto found = ids_.find(text); found != ids_.end()) return found->second;
    texts_.emplace_back(text);
    auto id = static_cast<NameId>(texts_.size() - 1);
    ids_.emplace(texts_.back(), id);
    return id;
  }
  std::string_view text(NameId id) const { return texts_[id]; }
  std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;  // stable addresses
  std::unordered_map<std::string_view, NameId> ids_;
};

}  // namespace autoray::ir
