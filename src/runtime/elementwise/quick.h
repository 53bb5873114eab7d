// The short way of an element-wise call: dense operands of one shape and one dtype, numbers beside them, few elements. That is
// what `a * b` and do('sqrt', x) in a loop mostly are, and there the general way (inference, broadcasting, conversion) costs
// many times the arithmetic. The same loops run as in driver.h, so the bits are the same. About 30 ns a call.
#pragma once

#include "runtime/elementwise/loops.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

// What is known of a (backend, op, dtype) once it was asked for.
struct QuickLoop {
  Loop loop;  // null: this op or dtype takes the general way
  ir::DType result;
  bool known;
  bool quiet;  // numpy tells of no floating-point events
  std::uint8_t operand_size, result_size;
};

// False, with nothing done, where the call must take the general way. A 0-d result is a numpy scalar.
bool quick_elementwise(Runtime& runtime, ir::OpId id, BackendId backend, std::span<const Operand> operands, Array& result);

}  // namespace autoray::runtime
