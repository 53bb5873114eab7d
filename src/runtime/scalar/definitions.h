// The arithmetic of every element-wise op, written once. A definition is a struct with a template `apply`; the loops
// instantiate it for each dtype, the compiler for values of kernel IR. So a definition asks its type by the traits below, calls
// functions without a namespace, and chooses by `select` (both values are there) or `choose` (what costs something is computed
// only where it is needed, if the type allows). Integer corner cases come from ir/integer_rules.h; complex ones are written on
// real pairs.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <type_traits>

#include "ir/integer_rules.h"
#include "ir/number_traits.h"
#include "runtime/scalar/complex_quotient.h"

namespace autoray::runtime::scalar {

using ir::choose;
using ir::floor_divide_integer;
using ir::is_bool_v;
using ir::is_complex_v;
using ir::is_int_v;
using ir::is_real_v;
using ir::is_signed_v;
using ir::remainder_integer;
using ir::select;
using ir::shift_left;
using ir::shift_right;
using ir::truth_t;
using ir::wrap_add;
using ir::wrap_multiply;
using ir::wrap_negative;
using ir::wrap_subtract;
using std::ceil;
using std::copysign;
using std::fabs;
using std::floor;
using std::fmod;
using std::hypot;
using std::nearbyint;
using std::sqrt;
using std::trunc;

// numpy's order of complex numbers: by real part, then by imaginary part.
template <class T>
auto complex_less(T a, T b) {
  auto ar = a.real(), ai = a.imag(), br = b.real(), bi = b.imag();
  return choose(
      ar < br, [&] { return ai == ai || bi != bi; },
      [&] {
        return choose(
            ar > br, [&] { return bi != bi && ai == ai; },
            [&] {
              return choose(
                  ar == br || (ar != ar && br != br), [&] { return ai < bi || (bi != bi && ai == ai); },
                  [&] { return br != br; });
            });
      });
}

struct Add {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_bool_v<T>)
      return a || b;
    else if constexpr (is_int_v<T>)
      return wrap_add(a, b);
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
      return wrap_subtract(a, b);
    else if constexpr (is_complex_v<T>)
      return T(a.real() - b.real(), a.imag() - b.imag());
    else
      return a - b;
  }
};
struct Multiply {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_bool_v<T>)
      return a && b;
    else if constexpr (is_int_v<T>)
      return wrap_multiply(a, b);
    else if constexpr (is_complex_v<T>)
      return T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
    else
      return a * b;
  }
};
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>)
      return complex_quotient(a, b);
    else if constexpr (is_complex_v<T>)
      return by_larger_part(a, b);
    else
      return a / b;
  }
  // Smith's division, as numpy: by the larger part of the divisor.
  template <class T>
  static T by_larger_part(T a, T b) {
    auto br = fabs(b.real()), bi = fabs(b.imag());
    using Part = decltype(br);
    return choose(
        br == Part(0) && bi == Part(0), [&] { return T(a.real() / br, a.imag() / br); },
        [&] {
          auto by_real = br >= bi;
          auto larger = select(by_real, b.real(), b.imag()), smaller = select(by_real, b.imag(), b.real());
          auto u = select(by_real, a.real(), a.imag()), v = select(by_real, a.imag(), a.real());
          auto ratio = smaller / larger, scale = Part(1) / (larger + smaller * ratio);
          return T((u + v * ratio) * scale, select(by_real, v - u * ratio, u * ratio - v) * scale);
        });
  }
};
struct FloorDivide {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_int_v<T>)
      return floor_divide_integer(a, b);
    else {
      return choose(b == T(0), [&] { return a / b; }, [&] { return from_fmod(a, b, fmod(a, b)); });
    }
  }
  // Of finite a and b, b not zero.
  template <class T>
  static T from_fmod(T a, T b, T mod) {
    T div = (a - mod) / b;
    div = select(mod != T(0) && ((b < T(0)) != (mod < T(0))), div - T(1), div);
    T whole = floor(div);
    whole = select(div - whole > T(0.5), whole + T(1), whole);
    return select(div == T(0), copysign(T(0), a / b), whole);
  }
};
struct Remainder {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_int_v<T>)
      return remainder_integer(a, b);
    else {
      T mod = fmod(a, b);
      return select(b == T(0), mod, from_fmod(a, b, mod));
    }
  }
  template <class T>
  static T from_fmod(T, T b, T mod) {
    T moved = select((b < T(0)) != (mod < T(0)), mod + b, mod);
    return select(mod != T(0), moved, copysign(T(0), b));
  }
};
struct Power {
  template <class T>
  static T apply(T a, T b) {
    static_assert(is_int_v<T>);
    // Negative exponents are refused before the loop runs.
    T result = 1;
    for (auto n = static_cast<std::uint64_t>(b); n; n >>= 1) {
      if (n & 1) result = wrap_multiply(result, a);
      a = wrap_multiply(a, a);
    }
    return result;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_complex_v<T>)
      return select(a != a || (b == b && !complex_less(a, b)), a, b);
    else
      return select(a >= b || a != a, a, b);
  }
};
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (is_complex_v<T>)
      return select(a != a || (b == b && !complex_less(b, a)), a, b);
    else
      return select(a <= b || a != a, a, b);
  }
};
#define AUTORAY_COMPARISON(Name, real_expr, complex_expr) \
  struct Name {                                           \
    template <class T>                                    \
    static truth_t<T> apply(T a, T b) {                   \
      if constexpr (is_complex_v<T>)                      \
        return complex_expr;                              \
      else                                                \
        return real_expr;                                 \
    }                                                     \
  };
// Comparisons are false where a part is NaN; only sorting gives NaN a place.
template <class T>
auto complex_ordered_less(T a, T b) {
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
    return shift_left(a, b);
  }
};
struct RightShift {
  template <class T>
  static T apply(T a, T b) {
    return shift_right(a, b);
  }
};

struct Negative {
  template <class T>
  static T apply(T a) {
    if constexpr (is_int_v<T>)
      return wrap_negative(a);
    else
      return -a;
  }
};
// Themselves: what is copied, or converted and nothing else.
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
      return hypot(a.real(), a.imag());
    else if constexpr (is_real_v<T>)
      return fabs(a);
    else if constexpr (is_int_v<T> && is_signed_v<T>)
      return select(a < T(0), wrap_negative(a), a);
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
      // An infinite part outweighs a finite one; two leave no direction.
      auto h = hypot(a.real(), a.imag());
      using Part = decltype(h);
      const Part zero(0), one(1), infinity(HUGE_VAL);
      auto re = fabs(a.real()) == infinity, im = fabs(a.imag()) == infinity;
      auto direction = [&](Part x) { return select(x > zero, one, -one); };
      return choose(
          h == infinity && (re || im),
          [&] {
            return select(re && im, T(Part(NAN), Part(NAN)),
                          select(re, T(direction(a.real()), zero), T(zero, direction(a.imag()))));
          },
          [&] {
            return choose(
                h == zero, [&] { return T(zero, zero); },
                [&] { return select(h != h, T(h, h), T(a.real() / h, a.imag() / h)); });
          });
    } else if constexpr (is_real_v<T>) {
      return select(a > T(0), T(1), select(a < T(0), T(-1), select(a == T(0), T(0), a)));
    } else {
      return select(a > T(0), T(1), select(a == T(0), T(0), static_cast<T>(-1)));
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
      return select(a == T(0), T(0), static_cast<T>(T(1) / select(a == T(0), T(1), a)));
    else
      return Divide::apply(T(1), a);
  }
};
struct Sqrt {
  template <class T>
  static T apply(T a) {
    return sqrt(a);
  }
};
struct Floor {
  template <class T>
  static T apply(T a) {
    if constexpr (is_real_v<T>)
      return floor(a);
    else
      return a;
  }
};
struct Ceil {
  template <class T>
  static T apply(T a) {
    if constexpr (is_real_v<T>)
      return ceil(a);
    else
      return a;
  }
};
struct Trunc {
  template <class T>
  static T apply(T a) {
    if constexpr (is_real_v<T>)
      return trunc(a);
    else
      return a;
  }
};
struct Rint {
  template <class T>
  static T apply(T a) {
    if constexpr (is_complex_v<T>)
      return T(nearbyint(a.real()), nearbyint(a.imag()));
    else
      return nearbyint(a);
  }
};
struct IsNan {
  template <class T>
  static truth_t<T> apply(T a) {
    if constexpr (is_complex_v<T>)
      return a.real() != a.real() || a.imag() != a.imag();
    else
      return a != a;
  }
};
struct IsInf {
  template <class T>
  static truth_t<T> apply(T a) {
    if constexpr (is_complex_v<T>)
      return apply(a.real()) || apply(a.imag());
    else if constexpr (is_real_v<T>)
      return fabs(a) == T(HUGE_VAL);
    else
      return truth_t<T>(false);
  }
};
struct IsFinite {
  template <class T>
  static truth_t<T> apply(T a) {
    if constexpr (is_complex_v<T>)
      return apply(a.real()) && apply(a.imag());
    else if constexpr (is_real_v<T>)
      return fabs(a) < T(HUGE_VAL);
    else
      return truth_t<T>(true);
  }
};
struct LogicalNot {
  template <class T>
  static truth_t<T> apply(T a) {
    return a == T(0);
  }
};
struct Invert {
  template <class T>
  static T apply(T a) {
    if constexpr (is_bool_v<T>)
      return !a;
    else
      return static_cast<T>(~a);
  }
};

// The definitions of one line.
#define UNARY(id, expression, ...) \
  struct id {                      \
    template <class T>             \
    static T apply(T x) {          \
      return expression;           \
    }                              \
  };
#define BINARY(id, expression, ...) \
  struct id {                       \
    template <class T>              \
    static T apply(T x, T y) {      \
      return expression;            \
    }                               \
  };
#include "runtime/scalar/one_line.def"

}  // namespace autoray::runtime::scalar

// Dtypes of the lists.
#define AUTORAY_INTEGERS \
  std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t
#define AUTORAY_FLOATS float, double
#define AUTORAY_COMPLEXES std::complex<float>, std::complex<double>
