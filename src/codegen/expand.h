// Composed operations written out as the operations that they consist of: std becomes a mean, differences and a fold, roll a
// concatenation of slices, an index by arrays the view of its slices and what the arrays choose there. The arithmetic is the
// eager kernels', step by step.
#pragma once

#include <optional>

#include "codegen/roles.h"

namespace autoray::codegen {

struct Expanded {
  ir::Block block;
  GivenRoles roles;
};

// Arguments and results keep their numbers. Nothing where no operation of the block is composed. `standalone`: there will be no
// runtime, whose routines sort.
std::optional<Expanded> expand(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
                               bool standalone);

}  // namespace autoray::codegen
