// A plan: the calls of a block in order, over numbered buffers. Every executor runs the same plan.
//
// A value that is made takes a buffer; views of it use the same one; a buffer is free after the last use of its values and then
// taken by a later value. `peak_bytes` counts the bytes of all values alive at once, arguments included, exactly as the memory
// limit of a run counts them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph/block.h"

namespace autoray::ir {

// How an argument's elements lie in memory, as far as a plan cares: whether a reshape of it is a view.
enum class Layout : std::uint8_t { C, Fortran, Other };

struct Step {
  Index node;              // a Call
  Index first_input = 0;   // in Plan::slots, input_count of them; kNoIndex: absent
  Index input_count = 0;
  Index first_output = 0;  // in Plan::slots, one a result
  Index output_count = 0;
  Index first_freed = 0;   // in Plan::slots: free after this step
  Index freed_count = 0;
  Index attrs = 0;         // in Plan::attr_lists
  bool in_place = false;   // the result takes the first operand's buffer
};

struct Plan {
  explicit Plan(Block b) : block(std::move(b)) {}

  Block block;
  std::vector<Step> steps;
  std::vector<Index> slots;                   // buffer numbers; steps refer to runs of it
  std::vector<std::vector<Attr>> attr_lists;  // each different list once
  std::vector<Index> argument_slots;          // by argument number
  std::vector<Index> result_slots;
  std::vector<Index> buffer_of;               // by node
  Index buffer_count = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t argument_bytes = 0;
  double flops = 0;
  double bytes = 0;  // read and written, by the cost rules

  // Versioned, free of addresses; the same for the same program.
  std::string text() const;
};

// `layouts` by argument number; C where it is shorter.
Plan make_plan(Block block, std::span<const Layout> layouts = {});

// ---- liveness: which values share memory, and how much is alive ----

struct Liveness {
  std::vector<Index> root;      // by node: the node whose memory it uses; itself when it makes its own
  std::vector<Index> last_use;  // by root: the last node that uses its memory; kNoIndex: it outlives the block
  std::vector<bool> in_place;   // by node: it takes over its first operand's memory
  std::vector<std::int64_t> bytes;  // by node: of the memory that it makes (0: a view, in place)
  std::int64_t peak = 0;
  std::vector<std::int64_t> alive;  // after each node: what a picture of memory over time shows
};
Liveness liveness(const Block& block, std::span<const Layout> layouts = {});

}  // namespace autoray::ir
