// Passes over a block: a name, a sentence, a function each, in one flat list. Every pass keeps the block well-formed (verified
// after each in debug builds and when asked) and keeps every value bit for bit.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/block.h"
#include "ir/plan/plan.h"

namespace autoray::ir {

// What passes may know of a constant scalar's value: plans for other values stay as they are.
enum class ScalarValue : std::uint8_t { Any, Zero, NegativeZero, One };

struct PassContext {
  // Of a constant scalar: kind Constant, one element. The graph knows nothing of data, so whoever runs the passes gives this.
  std::function<ScalarValue(Index argument)> scalar;
  // By argument number: how it lies in memory.
  std::vector<Placement> placements;
  // Found by the last pass that ran, of the block as it left it; null where that had no use for it.
  mutable std::unique_ptr<Liveness> live;
};

struct Pass {
  std::string_view name;
  std::string_view what;
  void (*run)(Block&, const PassContext&);
};

// In the order in which they run.
std::span<const Pass> all_passes();

struct PassOptions {
  std::vector<std::string> without;  // names of passes to leave out; ValueError for an unknown one
  std::string print_after;           // a pass's name, or "all": `print` is given the block's text then
  std::function<void(std::string_view pass, const Block&)> print;
  std::function<void(std::string_view pass, double seconds)> timed;  // told how long each took
  bool check = false;                                                // verify after each pass in release builds too
};
void run_passes(Block& block, const PassContext& context, const PassOptions& options = {});
// ValueError, with the pass that was meant, for a name that is none.
void check_names(const PassOptions& options);

// ---- what passes share ----

// What stands for a node takes over its uses as a result, its call stacks and its name; `to[i] <= i`, itself when it stays. The
// edges name what stands already.
void replace(Block& block, std::span<const Index> to);
// Keeps the marked nodes, in order, and renumbers.
void compact(Block& block, std::span<const std::uint8_t> keep);
// The same nodes in another order in which inputs come first: all of them, once each.
Block reordered(const Block& block, std::span<const Index> order);

void canonicalise(Block& block, const PassContext& context);
void share(Block& block, const PassContext& context);
void simplify(Block& block, const PassContext& context);
void remove_dead(Block& block, const PassContext& context);
void schedule(Block& block, const PassContext& context);

}  // namespace autoray::ir
