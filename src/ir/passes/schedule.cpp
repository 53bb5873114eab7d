// An order of the calls in which less memory is alive at once.
//
// R. Sethi and J. D. Ullman, "The generation of optimal code for arithmetic expressions" (J. ACM 17, 1970), with sizes in bytes
// instead of registers: of a node's inputs, the one that needs most beyond what it leaves behind is computed first. On graphs
// that are no trees this is a heuristic, so the order that came in stays when its peak is not higher.
#include <algorithm>
#include <unordered_map>

#include "ir/graph/order.h"
#include "ir/passes/passes.h"

namespace autoray::ir {

namespace {

// By an update, the nodes that read what it may overwrite and do not depend on it: the write is in place if they come before.
// A node depends only on nodes of less depth.
using Waits = std::unordered_map<Index, std::vector<Index>>;
Waits readers_of_overwritten(const Block& block) {
  Waits waits;
  auto count = static_cast<Index>(block.nodes.size());
  auto is_update = [&](Index i) { return block.nodes[i].kind == NodeKind::Call && block.nodes[i].op == OpId::SetItem; };
  std::unordered_map<Index, std::vector<Index>> updates;  // by the value that they write into
  LargeVector<Index> seen(count);                         // by node: the value that a view looks at; others themselves
  LargeVector<std::uint32_t> depth(count, 0);
  for (Index i = 0; i < count; ++i) {
    const BlockNode& n = block.nodes[i];
    bool view = n.kind == NodeKind::Call && op(n.op).has(kViewResult) && block.types(i).size() == 1;
    seen[i] = view ? seen[block.inputs(i)[0]] : i;
    for (Index input : block.inputs(i))
      if (input != kNoIndex) depth[i] = std::max(depth[i], depth[input] + 1);
    if (is_update(i)) updates[seen[block.inputs(i)[0]]].push_back(i);
  }
  for (Index i = 0; i < count; ++i) {
    if (seen[i] != i) continue;
    for (Index input : block.inputs(i)) {
      if (input == kNoIndex) continue;
      auto found = updates.find(seen[input]);
      if (found == updates.end()) continue;
      for (Index update : found->second)
        if (update != i && depth[i] <= depth[update]) waits[update].push_back(i);
    }
  }
  return waits;
}

// Nodes after their inputs, and updates after what waits for them to be read.
struct Walk {
  Walk(const Block& block, const Waits& w) : waits(w), state(block.nodes.size(), 0) { order.reserve(block.nodes.size()); }
  template <class Inputs>
  void visit(Index root, const Inputs& inputs_of) {
    stack.push_back(root);
    while (!stack.empty()) {
      Index i = stack.back();
      if (state[i] == 2) {
        stack.pop_back();
      } else if (state[i] == 1) {
        stack.pop_back();
        state[i] = 2;
        order.push_back(i);
      } else {
        state[i] = 1;
        if (auto found = waits.find(i); found != waits.end())
          for (Index reader : found->second)
            if (state[reader] == 0) stack.push_back(reader);
        auto& inputs = inputs_of(i);
        for (std::size_t k = inputs.size(); k-- > 0;)
          if (inputs[k] != kNoIndex && state[inputs[k]] == 0) stack.push_back(inputs[k]);
      }
    }
  }

  const Waits& waits;
  LargeVector<Index> order, stack;
  LargeVector<std::uint8_t> state;  // 1: its inputs are on the stack, 2: placed
};

// Inputs that need most beyond what they leave behind first.
LargeVector<Index> by_need(const Block& block, const Liveness& live, const Waits& waits) {
  auto count = static_cast<Index>(block.nodes.size());
  LargeVector<std::int64_t> need(count);
  SmallVector<Index, 8> inputs;
  auto more = [&](Index a, Index b) { return need[a] - live.held[a] > need[b] - live.held[b]; };
  auto ordered = [&](Index i) {
    inputs.clear();
    for (Index input : block.inputs(i))
      if (input != kNoIndex) inputs.push_back(input);
    stable_order(std::span(inputs.begin(), inputs.end()), more);
  };
  for (Index i = 0; i < count; ++i) {
    ordered(i);
    std::int64_t held = 0, most = 0;
    for (Index input : inputs) {
      if (block.nodes[input].kind != NodeKind::Call && block.nodes[input].kind != NodeKind::Project) continue;
      most = std::max(most, held + need[input]);
      held += live.held[input];
    }
    need[i] = std::max(most, held + live.made(block, i));
  }
  Walk walk(block, waits);
  auto visit = [&](Index root) {
    walk.visit(root, [&](Index i) -> SmallVector<Index, 8>& {
      ordered(i);
      return inputs;
    });
  };
  for (Index argument : block.arguments) visit(argument);
  std::vector<Index> roots = block.results;
  std::stable_sort(roots.begin(), roots.end(), more);
  for (Index root : roots) visit(root);
  // What is kept for its effect alone.
  for (Index i = 0; i < count; ++i) visit(i);
  return std::move(walk.order);
}

}  // namespace

void schedule(Block& block, const PassContext& context) {
  auto count = static_cast<Index>(block.nodes.size());
  context.live = std::make_unique<Liveness>(liveness(block, context.placements));
  Waits waits;
  if (context.live->updates) waits = readers_of_overwritten(block);
  bool late = std::any_of(waits.begin(), waits.end(), [](const auto& w) {
    return std::any_of(w.second.begin(), w.second.end(), [&](Index reader) { return reader > w.first; });
  });
  if (late) {
    Walk walk(block, waits);
    SmallVector<Index, 8> inputs;
    for (Index i = 0; i < count; ++i)
      walk.visit(i, [&](Index node) -> SmallVector<Index, 8>& {
        inputs.clear();
        for (Index input : block.inputs(node)) inputs.push_back(input);
        return inputs;
      });
    block = reordered(block, walk.order);
    waits = readers_of_overwritten(block);
    context.live = std::make_unique<Liveness>(liveness(block, context.placements));
  }
  const std::int64_t peak = context.live->peak;
  if (peak <= context.live->least_peak) return;
  LargeVector<Index> order = by_need(block, *context.live, waits);
  context.live = nullptr;  // its memory is that of the trial's
  // The same calls in the new order, without touching the block yet.
  Block trial = reordered(block, order);
  auto live = std::make_unique<Liveness>(liveness(trial, context.placements));
  if (live->peak >= peak) return;
  block = std::move(trial);
  context.live = std::move(live);
}

}  // namespace autoray::ir
