// A view of elements one after the other: std::span for hosts that are built as C++17.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace autoray {

template <class T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, std::size_t size) : data_(data), size_(size) {}
  // For the length of one call: a list in braces. It lives as long as the call, which is what the warning is about.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"
#endif
  constexpr Span(std::initializer_list<std::remove_const_t<T>> list) : data_(list.begin()), size_(list.size()) {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  template <std::size_t n>
  constexpr Span(T (&array)[n]) : data_(array), size_(n) {}
  template <std::size_t n, class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr Span(U (&array)[n]) : data_(array), size_(n) {}
  // Any container or view with data() and size().
  template <class Container,
            class = std::enable_if_t<std::is_convertible_v<decltype(std::declval<const Container&>().data()), const T*> &&
                                     std::is_convertible_v<decltype(std::declval<const Container&>().size()), std::size_t>>>
  constexpr Span(const Container& container) : data_(container.data()), size_(container.size()) {}

  constexpr T* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  constexpr T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace autoray
