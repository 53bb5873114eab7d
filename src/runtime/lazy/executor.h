// Computing: extract, passes, plan, and the executor that runs a plan by dispatching every call to its backend's kernel. Each
// intermediate is dropped after its last use; interruption, deadlines and the memory limit are honoured between calls.
#pragma once

#include "ir/passes/passes.h"
#include "ir/plan/plan.h"
#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

// A plan's arguments, asked for at each use: a graph of millions of scalars has no array for each of them.
class PlanArguments {
 public:
  virtual ~PlanArguments() = default;
  // By argument number; one that is an array nowhere is made in `place`, which holds no other.
  virtual const Array& get(ir::Index argument, Array& place) const = 0;
};

class ListedArguments : public PlanArguments {
 public:
  explicit ListedArguments(std::span<const Array> arrays) : arrays_(arrays) {}
  const Array& get(ir::Index argument, Array&) const override { return arrays_[argument]; }

 private:
  std::span<const Array> arrays_;
};

// Arrays by result number. A result that shares memory with an argument or another result does so because the plan says so (a
// view). Throws what the kernels throw; `failed` (when not null) is then the node that did.
std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, const PlanArguments& arguments,
                            ir::Index* failed = nullptr);
std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, std::span<const Array> arguments);
// The same while the plan is made: each step runs once and is forgotten.
std::vector<Array> run_plan(Runtime& runtime, ir::PlanMaker& maker, const PlanArguments& arguments);

// The plan of these nodes' computation, and the graph's node of each of its arguments.
struct Prepared {
  ir::Plan plan;
  ir::LargeVector<ir::NodeId> arguments;
  std::vector<ir::NodeId> results;  // of the plan's results: the roots, then draws that stay
  bool calls_back = false;          // into the script, which may change the graph meanwhile
};
Prepared prepare(Recorder& recorder, std::span<const ir::NodeId> roots);

// The parts of it. The block as it was recorded; a draw is a result beside the roots, so that it happens once.
struct Extracted {
  ir::Block block;
  ir::LargeVector<ir::NodeId> arguments;
  std::vector<ir::NodeId> results;
  bool calls_back = false;
};
Extracted extract(Recorder& recorder, std::span<const ir::NodeId> roots);
Prepared prepare(Recorder& recorder, Extracted extracted);
// Passes, and a plan without steps yet. The block is used up.
ir::PlanMaker plan_maker(Recorder& recorder, Extracted& extracted);

// Those of the nodes that have no value yet. Throws Error (ValueError, 405) for a Variable.
std::vector<ir::NodeId> without_value(const Recorder& recorder, std::span<const ir::NodeId> nodes);
// The roots, and everything that they need and live arrays stand for: computed together, their common past is computed once.
std::vector<ir::NodeId> with_living(Recorder& recorder, std::span<const ir::NodeId> roots);
// The nodes become leaves with these values.
void give_values(Recorder& recorder, std::span<const ir::NodeId> nodes, std::vector<Array> values);

// Computes the nodes; each becomes a leaf with its value.
void compute(Recorder& recorder, std::span<const ir::NodeId> roots);

// The value of a computed node as a script sees it.
Value computed_value(const Recorder& recorder, ir::NodeId node);

// The node whose memory this one has eagerly: the end of its chain of views.
ir::NodeId memory_of(const ir::Graph& graph, ir::NodeId id);

// What passes ask of the arguments: the values of scalars, and how each lies in memory; kNoNode where no array is known. Refers
// to both while passes run.
ir::ScalarValue scalar_value(const Recorder& recorder, ir::NodeId constant);
ir::PassContext pass_context(const Recorder& recorder, std::span<const ir::NodeId> arguments);

}  // namespace autoray::runtime
