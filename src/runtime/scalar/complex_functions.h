// Definitions of functions of complex numbers that are libm's, a value at a time, or a loop: only eager loops have them.
#pragma once

#include "runtime/scalar/definitions.h"

namespace autoray::runtime::scalar {

#define AUTORAY_COMPLEX(Name, expr) \
  struct Name {                     \
    template <class T>              \
    static T apply(T a) {           \
      return expr;                  \
    }                               \
  };
AUTORAY_COMPLEX(ComplexExp, std::exp(a))
AUTORAY_COMPLEX(ComplexExp2, std::exp(T(a.real() * typename T::value_type(M_LN2), a.imag() * typename T::value_type(M_LN2))))
AUTORAY_COMPLEX(ComplexExpm1, T(std::expm1(a.real()) * std::cos(a.imag()) - 2 * std::sin(a.imag() / 2) * std::sin(a.imag() / 2),
                                std::exp(a.real()) * std::sin(a.imag())))
AUTORAY_COMPLEX(ComplexLog, std::log(a))
AUTORAY_COMPLEX(ComplexLog2, std::log(a) * typename T::value_type(1.4426950408889634074))
AUTORAY_COMPLEX(ComplexLog10, std::log10(a))
AUTORAY_COMPLEX(ComplexLog1p, T(std::log(std::hypot(a.real() + 1, a.imag())), std::atan2(a.imag(), a.real() + 1)))
AUTORAY_COMPLEX(ComplexSin, std::sin(a))
AUTORAY_COMPLEX(ComplexCos, std::cos(a))
AUTORAY_COMPLEX(ComplexTan, std::tan(a))
AUTORAY_COMPLEX(ComplexAsin, std::asin(a))
AUTORAY_COMPLEX(ComplexAcos, std::acos(a))
AUTORAY_COMPLEX(ComplexAtan, std::atan(a))
AUTORAY_COMPLEX(ComplexSinh, std::sinh(a))
AUTORAY_COMPLEX(ComplexCosh, std::cosh(a))
AUTORAY_COMPLEX(ComplexTanh, std::tanh(a))
AUTORAY_COMPLEX(ComplexAsinh, std::asinh(a))
AUTORAY_COMPLEX(ComplexAcosh, std::acosh(a))
AUTORAY_COMPLEX(ComplexAtanh, std::atanh(a))
#undef AUTORAY_COMPLEX
struct ComplexPower {
  template <class T>
  static T apply(T a, T b) {
    if (b == T(0)) return T(1);
    if (a == T(0)) return b.real() > 0 ? T(0) : T(NAN, NAN);
    // As numpy: these without a factor of one, whose imaginary zero makes NaN of infinities.
    if (b == T(1)) return a;
    if (b == T(2)) return Multiply::apply(a, a);
    if (b == T(3)) return Multiply::apply(a, Multiply::apply(a, a));
    if (b.imag() == 0 && b.real() == std::floor(b.real()) && std::fabs(b.real()) < 100) {
      auto n = static_cast<int>(std::fabs(b.real()));
      T r(1), p = a;
      for (; n; n >>= 1) {
        if (n & 1) r = Multiply::apply(r, p);
        p = Multiply::apply(p, p);
      }
      return b.real() < 0 ? Divide::apply(T(1), r) : r;
    }
    return std::pow(a, b);
  }
};

}  // namespace autoray::runtime::scalar
