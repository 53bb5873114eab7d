#include "runtime/storage.h"

#include <sys/mman.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "ir/error.h"

namespace autoray::runtime {
namespace {

// A block holds the Storage itself and, from this offset, the elements.
constexpr std::size_t kHeader = 128;
static_assert(sizeof(Storage) <= kHeader && kHeader % 64 == 0);

// Size classes: four steps an octave from 256 bytes to 128 KiB are recycled through free lists; bigger blocks are mapped, and
// a few of them are kept, because a fresh mapping costs a page fault every 4 KiB.
constexpr std::size_t kSmallestBlock = kSmallBlock;
constexpr std::size_t kLargestPooled = 128 << 10;
constexpr int kClasses = 4 * 9 + 1;
constexpr int kKeptPerClass = 64;
constexpr int kKeptMappings = 12;
constexpr std::size_t kKeptMappedBytes = std::size_t{512} << 20;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::uint16_t kMapped = 0xffff;
enum Origin : std::uint8_t { kBlock, kAdopted };

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycle = false;  // every free must be seen by the sanitizer
#else
constexpr bool kRecycle = true;
#endif

int size_class(std::size_t block) {
  if (block <= kSmallestBlock) return 0;
  int octave = std::bit_width(block - 1) - 1;  // 2^octave < block <= 2^(octave+1)
  // A quarter of an octave is a power of two: no division.
  std::size_t step = (std::size_t{1} << octave) / 4;
  int quarter = static_cast<int>((block - (std::size_t{1} << octave) + step - 1) >> (octave - 2));
  return 4 * (octave - 8) + quarter;
}

std::size_t class_bytes(int size_class) {
  if (size_class == 0) return kSmallestBlock;
  int octave = (size_class - 1) / 4, quarter = (size_class - 1) % 4 + 1;
  return (kSmallestBlock << octave) + quarter * ((kSmallestBlock << octave) / 4);
}

struct FreeBlock {
  FreeBlock* next;
};

struct Mapping {
  void* block;
  std::size_t bytes;
};

struct Pool {
  FreeBlock* free[kClasses] = {};
  int count[kClasses] = {};
  Mapping mappings[kKeptMappings] = {};
  int mapping_count = 0;
  std::size_t mapped_bytes = 0;

  ~Pool() {
    for (FreeBlock* block : free)
      while (block) {
        FreeBlock* next = block->next;
        std::free(block);
        block = next;
      }
    for (int i = 0; i < mapping_count; ++i) munmap(mappings[i].block, mappings[i].bytes);
  }
};

// Null again once the thread ends, so that blocks freed by later destructors go straight back.
constinit thread_local Pool* pool = nullptr;
constinit thread_local bool pool_ended = false;
struct PoolOwner {
  ~PoolOwner() {
    delete pool;
    pool = nullptr;
    pool_ended = true;
  }
};

Pool* thread_pool() {
  if (pool || pool_ended) [[likely]]
    return pool;
  static thread_local PoolOwner owner;
  (void)owner;
  pool = new Pool;
  return pool;
}

std::size_t mapping_size(std::size_t bytes) {
  std::size_t page = bytes >= kHugePage ? kHugePage : 4096;
  return (bytes + page - 1) & ~(page - 1);
}

// At least `bytes`; `zero` on return tells whether the memory is known to be zero.
void* map_block(std::size_t bytes, std::size_t& mapped, bool& zero) {
  mapped = mapping_size(bytes);
  if (kRecycle)
    if (Pool* p = thread_pool())
      for (int i = p->mapping_count; i-- > 0;) {
        Mapping kept = p->mappings[i];
        // Not much bigger than asked for: a block must not hold memory that nobody uses.
        if (kept.bytes < mapped || kept.bytes > mapped + mapped / 4) continue;
        p->mappings[i] = p->mappings[--p->mapping_count];
        p->mapped_bytes -= kept.bytes;
        mapped = kept.bytes;
        zero = false;
        return kept.block;
      }
  void* block = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) throw std::bad_alloc();
  if (mapped >= kHugePage) madvise(block, mapped, MADV_HUGEPAGE);
  zero = true;
  return block;
}

void unmap_block(void* block, std::size_t mapped) {
  if (kRecycle)
    if (Pool* p = thread_pool(); p && p->mapping_count < kKeptMappings && p->mapped_bytes + mapped <= kKeptMappedBytes) {
      p->mappings[p->mapping_count++] = {block, mapped};
      p->mapped_bytes += mapped;
      return;
    }
  munmap(block, mapped);
}

void* fresh_block(std::size_t bytes) {
  void* block = std::aligned_alloc(64, bytes);
  if (!block) throw std::bad_alloc();
  return block;
}

// Null: there is none.
void* recycled_block(int size_class) {
  Pool* p = kRecycle ? thread_pool() : nullptr;
  FreeBlock* block = p ? p->free[size_class] : nullptr;
  if (!block) [[unlikely]]
    return nullptr;
  p->free[size_class] = block->next;
  --p->count[size_class];
  return block;
}

void free_small_block(void* block, int size_class) {
  if (kRecycle)
    if (Pool* p = thread_pool(); p && p->count[size_class] < kKeptPerClass) {
      auto* free_block = static_cast<FreeBlock*>(block);
      free_block->next = p->free[size_class];
      p->free[size_class] = free_block;
      ++p->count[size_class];
      return;
    }
  std::free(block);
}

}  // namespace

MemoryBudget* MemoryBudget::create(std::int64_t limit_bytes) {
  auto* budget = new MemoryBudget;
  budget->limit_ = limit_bytes;
  return budget;
}

void MemoryBudget::release() { refund(kOwned); }

void MemoryBudget::refuse(std::int64_t bytes, std::int64_t now) const {
  throw ir::Error(ir::ErrorClass::MemoryError, "an array of " + std::to_string(bytes) +
                                                   " bytes would bring the memory in use to " + std::to_string(now) +
                                                   " bytes, above the limit of " + std::to_string(limit_))
      .with_code(703)
      .with_hint("raise --max-memory, or free arrays that are no longer needed");
}

void MemoryBudget::charge_checked(std::int64_t bytes) {
  // More than any machine has: it would reach the owner's bit.
  if (limit_ < 0) throw std::bad_alloc();
  std::int64_t now = bytes >= kOwned / 4 ? bytes : (add_shared(used_, bytes, std::memory_order_relaxed) & (kOwned - 1)) + bytes;
  if (now > limit_) {
    if (bytes < kOwned / 4) add_shared(used_, -bytes, std::memory_order_relaxed);
    refuse(bytes, now);
  }
  note_peak(now);
}

void* take_small_block() {
  void* block = recycled_block(0);
  return block ? block : fresh_block(kSmallBlock);
}
void give_small_block(void* block) { free_small_block(block, 0); }

namespace {
struct Charge {
  MemoryBudget* budget;
  std::int64_t bytes;
  Charge(MemoryBudget* b, std::size_t n) : budget(b), bytes(static_cast<std::int64_t>(n)) {
    if (budget) budget->charge(bytes);
  }
  ~Charge() {
    if (budget) budget->refund(bytes);
  }
  void keep() { budget = nullptr; }
};
}  // namespace

Storage* Storage::allocate(std::size_t bytes, MemoryBudget* budget) {
  const std::size_t total = kHeader + bytes;
  if (total > kLargestPooled && kRecycle) [[unlikely]]
    return allocate_mapped(bytes, budget);
  if (bytes == 0) budget = nullptr;
  Charge charge(budget, bytes);
  const int index = kRecycle ? autoray::runtime::size_class(total) : 0;
  void* block = recycled_block(index);
  if (!block) [[unlikely]]
    block = fresh_block(kRecycle ? class_bytes(index) : (total + 63) & ~std::size_t{63});
  auto* storage = new (block) Storage;
  storage->size_class_ = static_cast<std::uint16_t>(index);
  storage->data_ = static_cast<char*>(block) + kHeader;
  storage->bytes_ = bytes;
  storage->budget_ = budget;
  charge.keep();
  return storage;
}

Storage* Storage::allocate_mapped(std::size_t bytes, MemoryBudget* budget) {
  Charge charge(budget, bytes);
  std::size_t mapped;
  bool zero;
  void* block = map_block(kHeader + bytes, mapped, zero);
  auto* storage = new (block) Storage;
  storage->mapped_bytes_ = mapped;
  storage->fresh_zero_ = zero;
  storage->size_class_ = kMapped;
  storage->data_ = static_cast<char*>(block) + kHeader;
  storage->bytes_ = bytes;
  storage->budget_ = budget;
  charge.keep();
  return storage;
}

Storage* Storage::allocate_zeroed(std::size_t bytes, MemoryBudget* budget) {
  Storage* storage = allocate(bytes, budget);
  if (!storage->fresh_zero_) std::memset(storage->data_, 0, bytes);
  return storage;
}

Storage* Storage::adopt(void* data, std::size_t bytes, bool writable, Deleter deleter, void* context) {
  void* block = std::aligned_alloc(64, kHeader);
  if (!block) throw std::bad_alloc();
  auto* storage = new (block) Storage;
  storage->origin_ = kAdopted;
  storage->writable_ = writable;
  storage->data_ = static_cast<char*>(data);
  storage->bytes_ = bytes;
  storage->deleter_ = deleter;
  storage->deleter_context_ = context;
  return storage;
}

void Storage::charge_to(MemoryBudget& budget) {
  if (budget_ == &budget || bytes_ == 0) return;
  budget.charge(static_cast<std::int64_t>(bytes_));
  if (budget_) budget_->refund(static_cast<std::int64_t>(bytes_));
  budget_ = &budget;
}

void Storage::destroy() {
  if (deleter_) deleter_(deleter_context_, data_);
  if (budget_) budget_->refund(static_cast<std::int64_t>(bytes_));
  Origin origin = static_cast<Origin>(origin_);
  std::uint16_t block_class = size_class_;
  std::size_t mapped = mapped_bytes_;
  this->~Storage();
  if (origin == kAdopted || !kRecycle) {
    std::free(this);
  } else if (block_class == kMapped) {
    unmap_block(this, mapped);
  } else {
    free_small_block(this, block_class);
  }
}

}  // namespace autoray::runtime
