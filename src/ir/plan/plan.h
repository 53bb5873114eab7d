// A plan: the calls of a block in order, over numbered buffers. Every executor runs the same plan.
//
// Every value has a buffer number from where it is made to its last use; then the number is free for a later value. Memory is
// the business of liveness: views use their base's, a step in place makes its result where its first operand was. `peak_bytes`
// counts the bytes of all values alive at once, arguments included, exactly as the memory limit of a run counts them. Work
// arrays that a kernel makes and drops while it runs are no values: neither counts them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
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
  friend bool operator==(const Placement&, const Placement&) = default;
};

struct Step {
  Index node;       // a Call
  Index first = 0;  // in Plan::slots: its inputs (kNoIndex: absent), its results, what is free after it
  Index input_count = 0;
  Index output_count = 0;
  Index freed_count = 0;
  Index attrs = 0;        // in Plan::attr_lists
  Index groups = 0;       // in Plan::group_lists
  bool in_place = false;  // the result is made in the first operand's memory, and has its buffer number
  bool view = false;      // the results are views of the first operand
};

struct Plan {
  explicit Plan(Block b) : block(std::move(b)) {}

  std::span<const Index> inputs(const Step& s) const { return {slots.data() + s.first, s.input_count}; }
  std::span<const Index> outputs(const Step& s) const { return {slots.data() + s.first + s.input_count, s.output_count}; }
  std::span<const Index> freed(const Step& s) const {
    return {slots.data() + s.first + s.input_count + s.output_count, s.freed_count};
  }

  Block block;
  LargeVector<Step> steps;
  LargeVector<Index> slots;                             // buffer numbers; steps refer to runs of it
  std::vector<std::vector<Attr>> attr_lists;            // each different list once
  std::vector<std::vector<std::uint32_t>> group_lists;  // operands of each operand parameter, each different list once
  LargeVector<Index> argument_slots;                    // by argument number: the first buffers, in order
  std::vector<Index> result_slots;
  LargeVector<Index> buffer_of;  // by node
  Index buffer_count = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t argument_bytes = 0;
  double flops = 0;
  double bytes = 0;  // read and written, by the cost rules

  // Versioned, free of addresses; the same for the same program.
  std::string text() const;
};

// ---- liveness: which values share memory, and how much is alive ----

// What a call of several results has: by result the first projection of it, kNoIndex without one. Found by following `next`.
// All empty where the block has no projection.
struct Projections {
  void see(const Block& block, Index project);  // in the block's order
  // The projection that stands for the node's result; the node itself for the first one and for calls.
  Index value(Index i) const { return first.empty() || first[i] == kNoIndex ? i : first[i]; }
  Index of_call(Index i) const { return of.empty() ? kNoIndex : of[i]; }  // its first projection in the block

  LargeVector<Index> first;  // by Project node
  LargeVector<Index> of;     // by Call node
  LargeVector<Index> next;   // by Project node: the next first projection of the same call
};

struct Liveness {
  // Bytes that computing the node takes; 0: a view, in place, a projection, an argument.
  std::int64_t made(const Block& block, Index i) const;

  Projections projections;
  // By node: bytes that go with the last use of the memory that it has of its own. Each projected result is held for itself.
  LargeVector<std::int64_t> held;
  LargeVector<Index> root;             // by node: the node whose memory it uses; itself when it has its own
  LargeVector<Index> last_use;         // by root: the last node that uses its memory; kNoIndex: it outlives the block
  LargeVector<Index> last_read;        // by value: the last node that names it; kNoIndex: a result
  LargeVector<std::uint8_t> in_place;  // by node: it takes over its first operand's memory
  LargeVector<std::uint8_t> view;      // by node: a call whose results are views of its first operand
  bool updates = false;                // some node writes into an array
  std::int64_t argument_bytes = 0;     // there from the beginning to the end
  std::int64_t peak = 0;
  std::int64_t least_peak = 0;  // no order needs less: the arguments, and the operands and results of any one call
};
// One visit an edge to find the last uses, another to add up. `alive`: the bytes after each node, what a picture of memory over
// time shows.
Liveness liveness(const Block& block, std::span<const Placement> placements = {}, std::vector<std::int64_t>* alive = nullptr);

// ---- making plans ----

// Makes a plan's steps in their order, some at a time: who runs each once can forget those that ran (`plan.steps` and
// `plan.slots` may be cleared in between), so that a graph that is computed once has never a plan as long as itself.
class PlanMaker {
 public:
  // `placements` by argument number; a C-ordered array of its own where it is shorter. `live`: the block's liveness, where it
  // is known; it is used up.
  explicit PlanMaker(Block block, std::span<const Placement> placements = {}, std::unique_ptr<Liveness> live = nullptr);
  ~PlanMaker();
  PlanMaker(PlanMaker&&) noexcept;

  // Appends steps until the plan has `most`, and the buffers that they use. False: there was none left, and the plan knows its
  // results.
  bool add_steps(std::size_t most);

  Plan plan;

 private:
  class ListNumbers;
  // Most calls are like the last one of their op.
  struct Like {
    AttrsId attrs = 0;
    std::uint64_t form = ~std::uint64_t{0};
    Index attr_number = 0, group_number = 0;
  };
  void add_step(Index i);
  Index take_buffer();
  void free_after_step(Index buffer);

  std::unique_ptr<Liveness> live_;
  Index next_ = 0;  // node
  LargeVector<Index> free_buffers_;
  std::unique_ptr<ListNumbers> attr_numbers_, group_numbers_;
  std::vector<Like> like_;  // by op
};

// All steps at once.
Plan make_plan(PlanMaker maker);
Plan make_plan(Block block, std::span<const Placement> placements = {}, std::unique_ptr<Liveness> live = nullptr);

}  // namespace autoray::ir
