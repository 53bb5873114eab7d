// Owners of element memory. A Storage is counted atomically, so arrays may be read and dropped from many threads; a write
// needs exclusion by the caller. Allocation from the thread-local pool costs about 15 ns for small sizes, and large blocks are
// kept for reuse (a fresh 8 MB block costs 2,000 page faults).
#pragma once

#include <sys/single_threaded.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace autoray::runtime {

// Adds to a counter that threads share; without a locked instruction, twenty cycles, while the process has one thread. The
// value before.
template <class T>
T add_shared(std::atomic<T>& counter, T n, std::memory_order order) {
  if (!__libc_single_threaded) return counter.fetch_add(n, order);
  T before = counter.load(std::memory_order_relaxed);
  counter.store(before + n, std::memory_order_relaxed);
  return before;
}

// Puts a value into a place that threads share, if `expected` is there; unlocked likewise.
template <class T>
bool replace_shared(std::atomic<T>& place, T expected, T value, std::memory_order order) {
  if (!__libc_single_threaded) return place.compare_exchange_strong(expected, value, order, std::memory_order_relaxed);
  if (place.load(std::memory_order_relaxed) != expected) return false;
  place.store(value, std::memory_order_relaxed);
  return true;
}

// What an Engine's arrays may use together, and what they do use. Storages charged to it may outlive their Engine, so it goes
// when its Engine has let go and the last byte is given back: one count tells both, and an array costs two atomic additions.
class MemoryBudget {
 public:
  static MemoryBudget* create(std::int64_t limit_bytes);  // limit < 0: none
  void release();                                         // by the Engine
  // Throws MemoryError "array of N bytes exceeds the limit ..." (code E0703) and charges nothing when it does not fit.
  void charge(std::int64_t bytes) {
    if (limit_ >= 0 || bytes >= kOwned / 4) [[unlikely]]
      return charge_checked(bytes);
    note_peak((add_shared(used_, bytes, std::memory_order_relaxed) & (kOwned - 1)) + bytes);
  }
  // Throws as charge does, and changes nothing.
  void check(std::int64_t bytes) const {
    if (std::int64_t now = used() + bytes; limit_ >= 0 && now > limit_) [[unlikely]]
      refuse(bytes, now);
  }
  void refund(std::int64_t bytes) {
    if (add_shared(used_, -bytes, std::memory_order_acq_rel) == bytes) delete this;
  }
  std::int64_t used() const { return used_.load(std::memory_order_relaxed) & (kOwned - 1); }
  std::int64_t peak() const { return peak_.load(std::memory_order_relaxed); }
  void set_limit(std::int64_t limit_bytes) { limit_ = limit_bytes; }

 private:
  static constexpr std::int64_t kOwned = std::int64_t{1} << 62;  // set while the Engine holds it
  void charge_checked(std::int64_t bytes);
  [[noreturn]] void refuse(std::int64_t bytes, std::int64_t now) const;
  void note_peak(std::int64_t now) {
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }

  std::atomic<std::int64_t> used_{kOwned};
  std::atomic<std::int64_t> peak_{0};
  std::int64_t limit_ = -1;
};

// Memory for one object of any kind, from the thread's free blocks: 64-byte aligned, at least kSmallBlock bytes.
inline constexpr std::size_t kSmallBlock = 256;
void* take_small_block();
void give_small_block(void* block);

// For std::allocate_shared of what hosts make and drop at each call.
template <class T>
struct SmallBlocks {
  using value_type = T;
  SmallBlocks() = default;
  template <class U>
  SmallBlocks(const SmallBlocks<U>&) {}
  T* allocate(std::size_t) {  // of one
    static_assert(sizeof(T) <= kSmallBlock);
    return static_cast<T*>(take_small_block());
  }
  void deallocate(T* block, std::size_t) { give_small_block(block); }
  friend bool operator==(const SmallBlocks&, const SmallBlocks&) { return true; }
};

class Storage {
 public:
  using Deleter = void (*)(void* context, void* data);

  // 64-byte aligned, uninitialised, at least `bytes` long; null budget: not charged. Throws MemoryError when the system
  // refuses. Zeroed memory comes from `allocate_zeroed` (fresh pages need no writing).
  static Storage* allocate(std::size_t bytes, MemoryBudget* budget);
  static Storage* allocate_zeroed(std::size_t bytes, MemoryBudget* budget);
  // Somebody else's memory; `deleter(context, data)` runs when the last array goes (may be null).
  static Storage* adopt(void* data, std::size_t bytes, bool writable, Deleter deleter, void* context);

  void retain() { add_shared(references_, 1, std::memory_order_relaxed); }
  void release() {
    // The only owner needs no atomic write: nobody else can take a reference.
    if (unique() || add_shared(references_, -1, std::memory_order_acq_rel) == 1) destroy();
  }
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

  char* data() { return data_; }
  std::size_t bytes() const { return bytes_; }
  bool writable() const { return writable_; }
  void set_writable(bool writable) { writable_ = writable; }
  // Counts writes; folded constants and captured arrays are keyed on it.
  std::int64_t charged_bytes() const { return budget_ ? static_cast<std::int64_t>(bytes_) : 0; }
  bool charged_to(const MemoryBudget& budget) const { return budget_ == &budget; }
  // Moves the charge to another budget; throws, and changes nothing, when it does not fit there.
  void charge_to(MemoryBudget& budget);
  std::uint64_t version() const { return version_; }
  void bump_version() { ++version_; }
  // It takes the other's place in an array.
  void follow(const Storage& other) { version_ = other.version_ + 1; }
  bool adopted() const { return origin_ != 0; }  // somebody else's memory

 private:
  Storage() = default;
  static Storage* allocate_mapped(std::size_t bytes, MemoryBudget* budget);
  void destroy();

  std::atomic<std::int32_t> references_{1};
  bool writable_ = true;
  bool fresh_zero_ = false;  // mapped just now and never written
  std::uint8_t origin_ = 0;
  std::uint16_t size_class_ = 0;
  std::size_t mapped_bytes_ = 0;
  char* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint64_t version_ = 0;
  MemoryBudget* budget_ = nullptr;
  Deleter deleter_ = nullptr;
  void* deleter_context_ = nullptr;
};

// A counted pointer to a Storage.
class StoragePtr {
 public:
  StoragePtr() = default;
  explicit StoragePtr(Storage* adopted) : storage_(adopted) {}
  StoragePtr(const StoragePtr& other) : storage_(other.storage_) {
    if (storage_) storage_->retain();
  }
  StoragePtr(StoragePtr&& other) noexcept : storage_(std::exchange(other.storage_, nullptr)) {}
  StoragePtr& operator=(StoragePtr other) noexcept {
    std::swap(storage_, other.storage_);
    return *this;
  }
  ~StoragePtr() {
    if (storage_) storage_->release();
  }
  Storage* get() const { return storage_; }
  Storage* operator->() const { return storage_; }
  explicit operator bool() const { return storage_ != nullptr; }
  friend bool operator==(const StoragePtr& a, const StoragePtr& b) { return a.storage_ == b.storage_; }

 private:
  Storage* storage_ = nullptr;
};

}  // namespace autoray::runtime
