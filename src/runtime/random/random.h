// Random draws: kernels of the op table's random rows and the objects behind np.random.default_rng and
// RandomState. All streams agree with numpy's bit for bit. A draw of n numbers costs n draws (see
// distributions.h) and one allocation.
#pragma once

#include <span>

#include "runtime/backend.h"

namespace autoray::runtime {

std::span<const KernelRow> draw_kernels();       // continuous distributions
std::span<const KernelRow> integer_kernels();    // integers, randint
std::span<const KernelRow> selection_kernels();  // choice, permutation
std::span<const HostRow> random_hosts();         // seed, default_rng, shuffle, ...

}  // namespace autoray::runtime
