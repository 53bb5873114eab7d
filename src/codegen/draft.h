// Kernels under construction: nests whose accesses name memory by root and
// offset, before places are known; and their canonical form.
#pragma once

#include "codegen/memory.h"

namespace autoray::codegen {

// A load or store of a nest: memory walked by the nest's dimensions. Of complex memory, one part is accessed. Without a root:
// an integer that grows by its strides (Prim::Index).
struct Walk {
  RootId root;
  std::int64_t offset;
  ir::DType dtype;
  ir::Dims strides;
  int part = 0;
};

struct NestDraft {
  Nest nest;
  ir::Dims extents;
  std::size_t kept = 0;  // dimensions before the folded ones
  std::vector<Walk> loads, stores;
};

struct KernelDraft {
  std::vector<NestDraft> nests;
  std::vector<IndexCheck> checks;
  std::vector<ir::DType> registers;
};

// Its dimensions in this order.
void permute(NestDraft& draft, const ir::Dims& order);
// Whether the folded dimensions can be walked as one.
bool foldable(const NestDraft& draft);
// Dimensions of one point go; neighbours that every access walks as one become
// one (a fold keeps one folded dimension); the dimension that most accesses
// follow densely becomes the innermost of a map.
void simplify(NestDraft& draft);

// A kernel, and what one step hands to it.
struct Instance {
  Kernel kernel;
  std::vector<Place> buffers;
  std::vector<RootId> roots;
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> arguments;
};
// `special`: extents are part of the kernel, not arguments. Strides are only
// where they are 0 or the item size.
Instance instance(const KernelDraft& draft, const Memory& memory, bool special);
// Rows are short enough that knowing their length pays.
bool short_rows(const KernelDraft& draft);
ir::Dims all_extents(const KernelDraft& draft);

}  // namespace autoray::codegen
