// Python's operators, as the tree and the object protocol name them (the field names of CPython's ast).
#pragma once

#include <cstdint>
#include <string_view>

namespace autoray::frontend {

enum class BinaryOperator : std::uint8_t {
  Add,
  Sub,
  Mult,
  MatMult,
  Div,
  FloorDiv,
  Mod,
  Pow,
  LShift,
  RShift,
  BitOr,
  BitXor,
  BitAnd
};
enum class UnaryOperator : std::uint8_t { Invert, Not, UAdd, USub };
enum class CompareOperator : std::uint8_t { Eq, NotEq, Lt, LtE, Gt, GtE, Is, IsNot, In, NotIn };
enum class BoolOperator : std::uint8_t { And, Or };

// As a script writes it: "+", "//", "not in".
std::string_view symbol(BinaryOperator op);
std::string_view symbol(UnaryOperator op);
std::string_view symbol(CompareOperator op);

}  // namespace autoray::frontend
