#include "runtime/bigint.h"

#include <limits>

namespace autoray::runtime {

Value make_int(const BigInteger& value) {
  if (value >= std::numeric_limits<std::int64_t>::min() && value <= std::numeric_limits<std::int64_t>::max())
    return Value::integer(static_cast<std::int64_t>(value));
  return make<BigInt>(value);
}

BigInteger big_value(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (value.is_bool()) return value.as_bool() ? 1 : 0;
  return value.as<BigInt>().value;
}

}  // namespace autoray::runtime
