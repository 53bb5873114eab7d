// The backend `eigen`: what Eigen offers for floats is computed by Eigen: arithmetic, functions, reductions, products,
// decompositions. Integers, booleans, float16, views and everything else are inherited from `numpy`. Eigen is compiled in:
// there is no library to load.
#pragma once

#include <cstdint>

#include "runtime/backend.h"

namespace autoray::runtime {

extern const Backend kEigenBackend;
inline constexpr const char* kEigenLibrary = "Eigen 3.4";

// How many Eigen expressions this thread has evaluated: tests see with it that the backend does what it says.
std::int64_t& eigen_expressions();

std::span<const LoopRow> eigen_arithmetic_loops();
std::span<const LoopRow> eigen_function_loops();
std::span<const LoopRow> eigen_comparison_loops();
std::span<const KernelRow> eigen_reduction_kernels();
std::span<const KernelRow> eigen_contract_kernels();
std::span<const KernelRow> eigen_linalg_kernels();

}  // namespace autoray::runtime
