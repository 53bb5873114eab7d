// The fuse pass and what follows it: a block becomes a program of kernels and
// runtime calls.
//
// Composed operations are written out (expand/expand.h). Every node is given a role: a view (an index map, no work), an
// element-wise value, a fold, a small product, a join or an update of a place, or a call of the runtime. Nodes are grouped, in
// one sweep in order, into kernels: an element-wise node joins the kernel of its latest input, a fold too unless it depends on
// another fold of it; kernels whose values only that kernel needs are drawn into it. Within a kernel a value is stored only
// when somebody outside needs it, when it is looked at through a view, or when it would be computed twice at a price. The
// operands of stack and concatenate are made in the result's memory.
#pragma once

#include <memory>

#include "codegen/program.h"

namespace autoray::codegen {

struct ArgumentInfo {
  ir::Dims strides;                          // bytes; of a contiguous array where `type` says nothing else
  const runtime::Array* constant = nullptr;  // a scalar that is part of the trace: its value may be looked at
};

// `arguments` by argument number of the block. Without a `jit` the program is for an object that has no runtime: nothing is
// compiled, and products of every size are kernels.
std::shared_ptr<Program> build_program(runtime::Runtime& runtime, Jit* jit, const ir::Block& block,
                                       std::span<const ArgumentInfo> arguments);

}  // namespace autoray::codegen
