#include "runtime/backends/numpy/backend.h"

#include <array>

#include "runtime/contract/contract.h"
#include "runtime/elementwise/driver.h"
#include "runtime/files/files.h"
#include "runtime/linalg/linalg.h"
#include "runtime/movement/movement.h"
#include "runtime/random/random.h"
#include "runtime/reduction/histogram.h"
#include "runtime/reduction/reduction.h"

namespace autoray::runtime {
namespace {

// One line an area: the tables stand next to their kernels.
constexpr auto kKernels = std::to_array<KernelTable>({
    elementwise_kernels,
    reduction_kernels,
    view_kernels,
    join_kernels,
    sort_kernels,
    item_kernels,
    create_kernels,
    contract_kernels,
    linalg_kernels,
    linalg_composition_kernels,
    draw_kernels,
    integer_kernels,
    selection_kernels,
});
constexpr auto kLoops = std::to_array<LoopTable>({
    arithmetic_loops,
    comparison_loops,
    unary_loops,
    transcendental_loops,
    one_line_loops,
});
constexpr auto kHosts = std::to_array<HostTable>({
    create_hosts,
    histogram_hosts,
    random_hosts,
    file_hosts,
});

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
