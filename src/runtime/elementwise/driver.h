// The element-wise driver: resolves the loop dtype, broadcasts, converts, and runs a backend's loop.
#pragma once

#include "runtime/backend.h"

namespace autoray::runtime {

// The kernel of every element-wise op with a loop.
void elementwise_kernel(KernelCall& call);

std::span<const KernelRow> elementwise_kernels();
std::span<const LoopRow> arithmetic_loops();
std::span<const LoopRow> comparison_loops();
std::span<const LoopRow> unary_loops();
std::span<const LoopRow> transcendental_loops();
std::span<const LoopRow> one_line_loops();

}  // namespace autoray::runtime
