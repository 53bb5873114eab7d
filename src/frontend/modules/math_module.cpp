// math: CPython's functions, domains and error texts.
#include <cmath>

#include "frontend/modules/module_object.h"
#include "runtime/bigint.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

[[noreturn]] void domain() { throw Error(ErrorClass::ValueError, "math domain error"); }

double inverse_tanh(double x) {
  if (x == 1 || x == -1) domain();
  return std::atanh(x);
}
template <FunctionName Name, double (*F)(double)>
Value math1(Runtime&, const Arguments& a) {
  check_arguments(a, Name.text, 1, 1);
  double x = real_of(a.positional[0]), r = F(x);
  if (std::isnan(r) && !std::isnan(x)) domain();
  if (std::isinf(r) && std::isfinite(x)) throw Error(ErrorClass::OverflowError, "math range error");
  return Value::real(r);
}
Value log_of(double (*f)(double), const Value& v) {
  if (auto* big = v.get_if<runtime::BigInt>()) {
    if (big->value <= 0) domain();
    auto bits = static_cast<std::int64_t>(boost::multiprecision::msb(big->value)) - 60;
    double head = static_cast<double>(runtime::BigInteger(big->value >> static_cast<unsigned>(bits)));
    return Value::real(f(head) + static_cast<double>(bits) * f(2.0));
  }
  double x = real_of(v);
  if (x <= 0) domain();
  return Value::real(f(x));
}
Value math_log(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "log", 1, 2);
  Value n = log_of(std::log, a.positional[0]);
  return a.positional.size() == 1 ? n : binary(runtime, BinaryOperator::Div, n, log_of(std::log, a.positional[1]));
}
Value math_log2(Runtime&, const Arguments& a) {
  check_arguments(a, "math.log2", 1, 1);
  return log_of(std::log2, a.positional[0]);
}
Value math_log10(Runtime&, const Arguments& a) {
  check_arguments(a, "math.log10", 1, 1);
  return log_of(std::log10, a.positional[0]);
}
template <FunctionName Name, double (*F)(double)>
Value math_to_int(Runtime& runtime, const Arguments& a) {
  check_arguments(a, Name.text, 1, 1);
  if (is_integer_value(a.positional[0])) return a.positional[0];
  Value r = Value::real(F(real_of(a.positional[0])));
  return call(runtime, builtin_type(runtime, "int"), {std::span(&r, 1), {}, {}});
}
template <FunctionName Name, double (*F)(double, double)>
Value math2(Runtime&, const Arguments& a) {
  check_arguments(a, Name.text, 2, 2);
  double x = real_of(a.positional[0]), y = real_of(a.positional[1]), r = F(x, y);
  if (std::isnan(r) && !std::isnan(x) && !std::isnan(y)) domain();
  if (std::isinf(r) && std::isfinite(x) && std::isfinite(y)) {
    if (F == static_cast<double (*)(double, double)>(std::pow) && x == 0) domain();
    throw Error(ErrorClass::OverflowError, "math range error");
  }
  return Value::real(r);
}
Value math_hypot(Runtime&, const Arguments& a) {
  double r = 0;
  for (const Value& v : a.positional) r = std::hypot(r, real_of(v));
  return Value::real(r);
}
Value math_dist(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "dist", 2, 2);
  auto p = collect(runtime, a.positional[0]), q = collect(runtime, a.positional[1]);
  if (p.size() != q.size()) throw Error(ErrorClass::ValueError, "both points must have the same number of dimensions");
  double r = 0;
  for (std::size_t i = 0; i < p.size(); ++i) r = std::hypot(r, real_of(p[i]) - real_of(q[i]));
  return Value::real(r);
}
runtime::BigInteger big_of(const Value& v) {
  return is_integer_value(v) ? runtime::big_value(v) : runtime::BigInteger(index_of(v, "integer"));
}
Value math_gcd(Runtime&, const Arguments& a) {
  runtime::BigInteger r = 0;
  for (const Value& v : a.positional) r = boost::multiprecision::gcd(r, big_of(v));
  return runtime::make_int(boost::multiprecision::abs(r));
}
Value math_lcm(Runtime&, const Arguments& a) {
  runtime::BigInteger r = 1;
  for (const Value& v : a.positional) r = boost::multiprecision::lcm(r, big_of(v));
  return runtime::make_int(boost::multiprecision::abs(r));
}
Value math_factorial(Runtime&, const Arguments& a) {
  check_arguments(a, "math.factorial", 1, 1);
  std::int64_t n = index_of(a.positional[0], "factorial");
  if (n < 0) throw Error(ErrorClass::ValueError, "factorial() not defined for negative values");
  if (n > 50'000) throw Error(ErrorClass::MemoryError, "the factorial has too many digits");
  runtime::BigInteger r = 1;
  for (std::int64_t k = 2; k <= n; ++k) r *= k;
  return runtime::make_int(r);
}
template <bool Combinations>
Value math_choose(Runtime&, const Arguments& a) {
  check_arguments(a, Combinations ? "comb" : "perm", 1, 2);
  std::int64_t n = index_of(a.positional[0], "n"), k = a.positional.size() > 1 ? index_of(a.positional[1], "k") : n;
  if (n < 0 || k < 0)
    throw Error(ErrorClass::ValueError, n < 0 ? "n must be a non-negative integer" : "k must be a non-negative integer");
  if (k > n) return Value::integer(0);
  if (Combinations) k = std::min(k, n - k);
  if (k > 50'000) throw Error(ErrorClass::MemoryError, "the result has too many digits");
  runtime::BigInteger r = 1;
  for (std::int64_t i = 0; i < k; ++i) {
    r *= n - i;
    if (Combinations) r /= i + 1;
  }
  return runtime::make_int(r);
}
Value math_isqrt(Runtime&, const Arguments& a) {
  check_arguments(a, "math.isqrt", 1, 1);
  runtime::BigInteger n = big_of(a.positional[0]);
  if (n < 0) throw Error(ErrorClass::ValueError, "isqrt() argument must be nonnegative");
  return runtime::make_int(boost::multiprecision::sqrt(n));
}
Value math_prod(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "prod", 1, 1);
  Value r = keyword(a, "start") ? *keyword(a, "start") : Value::integer(1);
  for (const Value& v : collect(runtime, a.positional[0])) r = binary(runtime, BinaryOperator::Mult, r, v);
  return r;
}
// Shewchuk's exact summation, as CPython's.
Value math_fsum(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "math.fsum", 1, 1);
  std::vector<double> partials;
  double special = 0;
  bool has_special = false;
  for (const Value& v : collect(runtime, a.positional[0])) {
    double x = real_of(v);
    if (!std::isfinite(x)) {
      special += x;
      has_special = true;
      continue;
    }
    std::size_t used = 0;
    for (double y : partials) {
      if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
      double high = x + y, low = y - (high - x);
      if (low != 0) partials[used++] = low;
      x = high;
    }
    partials.resize(used);
    partials.push_back(x);
  }
  if (has_special) return Value::real(special);
  if (partials.empty()) return Value::real(0);
  double high = partials.back(), low = 0;
  std::size_t n = partials.size() - 1;
  while (n > 0) {
    double x = high, y = partials[--n];
    high = x + y;
    low = y - (high - x);
    if (low != 0) break;
  }
  // Half-way cases look at the next partial's sign.
  if (n > 0 && ((low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0))) {
    double y = low * 2, x = high + y;
    if (y == x - high) high = x;
  }
  return Value::real(high);
}
Value math_isclose(Runtime&, const Arguments& a) {
  check_keywords(a, "isclose", {"rel_tol", "abs_tol"});
  check_arguments({a.positional, {}, {}}, "isclose", 2, 2);
  double x = real_of(a.positional[0]), y = real_of(a.positional[1]);
  double rel = keyword(a, "rel_tol") ? real_of(*keyword(a, "rel_tol")) : 1e-9,
         absolute = keyword(a, "abs_tol") ? real_of(*keyword(a, "abs_tol")) : 0;
  if (x == y) return Value::boolean(true);
  if (std::isinf(x) || std::isinf(y)) return Value::boolean(false);
  double d = std::fabs(x - y);
  return Value::boolean(d <= std::fabs(rel * y) || d <= std::fabs(rel * x) || d <= absolute);
}
template <FunctionName Name, bool (*F)(double)>
Value math_test(Runtime&, const Arguments& a) {
  check_arguments(a, Name.text, 1, 1);
  return Value::boolean(F(real_of(a.positional[0])));
}
bool is_nan(double x) { return std::isnan(x); }
bool is_inf(double x) { return std::isinf(x); }
bool is_finite(double x) { return std::isfinite(x); }
double to_degrees(double x) { return x * (180.0 / M_PI); }
double to_radians(double x) { return x * (M_PI / 180.0); }
Value math_modf(Runtime&, const Arguments& a) {
  check_arguments(a, "math.modf", 1, 1);
  double whole, part = std::modf(real_of(a.positional[0]), &whole);
  return runtime::make_tuple({Value::real(part), Value::real(whole)});
}
Value math_frexp(Runtime&, const Arguments& a) {
  check_arguments(a, "math.frexp", 1, 1);
  int e = 0;
  double m = std::frexp(real_of(a.positional[0]), &e);
  return runtime::make_tuple({Value::real(m), Value::integer(e)});
}
Value math_ldexp(Runtime&, const Arguments& a) {
  check_arguments(a, "ldexp", 2, 2);
  double x = real_of(a.positional[0]),
         r = std::ldexp(x, static_cast<int>(std::clamp<std::int64_t>(index_of(a.positional[1], "i"), -100000, 100000)));
  if (std::isinf(r) && std::isfinite(x)) throw Error(ErrorClass::OverflowError, "math range error");
  return Value::real(r);
}
Value math_ulp(Runtime&, const Arguments& a) {
  check_arguments(a, "math.ulp", 1, 1);
  double x = std::fabs(real_of(a.positional[0]));
  return Value::real(std::isfinite(x) ? std::nextafter(x, INFINITY) - x : x);
}
double gamma_function(double x) {
  if (x == std::floor(x) && x <= 0) domain();  // the poles
  return std::tgamma(x);
}

constexpr FunctionRow kMath[] = {{"sqrt", math1<"math.sqrt", std::sqrt>},
                                 {"exp", math1<"math.exp", std::exp>},
                                 {"expm1", math1<"math.expm1", std::expm1>},
                                 {"exp2", math1<"math.exp2", std::exp2>},
                                 {"log1p", math1<"math.log1p", std::log1p>},
                                 {"sin", math1<"math.sin", std::sin>},
                                 {"cos", math1<"math.cos", std::cos>},
                                 {"tan", math1<"math.tan", std::tan>},
                                 {"asin", math1<"math.asin", std::asin>},
                                 {"acos", math1<"math.acos", std::acos>},
                                 {"atan", math1<"math.atan", std::atan>},
                                 {"sinh", math1<"math.sinh", std::sinh>},
                                 {"cosh", math1<"math.cosh", std::cosh>},
                                 {"tanh", math1<"math.tanh", std::tanh>},
                                 {"asinh", math1<"math.asinh", std::asinh>},
                                 {"acosh", math1<"math.acosh", std::acosh>},
                                 {"atanh", math1<"math.atanh", inverse_tanh>},
                                 {"fabs", math1<"math.fabs", std::fabs>},
                                 {"cbrt", math1<"math.cbrt", std::cbrt>},
                                 {"erf", math1<"math.erf", std::erf>},
                                 {"erfc", math1<"math.erfc", std::erfc>},
                                 {"gamma", math1<"math.gamma", gamma_function>},
                                 {"lgamma", math1<"math.lgamma", std::lgamma>},
                                 {"degrees", math1<"math.degrees", to_degrees>},
                                 {"radians", math1<"math.radians", to_radians>},
                                 {"log", math_log},
                                 {"log2", math_log2},
                                 {"log10", math_log10},
                                 {"floor", math_to_int<"math.floor", std::floor>},
                                 {"ceil", math_to_int<"math.ceil", std::ceil>},
                                 {"trunc", math_to_int<"math.trunc", std::trunc>},
                                 {"pow", math2<"pow", std::pow>},
                                 {"atan2", math2<"atan2", std::atan2>},
                                 {"fmod", math2<"fmod", std::fmod>},
                                 {"copysign", math2<"copysign", std::copysign>},
                                 {"remainder", math2<"remainder", std::remainder>},
                                 {"nextafter", math2<"math.nextafter", std::nextafter>},
                                 {"hypot", math_hypot},
                                 {"dist", math_dist},
                                 {"gcd", math_gcd},
                                 {"lcm", math_lcm},
                                 {"factorial", math_factorial},
                                 {"comb", math_choose<true>},
                                 {"perm", math_choose<false>},
                                 {"isqrt", math_isqrt},
                                 {"prod", math_prod},
                                 {"fsum", math_fsum},
                                 {"isclose", math_isclose},
                                 {"isnan", math_test<"math.isnan", is_nan>},
                                 {"isinf", math_test<"math.isinf", is_inf>},
                                 {"isfinite", math_test<"math.isfinite", is_finite>},
                                 {"modf", math_modf},
                                 {"frexp", math_frexp},
                                 {"ldexp", math_ldexp},
                                 {"ulp", math_ulp}};
Value find_math(Runtime&, std::string_view name) {
  if (name == "pi") return Value::real(M_PI);
  if (name == "e") return Value::real(M_E);
  if (name == "tau") return Value::real(2 * M_PI);
  if (name == "inf") return Value::real(INFINITY);
  if (name == "nan") return Value::real(NAN);
  return find_function(kMath, name);
}

}  // namespace

Value make_math_module(Runtime&) { return make<ModuleObject>("math", find_math, names_of<kMath>); }

}  // namespace autoray::frontend
