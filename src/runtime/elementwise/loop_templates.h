// Loops from definitions: contiguous runs are written so that the compiler vectorises them, strided ones go item by item.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/elementwise/loops.h"
#include "runtime/scalar/definitions.h"
#include "runtime/vector_math.h"

namespace autoray::runtime {

// Complex operands, dense or not, in blocks with the parts apart: the vectors are full, and the compiler does not see sums and
// differences of products side by side, which GCC 12 joins into fused operations even under -ffp-contract=off.
template <class Op, class T, int kOperands>
void complex_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  using Part = typename T::value_type;
  using Result = decltype([] {
    if constexpr (kOperands == 1)
      return Op::template apply<T>(T{});
    else
      return Op::template apply<T>(T{}, T{});
  }());
  constexpr std::int64_t kBlock = 128;
  Part re[kOperands][kBlock], im[kOperands][kBlock], out_re[kBlock], out_im[kBlock];
  bool truth[kBlock];
  for (std::int64_t at = 0; at < n; at += kBlock) {
    std::int64_t count = std::min(kBlock, n - at);
    for (int k = 0; k < kOperands; ++k) {
      const char* from = d[k] + at * s[k];
      auto spread = [&](std::int64_t stride) {
        for (std::int64_t i = 0; i < count; ++i) {
          re[k][i] = *reinterpret_cast<const Part*>(from + i * stride);
          im[k][i] = *reinterpret_cast<const Part*>(from + i * stride + static_cast<std::int64_t>(sizeof(Part)));
        }
      };
      s[k] == sizeof(T) ? spread(sizeof(T)) : spread(s[k]);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      Result r;
      if constexpr (kOperands == 1)
        r = Op::template apply<T>(T(re[0][i], im[0][i]));
      else
        r = Op::template apply<T>(T(re[0][i], im[0][i]), T(re[1][i], im[1][i]));
      if constexpr (std::is_same_v<Result, bool>) {
        truth[i] = r;
      } else if constexpr (std::is_same_v<Result, Part>) {
        out_re[i] = r;
      } else {
        out_re[i] = r.real();
        out_im[i] = r.imag();
      }
    }
    char* to = d[kOperands] + at * s[kOperands];
    auto gather = [&](std::int64_t stride) {
      for (std::int64_t i = 0; i < count; ++i) {
        if constexpr (std::is_same_v<Result, bool>) {
          *reinterpret_cast<bool*>(to + i * stride) = truth[i];
        } else {
          *reinterpret_cast<Part*>(to + i * stride) = out_re[i];
          if constexpr (!std::is_same_v<Result, Part>)
            *reinterpret_cast<Part*>(to + i * stride + static_cast<std::int64_t>(sizeof(Part))) = out_im[i];
        }
      }
    };
    s[kOperands] == sizeof(Result) ? gather(sizeof(Result)) : gather(s[kOperands]);
  }
}

template <class Op, class T>
void unary_loop(char* const* d, const std::int64_t* s, std::int64_t n) {
  using R = decltype(Op::template apply<T>(T{}));
  if constexpr (ir::is_complex_v<T>) return complex_loop<Op, T, 1>(d, s, n);
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
  if constexpr (ir::is_complex_v<T>) return complex_loop<Op, T, 2>(d, s, n);
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

}  // namespace autoray::runtime
