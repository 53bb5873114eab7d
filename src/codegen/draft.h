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
  friend bool operator==(const Walk&, const Walk&) = default;
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
  struct Buffer {
    RootId root;
    std::int64_t offset;
    ir::DType dtype;
    friend bool operator==(const Buffer&, const Buffer&) = default;
  };
  Kernel kernel;  // extents are arguments; so are strides, but 0 and the item size
  std::vector<Buffer> buffers;
  std::vector<std::int64_t> arguments;
  ir::Dims extents;        // of all nests
  bool short_rows = true;  // so short that knowing their length pays
};
Instance instance(KernelDraft draft);

// The same kernel for these extents alone: they are no arguments any more, the others keep their order.
Kernel specialised(Kernel kernel, const ir::Dims& extents);
// By argument of a kernel that is not special: whether it is an extent.
std::vector<bool> extent_arguments(const Kernel& kernel);

}  // namespace autoray::codegen
