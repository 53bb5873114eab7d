// The short way of small calls, where the general one (binding, inference, broadcasting, conversion) costs many times the
// arithmetic: element-wise ops of dense operands of one shape and one dtype, numbers beside them; products of two vectors. The
// same loops and kernels run as on the general way, so the bits are the same. About 30 ns a call.
#pragma once

#include "runtime/elementwise/loops.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

// What is known of a (backend, op, dtype) once it was asked for.
struct QuickLoop {
  Loop loop;  // null: this op or dtype takes the general way
  ir::DType result;
  bool known;
  bool quiet;    // numpy tells of no floating-point events
  bool vectors;  // a product that makes one element of two vectors
  bool by_axes;  // of two vectors and the number of axes, 1
  std::uint8_t operand_size, result_size;
};

// False, with nothing done, where the call must take the general way. A 0-d result is a numpy scalar. `result` is an array
// without storage.
bool quick_elementwise(Runtime& runtime, ir::OpId id, BackendId backend, std::span<const Operand> operands, Array& result);
// The result takes the elements' places of the first operand, which has its shape and dtype, C-ordered.
bool quick_elementwise_in_place(Runtime& runtime, ir::OpId id, BackendId backend, std::span<const Operand> operands);

// Fills a QuickLoop at first use: the op's own rules say what a call on arrays of this dtype gives.
void prepare_quick(Runtime& runtime, ir::OpId id, BackendId backend, ir::DType dtype, QuickLoop& quick);

// The same for a product of two vectors of one inexact dtype and length, called as f(a, b) or f(a, b, 1) where the third
// argument is its number of axes.
bool quick_product(Runtime& runtime, ir::OpId id, BackendId backend, std::span<const Value> operands, Value& result);
// Of arrays, with the op's attributes. `result` is an array without storage.
bool quick_product(Runtime& runtime, ir::OpId id, BackendId backend, std::span<const Operand> operands,
                   std::span<const ir::Attr> attrs, Array& result);

}  // namespace autoray::runtime
