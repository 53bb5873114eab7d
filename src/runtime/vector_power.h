// x ** y of float64 vectors for AVX-512, which libmvec's variant takes twice the time for. Tables of 16 entries that stand in
// registers instead of gathers from memory (as Tang, "Table-driven implementation of the logarithm function", 1990, and of the
// exponential, 1989), the logarithm in two parts of together 64 bits. At most 1.1 ULP, measured, and 0.52 where the result is
// no giant, so that small integers' powers come out exact; everything special is libm's pow, lane by lane.
#pragma once

namespace autoray::runtime {

#if defined(__AVX512F__) && defined(__AVX512DQ__)
typedef double PowerVector __attribute__((vector_size(64)));
PowerVector vector_power(PowerVector x, PowerVector y);
#endif

}  // namespace autoray::runtime
