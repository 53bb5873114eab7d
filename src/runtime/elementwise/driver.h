// The element-wise driver: resolves the loop dtype, broadcasts, converts, and runs a backend's loop.
#pragma once

#include "runtime/backend.h"

namespace autoray::runtime {

// The kernel of every element-wise op with a loop.
void elementwise_kernel(KernelCall& call);

// Whether the operand is a Python int outside an integer dtype's range.
bool out_of_range(const Operand& operand, ir::DType dtype);
// OverflowError for a Python int that the dtype does not hold.
void check_python_integer(const Operand& operand, ir::DType dtype);
// Whether operands of that dtype have a loop.
bool has_loop(Runtime& runtime, BackendId backend, const ir::Op& op, ir::DType dtype);
// TypeError: the op has no loop for its operands' dtypes.
[[noreturn]] void refuse_operands(const ir::Op& op);
// TypeError for the arithmetic that numpy does not define on bools.
void refuse_bool_arithmetic(const ir::Op& op);
// What the kernel refuses by its operands' types alone, for calls that are only recorded.
void check_operand_types(Runtime& runtime, BackendId backend, const ir::Op& op, std::span<const ir::OperandType> operands,
                         const ir::Type& result);

std::span<const KernelRow> elementwise_kernels();
// The ops among them that have no loop.
std::span<const KernelRow> composed_kernels();
std::span<const LoopRow> arithmetic_loops();
std::span<const LoopRow> comparison_loops();
std::span<const LoopRow> unary_loops();
std::span<const LoopRow> transcendental_loops();
std::span<const LoopRow> one_line_loops();

}  // namespace autoray::runtime
