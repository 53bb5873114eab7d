// Loops from definitions: contiguous runs are written so that the compiler vectorises them, strided ones go item by item.
#pragma once

#include <cstring>
#include <vector>

#include "runtime/elementwise/loops.h"
#include "runtime/scalar/definitions.h"
#include "runtime/vector_math.h"

namespace autoray::runtime {

template <class Op, class T>
void unary_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  using R = decltype(Op::template apply<T>(T{}));
  if (s[0] == sizeof(T) && s[1] == sizeof(R)) {
    auto* x = reinterpret_cast<const T*>(d[0]);
    auto* out = reinterpret_cast<R*>(d[1]);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) out[i] = Op::template apply<T>(x[i]);
    return;
  }
  for (std::int64_t i = 0; i < n; ++i)
    *reinterpret_cast<R*>(d[1] + i * s[1]) = Op::template apply<T>(*reinterpret_cast<const T*>(d[0] + i * s[0]));
}

template <class Op, class T>
void binary_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  using R = decltype(Op::template apply<T>(T{}, T{}));
  if (s[2] == sizeof(R)) {
    auto* x = reinterpret_cast<const T*>(d[0]);
    auto* y = reinterpret_cast<const T*>(d[1]);
    auto* out = reinterpret_cast<R*>(d[2]);
    if (s[0] == sizeof(T) && s[1] == sizeof(T)) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) out[i] = Op::template apply<T>(x[i], y[i]);
      return;
    }
    if (s[0] == 0 && s[1] == sizeof(T)) {
      T c = *x;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) out[i] = Op::template apply<T>(c, y[i]);
      return;
    }
    if (s[0] == sizeof(T) && s[1] == 0) {
      T c = *y;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) out[i] = Op::template apply<T>(x[i], c);
      return;
    }
  }
  for (std::int64_t i = 0; i < n; ++i)
    *reinterpret_cast<R*>(d[2] + i * s[2]) =
        Op::template apply<T>(*reinterpret_cast<const T*>(d[0] + i * s[0]), *reinterpret_cast<const T*>(d[1] + i * s[1]));
}

template <VectorFunction F, bool Single>
void vector_unary_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  vector_unary(F, d[0], s[0], d[1], s[1], n, Single);
}
template <VectorFunction F, bool Single>
void vector_binary_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  vector_binary(F, d[0], s[0], d[1], s[1], d[2], s[2], n, Single);
}

// Registration lines: an op, its definition, its dtypes.
using LoopList = std::vector<LoopRow>;
template <class Op, class... Ts>
void unary(LoopList& list, ir::OpId id) {
  (list.push_back({id, ir::dtype_of<Ts>, unary_loop<Op, Ts>}), ...);
}
template <class Op, class... Ts>
void binary(LoopList& list, ir::OpId id) {
  (list.push_back({id, ir::dtype_of<Ts>, binary_loop<Op, Ts>}), ...);
}

#define AUTORAY_INTEGERS \
  std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t
#define AUTORAY_FLOATS float, double
#define AUTORAY_COMPLEXES std::complex<float>, std::complex<double>

}  // namespace autoray::runtime
