#include "runtime/storage.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "ir/error.h"

namespace autoray::runtime {
namespace {

TEST(Storage, CountsItsUsers) {
  StoragePtr a(Storage::allocate(100, nullptr));
  EXPECT_TRUE(a->unique());
  {
    StoragePtr b = a;
    EXPECT_FALSE(a->unique());
    StoragePtr c = std::move(b);
    EXPECT_FALSE(b);
    EXPECT_TRUE(c == a);
  }
  EXPECT_TRUE(a->unique());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a->data()) % 64, 0u);
}

TEST(Storage, TheDeleterRunsOnceWithTheLastUser) {
  int runs = 0;
  double value = 1;
  StoragePtr a(Storage::adopt(&value, sizeof value, false, [](void* context, void*) { ++*static_cast<int*>(context); }, &runs));
  EXPECT_FALSE(a->writable());
  EXPECT_EQ(a->data(), reinterpret_cast<char*>(&value));
  {
    StoragePtr b = a;
  }
  EXPECT_EQ(runs, 0);
  a = StoragePtr();
  EXPECT_EQ(runs, 1);
}

TEST(Storage, ZeroedMemoryIsZeroAlsoWhenRecycled) {
  for (std::size_t bytes : {1ul, 63ul, 4096ul, 100'000ul, 3'000'000ul})
    for (int round = 0; round < 3; ++round) {
      StoragePtr a(Storage::allocate_zeroed(bytes, nullptr));
      for (std::size_t i = 0; i < bytes; ++i) ASSERT_EQ(a->data()[i], 0) << bytes;
      std::memset(a->data(), 0xff, bytes);
    }
}

TEST(Storage, EverySizeHasItsBytes) {
  std::vector<StoragePtr> kept;
  for (std::size_t bytes = 0; bytes < 300'000; bytes += 1 + bytes / 7) {
    kept.emplace_back(Storage::allocate(bytes, nullptr));
    std::memset(kept.back()->data(), static_cast<int>(kept.size() & 0xff), bytes);
  }
  for (std::size_t i = 0; i < kept.size(); ++i)
    for (std::size_t k = 0; k < kept[i]->bytes(); k += 97)
      ASSERT_EQ(static_cast<unsigned char>(kept[i]->data()[k]), (i + 1) & 0xff);
}

TEST(MemoryBudget, ChargesRefundsAndRefuses) {
  MemoryBudget* budget = MemoryBudget::create(1000);
  {
    StoragePtr a(Storage::allocate(600, budget));
    EXPECT_EQ(budget->used(), 600);
    EXPECT_THROW(Storage::allocate(500, budget), ir::Error);
    EXPECT_EQ(budget->used(), 600);
    StoragePtr b(Storage::allocate(400, budget));
    EXPECT_EQ(budget->peak(), 1000);
  }
  EXPECT_EQ(budget->used(), 0);
  EXPECT_EQ(budget->peak(), 1000);
  StoragePtr outlives(Storage::allocate(10, budget));
  budget->release();  // arrays may outlive their engine
}

TEST(Storage, BlocksMayBeFreedByAnotherThread) {
  std::vector<StoragePtr> made;
  std::thread([&] {
    for (std::size_t bytes : {10ul, 5000ul, 1'000'000ul}) made.emplace_back(Storage::allocate(bytes, nullptr));
  }).join();
  for (auto& storage : made) std::memset(storage->data(), 1, storage->bytes());
  std::thread([list = std::move(made)]() mutable { list.clear(); }).join();
}

}  // namespace
}  // namespace autoray::runtime
