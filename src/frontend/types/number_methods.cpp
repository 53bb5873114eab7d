// Methods of int, float, complex and bool.
#include <algorithm>
#include <bit>
#include <cmath>

#include "frontend/types/methods.h"
#include "runtime/bigint.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

Value int_to_bytes(Runtime& runtime, const Value& self, const Arguments& a) {
  check_keywords(a, "to_bytes", {"length", "byteorder", "signed"});
  check_arguments({a.positional, {}, {}}, "to_bytes", 0, 2);
  const Value* length_value = a.positional.empty() ? keyword(a, "length") : &a.positional[0];
  const Value* order_value = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "byteorder");
  const Value* signed_value = keyword(a, "signed");
  std::int64_t length = length_value ? index_of(*length_value, "length") : 1;
  if (length < 0) throw Error(ErrorClass::ValueError, "length argument must be non-negative");
  std::string order = order_value ? runtime::text_of(*order_value, "byteorder") : "big";
  if (order != "big" && order != "little") throw Error(ErrorClass::ValueError, "byteorder must be either 'little' or 'big'");
  bool is_signed = signed_value && truth(runtime, *signed_value);
  runtime::BigInteger value = runtime::big_value(self), span = runtime::BigInteger(1) << static_cast<unsigned>(8 * length);
  if (value < 0 && !is_signed) throw Error(ErrorClass::OverflowError, "can't convert negative int to unsigned");
  runtime::BigInteger half = span / 2;
  if (is_signed ? value >= half || value < -half : value >= span)
    throw Error(ErrorClass::OverflowError, "int too big to convert");
  if (value < 0) value += span;
  std::string data;
  for (std::int64_t i = 0; i < length; ++i) {
    data += static_cast<char>(static_cast<unsigned>(value & 0xff));
    value >>= 8;
  }
  if (order == "big") std::reverse(data.begin(), data.end());
  return make<runtime::Bytes>(std::move(data));
}

Value number_conjugate(Runtime&, const Value& self, const Arguments&) {
  if (auto* c = self.get_if<runtime::Complex>()) return runtime::make_complex(std::conj(c->value));
  return self;
}
Value int_bit_length(Runtime&, const Value& self, const Arguments&) {
  runtime::BigInteger v = boost::multiprecision::abs(runtime::big_value(self));
  return Value::integer(v == 0 ? 0 : static_cast<std::int64_t>(boost::multiprecision::msb(v)) + 1);
}
Value int_bit_count(Runtime&, const Value& self, const Arguments&) {
  runtime::BigInteger v = boost::multiprecision::abs(runtime::big_value(self));
  std::int64_t n = 0;
  for (; v > 0; v >>= 1) n += static_cast<int>(v & 1);
  return Value::integer(n);
}
Value float_is_integer(Runtime&, const Value& self, const Arguments&) {
  if (!self.is_float()) return Value::boolean(true);
  return Value::boolean(std::isfinite(self.as_float()) && self.as_float() == std::floor(self.as_float()));
}
Value float_hex(Runtime&, const Value& self, const Arguments&) {
  double v = real_of(self);
  if (!std::isfinite(v)) return runtime::make_str(float_repr(v));
  if (v == 0) return runtime::make_str(std::signbit(v) ? "-0x0.0p+0" : "0x0.0p+0");
  std::uint64_t bits = std::bit_cast<std::uint64_t>(v);
  auto exponent = static_cast<int>(bits >> 52 & 0x7ff);
  char text[64];
  std::snprintf(text, sizeof text, "%s0x%d.%013llxp%+d", std::signbit(v) ? "-" : "", exponent != 0,
                static_cast<unsigned long long>(bits & 0xfffffffffffffULL), exponent ? exponent - 1023 : -1022);
  return runtime::make_str(text);
}
Value float_ratio(Runtime&, const Value& self, const Arguments&) {
  double v = real_of(self);
  if (std::isnan(v)) throw Error(ErrorClass::ValueError, "cannot convert NaN to integer ratio");
  if (std::isinf(v)) throw Error(ErrorClass::OverflowError, "cannot convert Infinity to integer ratio");
  int exponent;
  double m = std::frexp(v, &exponent);
  for (int k = 0; k < 300 && m != std::floor(m); ++k) {
    m *= 2;
    --exponent;
  }
  runtime::BigInteger n(m), d = 1;
  if (exponent > 0)
    n <<= static_cast<unsigned>(exponent);
  else
    d <<= static_cast<unsigned>(-exponent);
  return runtime::make_tuple({runtime::make_int(n), runtime::make_int(d)});
}

constexpr MethodRow kNumber[] = {{"conjugate", number_conjugate},  {"bit_length", int_bit_length},
                                 {"bit_count", int_bit_count},     {"to_bytes", int_to_bytes},
                                 {"is_integer", float_is_integer}, {"hex", float_hex},
                                 {"as_integer_ratio", float_ratio}};

}  // namespace

std::span<const MethodRow> number_methods() { return kNumber; }

}  // namespace autoray::frontend
