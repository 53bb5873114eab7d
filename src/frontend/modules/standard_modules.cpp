// math, time, sys, operator, collections, functools, itertools, typing.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "frontend/modules/module_object.h"
#include "runtime/bigint.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;

namespace {

// ---- math ----

[[noreturn]] void domain() { throw Error(ErrorClass::ValueError, "math domain error"); }

template <double (*F)(double)>
Value math1(Runtime&, const Arguments& a) {
  check_arguments(a, "math function", 1, 1);
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
  check_arguments(a, "log2", 1, 1);
  return log_of(std::log2, a.positional[0]);
}
Value math_log10(Runtime&, const Arguments& a) {
  check_arguments(a, "log10", 1, 1);
  return log_of(std::log10, a.positional[0]);
}
template <double (*F)(double)>
Value math_to_int(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "floor", 1, 1);
  if (is_integer_value(a.positional[0])) return a.positional[0];
  Value r = Value::real(F(real_of(a.positional[0])));
  return call(runtime, builtin_type(runtime, "int"), {std::span(&r, 1), {}, {}});
}
template <double (*F)(double, double)>
Value math2(Runtime&, const Arguments& a) {
  check_arguments(a, "math function", 2, 2);
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
  check_arguments(a, "factorial", 1, 1);
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
  if (n < 0 || k < 0) throw Error(ErrorClass::ValueError, "n and k must be non-negative integers");
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
  check_arguments(a, "isqrt", 1, 1);
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
  check_arguments(a, "fsum", 1, 1);
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
template <bool (*F)(double)>
Value math_test(Runtime&, const Arguments& a) {
  check_arguments(a, "test", 1, 1);
  return Value::boolean(F(real_of(a.positional[0])));
}
bool is_nan(double x) { return std::isnan(x); }
bool is_inf(double x) { return std::isinf(x); }
bool is_finite(double x) { return std::isfinite(x); }
double to_degrees(double x) { return x * (180.0 / M_PI); }
double to_radians(double x) { return x * (M_PI / 180.0); }
Value math_modf(Runtime&, const Arguments& a) {
  check_arguments(a, "modf", 1, 1);
  double whole, part = std::modf(real_of(a.positional[0]), &whole);
  return runtime::make_tuple({Value::real(part), Value::real(whole)});
}
Value math_frexp(Runtime&, const Arguments& a) {
  check_arguments(a, "frexp", 1, 1);
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
  check_arguments(a, "ulp", 1, 1);
  double x = std::fabs(real_of(a.positional[0]));
  return Value::real(std::isfinite(x) ? std::nextafter(x, INFINITY) - x : x);
}
double gamma_function(double x) { return x == std::floor(x) && x <= 0 ? NAN : std::tgamma(x); }

constexpr FunctionRow kMath[] = {{"sqrt", math1<std::sqrt>},
                                 {"exp", math1<std::exp>},
                                 {"expm1", math1<std::expm1>},
                                 {"exp2", math1<std::exp2>},
                                 {"log1p", math1<std::log1p>},
                                 {"sin", math1<std::sin>},
                                 {"cos", math1<std::cos>},
                                 {"tan", math1<std::tan>},
                                 {"asin", math1<std::asin>},
                                 {"acos", math1<std::acos>},
                                 {"atan", math1<std::atan>},
                                 {"sinh", math1<std::sinh>},
                                 {"cosh", math1<std::cosh>},
                                 {"tanh", math1<std::tanh>},
                                 {"asinh", math1<std::asinh>},
                                 {"acosh", math1<std::acosh>},
                                 {"atanh", math1<std::atanh>},
                                 {"fabs", math1<std::fabs>},
                                 {"cbrt", math1<std::cbrt>},
                                 {"erf", math1<std::erf>},
                                 {"erfc", math1<std::erfc>},
                                 {"gamma", math1<gamma_function>},
                                 {"lgamma", math1<std::lgamma>},
                                 {"degrees", math1<to_degrees>},
                                 {"radians", math1<to_radians>},
                                 {"log", math_log},
                                 {"log2", math_log2},
                                 {"log10", math_log10},
                                 {"floor", math_to_int<std::floor>},
                                 {"ceil", math_to_int<std::ceil>},
                                 {"trunc", math_to_int<std::trunc>},
                                 {"pow", math2<std::pow>},
                                 {"atan2", math2<std::atan2>},
                                 {"fmod", math2<std::fmod>},
                                 {"copysign", math2<std::copysign>},
                                 {"remainder", math2<std::remainder>},
                                 {"nextafter", math2<std::nextafter>},
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
                                 {"isnan", math_test<is_nan>},
                                 {"isinf", math_test<is_inf>},
                                 {"isfinite", math_test<is_finite>},
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
template <auto& Rows>
std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  for (const FunctionRow& row : Rows) names.push_back(row.name);
  return names;
}

// ---- time ----

double seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }
template <class Clock>
Value clock_now(Runtime&, const Arguments&) {
  return Value::real(seconds(Clock::now().time_since_epoch()));
}
template <class Clock>
Value clock_now_ns(Runtime&, const Arguments&) {
  return Value::integer(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count());
}
Value process_time(Runtime&, const Arguments&) { return Value::real(static_cast<double>(std::clock()) / CLOCKS_PER_SEC); }
Value time_sleep(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "sleep", 1, 1);
  double s = real_of(a.positional[0]);
  if (s < 0) throw Error(ErrorClass::ValueError, "sleep length must be non-negative");
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(std::min(s, 1e8));
  while (std::chrono::steady_clock::now() < end) {
    runtime.poll();
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(end - std::chrono::steady_clock::now(), std::chrono::milliseconds(20)));
  }
  return Value::none();
}
constexpr FunctionRow kTime[] = {{"time", clock_now<std::chrono::system_clock>},
                                 {"perf_counter", clock_now<std::chrono::steady_clock>},
                                 {"monotonic", clock_now<std::chrono::steady_clock>},
                                 {"time_ns", clock_now_ns<std::chrono::system_clock>},
                                 {"perf_counter_ns", clock_now_ns<std::chrono::steady_clock>},
                                 {"process_time", process_time},
                                 {"sleep", time_sleep}};

// ---- sys ----

class Stream final : public runtime::NativeObject {
 public:
  explicit Stream(bool error) : error_(error) {}
  std::string native_type() const override { return "TextIOWrapper"; }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    bool error = error_;
    if (name == "write") {
      result = runtime::make_native("write", [error](Runtime& r, const Arguments& a) {
        check_arguments(a, "write", 1, 1);
        const std::string& text = runtime::text_of(a.positional[0], "write() argument");
        (error ? r.write_stderr : r.write_stdout)(text);
        return Value::integer(a.positional[0].as<runtime::Str>().length);
      });
    } else if (name == "flush") {
      result = runtime::make_native("flush", [error](Runtime& r, const Arguments&) {
        (error ? r.write_stderr : r.write_stdout)({});
        return Value::none();
      });
    } else {
      return false;
    }
    return true;
  }

 private:
  bool error_;
};
class FloatInfo final : public runtime::NativeObject {
 public:
  std::string native_type() const override { return "sys.float_info"; }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    using L = std::numeric_limits<double>;
    if (name == "max")
      result = Value::real(L::max());
    else if (name == "min")
      result = Value::real(L::min());
    else if (name == "epsilon")
      result = Value::real(L::epsilon());
    else if (name == "dig")
      result = Value::integer(15);
    else if (name == "mant_dig")
      result = Value::integer(53);
    else
      return false;
    return true;
  }
};
Value sys_exit(Runtime&, const Arguments& a) {
  throw runtime::Raised{
      make<runtime::Exception>(ErrorClass::SystemExit, std::vector<Value>(a.positional.begin(), a.positional.end()))};
}
constexpr FunctionRow kSys[] = {{"exit", sys_exit}};
Value find_sys(Runtime& runtime, std::string_view name) {
  if (name == "argv") {
    Value& argv = runtime.language_objects["sys.argv"];
    if (argv.empty()) argv = runtime::make_list();
    return argv;
  }
  if (name == "stdout") return make<Stream>(false);
  if (name == "stderr") return make<Stream>(true);
  if (name == "maxsize") return Value::integer(INT64_MAX);
  if (name == "float_info") return make<FloatInfo>();
  if (name == "platform") return runtime::make_str("linux");
  if (name == "version_info") return runtime::make_tuple({Value::integer(3), Value::integer(11), Value::integer(0)});
  return find_function(kSys, name);
}

// ---- operator ----

template <BinaryOperator Op>
Value op2(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 2, 2);
  return binary(runtime, Op, a.positional[0], a.positional[1]);
}
template <CompareOperator Op>
Value op_compare(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 2, 2);
  return compare(runtime, Op, a.positional[0], a.positional[1]);
}
template <UnaryOperator Op>
Value op1(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 1, 1);
  return unary(runtime, Op, a.positional[0]);
}
Value op_getitem(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "getitem", 2, 2);
  return get_item(runtime, a.positional[0], a.positional[1]);
}
Value op_itemgetter(Runtime&, const Arguments& a) {
  std::vector<Value> keys(a.positional.begin(), a.positional.end());
  return runtime::make_native("itemgetter", [keys](Runtime& r, const Arguments& b) {
    check_arguments(b, "itemgetter", 1, 1);
    if (keys.size() == 1) return get_item(r, b.positional[0], keys[0]);
    std::vector<Value> items;
    for (const Value& k : keys) items.push_back(get_item(r, b.positional[0], k));
    return runtime::make_tuple(std::move(items));
  });
}
Value op_attrgetter(Runtime&, const Arguments& a) {
  check_arguments(a, "attrgetter", 1, 1);
  std::string name = runtime::text_of(a.positional[0], "attribute name");
  return runtime::make_native("attrgetter", [name](Runtime& r, const Arguments& b) {
    check_arguments(b, "attrgetter", 1, 1);
    return get_attribute(r, b.positional[0], name);
  });
}
constexpr FunctionRow kOperator[] = {{"add", op2<BinaryOperator::Add>},
                                     {"sub", op2<BinaryOperator::Sub>},
                                     {"mul", op2<BinaryOperator::Mult>},
                                     {"truediv", op2<BinaryOperator::Div>},
                                     {"floordiv", op2<BinaryOperator::FloorDiv>},
                                     {"mod", op2<BinaryOperator::Mod>},
                                     {"pow", op2<BinaryOperator::Pow>},
                                     {"matmul", op2<BinaryOperator::MatMult>},
                                     {"and_", op2<BinaryOperator::BitAnd>},
                                     {"or_", op2<BinaryOperator::BitOr>},
                                     {"xor", op2<BinaryOperator::BitXor>},
                                     {"lshift", op2<BinaryOperator::LShift>},
                                     {"rshift", op2<BinaryOperator::RShift>},
                                     {"eq", op_compare<CompareOperator::Eq>},
                                     {"ne", op_compare<CompareOperator::NotEq>},
                                     {"lt", op_compare<CompareOperator::Lt>},
                                     {"le", op_compare<CompareOperator::LtE>},
                                     {"gt", op_compare<CompareOperator::Gt>},
                                     {"ge", op_compare<CompareOperator::GtE>},
                                     {"neg", op1<UnaryOperator::USub>},
                                     {"pos", op1<UnaryOperator::UAdd>},
                                     {"invert", op1<UnaryOperator::Invert>},
                                     {"not_", op1<UnaryOperator::Not>},
                                     {"getitem", op_getitem},
                                     {"itemgetter", op_itemgetter},
                                     {"attrgetter", op_attrgetter}};

// ---- collections ----

Value make_counter(Runtime& runtime, const Arguments& a) {
  auto counter = make<runtime::Dict>();
  counter->subclass = "Counter";
  Value value = counter;
  call_method(runtime, value, "update", a);
  return value;
}
Value make_defaultdict(Runtime& runtime, const Arguments& a) {
  auto dict = make<runtime::Dict>();
  dict->subclass = "defaultdict";
  if (!a.positional.empty()) dict->default_factory = a.positional[0];
  Value value = dict;
  if (a.positional.size() > 1) call_method(runtime, value, "update", {a.positional.subspan(1), {}, {}});
  return value;
}
Value make_ordered(Runtime& runtime, const Arguments& a) {
  auto dict = make<runtime::Dict>();
  dict->subclass = "OrderedDict";
  Value value = dict;
  call_method(runtime, value, "update", a);
  return value;
}
// A deque as a list with methods at both ends.
class Deque final : public runtime::NativeObject {
 public:
  std::vector<Value> items;
  std::int64_t most = -1;
  std::string native_type() const override { return "deque"; }
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(items.size()); }
  bool iterate(Runtime&, Value& iterable) override {
    iterable = runtime::make_list(items);
    return true;
  }
  bool get_item(Runtime& runtime, const Value& key, Value& result) override {
    result = frontend::get_item(runtime, runtime::make_list(items), key);
    return true;
  }
  void trim(bool drop_left) {
    while (most >= 0 && static_cast<std::int64_t>(items.size()) > most)
      drop_left ? static_cast<void>(items.erase(items.begin())) : items.pop_back();
  }
  void clear() override { items.clear(); }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    runtime::Ref<Deque> self = runtime::Ref<Deque>::share(this);
    auto method = [&](const char* n, auto f) {
      result = runtime::make_native(n, [self, f](Runtime& r, const Arguments& a) { return f(*self, r, a); });
      return true;
    };
    if (name == "maxlen") {
      result = most < 0 ? Value::none() : Value::integer(most);
      return true;
    }
    if (name == "append")
      return method("append", [](Deque& d, Runtime&, const Arguments& a) {
        check_arguments(a, "append", 1, 1);
        d.items.push_back(a.positional[0]);
        d.trim(true);
        return Value::none();
      });
    if (name == "appendleft")
      return method("appendleft", [](Deque& d, Runtime&, const Arguments& a) {
        check_arguments(a, "appendleft", 1, 1);
        d.items.insert(d.items.begin(), a.positional[0]);
        d.trim(false);
        return Value::none();
      });
    if (name == "extend")
      return method("extend", [](Deque& d, Runtime& r, const Arguments& a) {
        check_arguments(a, "extend", 1, 1);
        for (Value& v : collect(r, a.positional[0])) d.items.push_back(v);
        d.trim(true);
        return Value::none();
      });
    if (name == "pop")
      return method("pop", [](Deque& d, Runtime&, const Arguments&) {
        if (d.items.empty()) throw Error(ErrorClass::IndexError, "pop from an empty deque");
        Value v = d.items.back();
        d.items.pop_back();
        return v;
      });
    if (name == "popleft")
      return method("popleft", [](Deque& d, Runtime&, const Arguments&) {
        if (d.items.empty()) throw Error(ErrorClass::IndexError, "pop from an empty deque");
        Value v = d.items.front();
        d.items.erase(d.items.begin());
        return v;
      });
    if (name == "clear")
      return method("clear", [](Deque& d, Runtime&, const Arguments&) {
        d.items.clear();
        return Value::none();
      });
    if (name == "rotate")
      return method("rotate", [](Deque& d, Runtime&, const Arguments& a) {
        auto n = static_cast<std::int64_t>(d.items.size());
        if (!n) return Value::none();
        std::int64_t k = (((a.positional.empty() ? 1 : index_of(a.positional[0], "n")) % n) + n) % n;
        std::rotate(d.items.begin(), d.items.end() - k, d.items.end());
        return Value::none();
      });
    return false;
  }
  std::vector<std::string> attribute_names() const override {
    return {"append", "appendleft", "extend", "pop", "popleft", "clear", "rotate", "maxlen"};
  }
};
Value make_deque(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "deque", {"maxlen"});
  auto deque = make<Deque>();
  if (!a.positional.empty()) deque->items = collect(runtime, a.positional[0]);
  const Value* most = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "maxlen");
  if (most && !most->is_none()) deque->most = index_of(*most, "maxlen");
  deque->trim(true);
  return deque;
}
constexpr FunctionRow kCollections[] = {
    {"Counter", make_counter}, {"defaultdict", make_defaultdict}, {"OrderedDict", make_ordered}, {"deque", make_deque}};

// ---- functools ----

Value reduce(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "reduce", 2, 3);
  auto iterator = iterate(runtime, a.positional[1]);
  Value total;
  if (a.positional.size() > 2)
    total = a.positional[2];
  else if (!iterator->next(runtime, total))
    throw Error(ErrorClass::TypeError, "reduce() of empty iterable with no initial value");
  Value item;
  while (iterator->next(runtime, item)) {
    const Value pair[] = {total, item};
    total = call(runtime, a.positional[0], {pair, {}, {}});
  }
  return total;
}
Value partial(Runtime&, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, "partial() needs a function");
  std::vector<Value> bound(a.positional.begin(), a.positional.end()), values(a.keyword_values.begin(), a.keyword_values.end());
  std::vector<std::string> names(a.keyword_names.begin(), a.keyword_names.end());
  return runtime::make_native("partial", [bound, names, values](Runtime& r, const Arguments& b) {
    std::vector<Value> positional(bound.begin() + 1, bound.end());
    positional.insert(positional.end(), b.positional.begin(), b.positional.end());
    std::vector<std::string_view> keys;
    std::vector<Value> given;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!keyword(b, names[i])) {
        keys.push_back(names[i]);
        given.push_back(values[i]);
      }
    keys.insert(keys.end(), b.keyword_names.begin(), b.keyword_names.end());
    given.insert(given.end(), b.keyword_values.begin(), b.keyword_values.end());
    return call(r, bound[0], {positional, keys, given});
  });
}
Value wraps(Runtime&, const Arguments& a) {
  check_arguments(a, "wraps", 1, 1);
  Value wrapped = a.positional[0];
  return runtime::make_native("wraps", [wrapped](Runtime& r, const Arguments& b) {
    check_arguments(b, "wraps", 1, 1);
    auto* from = wrapped.get_if<runtime::Callable>();
    if (from) set_attribute(r, b.positional[0], "__name__", runtime::make_str(from->callable_name()));
    return b.positional[0];
  });
}
Value cached(const Value& function) {
  auto memory = make<runtime::Dict>();
  return runtime::make_native(
      function.as<runtime::Callable>().callable_name(), [function, memory](Runtime& r, const Arguments& a) {
        std::vector<Value> parts(a.positional.begin(), a.positional.end());
        for (std::size_t i = 0; i < a.keyword_names.size(); ++i)
          parts.push_back(runtime::make_tuple({runtime::make_str(std::string(a.keyword_names[i])), a.keyword_values[i]}));
        Value key = runtime::make_tuple(std::move(parts));
        if (Value* found = memory->find(key)) return *found;
        Value result = call(r, function, a);
        memory->set(key, result);
        return result;
      });
}
Value lru_cache(Runtime&, const Arguments& a) {
  if (a.positional.size() == 1 && a.positional[0].is(ObjectKind::Callable)) return cached(a.positional[0]);
  return runtime::make_native("lru_cache", [](Runtime&, const Arguments& b) {
    check_arguments(b, "lru_cache", 1, 1);
    return cached(b.positional[0]);
  });
}
constexpr FunctionRow kFunctools[] = {
    {"reduce", reduce}, {"partial", partial}, {"wraps", wraps}, {"lru_cache", lru_cache}, {"cache", lru_cache}};

// ---- itertools ----

// An iterator that a closure drives.
class Driven final : public runtime::Iterator {
 public:
  using Step = std::function<bool(Runtime&, Value&)>;
  Driven(const char* type, Step step) : type_(type), step_(std::move(step)) {}
  std::string_view iterator_type() const override { return type_; }
  bool advance(Runtime& runtime, Value& result) override { return step_ && step_(runtime, result); }
  void clear() override { step_ = nullptr; }

 private:
  const char* type_;
  Step step_;
};
Value it_count(Runtime& runtime, const Arguments& a) {
  (void)runtime;
  Value value = a.positional.empty() ? keyword(a, "start") ? *keyword(a, "start") : Value::integer(0) : a.positional[0];
  Value step = a.positional.size() > 1 ? a.positional[1] : keyword(a, "step") ? *keyword(a, "step") : Value::integer(1);
  return make<Driven>("count", [value, step](Runtime& r, Value& out) mutable {
    out = value;
    value = binary(r, BinaryOperator::Add, value, step);
    return true;
  });
}
Value it_repeat(Runtime&, const Arguments& a) {
  check_arguments(a, "repeat", 1, 2);
  std::int64_t n = a.positional.size() > 1 ? index_of(a.positional[1], "times") : -1;
  return make<Driven>("repeat", [v = a.positional[0], n](Runtime&, Value& out) mutable {
    if (n == 0) return false;
    if (n > 0) --n;
    out = v;
    return true;
  });
}
Value it_cycle(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "cycle", 1, 1);
  return make<Driven>("cycle", [items = collect(runtime, a.positional[0]), i = std::size_t{0}](Runtime&, Value& out) mutable {
    if (items.empty()) return false;
    out = items[i++ % items.size()];
    return true;
  });
}
Value chain_of(std::vector<Value> sources) {
  return make<Driven>(
      "chain", [sources, at = std::size_t{0}, current = runtime::Ref<runtime::Iterator>()](Runtime& r, Value& out) mutable {
        for (;;) {
          if (!current) {
            if (at >= sources.size()) return false;
            current = iterate(r, sources[at++]);
          }
          if (current->next(r, out)) return true;
          current = nullptr;
        }
      });
}
Value it_chain(Runtime&, const Arguments& a) { return chain_of({a.positional.begin(), a.positional.end()}); }
Value it_accumulate(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "accumulate", 1, 2);
  Value f = a.positional.size() > 1 ? a.positional[1] : keyword(a, "func") ? *keyword(a, "func") : Value::none();
  Value total = keyword(a, "initial") ? *keyword(a, "initial") : Value();
  if (total.is_none()) total = Value();
  bool first = !total.empty();
  return make<Driven>(
      "accumulate", [inner = iterate(runtime, a.positional[0]), f, total, first](Runtime& r, Value& out) mutable {
        if (first) {
          first = false;
          out = total;
          return true;
        }
        Value item;
        if (!inner->next(r, item)) return false;
        const Value pair[] = {total, item};
        total = total.empty() ? item : f.is_none() ? binary(r, BinaryOperator::Add, total, item) : call(r, f, {pair, {}, {}});
        out = total;
        return true;
      });
}
Value it_product(Runtime& runtime, const Arguments& a) {
  std::vector<std::vector<Value>> pools;
  std::int64_t repeat = keyword(a, "repeat") ? index_of(*keyword(a, "repeat"), "repeat") : 1;
  for (std::int64_t k = 0; k < repeat; ++k)
    for (const Value& v : a.positional) pools.push_back(collect(runtime, v));
  return make<Driven>("product",
                      [pools, index = std::vector<std::size_t>(pools.size()), done = false](Runtime&, Value& out) mutable {
                        if (done) return false;
                        for (auto& p : pools)
                          if (p.empty()) return false;
                        std::vector<Value> items;
                        for (std::size_t i = 0; i < pools.size(); ++i) items.push_back(pools[i][index[i]]);
                        out = runtime::make_tuple(std::move(items));
                        std::size_t i = pools.size();
                        while (i-- > 0) {
                          if (++index[i] < pools[i].size()) return true;
                          index[i] = 0;
                        }
                        done = true;
                        return true;
                      });
}
// Index tuples in lexicographic order: combinations (rising), with replacement (not falling), permutations (distinct).
enum class Pick { Combinations, Replacement, Permutations };
template <Pick P>
Value it_pick(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "combinations", P == Pick::Permutations ? 1 : 2, 2);
  std::vector<Value> pool = collect(runtime, a.positional[0]);
  std::int64_t n = static_cast<std::int64_t>(pool.size()),
               r = a.positional.size() > 1 && !a.positional[1].is_none() ? index_of(a.positional[1], "r") : n;
  if (r < 0) throw Error(ErrorClass::ValueError, "r must be non-negative");
  return make<Driven>("combinations", [pool, n, r, index = std::vector<std::int64_t>(), started = false, done = false](
                                          Runtime&, Value& out) mutable {
    auto valid = [&](std::size_t i) {
      if (P == Pick::Replacement) return i == 0 || index[i] >= index[i - 1];
      if (P == Pick::Combinations) return i == 0 || index[i] > index[i - 1];
      for (std::size_t k = 0; k < i; ++k)
        if (index[k] == index[i]) return false;
      return true;
    };
    // Fills from position i with the least valid values; false when there are none.
    auto fill = [&](std::size_t i) {
      for (; i < index.size(); ++i) {
        while (index[i] < n && !valid(i)) ++index[i];
        if (index[i] >= n) return false;
      }
      return true;
    };
    if (done) return false;
    if (!started) {
      started = true;
      index.assign(static_cast<std::size_t>(r), 0);
      if ((P != Pick::Replacement && r > n) || !fill(0)) {
        done = true;
        return false;
      }
    } else {
      std::size_t i = index.size();
      for (;;) {
        if (i == 0) {
          done = true;
          return false;
        }
        --i;
        ++index[i];
        std::fill(index.begin() + static_cast<std::ptrdiff_t>(i) + 1, index.end(), 0);
        if (fill(i)) break;
      }
    }
    std::vector<Value> items;
    for (std::int64_t k : index) items.push_back(pool[static_cast<std::size_t>(k)]);
    out = runtime::make_tuple(std::move(items));
    return true;
  });
}
Value it_islice(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "islice", 2, 4);
  std::int64_t start = 0, stop = -1, step = 1;
  auto part = [&](std::size_t i, std::int64_t fallback) {
    return a.positional.size() > i && !a.positional[i].is_none() ? index_of(a.positional[i], "islice") : fallback;
  };
  if (a.positional.size() == 2)
    stop = part(1, -1);
  else {
    start = part(1, 0);
    stop = part(2, -1);
    step = part(3, 1);
  }
  return make<Driven>("islice", [inner = iterate(runtime, a.positional[0]), start, stop, step, at = std::int64_t{0}](
                                    Runtime& r, Value& out) mutable {
    for (;;) {
      if (stop >= 0 && start >= stop) return false;
      if (!inner->next(r, out)) return false;
      if (at++ == start) {
        start += step;
        return true;
      }
    }
  });
}
Value it_starmap(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "starmap", 2, 2);
  return make<Driven>("starmap", [f = a.positional[0], inner = iterate(runtime, a.positional[1])](Runtime& r, Value& out) {
    Value item;
    if (!inner->next(r, item)) return false;
    out = call(r, f, {collect(r, item), {}, {}});
    return true;
  });
}
template <bool Take>
Value it_while(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "takewhile", 2, 2);
  return make<Driven>("takewhile", [f = a.positional[0], inner = iterate(runtime, a.positional[1]), over = false](
                                       Runtime& r, Value& out) mutable {
    for (;;) {
      if (Take && over) return false;
      if (!inner->next(r, out)) return false;
      bool holds = (!Take && over) || truth(r, call(r, f, {std::span(&out, 1), {}, {}}));
      if (Take) {
        over = !holds;
        return holds;
      }
      if (!over && holds) continue;
      over = true;
      return true;
    }
  });
}
Value it_zip_longest(Runtime& runtime, const Arguments& a) {
  Value fill = keyword(a, "fillvalue") ? *keyword(a, "fillvalue") : Value::none();
  std::vector<runtime::Ref<runtime::Iterator>> inner;
  for (const Value& v : a.positional) inner.push_back(iterate(runtime, v));
  return make<Driven>("zip_longest", [inner, fill](Runtime& r, Value& out) mutable {
    std::vector<Value> items;
    bool some = false;
    for (auto& i : inner) {
      Value v;
      if (i && i->next(r, v))
        some = true;
      else {
        i = nullptr;
        v = fill;
      }
      items.push_back(v);
    }
    if (some) out = runtime::make_tuple(std::move(items));
    return some;
  });
}
Value it_pairwise(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "pairwise", 1, 1);
  return make<Driven>("pairwise", [inner = iterate(runtime, a.positional[0]), last = Value()](Runtime& r, Value& out) mutable {
    if (last.empty() && !inner->next(r, last)) return false;
    Value next;
    if (!inner->next(r, next)) return false;
    out = runtime::make_tuple({last, next});
    last = next;
    return true;
  });
}
Value it_groupby(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "groupby", 1, 2);
  Value key = a.positional.size() > 1 ? a.positional[1] : keyword(a, "key") ? *keyword(a, "key") : Value::none();
  std::vector<Value> groups;
  Value current;
  for (const Value& v : collect(runtime, a.positional[0])) {
    Value k = key.is_none() ? v : call(runtime, key, {std::span(&v, 1), {}, {}});
    if (groups.empty() || !equal(runtime, k, current)) {
      groups.push_back(runtime::make_tuple({k, runtime::make_list()}));
      current = k;
    }
    groups.back().as<runtime::Tuple>().items[1].as<runtime::List>().items.push_back(v);
  }
  return iterate(runtime, runtime::make_list(std::move(groups)));
}
constexpr FunctionRow kItertools[] = {{"count", it_count},
                                      {"repeat", it_repeat},
                                      {"cycle", it_cycle},
                                      {"chain", it_chain},
                                      {"accumulate", it_accumulate},
                                      {"product", it_product},
                                      {"combinations", it_pick<Pick::Combinations>},
                                      {"combinations_with_replacement", it_pick<Pick::Replacement>},
                                      {"permutations", it_pick<Pick::Permutations>},
                                      {"islice", it_islice},
                                      {"starmap", it_starmap},
                                      {"takewhile", it_while<true>},
                                      {"dropwhile", it_while<false>},
                                      {"zip_longest", it_zip_longest},
                                      {"pairwise", it_pairwise},
                                      {"groupby", it_groupby}};

// ---- typing: names without effect ----

class TypingName final : public runtime::NativeObject {
 public:
  explicit TypingName(std::string n) : name_(std::move(n)) {}
  std::string native_type() const override { return "typing"; }
  std::string repr() const override { return "typing." + name_; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  bool get_item(Runtime&, const Value&, Value& result) override {
    result = runtime::Ref<TypingName>::share(this);
    return true;
  }

 private:
  std::string name_;
};
Value find_typing(Runtime&, std::string_view name) {
  return name.starts_with("__") ? Value() : Value(make<TypingName>(std::string(name)));
}

template <auto& Rows>
Value find_rows(Runtime&, std::string_view name) {
  return find_function(Rows, name);
}

}  // namespace

Value make_math_module(Runtime&) { return make<ModuleObject>("math", find_math, names_of<kMath>); }
Value make_time_module(Runtime&) { return make<ModuleObject>("time", find_rows<kTime>, names_of<kTime>); }
Value make_sys_module(Runtime&) { return make<ModuleObject>("sys", find_sys, names_of<kSys>); }
Value make_operator_module(Runtime&) { return make<ModuleObject>("operator", find_rows<kOperator>, names_of<kOperator>); }
Value make_collections_module(Runtime&) {
  return make<ModuleObject>("collections", find_rows<kCollections>, names_of<kCollections>);
}
Value make_functools_module(Runtime&) { return make<ModuleObject>("functools", find_rows<kFunctools>, names_of<kFunctools>); }
Value make_itertools_module(Runtime&) { return make<ModuleObject>("itertools", find_rows<kItertools>, names_of<kItertools>); }
Value make_typing_module(Runtime&) { return make<ModuleObject>("typing", find_typing); }

}  // namespace autoray::frontend
