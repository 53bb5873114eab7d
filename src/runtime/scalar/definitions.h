// The arithmetic of every element-wise op, written once. A definition is a struct with a template `apply`; loops instantiate it
// for each dtype. Integer corner cases come from ir/integer_rules.h; complex ones are written on real pairs.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>

#include "ir/integer_rules.h"

namespace autoray::runtime::scalar {

template <class T>
inline constexpr bool is_complex_v = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
template <class T>
inline constexpr bool is_int_v = std::is_integral_v<T> && !std::is_same_v<T, bool>;

// numpy's order of complex numbers: by real part, then by imaginary part.
template <class T>
bool complex_less(T a, T b) {
  if (a.real() < b.real()) return a.imag() == a.imag() || b.imag() != b.imag();
  if (a.real() > b.real()) return b.imag() != b.imag() && a.imag() == a.imag();
  if (a.real() == b.real() || (a.real() != a.real() && b.real() != b.real()))
    return a.imag() < b.imag() || (b.imag() != b.imag() && a.imag() == a.imag());
  return b.real() != b.real();
}

struct Add {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_same_v<T, bool>)
      return a || b;
    else if constexpr (is_int_v<T>)
      return ir::wrap_add(a, b);
    else if constexpr (is_complex_v<T>)
      return T(a.real() + b.real(), a.imag() + b.imag());
    else
      return a + b;
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_int_v<T>)
      return ir::wrap_subtract(a, b);
    else if constexpr (is_complex_v<T>)
      return T(a.real() - b.real(), a.imag() - b.imag());
    else
      return a - b;
  }
};
struct Multiply {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_same_v<T, bool>)
      return a && b;
    else if constexpr (is_int_v<T>)
      return ir::wrap_multiply(a, b);
    else if constexpr (is_complex_v<T>)
      return T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
    else
      return a * b;
  }
};
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_complex_v<T>) {
      // Smith's division, as numpy.
      auto br = std::fabs(b.real()), bi = std::fabs(b.imag());
      if (br >= bi) {
        if (br == 0 && bi == 0) return T(a.real() / br, a.imag() / br);
        auto ratio = b.imag() / b.real(), scale = 1 / (b.real() + b.imag() * ratio);
        return T((a.real() + a.imag() * ratio) * scale, (a.imag() - a.real() * ratio) * scale);
      }
      auto ratio = b.real() / b.imag(), scale = 1 / (b.imag() + b.real() * ratio);
      return T((a.real() * ratio + a.imag()) * scale, (a.imag() * ratio - a.real()) * scale);
    } else {
      return a / b;
    }
  }
};
struct FloorDivide {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_int_v<T>)
      return ir::floor_divide_integer(a, b);
    else {
      return b == 0 ? a / b : from_fmod(a, b, std::fmod(a, b));
    }
  }
  // Of finite a and b, b not zero.
  template <class T>
  static T from_fmod(T a, T b, T mod) {
    T div = (a - mod) / b;
    div = mod != 0 && ((b < 0) != (mod < 0)) ? div - 1 : div;
    T floor = std::floor(div);
    floor = div - floor > T(0.5) ? floor + 1 : floor;
    return div == 0 ? std::copysign(T(0), a / b) : floor;
  }
};
struct Remainder {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_int_v<T>)
      return ir::remainder_integer(a, b);
    else {
      T mod = std::fmod(a, b);
      return b == 0 ? mod : from_fmod(a, b, mod);
    }
  }
  template <class T>
  static T from_fmod(T, T b, T mod) {
    T moved = (b < 0) != (mod < 0) ? mod + b : mod;
    return mod != 0 ? moved : std::copysign(T(0), b);
  }
};
struct Power {
  template <class T>
  static T apply(T a, T b) {
    static_assert(is_int_v<T>);
    // Negative exponents are refused before the loop runs.
    T result = 1;
    for (auto n = static_cast<std::uint64_t>(b); n; n >>= 1) {
      if (n & 1) result = ir::wrap_multiply(result, a);
      a = ir::wrap_multiply(a, a);
    }
    return result;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_complex_v<T>)
      return a != a || (b == b && !complex_less(a, b)) ? a : b;
    else
      return a >= b || a != a ? a : b;
  }
};
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_complex_v<T>)
      return a != a || (b == b && !complex_less(b, a)) ? a : b;
    else
      return a <= b || a != a ? a : b;
  }
};
#define AUTORAY_COMPARISON(Name, real_expr, complex_expr) \
  struct Name {                                           \
    template <class T>                                    \
    static bool apply(T a, T b) {                         \
      if constexpr (is_complex_v<T>)                      \
        return complex_expr;                              \
      else                                                \
        return real_expr;                                 \
    }                                                     \
  };
// Comparisons are false where a part is NaN; only sorting gives NaN a place.
template <class T>
bool complex_ordered_less(T a, T b) {
  return (a.real() < b.real() && a.imag() == a.imag() && b.imag() == b.imag()) || (a.real() == b.real() && a.imag() < b.imag());
}
AUTORAY_COMPARISON(Equal, a == b, a == b)
AUTORAY_COMPARISON(NotEqual, a != b, a != b)
AUTORAY_COMPARISON(Less, a < b, complex_ordered_less(a, b))
AUTORAY_COMPARISON(LessEqual, a <= b, complex_ordered_less(a, b) || a == b)
AUTORAY_COMPARISON(Greater, a > b, complex_ordered_less(b, a))
AUTORAY_COMPARISON(GreaterEqual, a >= b, complex_ordered_less(b, a) || a == b)
AUTORAY_COMPARISON(LogicalAnd, a != T(0) && b != T(0), a != T(0) && b != T(0))
AUTORAY_COMPARISON(LogicalOr, a != T(0) || b != T(0), a != T(0) || b != T(0))
AUTORAY_COMPARISON(LogicalXor, (a != T(0)) != (b != T(0)), (a != T(0)) != (b != T(0)))
#undef AUTORAY_COMPARISON
struct BitwiseAnd {
  template <class T>
  static T apply(T a, T b) {
    return a & b;
  }
};
struct BitwiseOr {
  template <class T>
  static T apply(T a, T b) {
    return a | b;
  }
};
struct BitwiseXor {
  template <class T>
  static T apply(T a, T b) {
    return a ^ b;
  }
};
struct LeftShift {
  template <class T>
  static T apply(T a, T b) {
    return ir::shift_left(a, b);
  }
};
struct RightShift {
  template <class T>
  static T apply(T a, T b) {
    return ir::shift_right(a, b);
  }
};

struct Negative {
  template <class T>
  static T apply(T a) {
    if constexpr (is_int_v<T>)
      return ir::wrap_negative(a);
    else
      return -a;
  }
};
struct Positive {
  template <class T>
  static T apply(T a) {
    return a;
  }
};
struct Conjugate {
  template <class T>
  static T apply(T a) {
    if constexpr (is_complex_v<T>)
      return T(a.real(), -a.imag());
    else
      return a;
  }
};
struct Absolute {
  template <class T>
  static auto apply(T a) {
    if constexpr (is_complex_v<T>)
      return std::hypot(a.real(), a.imag());
    else if constexpr (std::is_floating_point_v<T>)
      return std::fabs(a);
    else if constexpr (std::is_signed_v<T>)
      return a < 0 ? ir::wrap_negative(a) : a;
    else
      return a;
  }
};
struct Real {
  template <class T>
  static auto apply(T a) {
    if constexpr (is_complex_v<T>)
      return a.real();
    else
      return a;
  }
};
struct Imag {
  template <class T>
  static auto apply(T a) {
    if constexpr (is_complex_v<T>)
      return a.imag();
    else
      return T(0);
  }
};
struct Sign {
  template <class T>
  static T apply(T a) {
    if constexpr (is_complex_v<T>) {
      auto h = std::hypot(a.real(), a.imag());
      if (std::isinf(h)) {
        // An infinite part outweighs a finite one; two leave no direction.
        bool re = std::isinf(a.real()), im = std::isinf(a.imag());
        return re && im ? T(NAN, NAN) : re ? T(a.real() > 0 ? 1 : -1, 0) : T(0, a.imag() > 0 ? 1 : -1);
      }
      return h == 0 ? T(0) : h != h ? T(h, h) : T(a.real() / h, a.imag() / h);
    } else if constexpr (std::is_floating_point_v<T>) {
      return a > 0 ? T(1) : a < 0 ? T(-1) : a == 0 ? T(0) : a;
    } else {
      return a > 0 ? T(1) : a == 0 ? T(0) : static_cast<T>(-1);
    }
  }
};
struct Square {
  template <class T>
  static T apply(T a) {
    return Multiply::apply(a, a);
  }
};
struct Reciprocal {
  template <class T>
  static T apply(T a) {
    if constexpr (is_int_v<T>)
      return a == 0 ? T(0) : static_cast<T>(1 / a);
    else
      return Divide::apply(T(1), a);
  }
};
struct Sqrt {
  template <class T>
  static T apply(T a) {
    return std::sqrt(a);
  }
};
struct Floor {
  template <class T>
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>)
      return std::floor(a);
    else
      return a;
  }
};
struct Ceil {
  template <class T>
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>)
      return std::ceil(a);
    else
      return a;
  }
};
struct Trunc {
  template <class T>
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>)
      return std::trunc(a);
    else
      return a;
  }
};
struct Rint {
  template <class T>
  static T apply(T a) {
    if constexpr (is_complex_v<T>)
      return T(std::nearbyint(a.real()), std::nearbyint(a.imag()));
    else
      return std::nearbyint(a);
  }
};
struct IsNan {
  template <class T>
  static bool apply(T a) {
    if constexpr (is_complex_v<T>)
      return a.real() != a.real() || a.imag() != a.imag();
    else
      return a != a;
  }
};
struct IsInf {
  template <class T>
  static bool apply(T a) {
    if constexpr (is_complex_v<T>)
      return std::isinf(a.real()) || std::isinf(a.imag());
    else if constexpr (std::is_floating_point_v<T>)
      return std::fabs(a) == std::numeric_limits<T>::infinity();
    else
      return false;
  }
};
struct IsFinite {
  template <class T>
  static bool apply(T a) {
    if constexpr (is_complex_v<T>)
      return std::isfinite(a.real()) && std::isfinite(a.imag());
    else if constexpr (std::is_floating_point_v<T>)
      return std::fabs(a) < std::numeric_limits<T>::infinity();
    else
      return true;
  }
};
struct LogicalNot {
  template <class T>
  static bool apply(T a) {
    return a == T(0);
  }
};
struct Invert {
  template <class T>
  static T apply(T a) {
    if constexpr (std::is_same_v<T, bool>)
      return !a;
    else
      return static_cast<T>(~a);
  }
};

// Complex transcendentals: libm's, a value at a time.
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
