// The plans of the newest computations: a graph that equals one that was computed before, the next turn of a loop, needs no
// passes and no plan of its own.
//
// Equal are their operations, attributes, types, places in the source, names and results, how their arguments lie in memory,
// and what passes may know of scalar constants: all that passes and plans look at. It is compared, never only hashed. A graph
// is kept when it is computed the second time, so that one that is computed once costs nothing; a comparison costs about 3 ns a
// node.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "runtime/lazy/executor.h"

namespace autoray::runtime {

class PlanMemo {
 public:
  // The plan of what was extracted, where an equal graph was computed before: then the block may be used up, arguments and
  // results stay. Null, with nothing done, where it was not.
  std::shared_ptr<const ir::Plan> plan(Recorder& recorder, Extracted& extracted);

 private:
  // What a plan depends on beside the block.
  struct Conditions {
    Conditions(Recorder& recorder, const Extracted& extracted);
    bool operator==(const Conditions&) const = default;
    std::vector<ir::Placement> placements;
    std::vector<ir::ScalarValue> scalars;  // of constant ones
    std::vector<std::uint32_t> owners;     // by result: the first argument or result whose memory it is eagerly
  };
  struct Kept {
    std::uint64_t mark;
    ir::Block recorded;
    Conditions conditions;
    std::shared_ptr<const ir::Plan> plan;
  };
  static constexpr std::size_t kMostNodes = std::size_t{1} << 15;  // of all that is kept: some six megabytes
  static constexpr std::size_t kMost = 16;

  bool seen_before(std::uint64_t mark);

  std::vector<Kept> kept_;  // the newest last
  std::array<std::uint64_t, kMost> seen_{};
  std::size_t next_seen_ = 0;
};

}  // namespace autoray::runtime
