// A vector of trivially copyable items whose first N live inside it: shapes, strides and operand lists need no allocation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <type_traits>

namespace autoray::ir {

template <class T, std::size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  SmallVector() = default;
  explicit SmallVector(std::size_t count, T value = T{}) { resize(count, value); }
  SmallVector(std::initializer_list<T> items) { assign(items.begin(), items.end()); }
  explicit SmallVector(std::span<const T> items) { assign(items.data(), items.data() + items.size()); }
  template <class It>
  SmallVector(It first, It last) {
    assign(first, last);
  }
  SmallVector(const SmallVector& other) { copy(other); }
  SmallVector(SmallVector&& other) noexcept { take(other); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) copy(other);
    return *this;
  }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~SmallVector() { release(); }

  T* data() { return heap_ ? heap_ : reinterpret_cast<T*>(inline_); }
  const T* data() const { return heap_ ? heap_ : reinterpret_cast<const T*>(inline_); }
  std::size_t size() const { return size_; }
  int ssize() const { return static_cast<int>(size_); }
  bool empty() const { return size_ == 0; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  operator std::span<const T>() const { return {data(), size_}; }

  void reserve(std::size_t count) {
    if (count <= capacity_) return;
    std::size_t capacity = std::max<std::size_t>(count, 2 * capacity_);
    T* fresh = static_cast<T*>(std::malloc(capacity * sizeof(T)));
    if (!fresh) throw std::bad_alloc();
    std::memcpy(static_cast<void*>(fresh), data(), size_ * sizeof(T));
    release();
    heap_ = fresh;
    capacity_ = static_cast<std::uint32_t>(capacity);
  }
  void resize(std::size_t count, T value = T{}) {
    reserve(count);
    for (std::size_t i = size_; i < count; ++i) data()[i] = value;
    size_ = static_cast<std::uint32_t>(count);
  }
  void push_back(T value) {
    if (size_ == capacity_) reserve(size_ + 1);
    data()[size_++] = value;
  }
  // So many more, which the caller fills.
  T* grow(std::size_t count) {
    reserve(size_ + count);
    T* first = data() + size_;
    size_ += static_cast<std::uint32_t>(count);
    return first;
  }
  void pop_back() { --size_; }
  void cut(std::size_t count) { size_ = static_cast<std::uint32_t>(count); }  // to at most its size
  void clear() { size_ = 0; }
  void insert(std::size_t at, T value) {
    push_back(value);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(std::size_t at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --size_;
  }
  template <class It>
  void assign(It first, It last) {
    std::size_t count = static_cast<std::size_t>(last - first);
    reserve(count);
    std::copy(first, last, data());
    size_ = static_cast<std::uint32_t>(count);
  }
  friend bool operator==(const SmallVector& a, const SmallVector& b) {
    return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  // Items inside are copied as one block of fixed size: no call, no loop.
  void copy_inline(const SmallVector& other) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
    std::memcpy(inline_, other.inline_, sizeof inline_);
#pragma GCC diagnostic pop
  }
  void copy(const SmallVector& other) {
    if (heap_ || other.heap_) {
      assign(other.begin(), other.end());
      return;
    }
    copy_inline(other);
    size_ = other.size_;
  }
  void release() {
    if (heap_) std::free(heap_);
    heap_ = nullptr;
    capacity_ = N;
  }
  void take(SmallVector& other) {
    size_ = other.size_;
    capacity_ = other.capacity_;
    heap_ = other.heap_;
    if (!heap_) copy_inline(other);
    other.heap_ = nullptr;
    other.capacity_ = N;
    other.size_ = 0;
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = N;
  T* heap_ = nullptr;
  alignas(T) unsigned char inline_[N * sizeof(T)];
};

// Extents, strides or axes.
using Dims = SmallVector<std::int64_t, 6>;

}  // namespace autoray::ir
