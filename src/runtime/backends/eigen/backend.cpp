#include "runtime/backends/eigen/backend.h"

#include <array>

#include "runtime/contract/contract.h"

namespace autoray::runtime {

std::int64_t& eigen_expressions() {
  thread_local std::int64_t count = 0;
  return count;
}

std::span<const KernelRow> eigen_contract_kernels() {
  static constexpr auto kRows = product_rows<eigen_product>(kEigenLibrary);
  return kRows;
}

namespace {

constexpr auto kKernels = std::to_array<KernelTable>({
    eigen_reduction_kernels,
    eigen_contract_kernels,
    eigen_linalg_kernels,
});
constexpr auto kLoops = std::to_array<LoopTable>({
    eigen_arithmetic_loops,
    eigen_function_loops,
    eigen_comparison_loops,
});

}  // namespace

constinit const Backend kEigenBackend = {
    .name = "eigen",
    .based_on = "numpy",
    .library = kEigenLibrary,
    .note = "Eigen's expressions for floating and complex arrays; compiled in, nothing to load",
    .kernels = kKernels,
    .loops = kLoops,
    .hosts = {},
};

}  // namespace autoray::runtime
