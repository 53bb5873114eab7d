// Ints beyond int64, exact at any size. Its own header: Boost.Multiprecision costs a second to compile.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include "runtime/value.h"

namespace autoray::runtime {

using BigInteger = boost::multiprecision::cpp_int;

struct BigInt final : Object {
  static constexpr ObjectKind kKind = ObjectKind::BigInt;
  explicit BigInt(BigInteger v) : Object(kKind), value(std::move(v)) {}
  BigInteger value;
};
// An int value of any size: immediate where it fits.
Value make_int(const BigInteger& value);
// The value of an int (bool included) of any size.
BigInteger big_value(const Value& value);

}  // namespace autoray::runtime
