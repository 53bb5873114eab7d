// What arithmetic that is written once, for numbers and for what stands for numbers (values of kernel IR), may ask of its type,
// and how it chooses: `select` between two values that are there, `choose` where only the one that is needed should be
// computed, if the type allows.
#pragma once

#include <complex>
#include <type_traits>
#include <utility>

namespace autoray::ir {

// Other kinds of numbers specialise it.
template <class T>
struct Traits {
  static constexpr bool is_bool = std::is_same_v<T, bool>;
  static constexpr bool is_int = std::is_integral_v<T> && !is_bool;
  static constexpr bool is_signed = std::is_signed_v<T>;
  static constexpr bool is_real = std::is_floating_point_v<T>;
  static constexpr bool is_complex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
};
template <class T>
inline constexpr bool is_complex_v = Traits<T>::is_complex;
template <class T>
inline constexpr bool is_int_v = Traits<T>::is_int;
template <class T>
inline constexpr bool is_bool_v = Traits<T>::is_bool;
template <class T>
inline constexpr bool is_real_v = Traits<T>::is_real;
template <class T>
inline constexpr bool is_signed_v = Traits<T>::is_signed;
// What comparisons of T give.
template <class T>
using truth_t = decltype(std::declval<T>() == std::declval<T>());

template <class T>
constexpr T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}
template <class Yes, class No>
constexpr auto choose(bool condition, const Yes& yes, const No& no) {
  return condition ? yes() : no();
}

}  // namespace autoray::ir
