// Kernels of reductions and scans.
#pragma once

#include "runtime/backend.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

std::span<const KernelRow> reduction_kernels();
// A variance, or its root, in a complex dtype: numpy's last division is then one of complex numbers, which makes NaN beside
// whatever is not finite.
Array complex_spread(Runtime& runtime, const Array& spread, ir::DType dtype);

}  // namespace autoray::runtime
