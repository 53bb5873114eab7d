// Quotients of complex numbers, apart from the loops: these are compiled so that comparisons and choices become vectors, where
// a compiler divides by both parts of a divisor and tells of the zero that it does not use.
#pragma once

#include <complex>

namespace autoray::runtime::scalar {

// scalar::Divide's; floating-point events are those of the number's own quotient.
std::complex<float> complex_quotient(std::complex<float> a, std::complex<float> b);
std::complex<double> complex_quotient(std::complex<double> a, std::complex<double> b);

}  // namespace autoray::runtime::scalar
