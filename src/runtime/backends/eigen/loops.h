// An element-wise loop made of an Eigen expression. Operands that are not contiguous (broadcast scalars, strided views) pass
// through a buffer a block at a time, so that every expression is compiled once and runs vectorised.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "runtime/backends/eigen/backend.h"

namespace autoray::runtime {

template <class T>
using EigenItems = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

inline constexpr std::int64_t kEigenBlock = 512;

template <class T>
const T* eigen_gather(const char* from, std::int64_t stride, std::int64_t n, T* buffer) {
  if (stride == static_cast<std::int64_t>(sizeof(T))) return reinterpret_cast<const T*>(from);
  for (std::int64_t i = 0; i < n; ++i) std::memcpy(static_cast<void*>(buffer + i), from + i * stride, sizeof(T));
  return buffer;
}

template <class T>
bool is_subnormal(T x) {
  return x != 0 && std::abs(x) < std::numeric_limits<T>::min();
}

// F::apply(x) or F::apply(x, y): an expression of `R` items.
template <class F, class T, class R = T>
void eigen_unary(char* const* data, const std::int64_t* strides, std::int64_t n) {
  ++eigen_expressions();
  alignas(64) T in[kEigenBlock];
  alignas(64) R out[kEigenBlock];
  bool straight = strides[0] == static_cast<std::int64_t>(sizeof(T)) && strides[1] == static_cast<std::int64_t>(sizeof(R));
  constexpr bool kLimited = requires(T v) { F::is_outside(v); };
  const std::int64_t step = straight && !kLimited ? n : kEigenBlock;
  for (std::int64_t at = 0; at < n; at += step) {
    std::int64_t count = std::min(step, n - at);
    const T* items = eigen_gather(data[0] + at * strides[0], strides[0], count, in);
    char* to = data[1] + at * strides[1];
    bool direct = strides[1] == static_cast<std::int64_t>(sizeof(R));
    R* results = direct ? reinterpret_cast<R*>(to) : out;
    bool any_outside = false;
    if constexpr (kLimited) {
      for (std::int64_t i = 0; i < count; ++i) any_outside |= F::is_outside(items[i]);
      // The results may take the items' place.
      if (any_outside && items != in) items = std::copy_n(items, count, in) - count;
    }
    Eigen::Map<Eigen::Array<R, Eigen::Dynamic, 1>>(results, count) = F::apply(EigenItems<T>(items, count));
    if constexpr (kLimited)
      for (std::int64_t i = 0; i < count && any_outside; ++i)
        if (F::is_outside(items[i])) results[i] = F::exact(items[i]);
    if (!direct)
      for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * strides[1], static_cast<const void*>(out + i), sizeof(R));
  }
}
template <class F, class T, class R = T>
void eigen_binary(char* const* data, const std::int64_t* strides, std::int64_t n) {
  ++eigen_expressions();
  alignas(64) T left[kEigenBlock];
  alignas(64) T right[kEigenBlock];
  alignas(64) R out[kEigenBlock];
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  bool straight = strides[0] == size && strides[1] == size && strides[2] == static_cast<std::int64_t>(sizeof(R));
  const std::int64_t step = straight ? n : kEigenBlock;
  for (std::int64_t at = 0; at < n; at += step) {
    std::int64_t count = std::min(step, n - at);
    // A broadcast scalar fills its buffer once.
    auto items = [&](int k, T* buffer) {
      if (straight) return reinterpret_cast<const T*>(data[k]);
      if (strides[k] == 0 && at > 0) return static_cast<const T*>(buffer);
      return eigen_gather(data[k] + at * strides[k], strides[k], count, buffer);
    };
    EigenItems<T> x(items(0, left), count), y(items(1, right), count);
    char* to = data[2] + at * strides[2];
    bool direct = strides[2] == static_cast<std::int64_t>(sizeof(R));
    Eigen::Map<Eigen::Array<R, Eigen::Dynamic, 1>>(direct ? reinterpret_cast<R*>(to) : out, count) = F::apply(x, y);
    if (!direct)
      for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * strides[2], static_cast<const void*>(out + i), sizeof(R));
  }
}

#define EIGEN_UNARY(name, expression) \
  struct name {                       \
    template <class X>                \
    static auto apply(const X& x) {   \
      return expression;              \
    }                                 \
  };
// Eigen's vectors of some functions flush subnormal numbers or clamp their range: items there are the C library's.
#define EIGEN_UNARY_EXCEPT(name, expression, outside, scalar_expression) \
  struct name {                                                          \
    template <class X>                                                   \
    static auto apply(const X& x) {                                      \
      return expression;                                                 \
    }                                                                    \
    template <class T>                                                   \
    static bool is_outside(T x) {                                        \
      return outside;                                                    \
    }                                                                    \
    template <class T>                                                   \
    static T exact(T x) {                                                \
      return scalar_expression;                                          \
    }                                                                    \
  };
#define EIGEN_BINARY(name, expression)          \
  struct name {                                 \
    template <class X>                          \
    static auto apply(const X& x, const X& y) { \
      return expression;                        \
    }                                           \
  };
#define EIGEN_REAL_ROWS(loop, name, function) \
  {ir::OpId::name, ir::DType::Float32, loop<function, float>}, { ir::OpId::name, ir::DType::Float64, loop<function, double> }
#define EIGEN_COMPLEX_ROWS(loop, name, function)                                 \
  {ir::OpId::name, ir::DType::Complex64, loop<function, std::complex<float>>}, { \
    ir::OpId::name, ir::DType::Complex128, loop<function, std::complex<double>>  \
  }

}  // namespace autoray::runtime
