#include "ir/graph/tag_table.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace autoray::ir {
namespace {

// Keys put in as they come, found again by std's table and by this one; `hash` decides how they collide.
template <class Hash>
void agrees_with_a_map(std::size_t count, Hash hash) {
  TagTable table;
  std::unordered_map<std::uint32_t, std::uint32_t> known;  // by key: its number
  std::vector<std::uint32_t> keys;
  std::mt19937 random(7);
  for (std::size_t i = 0; i < count; ++i) {
    const auto key = static_cast<std::uint32_t>(random() % count);
    auto found = table.find(hash(key), [&](std::uint32_t number) { return keys[number] == key; });
    auto [place, fresh] = known.try_emplace(key, static_cast<std::uint32_t>(keys.size()));
    ASSERT_EQ(found, fresh ? TagTable::kNone : place->second);
    if (!fresh) continue;
    keys.push_back(key);
    table.insert();
  }
  EXPECT_EQ(keys.size(), known.size());
}

TEST(TagTable, FindsWhatWasPutIn) {
  agrees_with_a_map(100000, [](std::uint32_t key) { return key * 0x9e3779b9u; });
}

TEST(TagTable, TellsEqualHashesApart) {
  agrees_with_a_map(2000, [](std::uint32_t key) { return key % 3; });               // one group
  agrees_with_a_map(5000, [](std::uint32_t key) { return key << 25; });             // one group, all tags
  agrees_with_a_map(5000, [](std::uint32_t key) { return (key & 127) * 0x101u; });  // one tag
}

TEST(TagTable, IsEmptyWhenCleared) {
  TagTable table;
  auto any = [](std::uint32_t) { return true; };
  EXPECT_EQ(table.find(5, any), TagTable::kNone);
  table.insert();
  EXPECT_EQ(table.find(5, any), 0u);
  table.clear();
  EXPECT_EQ(table.find(5, any), TagTable::kNone);
}

}  // namespace
}  // namespace autoray::ir
