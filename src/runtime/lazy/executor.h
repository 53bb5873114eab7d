// Computing: extract, passes, plan, and the executor that runs a plan by dispatching every call to its backend's kernel. Each
// intermediate is dropped after its last use; interruption, deadlines and the memory limit are honoured between calls.
#pragma once

#include "ir/passes/passes.h"
#include "ir/plan/plan.h"
#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

// Arrays by argument number in, by result number out. A result that shares memory with an argument or another result does so
// because the plan says so (a view). Throws what the kernels throw; `failed` (when not null) is then the node that did.
std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, std::vector<Array> arguments, ir::Index* failed = nullptr);

// The plan of these nodes' computation, and the graph's node of each of its arguments.
struct Prepared {
  ir::Plan plan;
  std::vector<ir::NodeId> arguments;
  std::vector<ir::NodeId> results;  // of the plan's results: the roots, then draws that stay
};
Prepared prepare(Recorder& recorder, std::span<const ir::NodeId> roots);

// Computes the nodes; each becomes a leaf with its value.
void compute(Recorder& recorder, std::span<const ir::NodeId> roots);

// The value of a computed node as a script sees it.
Value computed_value(const Recorder& recorder, ir::NodeId node);

// What passes ask of the arguments: the values of scalars, and how each lies in memory; kNoNode where no array is known. Refers
// to both while passes run.
ir::PassContext pass_context(const Recorder& recorder, std::span<const ir::NodeId> arguments);

}  // namespace autoray::runtime
