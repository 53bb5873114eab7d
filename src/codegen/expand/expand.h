// Composed operations written out as the operations that they consist of: einsum becomes products of two, std a mean,
// differences and a fold, roll a concatenation of slices, an index by arrays the view of its slices and what the arrays choose
// there. The arithmetic is the eager kernels', step by step and in their dtypes, so that the bits are the same; what cannot be
// compiled in pieces stays one call.
#pragma once

#include <optional>

#include "codegen/roles.h"

namespace autoray::codegen {

struct Expanded {
  explicit Expanded(ir::GraphTables& tables) : block(tables) {}
  ir::Block block;
  GivenRoles roles;
};

// Arguments and results keep their numbers. Nothing where no operation of the block is composed: a large one is not copied for
// it. `standalone`: there will be no runtime, whose routines sort and whose products are faster.
std::optional<Expanded> expand(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments,
                               bool standalone);

}  // namespace autoray::codegen
