// A std::vector for lists as long as a graph: from 4 MiB on in memory that the system may back with huge pages. A fresh page
// costs a fault and its clearing, 4 KiB at a time a quarter of what computing a graph of ten million nodes takes.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace autoray::ir {

template <class T>
struct HugePageAllocator {
  using value_type = T;
  HugePageAllocator() = default;
  template <class U>
  HugePageAllocator(const HugePageAllocator<U>&) {}

  T* allocate(std::size_t count) {
    if (count > PTRDIFF_MAX / sizeof(T)) throw std::bad_array_new_length();
    std::size_t bytes = count * sizeof(T);
    const bool huge = bytes >= 2 * kHugePage;
    void* block = huge ? std::aligned_alloc(kHugePage, (bytes + kHugePage - 1) & ~(kHugePage - 1)) : std::malloc(bytes);
    if (!block) throw std::bad_alloc();
    if (huge) madvise(block, bytes, MADV_HUGEPAGE);  // what cannot be had stays in small pages
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t) { std::free(block); }
  bool operator==(const HugePageAllocator&) const = default;

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
};

template <class T>
using LargeVector = std::vector<T, HugePageAllocator<T>>;

}  // namespace autoray::ir
