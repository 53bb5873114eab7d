// cmath: functions of complex numbers. Each is the C library's, whose special cases are those of CPython's (C99, annex G).
#include <cmath>
#include <complex>

#include "frontend/modules/module_object.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

using Complex = std::complex<double>;

bool finite(Complex z) { return std::isfinite(z.real()) && std::isfinite(z.imag()); }
bool has_nan(Complex z) { return std::isnan(z.real()) || std::isnan(z.imag()); }
bool has_infinity(Complex z) { return std::isinf(z.real()) || std::isinf(z.imag()); }

Complex square_root(Complex z) { return std::sqrt(z); }
Complex exponential(Complex z) { return std::exp(z); }
Complex logarithm(Complex z) {
  if (z == Complex(0)) throw Error(ErrorClass::ValueError, "math domain error");
  return std::log(z);
}
Complex logarithm10(Complex z) {
  Complex natural = logarithm(z);
  return {natural.real() / M_LN10, natural.imag() / M_LN10};
}
Complex sine(Complex z) { return std::sin(z); }
Complex cosine(Complex z) { return std::cos(z); }
Complex tangent(Complex z) { return std::tan(z); }
Complex arc_sine(Complex z) { return std::asin(z); }
Complex arc_cosine(Complex z) { return std::acos(z); }
Complex arc_tangent(Complex z) { return std::atan(z); }
Complex hyperbolic_sine(Complex z) { return std::sinh(z); }
Complex hyperbolic_cosine(Complex z) { return std::cosh(z); }
Complex hyperbolic_tangent(Complex z) { return std::tanh(z); }
Complex inverse_hyperbolic_sine(Complex z) { return std::asinh(z); }
Complex inverse_hyperbolic_cosine(Complex z) { return std::acosh(z); }
Complex inverse_hyperbolic_tangent(Complex z) {
  if (z == Complex(1) || z == Complex(-1)) throw Error(ErrorClass::ValueError, "math domain error");
  return std::atanh(z);
}

template <FunctionName Name, Complex (*F)(Complex)>
Value of_one(Runtime&, const Arguments& a) {
  check_arguments(a, Name.text, 1, 1);
  Complex z = complex_of(a.positional[0]), r = F(z);
  if (finite(z) && has_nan(r)) throw Error(ErrorClass::ValueError, "math domain error");
  if (finite(z) && has_infinity(r)) throw Error(ErrorClass::OverflowError, "math range error");
  return runtime::make_complex(r);
}

Value log_to_base(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "log", 1, 2);
  Value natural = runtime::make_complex(logarithm(complex_of(a.positional[0])));
  if (a.positional.size() == 1) return natural;
  return binary(runtime, BinaryOperator::Div, natural, runtime::make_complex(logarithm(complex_of(a.positional[1]))));
}

double phase_of(Complex z) { return std::atan2(z.imag(), z.real()); }

Value phase(Runtime&, const Arguments& a) {
  check_arguments(a, "cmath.phase", 1, 1);
  return Value::real(phase_of(complex_of(a.positional[0])));
}
Value polar(Runtime&, const Arguments& a) {
  check_arguments(a, "cmath.polar", 1, 1);
  Complex z = complex_of(a.positional[0]);
  return runtime::make_tuple({Value::real(std::hypot(z.real(), z.imag())), Value::real(phase_of(z))});
}
Value rect(Runtime&, const Arguments& a) {
  check_arguments(a, "rect", 2, 2);
  double r = real_of(a.positional[0]), phi = real_of(a.positional[1]);
  if (phi == 0) return runtime::make_complex({r, r * phi});
  return runtime::make_complex({r * std::cos(phi), r * std::sin(phi)});
}

template <FunctionName Name, bool (*F)(Complex)>
Value test(Runtime&, const Arguments& a) {
  check_arguments(a, Name.text, 1, 1);
  return Value::boolean(F(complex_of(a.positional[0])));
}

Value isclose(Runtime&, const Arguments& a) {
  check_keywords(a, "isclose", {"rel_tol", "abs_tol"});
  check_arguments({a.positional, {}, {}}, "isclose", 2, 2);
  Complex x = complex_of(a.positional[0]), y = complex_of(a.positional[1]);
  double relative = keyword(a, "rel_tol") ? real_of(*keyword(a, "rel_tol")) : 1e-9;
  double absolute = keyword(a, "abs_tol") ? real_of(*keyword(a, "abs_tol")) : 0;
  if (relative < 0 || absolute < 0) throw Error(ErrorClass::ValueError, "tolerances must be non-negative");
  if (x == y) return Value::boolean(true);
  if (has_infinity(x) || has_infinity(y)) return Value::boolean(false);
  double difference = std::abs(x - y);
  return Value::boolean(difference <= relative * std::abs(y) || difference <= relative * std::abs(x) || difference <= absolute);
}

constexpr FunctionRow kCmath[] = {{"sqrt", of_one<"cmath.sqrt", square_root>},
                                  {"exp", of_one<"cmath.exp", exponential>},
                                  {"log", log_to_base},
                                  {"log10", of_one<"cmath.log10", logarithm10>},
                                  {"sin", of_one<"cmath.sin", sine>},
                                  {"cos", of_one<"cmath.cos", cosine>},
                                  {"tan", of_one<"cmath.tan", tangent>},
                                  {"asin", of_one<"cmath.asin", arc_sine>},
                                  {"acos", of_one<"cmath.acos", arc_cosine>},
                                  {"atan", of_one<"cmath.atan", arc_tangent>},
                                  {"sinh", of_one<"cmath.sinh", hyperbolic_sine>},
                                  {"cosh", of_one<"cmath.cosh", hyperbolic_cosine>},
                                  {"tanh", of_one<"cmath.tanh", hyperbolic_tangent>},
                                  {"asinh", of_one<"cmath.asinh", inverse_hyperbolic_sine>},
                                  {"acosh", of_one<"cmath.acosh", inverse_hyperbolic_cosine>},
                                  {"atanh", of_one<"cmath.atanh", inverse_hyperbolic_tangent>},
                                  {"phase", phase},
                                  {"polar", polar},
                                  {"rect", rect},
                                  {"isnan", test<"cmath.isnan", has_nan>},
                                  {"isinf", test<"cmath.isinf", has_infinity>},
                                  {"isfinite", test<"cmath.isfinite", finite>},
                                  {"isclose", isclose}};

Value find_cmath(Runtime&, std::string_view name) {
  if (name == "pi") return Value::real(M_PI);
  if (name == "e") return Value::real(M_E);
  if (name == "tau") return Value::real(2 * M_PI);
  if (name == "inf") return Value::real(INFINITY);
  if (name == "nan") return Value::real(NAN);
  if (name == "infj") return runtime::make_complex({0, INFINITY});
  if (name == "nanj") return runtime::make_complex({0, NAN});
  return find_function(kCmath, name);
}

}  // namespace

Value make_cmath_module(Runtime&) { return make<ModuleObject>("cmath", find_cmath, names_of<kCmath>); }

}  // namespace autoray::frontend
