#include "runtime/backends/numpy/backend.h"

#include <array>

namespace autoray::runtime {
namespace {

// One line an area: the tables stand next to their kernels.
constexpr std::array<KernelTable, 0> kKernels = {};
constexpr std::array<LoopTable, 0> kLoops = {};
constexpr std::array<HostTable, 0> kHosts = {};

}  // namespace

constinit const Backend kNumpyBackend = {
    .name = "numpy",
    .based_on = "",
    .library = "autoray",
    .note = "vectorised loops of our own; products and decompositions by OpenBLAS and LAPACK, loaded on first use",
    .kernels = kKernels,
    .loops = kLoops,
    .hosts = kHosts,
};

}  // namespace autoray::runtime
