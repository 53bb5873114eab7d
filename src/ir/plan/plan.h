// A plan: the calls of a block in order, over numbered buffers. Every executor runs the same plan.
//
// Every value has a buffer number from where it is made to its last use; then the number is free for a later value. Memory is
// the business of liveness: views use their base's, a step in place makes its result where its first operand was. `peak_bytes`
// counts the bytes of all values alive at once, arguments included, exactly as the memory limit of a run counts them. Work
// arrays that a kernel makes and drops while it runs are no values: neither counts them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph/block.h"

namespace autoray::ir {

// How an array's elements lie in memory, as far as a plan cares: whether a reshape of it is a view, and whether what is
// computed of it item by item lies in C order. Rows: the axes are in C order, with gaps, reversed or stretched.
enum class Layout : std::uint8_t { C, Rows, Fortran, Other };
struct Placement {
  Layout layout = Layout::C;
  std::int64_t bytes = -1;  // what it holds of the run's memory; -1: what its type says
};

struct Step {
  Index node;             // a Call
  Index first_input = 0;  // in Plan::slots, input_count of them; kNoIndex: absent
  Index input_count = 0;
  Index first_output = 0;  // in Plan::slots, one a result
  Index output_count = 0;
  Index first_freed = 0;  // in Plan::slots: free after this step
  Index freed_count = 0;
  Index attrs = 0;        // in Plan::attr_lists
  Index groups = 0;       // in Plan::group_lists
  bool in_place = false;  // the result is made in the first operand's memory, and has its buffer number
  bool view = false;      // the results are views of the first operand
};

struct Plan {
  explicit Plan(Block b) : block(std::move(b)) {}

  Block block;
  std::vector<Step> steps;
  std::vector<Index> slots;                             // buffer numbers; steps refer to runs of it
  std::vector<std::vector<Attr>> attr_lists;            // each different list once
  std::vector<std::vector<std::uint32_t>> group_lists;  // operands of each operand parameter, each different list once
  std::vector<Index> argument_slots;                    // by argument number: the first buffers, in order
  std::vector<Index> result_slots;
  std::vector<Index> buffer_of;  // by node
  Index buffer_count = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t argument_bytes = 0;
  double flops = 0;
  double bytes = 0;  // read and written, by the cost rules

  // Versioned, free of addresses; the same for the same program.
  std::string text() const;
};

struct Liveness;
// `placements` by argument number; a C-ordered array of its own where it is shorter. `live`: the block's liveness, where it is
// known.
Plan make_plan(Block block, std::span<const Placement> placements = {}, const Liveness* live = nullptr);

// ---- liveness: which values share memory, and how much is alive ----

// What a call of several results has: by result the first projection of it, kNoIndex without one. Found by following `next`.
// All empty where the block has no projection.
struct Projections {
  explicit Projections(const Block& block);
  // The projection that stands for the node's result; the node itself for the first one and for calls.
  Index value(Index i) const { return first.empty() || first[i] == kNoIndex ? i : first[i]; }
  Index of_call(Index i) const { return of.empty() ? kNoIndex : of[i]; }  // its first projection in the block

  std::vector<Index> first;  // by Project node
  std::vector<Index> of;     // by Call node
  std::vector<Index> next;   // by Project node: the next first projection of the same call
};

struct Liveness {
  explicit Liveness(const Block& block) : projections(block) {}

  Projections projections;
  std::vector<Index> root;             // by node: the node whose memory it uses; itself when it has its own
  std::vector<Index> last_use;         // by root: the last node that uses its memory; kNoIndex: it outlives the block
  std::vector<Index> last_read;        // by value: the last node that names it; kNoIndex: a result
  std::vector<std::uint8_t> in_place;  // by node: it takes over its first operand's memory
  std::vector<std::uint8_t> view;      // by node: a call whose results are views of its first operand
  std::vector<std::int64_t> made;      // by node: bytes that computing it takes (0: a view, in place, a projection)
  std::vector<std::int64_t> held;      // by root: bytes that go with its last use
  std::int64_t peak = 0;
  std::int64_t least_peak = 0;      // no order needs less: the arguments, and the operands and results of any one call
  std::vector<std::int64_t> alive;  // after each node: what a picture of memory over time shows
};
// One visit an edge to find the last uses, another to add up.
Liveness liveness(const Block& block, std::span<const Placement> placements = {});

}  // namespace autoray::ir
