// The segments of a traced function in which shapes depend on values (x[mask], nonzero). Every call runs the function on
// recorded arrays; where it needs a value for a shape, what was recorded is computed by code that was compiled for an equal
// segment before, the operation is called, and recording goes on with its result.
//
// Two segments are equal when their operations, attributes, types, places in the source and results are, and the layouts of
// their arguments and the values of their scalar constants. A call costs recording (about 0.1 us a node), one comparison of the
// segment's nodes, and the run; a new segment is lowered, and what kernels it has that were compiled before are not compiled
// again.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "codegen/native_plan.h"
#include "runtime/lazy/executor.h"

namespace autoray::codegen {

class Segments {
 public:
  // Without a `jit` the plans run.
  explicit Segments(std::shared_ptr<Jit> jit) : jit_(std::move(jit)) {}

  // Computes the nodes; each becomes a leaf with its value.
  void compute(runtime::Recorder& recorder, std::span<const ir::NodeId> roots);

  struct Counts {
    std::size_t run = 0, built = 0;
  };
  int stack_depth = 0;  // when the function was called
  Counts counts;        // since somebody cleared them

 private:
  struct Segment {
    Segment(ir::Block b, ir::Plan p) : recorded(std::move(b)), plan(std::move(p)) {}
    ir::Block recorded;  // keeps the attributes that the key names by number
    ir::Plan plan;
    std::shared_ptr<Program> program;  // null: the plan runs
    EventReport events;
    int stack_depth = 0;  // of the call that it was built in
  };
  static constexpr std::size_t kMost = 256;  // shapes that differ in each call would fill the memory

  const Segment& find(runtime::Recorder& recorder, runtime::Extracted& extracted, std::span<const runtime::Array> arguments);

  std::shared_ptr<Jit> jit_;
  std::unordered_map<std::string, std::unique_ptr<Segment>> known_;
};

}  // namespace autoray::codegen
