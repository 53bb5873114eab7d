// Kernels of reductions and scans.
#pragma once

#include "runtime/backend.h"

namespace autoray::runtime {

std::span<const KernelRow> reduction_kernels();

}  // namespace autoray::runtime
