#include "frontend/types/native_operand.h"

namespace autoray::frontend {

bool NativeOperand::compare(Runtime&, CompareOperator, const Value&, bool, Value&) { return false; }
bool NativeOperand::binary(Runtime&, BinaryOperator, const Value&, bool, Value&) { return false; }
bool NativeOperand::inplace_binary(Runtime&, BinaryOperator, const Value&) { return false; }
bool NativeOperand::set_item(Runtime&, const Value&, const Value&) { return false; }
bool NativeOperand::delete_item(Runtime&, const Value&) { return false; }

}  // namespace autoray::frontend
