// Operators on numbers and containers.
#include <cmath>

#include "frontend/types/array_type.h"
#include "frontend/types/lazy_type.h"
#include "frontend/types/native_operand.h"
#include "frontend/types/type_object.h"
#include "runtime/bigint.h"
#include "runtime/dispatch.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::BigInt;
using runtime::BigInteger;
using runtime::List;
using runtime::make;
using runtime::ObjectKind;
using runtime::Str;
using runtime::Tuple;

double big_int_as_double(const Value& value) {
  auto d = static_cast<double>(value.as<BigInt>().value);
  if (std::isinf(d)) throw Error(ErrorClass::OverflowError, "int too large to convert to float");
  return d;
}
bool is_negative_big_int(const Value& value) { return value.as<BigInt>().value < 0; }

namespace {

constexpr std::int64_t kLargestShift = 1 << 26;  // bits of an int: beyond, MemoryError instead of a machine that swaps

enum class NumberForm { None, Integer, Big, Real, Complex };
NumberForm form_of(const Value& v) {
  if (v.is_int() || v.is_bool()) return NumberForm::Integer;
  if (v.is_float()) return NumberForm::Real;
  if (v.is(ObjectKind::BigInt)) return NumberForm::Big;
  if (v.is(ObjectKind::Complex)) return NumberForm::Complex;
  return NumberForm::None;
}

[[noreturn]] void unsupported(BinaryOperator op, const Value& a, const Value& b, bool inplace = false) {
  std::string symbol_text = std::string(symbol(op)) + (inplace ? "=" : "");
  if (op == BinaryOperator::Pow) symbol_text = inplace ? "**=" : "** or pow()";
  throw Error(ErrorClass::TypeError, "unsupported operand type(s) for " + symbol_text + ": '" + runtime::type_name(a) +
                                         "' and '" + runtime::type_name(b) + "'")
      .with_operands({runtime::type_name(a), runtime::type_name(b)});
}

double to_double(const Value& v) {
  if (v.is_float()) return v.as_float();
  if (v.is_int()) return static_cast<double>(v.as_int());
  if (v.is_bool()) return v.as_bool();
  return big_int_as_double(v);
}

[[noreturn]] void zero_division(const char* text) { throw Error(ErrorClass::ZeroDivisionError, text); }

BigInteger floor_div(const BigInteger& a, const BigInteger& b) {
  BigInteger q, r;
  boost::multiprecision::divide_qr(a, b, q, r);
  if (r != 0 && ((r < 0) != (b < 0))) q -= 1;
  return q;
}
BigInteger floor_mod(const BigInteger& a, const BigInteger& b) {
  BigInteger r = a % b;
  if (r != 0 && ((r < 0) != (b < 0))) r += b;
  return r;
}

// Correctly rounded quotient of two ints of any size.
double true_div(const BigInteger& a, const BigInteger& b) {
  bool negative = (a < 0) != (b < 0);
  BigInteger n = boost::multiprecision::abs(a), d = boost::multiprecision::abs(b);
  if (n == 0) return negative ? -0.0 : 0.0;
  // A quotient of 55 to 56 bits and a sticky bit, then one rounding.
  auto shift =
      static_cast<std::int64_t>(boost::multiprecision::msb(d)) - static_cast<std::int64_t>(boost::multiprecision::msb(n)) + 55;
  // Subnormal results have fewer bits.
  if (-shift < -1074 - 2) shift = 1076;
  if (shift >= 0)
    n <<= static_cast<unsigned>(shift);
  else
    d <<= static_cast<unsigned>(-shift);
  BigInteger q, r;
  boost::multiprecision::divide_qr(n, d, q, r);
  auto bits = static_cast<std::uint64_t>(q);
  if (r != 0) bits |= 1;
  int extra = 64 - __builtin_clzll(bits | 1) - 53;
  std::int64_t exponent = -shift;
  if (exponent + extra < -1074) extra = static_cast<int>(-1074 - exponent);
  if (extra > 0) {
    std::uint64_t mask = (std::uint64_t{1} << extra) - 1, half = std::uint64_t{1} << (extra - 1), rest = bits & mask;
    bits >>= extra;
    if (rest > half || (rest == half && (bits & 1))) ++bits;
    exponent += extra;
  }
  double result = std::ldexp(static_cast<double>(bits), static_cast<int>(std::min<std::int64_t>(exponent, 5000)));
  if (std::isinf(result)) throw Error(ErrorClass::OverflowError, "integer division result too large for a float");
  return negative ? -result : result;
}

std::int64_t shift_count(const BigInteger& b) {
  if (b < 0) throw Error(ErrorClass::ValueError, "negative shift count");
  if (b > kLargestShift) return kLargestShift + 1;
  return static_cast<std::int64_t>(b);
}

Value int_power(const BigInteger& base, const BigInteger& exponent);

Value big_binary(BinaryOperator op, const Value& left, const Value& right) {
  BigInteger a = runtime::big_value(left), b = runtime::big_value(right);
  switch (op) {
    case BinaryOperator::Add: return runtime::make_int(a + b);
    case BinaryOperator::Sub: return runtime::make_int(a - b);
    case BinaryOperator::Mult:
      if (a != 0 && b != 0 &&
          boost::multiprecision::msb(boost::multiprecision::abs(a)) +
                  boost::multiprecision::msb(boost::multiprecision::abs(b)) >
              kLargestShift)
        throw Error(ErrorClass::MemoryError, "the product has too many digits");
      return runtime::make_int(a * b);
    case BinaryOperator::Div:
      if (b == 0) zero_division("division by zero");
      return Value::real(true_div(a, b));
    case BinaryOperator::FloorDiv:
      if (b == 0) zero_division("integer division or modulo by zero");
      return runtime::make_int(floor_div(a, b));
    case BinaryOperator::Mod:
      if (b == 0) zero_division("integer modulo by zero");
      return runtime::make_int(floor_mod(a, b));
    case BinaryOperator::Pow: return int_power(a, b);
    case BinaryOperator::LShift: {
      std::int64_t n = shift_count(b);
      if (a == 0) return Value::integer(0);
      if (n > kLargestShift) throw Error(ErrorClass::OverflowError, "too many digits in integer");
      return runtime::make_int(a << static_cast<unsigned>(n));
    }
    case BinaryOperator::RShift: {
      std::int64_t n = shift_count(b);
      if (n > kLargestShift) return Value::integer(a < 0 ? -1 : 0);
      // Boost refuses to shift negatives right: floor division is what Python means.
      return runtime::make_int(floor_div(a, BigInteger(1) << static_cast<unsigned>(n)));
    }
    case BinaryOperator::BitAnd:
    case BinaryOperator::BitOr:
    case BinaryOperator::BitXor: {
      // Two's complement of enough bits for both.
      unsigned bits = 2;
      for (const BigInteger* x : {&a, &b})
        if (*x != 0)
          bits =
              std::max<unsigned>(bits, static_cast<unsigned>(boost::multiprecision::msb(boost::multiprecision::abs(*x))) + 2);
      BigInteger modulus = BigInteger(1) << bits;
      BigInteger x = a < 0 ? a + modulus : a, y = b < 0 ? b + modulus : b;
      BigInteger r = op == BinaryOperator::BitAnd  ? BigInteger(x & y)
                     : op == BinaryOperator::BitOr ? BigInteger(x | y)
                                                   : BigInteger(x ^ y);
      if (boost::multiprecision::bit_test(r, bits - 1)) r -= modulus;
      return runtime::make_int(r);
    }
    default: unsupported(op, left, right);
  }
}

Value int_power(const BigInteger& base, const BigInteger& exponent) {
  if (exponent < 0) {
    double b = static_cast<double>(base);
    if (b == 0) zero_division("0.0 cannot be raised to a negative power");
    return Value::real(std::pow(b, static_cast<double>(exponent)));
  }
  if (base == 0 || base == 1 || exponent == 0) return Value::integer(exponent == 0 || base == 1 ? 1 : 0);
  if (base == -1) return Value::integer(exponent % 2 == 0 ? 1 : -1);
  auto bits = static_cast<double>(boost::multiprecision::msb(boost::multiprecision::abs(base)) + 1);
  if (exponent > kLargestShift || bits * static_cast<double>(exponent) > static_cast<double>(kLargestShift))
    throw Error(ErrorClass::MemoryError, "the power has too many digits");
  return runtime::make_int(boost::multiprecision::pow(base, static_cast<unsigned>(exponent)));
}

double real_mod(double a, double b) {
  double r = std::fmod(a, b);
  if (r != 0) {
    if ((b < 0) != (r < 0)) r += b;
  } else {
    r = std::copysign(0.0, b);
  }
  return r;
}
double real_floor_div(double a, double b) {
  double mod = std::fmod(a, b), div = (a - mod) / b;
  if (mod != 0 && ((b < 0) != (mod < 0))) div -= 1;
  if (div == 0) return std::copysign(0.0, a / b);
  double floor = std::floor(div);
  return div - floor > 0.5 ? floor + 1 : floor;
}

std::complex<double> to_complex(const Value& v) {
  if (auto* c = v.get_if<runtime::Complex>()) return c->value;
  return to_double(v);
}

// By modulus and argument, as CPython.
std::complex<double> complex_power(std::complex<double> a, std::complex<double> b) {
  double modulus = std::hypot(a.real(), a.imag()), argument = std::atan2(a.imag(), a.real());
  double length = std::pow(modulus, b.real()), phase = argument * b.real();
  if (b.imag() != 0) {
    length *= std::exp(-argument * b.imag());
    phase += b.imag() * std::log(modulus);
  }
  return {length * std::cos(phase), length * std::sin(phase)};
}

Value real_binary(BinaryOperator op, double a, double b, const Value& left, const Value& right) {
  switch (op) {
    case BinaryOperator::Add: return Value::real(a + b);
    case BinaryOperator::Sub: return Value::real(a - b);
    case BinaryOperator::Mult: return Value::real(a * b);
    case BinaryOperator::Div:
      if (b == 0) zero_division(left.is_float() || right.is_float() ? "float division by zero" : "division by zero");
      return Value::real(a / b);
    case BinaryOperator::FloorDiv:
      if (b == 0) zero_division("float floor division by zero");
      return Value::real(real_floor_div(a, b));
    case BinaryOperator::Mod:
      if (b == 0) zero_division("float modulo");
      return Value::real(real_mod(a, b));
    case BinaryOperator::Pow: {
      if (a == 0 && b < 0) zero_division("0.0 cannot be raised to a negative power");
      if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b))
        return runtime::make_complex(complex_power(a, b));
      double r = std::pow(a, b);
      if (std::isinf(r) && std::isfinite(a) && std::isfinite(b))
        throw Error(ErrorClass::OverflowError, "(34, 'Numerical result out of range')");
      return Value::real(r);
    }
    default: unsupported(op, left, right);
  }
}

// CPython's algorithm: Smith's division.
std::complex<double> complex_div(std::complex<double> a, std::complex<double> b) {
  double abs_real = std::fabs(b.real()), abs_imag = std::fabs(b.imag());
  if (abs_real >= abs_imag) {
    if (abs_real == 0) zero_division("complex division by zero");
    double ratio = b.imag() / b.real(), denominator = b.real() + b.imag() * ratio;
    return {(a.real() + a.imag() * ratio) / denominator, (a.imag() - a.real() * ratio) / denominator};
  }
  if (abs_imag >= abs_real) {
    double ratio = b.real() / b.imag(), denominator = b.real() * ratio + b.imag();
    return {(a.real() * ratio + a.imag()) / denominator, (a.imag() * ratio - a.real()) / denominator};
  }
  return {NAN, NAN};
}

Value complex_binary(BinaryOperator op, std::complex<double> a, std::complex<double> b, const Value& left, const Value& right) {
  switch (op) {
    case BinaryOperator::Add: return runtime::make_complex({a.real() + b.real(), a.imag() + b.imag()});
    case BinaryOperator::Sub: return runtime::make_complex({a.real() - b.real(), a.imag() - b.imag()});
    case BinaryOperator::Mult:
      return runtime::make_complex({a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()});
    case BinaryOperator::Div: return runtime::make_complex(complex_div(a, b));
    case BinaryOperator::Pow: {
      if (b == 0.0) return runtime::make_complex(1);
      if (a == 0.0) {
        if (b.imag() != 0 || b.real() < 0) zero_division("0.0 to a negative or complex power");
        return runtime::make_complex(0);
      }
      // Small integer powers by multiplication, as CPython.
      if (b.imag() == 0 && b.real() == std::floor(b.real()) && std::fabs(b.real()) <= 100) {
        auto n = static_cast<long>(std::fabs(b.real()));
        std::complex<double> r = 1, p = a;
        for (long mask = 1; mask <= n; mask <<= 1) {
          if (n & mask) r = {r.real() * p.real() - r.imag() * p.imag(), r.real() * p.imag() + r.imag() * p.real()};
          p = {p.real() * p.real() - p.imag() * p.imag(), 2 * p.real() * p.imag()};
        }
        return runtime::make_complex(b.real() < 0 ? complex_div(1, r) : r);
      }
      return runtime::make_complex(complex_power(a, b));
    }
    case BinaryOperator::FloorDiv:
    case BinaryOperator::Mod:
    default: unsupported(op, left, right);
  }
}

Value number_binary(BinaryOperator op, const Value& a, NumberForm fa, const Value& b, NumberForm fb) {
  bool bitwise = op >= BinaryOperator::LShift;
  if (fa == NumberForm::Complex || fb == NumberForm::Complex) return complex_binary(op, to_complex(a), to_complex(b), a, b);
  if (fa == NumberForm::Real || fb == NumberForm::Real) {
    if (bitwise || op == BinaryOperator::MatMult) unsupported(op, a, b);
    return real_binary(op, to_double(a), to_double(b), a, b);
  }
  if (a.is_bool() && b.is_bool() && bitwise && op >= BinaryOperator::BitOr) {
    bool x = a.as_bool(), y = b.as_bool();
    return Value::boolean(op == BinaryOperator::BitAnd ? x && y : op == BinaryOperator::BitOr ? x || y : x != y);
  }
  if (fa == NumberForm::Integer && fb == NumberForm::Integer) {
    std::int64_t x = a.is_int() ? a.as_int() : a.as_bool(), y = b.is_int() ? b.as_int() : b.as_bool(), r;
    if (op == BinaryOperator::Add && !__builtin_add_overflow(x, y, &r)) return Value::integer(r);
    if (op == BinaryOperator::Sub && !__builtin_sub_overflow(x, y, &r)) return Value::integer(r);
    if (op == BinaryOperator::Mult && !__builtin_mul_overflow(x, y, &r)) return Value::integer(r);
    if (op == BinaryOperator::BitAnd) return Value::integer(x & y);
    if (op == BinaryOperator::BitOr) return Value::integer(x | y);
    if (op == BinaryOperator::BitXor) return Value::integer(x ^ y);
    if (op == BinaryOperator::RShift && y >= 0) return Value::integer(x >> std::min<std::int64_t>(y, 63));
    // Small powers without big integers.
    if (op == BinaryOperator::Pow && y >= 0 && y < 64) {
      std::int64_t power = 1, base = x;
      bool fits = true;
      for (std::int64_t e = y; e && fits; e >>= 1) {
        if (e & 1) fits = !__builtin_mul_overflow(power, base, &power);
        if (e > 1 && fits) fits = !__builtin_mul_overflow(base, base, &base);
      }
      if (fits) return Value::integer(power);
    }
  }
  return big_binary(op, a, b);
}

std::vector<Value> repeated(const std::vector<Value>& items, std::int64_t count) {
  std::vector<Value> result;
  if (count <= 0) return result;
  if (items.size() * static_cast<std::size_t>(count) > (std::size_t{1} << 31))
    throw Error(ErrorClass::MemoryError, "the repeated sequence is too long");
  result.reserve(items.size() * static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) result.insert(result.end(), items.begin(), items.end());
  return result;
}

bool sequence_repeat(const Value& sequence, const Value& count, Value& result) {
  if (!is_integer_value(count) &&
      !(count.is(ObjectKind::NumpyScalar) && ir::is_integer(count.as<runtime::NumpyScalar>().dtype)))
    return false;
  if (!sequence.is_object()) return false;
  switch (sequence.object()->kind()) {
    case ObjectKind::List:
      result = runtime::make_list(repeated(sequence.as<List>().items, index_of(count, "repeat count")));
      return true;
    case ObjectKind::Tuple:
      result = runtime::make_tuple(repeated(sequence.as<Tuple>().items, index_of(count, "repeat count")));
      return true;
    case ObjectKind::Str:
    case ObjectKind::Bytes: {
      bool is_text = sequence.is(ObjectKind::Str);
      const std::string& text = is_text ? sequence.as<Str>().text : sequence.as<runtime::Bytes>().data;
      std::int64_t n = std::max<std::int64_t>(0, index_of(count, "repeat count"));
      if (n && text.size() * static_cast<std::size_t>(n) > (std::size_t{1} << 31))
        throw Error(ErrorClass::MemoryError, "the repeated text is too long");
      std::string r;
      r.reserve(text.size() * static_cast<std::size_t>(n));
      for (std::int64_t i = 0; i < n; ++i) r += text;
      result = is_text ? runtime::make_str(std::move(r)) : Value(make<runtime::Bytes>(std::move(r)));
      return true;
    }
    default: return false;
  }
}

runtime::Ref<runtime::Set> set_of(const runtime::Set& like) { return make<runtime::Set>(like.frozen); }

Value set_binary(BinaryOperator op, runtime::Set& a, runtime::Set& b) {
  auto result = set_of(a);
  auto add = [&](runtime::Set& from, runtime::Set* other, bool wanted) {
    for (auto& entry : from.items->entries())
      if (!entry.key.empty() && (!other || (other->items->find(entry.key) != nullptr) == wanted))
        result->items->set(entry.key, Value::none());
  };
  switch (op) {
    case BinaryOperator::BitOr:
      add(a, nullptr, true);
      add(b, nullptr, true);
      break;
    case BinaryOperator::BitAnd: add(a, &b, true); break;
    case BinaryOperator::Sub: add(a, &b, false); break;
    default: add(a, &b, false); add(b, &a, false);
  }
  return result;
}

// Counter's arithmetic keeps positive counts.
Value counter_binary(Runtime& runtime, BinaryOperator op, runtime::Dict& a, runtime::Dict& b) {
  auto result = make<runtime::Dict>();
  result->subclass = "Counter";
  auto count = [&](runtime::Dict& d, const Value& key) {
    Value* found = d.find(key);
    return found ? *found : Value::integer(0);
  };
  auto put = [&](const Value& key) {
    Value x = count(a, key), y = count(b, key), r;
    if (op == BinaryOperator::Add) r = binary(runtime, op, x, y);
    if (op == BinaryOperator::Sub) r = binary(runtime, op, x, y);
    if (op == BinaryOperator::BitAnd) r = less(runtime, x, y) ? x : y;
    if (op == BinaryOperator::BitOr) r = less(runtime, x, y) ? y : x;
    if (less(runtime, Value::integer(0), r)) result->set(key, r);
  };
  for (auto& entry : a.entries())
    if (!entry.key.empty()) put(entry.key);
  for (auto& entry : b.entries())
    if (!entry.key.empty() && !a.find(entry.key)) put(entry.key);
  return result;
}

constexpr std::string_view kOpNames[] = {"add",          "subtract",    "multiply",   "matmul",     "divide",
                                         "floor_divide", "remainder",   "power",      "left_shift", "right_shift",
                                         "bitwise_or",   "bitwise_xor", "bitwise_and"};
ir::OpId op_id(BinaryOperator op) {
  // Looked up once a process: a constant table of the table's own names.
  static const auto ids = [] {
    std::array<ir::OpId, 13> table{};
    for (int i = 0; i < 13; ++i) table[static_cast<std::size_t>(i)] = ir::find_op(kOpNames[i]);
    return table;
  }();
  return ids[static_cast<std::size_t>(op)];
}

}  // namespace

bool is_integer_value(const Value& value) { return value.is_int() || value.is_bool() || value.is(ObjectKind::BigInt); }

namespace {

// np.float64 is a Python float: a complex number on the left, whose turn comes first, takes it as one.
const runtime::NumpyScalar* float_beside_complex(const Value& a, const Value& b) {
  if (!a.is(ObjectKind::Complex)) return nullptr;
  auto* scalar = b.get_if<runtime::NumpyScalar>();
  return scalar && scalar->dtype == ir::DType::Float64 ? scalar : nullptr;
}

}  // namespace

bool is_array_like(const Value& value) {
  if (!value.is_object()) return false;
  ObjectKind k = value.object()->kind();
  return k == ObjectKind::Array || k == ObjectKind::NumpyScalar || k == ObjectKind::Lazy || k == ObjectKind::Foreign;
}

Value binary(Runtime& runtime, BinaryOperator op, const Value& a, const Value& b) {
  // Lazy arrays with each other or with numbers have no other meaning: the calls that a trace is made of.
  auto lazy_or_number = [](const Value& v) { return v.is(ObjectKind::Lazy) || v.is_float() || v.is_int(); };
  if ((a.is(ObjectKind::Lazy) && lazy_or_number(b)) || (b.is(ObjectKind::Lazy) && lazy_or_number(a))) {
    const Value operands[] = {a, b};
    return runtime::operator_call(runtime, op_id(op), operands);
  }
  bool complex_operator = op == BinaryOperator::Add || op == BinaryOperator::Sub || op == BinaryOperator::Mult ||
                          op == BinaryOperator::Div || op == BinaryOperator::Pow;
  if (auto* number = float_beside_complex(a, b); number && complex_operator)
    return binary(runtime, op, a, python_scalar(number->dtype, number->data));
  if ((is_array_like(a) || is_array_like(b)) && !(op == BinaryOperator::Mod && a.is(ObjectKind::Str))) {
    Value repeated_sequence;
    if (op == BinaryOperator::Mult) {
      if (a.is(ObjectKind::NumpyScalar) && !b.is(ObjectKind::Array) && sequence_repeat(b, a, repeated_sequence))
        return repeated_sequence;
      if (b.is(ObjectKind::NumpyScalar) && !a.is(ObjectKind::Array) && sequence_repeat(a, b, repeated_sequence))
        return repeated_sequence;
    }
    for (const Value* v : {&a, &b})
      if (v->is_none() || v->is(ObjectKind::Str) || v->is(ObjectKind::Dict) || v->is(ObjectKind::Callable))
        unsupported(op, a, b);
    // Two scalars have no product of matrices.
    if (op == BinaryOperator::MatMult && a.is(ObjectKind::NumpyScalar) && b.is(ObjectKind::NumpyScalar)) unsupported(op, a, b);
    // numpy's ** squares, which leaves bools int8 where power would give int64.
    if (auto* array = a.peek<runtime::ArrayObject>();
        op == BinaryOperator::Pow && array && array->array.dtype == ir::DType::Bool && b.is_int() && b.as_int() == 2)
      return runtime::operator_call(runtime, ir::OpId::Square, std::span(&a, 1));
    const Value operands[] = {a, b};
    return runtime::operator_call(runtime, op_id(op), operands);
  }
  NumberForm fa = form_of(a), fb = form_of(b);
  if (fa != NumberForm::None && fb != NumberForm::None) return number_binary(op, a, fa, b, fb);
  if (op == BinaryOperator::Mult) {
    Value result;
    if (sequence_repeat(a, b, result) || sequence_repeat(b, a, result)) return result;
    if (a.is(ObjectKind::List) || a.is(ObjectKind::Tuple) || a.is(ObjectKind::Str))
      throw Error(ErrorClass::TypeError, "can't multiply sequence by non-int of type '" + runtime::type_name(b) + "'");
  }
  if (a.is_object() && b.is_object()) {
    if (op == BinaryOperator::Add) {
      if (auto *x = a.get_if<Str>(), *y = b.get_if<Str>(); x && y) return runtime::make_str(x->text + y->text);
      if (auto *x = a.get_if<List>(), *y = b.get_if<List>(); x && y) {
        std::vector<Value> items = x->items;
        items.insert(items.end(), y->items.begin(), y->items.end());
        return runtime::make_list(std::move(items));
      }
      if (auto *x = a.get_if<Tuple>(), *y = b.get_if<Tuple>(); x && y) {
        std::vector<Value> items = x->items;
        items.insert(items.end(), y->items.begin(), y->items.end());
        return runtime::make_tuple(std::move(items));
      }
      if (auto *x = a.get_if<runtime::Bytes>(), *y = b.get_if<runtime::Bytes>(); x && y)
        return make<runtime::Bytes>(x->data + y->data);
    }
    // dict.keys() and dict.items() are sets too.
    auto set_like_view = [](const Value& v) {
      auto* native = v.get_if<runtime::NativeObject>();
      return native && (native->native_type() == "dict_keys" || native->native_type() == "dict_items");
    };
    if ((op == BinaryOperator::Sub || op >= BinaryOperator::BitOr) && (set_like_view(a) || set_like_view(b))) {
      auto as_set = [&](const Value& v) {
        auto set = make<runtime::Set>();
        for (const Value& item : collect(runtime, v)) set->items->set(item, Value::none());
        return set;
      };
      return set_binary(op, *as_set(a), *as_set(b));
    }
    if (auto *x = a.get_if<runtime::Set>(), *y = b.get_if<runtime::Set>();
        x && y && (op == BinaryOperator::Sub || op >= BinaryOperator::BitOr))
      return set_binary(op, *x, *y);
    if (auto *x = a.get_if<runtime::Dict>(), *y = b.get_if<runtime::Dict>(); x && y) {
      if (x->subclass && std::string_view(x->subclass) == "Counter" &&
          (op == BinaryOperator::Add || op == BinaryOperator::Sub || op == BinaryOperator::BitAnd ||
           op == BinaryOperator::BitOr))
        return counter_binary(runtime, op, *x, *y);
      if (op == BinaryOperator::BitOr) {
        auto result = make<runtime::Dict>();
        result->subclass = x->subclass;
        result->default_factory = x->default_factory;
        for (runtime::Dict* d : {x, y})
          for (auto& entry : d->entries())
            if (!entry.key.empty()) result->set(entry.key, entry.value);
        return result;
      }
    }
  }
  Value operand_result;
  if (auto* operand = native_operand(a); operand && operand->binary(runtime, op, b, false, operand_result))
    return operand_result;
  if (auto* operand = native_operand(b); operand && operand->binary(runtime, op, a, true, operand_result))
    return operand_result;
  if (op == BinaryOperator::Mod)
    if (auto* text = a.get_if<Str>()) return runtime::make_str(percent_format(runtime, text->text, b));
  if (op == BinaryOperator::Add) {
    if (a.is(ObjectKind::Str))
      throw Error(ErrorClass::TypeError, "can only concatenate str (not \"" + runtime::type_name(b) + "\") to str")
          .with_operands({runtime::type_name(a), runtime::type_name(b)});
    if (a.is(ObjectKind::Bytes))
      throw Error(ErrorClass::TypeError, "can't concat " + runtime::type_name(b) + " to bytes")
          .with_operands({runtime::type_name(a), runtime::type_name(b)});
    if (a.is(ObjectKind::List))
      throw Error(ErrorClass::TypeError, "can only concatenate list (not \"" + runtime::type_name(b) + "\") to list")
          .with_operands({runtime::type_name(a), runtime::type_name(b)});
    if (a.is(ObjectKind::Tuple))
      throw Error(ErrorClass::TypeError, "can only concatenate tuple (not \"" + runtime::type_name(b) + "\") to tuple")
          .with_operands({runtime::type_name(a), runtime::type_name(b)});
  }
  unsupported(op, a, b);
}

Value inplace_binary(Runtime& runtime, BinaryOperator op, const Value& a, const Value& b) {
  if (auto* operand = native_operand(a); operand && operand->inplace_binary(runtime, op, b)) return a;
  if (a.is(ObjectKind::Array) || a.is(ObjectKind::Lazy)) return runtime::inplace_call(runtime, op_id(op), a, b);
  if (auto* list = a.get_if<List>()) {
    if (op == BinaryOperator::Add) {
      std::vector<Value> items = collect(runtime, b);
      list->items.insert(list->items.end(), items.begin(), items.end());
      return a;
    }
    Value result;
    if (op == BinaryOperator::Mult && sequence_repeat(a, b, result)) {
      list->items = std::move(result.as<List>().items);
      return a;
    }
  }
  if (auto *x = a.get_if<runtime::Set>(), *y = b.get_if<runtime::Set>();
      x && y && !x->frozen && (op == BinaryOperator::Sub || op >= BinaryOperator::BitOr)) {
    Value result = set_binary(op, *x, *y);
    x->items = result.as<runtime::Set>().items;
    return a;
  }
  if (auto *x = a.get_if<runtime::Dict>(), *y = b.get_if<runtime::Dict>();
      x && y && op == BinaryOperator::BitOr && !x->subclass) {
    for (auto& entry : y->entries())
      if (!entry.key.empty()) x->set(entry.key, entry.value);
    return a;
  }
  try {
    return binary(runtime, op, a, b);
  } catch (Error& error) {
    if (error.message().starts_with("unsupported operand type(s) for")) unsupported(op, a, b, true);
    throw;
  }
}

Value unary(Runtime& runtime, UnaryOperator op, const Value& v) {
  if (op == UnaryOperator::Not) return Value::boolean(!truth(runtime, v));
  if (is_array_like(v)) {
    static const ir::OpId ids[] = {ir::find_op("invert"), ir::OpId::Count, ir::find_op("positive"), ir::find_op("negative")};
    return runtime::operator_call(runtime, ids[static_cast<int>(op)], std::span(&v, 1));
  }
  switch (form_of(v)) {
    case NumberForm::Integer: {
      std::int64_t x = v.is_int() ? v.as_int() : v.as_bool();
      if (op == UnaryOperator::UAdd) return Value::integer(x);
      if (op == UnaryOperator::Invert) return Value::integer(~x);
      if (x != INT64_MIN) return Value::integer(-x);
      return runtime::make_int(-BigInteger(x));
    }
    case NumberForm::Big: {
      const BigInteger& x = v.as<BigInt>().value;
      return runtime::make_int(op == UnaryOperator::UAdd ? x : op == UnaryOperator::USub ? BigInteger(-x) : BigInteger(-x - 1));
    }
    case NumberForm::Real:
      if (op == UnaryOperator::Invert) break;
      return Value::real(op == UnaryOperator::USub ? -v.as_float() : v.as_float());
    case NumberForm::Complex: {
      if (op == UnaryOperator::Invert) break;
      auto c = v.as<runtime::Complex>().value;
      return runtime::make_complex(op == UnaryOperator::USub ? std::complex<double>(-c.real(), -c.imag()) : c);
    }
    case NumberForm::None: break;
  }
  if (auto* counter = v.get_if<runtime::Dict>();
      counter && counter->subclass && std::string_view(counter->subclass) == "Counter") {
    auto empty = make<runtime::Dict>();
    empty->subclass = "Counter";
    return op == UnaryOperator::UAdd ? counter_binary(runtime, BinaryOperator::Add, *counter, *empty)
                                     : counter_binary(runtime, BinaryOperator::Sub, *empty, *counter);
  }
  throw Error(ErrorClass::TypeError,
              std::string("bad operand type for unary ") + std::string(symbol(op)) + ": '" + runtime::type_name(v) + "'");
}

// ---- comparison ----

namespace {

// -1, 0, 1; 2 when unordered (NaN).
int compare_numbers(const Value& a, NumberForm fa, const Value& b, NumberForm fb) {
  if (fa == NumberForm::Integer && fb == NumberForm::Integer) {
    std::int64_t x = a.is_int() ? a.as_int() : a.as_bool(), y = b.is_int() ? b.as_int() : b.as_bool();
    return x < y ? -1 : x > y;
  }
  if (fa == NumberForm::Real && fb == NumberForm::Real) {
    double x = a.as_float(), y = b.as_float();
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
  }
  if (fa != NumberForm::Real && fb != NumberForm::Real) {
    BigInteger x = runtime::big_value(a), y = runtime::big_value(b);
    return x < y ? -1 : x > y;
  }
  // An int with a float, exactly.
  if (fa == NumberForm::Real) {
    int c = compare_numbers(b, fb, a, fa);
    return c == 2 ? 2 : -c;
  }
  double y = b.as_float();
  if (std::isnan(y)) return 2;
  if (std::isinf(y)) return y > 0 ? -1 : 1;
  if (fa == NumberForm::Integer) {
    std::int64_t x = a.is_int() ? a.as_int() : a.as_bool();
    if (std::llabs(x) <= (std::int64_t{1} << 53)) return static_cast<double>(x) < y ? -1 : static_cast<double>(x) > y;
  }
  BigInteger x = runtime::big_value(a), floor(std::floor(y));
  if (x != floor) return x < floor ? -1 : 1;
  return y > std::floor(y) ? -1 : 0;
}

bool holds(CompareOperator op, int c) {
  if (c == 2) return op == CompareOperator::NotEq;
  switch (op) {
    case CompareOperator::Lt: return c < 0;
    case CompareOperator::LtE: return c <= 0;
    case CompareOperator::Gt: return c > 0;
    case CompareOperator::GtE: return c >= 0;
    case CompareOperator::Eq: return c == 0;
    default: return c != 0;
  }
}

bool compare_sequences(Runtime& runtime, CompareOperator op, const std::vector<Value>& a, const std::vector<Value>& b) {
  runtime::check_stack();
  std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < n; ++i)
    if (!a[i].identical(b[i]) && !equal(runtime, a[i], b[i])) return truth(runtime, compare(runtime, op, a[i], b[i]));
  return holds(op, a.size() < b.size() ? -1 : a.size() > b.size());
}

bool is_ordered(const runtime::Dict& d) { return d.subclass && std::string_view(d.subclass) == "OrderedDict"; }
Value keys_list(runtime::Dict& d) {
  std::vector<Value> keys;
  for (auto& entry : d.entries())
    if (!entry.key.empty()) keys.push_back(entry.key);
  return runtime::make_list(std::move(keys));
}

bool subset(runtime::Dict& a, runtime::Dict& b) {
  for (auto& entry : a.entries())
    if (!entry.key.empty() && !b.find(entry.key)) return false;
  return true;
}

}  // namespace

Value compare(Runtime& runtime, CompareOperator op, const Value& a, const Value& b) {
  switch (op) {
    case CompareOperator::Is: return Value::boolean(a.identical(b));
    case CompareOperator::IsNot: return Value::boolean(!a.identical(b));
    case CompareOperator::In: return Value::boolean(contains(runtime, b, a));
    case CompareOperator::NotIn: return Value::boolean(!contains(runtime, b, a));
    default: break;
  }
  if (auto* number = float_beside_complex(a, b); number && (op == CompareOperator::Eq || op == CompareOperator::NotEq))
    return compare(runtime, op, a, python_scalar(number->dtype, number->data));
  if (is_array_like(a) || is_array_like(b)) {
    for (const Value* v : {&a, &b})
      if (v->is_none() || v->is(ObjectKind::Str) || v->is(ObjectKind::Dict) || v->is(ObjectKind::Callable)) {
        if (op == CompareOperator::Eq || op == CompareOperator::NotEq) return Value::boolean(op == CompareOperator::NotEq);
        throw Error(ErrorClass::TypeError, "'" + std::string(symbol(op)) + "' not supported between instances of '" +
                                               runtime::type_name(a) + "' and '" + runtime::type_name(b) + "'");
      }
    static const ir::OpId ids[] = {ir::find_op("equal"),      ir::find_op("not_equal"), ir::find_op("less"),
                                   ir::find_op("less_equal"), ir::find_op("greater"),   ir::find_op("greater_equal")};
    const Value operands[] = {a, b};
    return runtime::operator_call(runtime, ids[static_cast<int>(op)], operands);
  }
  NumberForm fa = form_of(a), fb = form_of(b);
  bool equality = op == CompareOperator::Eq || op == CompareOperator::NotEq;
  if (fa != NumberForm::None && fb != NumberForm::None && fa != NumberForm::Complex && fb != NumberForm::Complex)
    return Value::boolean(holds(op, compare_numbers(a, fa, b, fb)));
  Value operand_result;
  if (auto* operand = native_operand(a); operand && operand->compare(runtime, op, b, false, operand_result))
    return operand_result;
  if (auto* operand = native_operand(b); operand && operand->compare(runtime, op, a, true, operand_result))
    return operand_result;
  if (equality) {
    auto *ordered_a = a.get_if<runtime::Dict>(), *ordered_b = b.get_if<runtime::Dict>();
    if (ordered_a && ordered_b && is_ordered(*ordered_a) && is_ordered(*ordered_b)) {
      // Two ordered dictionaries are equal in order only.
      bool same = runtime::values_equal(&runtime, a, b) &&
                  runtime::values_equal(&runtime, keys_list(*ordered_a), keys_list(*ordered_b));
      return Value::boolean(same == (op == CompareOperator::Eq));
    }
    // A dtype equals its names and types.
    auto* native = a.get_if<runtime::NativeObject>();
    auto* dtype = native ? dynamic_cast<runtime::DTypeObject*>(native) : nullptr;
    const Value* other = &b;
    if (!dtype) {
      native = b.get_if<runtime::NativeObject>();
      dtype = native ? dynamic_cast<runtime::DTypeObject*>(native) : nullptr;
      other = &a;
    }
    if (dtype && (other->is(ObjectKind::Str) || other->is(ObjectKind::Callable))) {
      bool same = false;
      try {
        auto d = runtime::to_dtype(*other);
        same = d && *d == dtype->dtype;
      } catch (const Error&) {
      }
      return Value::boolean(same == (op == CompareOperator::Eq));
    }
    return Value::boolean(runtime::values_equal(&runtime, a, b) == (op == CompareOperator::Eq));
  }
  if (auto *x = a.get_if<Str>(), *y = b.get_if<Str>(); x && y)
    return Value::boolean(holds(op, x->text.compare(y->text) < 0 ? -1 : x->text.compare(y->text) > 0));
  if (auto *x = a.get_if<runtime::Bytes>(), *y = b.get_if<runtime::Bytes>(); x && y)
    return Value::boolean(holds(op, x->data.compare(y->data) < 0 ? -1 : x->data.compare(y->data) > 0));
  if (auto *x = a.get_if<List>(), *y = b.get_if<List>(); x && y)
    return Value::boolean(compare_sequences(runtime, op, x->items, y->items));
  if (auto *x = a.get_if<Tuple>(), *y = b.get_if<Tuple>(); x && y)
    return Value::boolean(compare_sequences(runtime, op, x->items, y->items));
  if (auto *x = a.get_if<runtime::Set>(), *y = b.get_if<runtime::Set>(); x && y) {
    bool less_or_equal = op == CompareOperator::Lt || op == CompareOperator::LtE;
    runtime::Dict &small = less_or_equal ? *x->items : *y->items, &large = less_or_equal ? *y->items : *x->items;
    bool strict = op == CompareOperator::Lt || op == CompareOperator::Gt;
    return Value::boolean(subset(small, large) && (!strict || small.size() < large.size()));
  }
  throw Error(ErrorClass::TypeError, "'" + std::string(symbol(op)) + "' not supported between instances of '" +
                                         runtime::type_name(a) + "' and '" + runtime::type_name(b) + "'")
      .with_operands({runtime::type_name(a), runtime::type_name(b)});
}

bool equal(Runtime& runtime, const Value& a, const Value& b) {
  return truth(runtime, compare(runtime, CompareOperator::Eq, a, b));
}
bool less(Runtime& runtime, const Value& a, const Value& b) {
  return truth(runtime, compare(runtime, CompareOperator::Lt, a, b));
}

bool truth(Runtime& runtime, const Value& v) {
  switch (v.tag()) {
    case runtime::Tag::None: return false;
    case runtime::Tag::Bool: return v.as_bool();
    case runtime::Tag::Int: return v.as_int() != 0;
    case runtime::Tag::Float: return v.as_float() != 0;
    case runtime::Tag::Object: break;
    default: return true;
  }
  switch (v.object()->kind()) {
    case ObjectKind::Complex: return v.as<runtime::Complex>().value != 0.0;
    case ObjectKind::NumpyScalar: {
      auto& s = v.as<runtime::NumpyScalar>();
      return ir::visit_dtype(s.dtype, [&]<class T>() {
        const T& item = *reinterpret_cast<const T*>(s.data);
        if constexpr (std::is_same_v<T, ir::Half>)
          return static_cast<float>(item) != 0;
        else
          return item != T(0);
      });
    }
    case ObjectKind::Array: {
      auto& array = v.as<runtime::ArrayObject>().array;
      if (array.size() == 1) return truth(runtime, runtime::make_scalar(array.dtype, array.data));
      if (array.size() == 0)
        throw Error(
            ErrorClass::ValueError,
            "The truth value of an empty array is ambiguous. Use `array.size > 0` to check that an array is not empty.");
      throw Error(ErrorClass::ValueError,
                  "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()");
    }
    case ObjectKind::Lazy: return truth(runtime, known_value(v.as<runtime::LazyArray>(), "the truth value"));
    case ObjectKind::Native: {
      auto n = v.as<runtime::NativeObject>().length();
      return !n || *n != 0;
    }
    case ObjectKind::Str:
    case ObjectKind::Bytes:
    case ObjectKind::List:
    case ObjectKind::Tuple:
    case ObjectKind::Dict:
    case ObjectKind::Set:
    case ObjectKind::Range: return length(runtime, v) != 0;
    default: return true;
  }
}

}  // namespace autoray::frontend
