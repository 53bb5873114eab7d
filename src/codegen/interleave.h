// The order in which a program runs its kernels.
#pragma once

#include "codegen/groups.h"
#include "codegen/memory.h"

namespace autoray::codegen {

// Puts short kernels that need each other a few steps apart where others are ready: one that reads what the kernel before it
// writes waits for that longer than it computes, and a processor looks ahead over a few short kernels. Otherwise the order
// stays, so that about the same memory is alive at once. List scheduling after P. B. Gibbons and S. S. Muchnick, "Efficient
// instruction scheduling for a pipelined architecture" (SIGPLAN Notices 21, 1986), with kernels for instructions. Calls of the
// runtime and kernels that check indices keep their order among each other: what fails first is told. Linear in nodes and
// edges, but for a heap of the groups that are ready.
void interleave(const ir::Block& block, const Roles& roles, const Memory& memory, Groups& groups);

}  // namespace autoray::codegen
