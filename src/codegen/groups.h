// Which nodes become one kernel.
#pragma once

#include "codegen/roles.h"

namespace autoray::codegen {

struct Group {
  std::vector<ir::Index> nodes;  // ascending; then writes in place that end the kernel
  std::size_t written = 0;       // how many of these
  bool call = false;             // one call of the runtime or of a routine
  int level = 0;                 // 1: holds a fold or product, so that no fold of its values can join
};

// Groups in an order in which inputs come first; `of` by node, kNoIndex for arguments, views and projections.
struct Groups {
  std::vector<Group> list;
  std::vector<ir::Index> of;
};

// `place_root` follows views to the node that makes the memory. `in_place` by node: the update writes into its first operand.
Groups make_groups(const ir::Block& block, Roles& roles, std::span<const ir::Index> place_root,
                   const std::vector<bool>& in_place, const std::vector<bool>& joined);

}  // namespace autoray::codegen
