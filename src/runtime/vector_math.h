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

// The width of these variants, of everything that calls them, and of generated code.
#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

// The function that takes and gives one vector of kVectorBytes: what these loops call, for code that is generated. Null where
// this libc has none.
void* vector_entry(VectorFunction f, bool single);

// out[i] = f(x[i]), strides in bytes.
void vector_unary(VectorFunction f, const char* x, std::int64_t xs, char* out, std::int64_t os, std::int64_t n, bool single);
void vector_binary(VectorFunction f, const char* x, std::int64_t xs, const char* y, std::int64_t ys, char* out, std::int64_t os,
                   std::int64_t n, bool single);

}  // namespace autoray::runtime
