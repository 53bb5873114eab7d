#include "frontend/operators.h"

namespace autoray::frontend {

std::string_view symbol(BinaryOperator op) {
  static constexpr std::string_view kText[] = {"+", "-", "*", "@", "/", "//", "%", "**", "<<", ">>", "|", "^", "&"};
  return kText[static_cast<int>(op)];
}

std::string_view symbol(UnaryOperator op) {
  static constexpr std::string_view kText[] = {"~", "not", "+", "-"};
  return kText[static_cast<int>(op)];
}

std::string_view symbol(CompareOperator op) {
  static constexpr std::string_view kText[] = {"==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in"};
  return kText[static_cast<int>(op)];
}

}  // namespace autoray::frontend
