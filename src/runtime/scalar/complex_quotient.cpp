#include "runtime/scalar/complex_quotient.h"

#include "runtime/scalar/definitions.h"

namespace autoray::runtime::scalar {

std::complex<float> complex_quotient(std::complex<float> a, std::complex<float> b) { return Divide::by_larger_part(a, b); }
std::complex<double> complex_quotient(std::complex<double> a, std::complex<double> b) { return Divide::by_larger_part(a, b); }

}  // namespace autoray::runtime::scalar
