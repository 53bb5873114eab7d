// Kernels that move elements and compute nothing: views, joins, sorting, creation.
#pragma once

#include "runtime/backend.h"

namespace autoray::runtime {

std::span<const KernelRow> view_kernels();
std::span<const KernelRow> join_kernels();
std::span<const KernelRow> sort_kernels();
std::span<const KernelRow> item_kernels();
std::span<const KernelRow> create_kernels();
std::span<const HostRow> create_hosts();

}  // namespace autoray::runtime
