// Transcendental functions on arrays: libmvec's vector variants (they come with libc's -lm), found with dlopen at first use,
// because a program needs libc and libm alone to start. One variant a function and process: remainders are padded through the
// same vector function, so a value's bits do not depend on where it stands. At most 4 ULP over the whole range.
#pragma once

#include <cstdint>

namespace autoray::runtime {

enum class VectorFunction : std::uint8_t {
  Exp,
  Expm1,
  Log,
  Log2,
  Log10,
  Log1p,
  Sin,
  Cos,
  Tan,
  Asin,
  Acos,
  Atan,
  Sinh,
  Cosh,
  Tanh,
  Asinh,
  Acosh,
  Atanh,
  Pow,
  Atan2,
  Hypot,
  Cbrt,
  Exp2,
  Count
};

// out[i] = f(x[i]), strides in bytes.
void vector_unary(VectorFunction f, const char* x, std::int64_t xs, char* out, std::int64_t os, std::int64_t n, bool single);
void vector_binary(VectorFunction f, const char* x, std::int64_t xs, const char* y, std::int64_t ys, char* out, std::int64_t os,
                   std::int64_t n, bool single);

}  // namespace autoray::runtime
