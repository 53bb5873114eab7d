// An order of the calls in which less memory is alive at once.
//
// R. Sethi and J. D. Ullman, "The generation of optimal code for arithmetic expressions" (J. ACM 17, 1970), with sizes in bytes
// instead of registers: of a node's inputs, the one that needs most beyond what it leaves behind is computed first. On graphs
// that are no trees this is a heuristic, so the order that came in stays when its peak is not higher.
#include <algorithm>

#include "ir/graph/order.h"
#include "ir/passes/passes.h"

namespace autoray::ir {

void schedule(Block& block, const PassContext& context) {
  auto count = static_cast<Index>(block.nodes.size());
  context.live = std::make_unique<Liveness>(liveness(block, context.placements));
  const Liveness& before = *context.live;
  if (before.peak <= before.least_peak) return;
  std::vector<std::int64_t> need(count);
  SmallVector<Index, 8> inputs;
  auto by_need = [&](Index a, Index b) { return need[a] - before.held[a] > need[b] - before.held[b]; };
  auto ordered = [&](Index i) {
    inputs.clear();
    for (Index input : block.inputs(i))
      if (input != kNoIndex) inputs.push_back(input);
    stable_order(std::span(inputs.begin(), inputs.end()), by_need);
  };
  for (Index i = 0; i < count; ++i) {
    ordered(i);
    std::int64_t held = 0, most = 0;
    for (Index input : inputs) {
      if (block.nodes[input].kind != NodeKind::Call && block.nodes[input].kind != NodeKind::Project) continue;
      most = std::max(most, held + need[input]);
      held += before.held[input];
    }
    need[i] = std::max(most, held + before.made[i]);
  }
  std::vector<Index> order, stack;
  std::vector<std::uint8_t> state(count, 0);  // 1: its inputs are on the stack, 2: placed
  order.reserve(count);
  auto visit = [&](Index root) {
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
        ordered(i);
        for (std::size_t k = inputs.size(); k-- > 0;)
          if (state[inputs[k]] == 0) stack.push_back(inputs[k]);
      }
    }
  };
  for (Index argument : block.arguments) visit(argument);
  std::vector<Index> roots = block.results;
  std::stable_sort(roots.begin(), roots.end(), by_need);
  for (Index root : roots) visit(root);
  // What is kept for its effect alone.
  for (Index i = 0; i < count; ++i) visit(i);
  // The same calls in the new order, without touching the block yet.
  Block trial(*block.tables);
  trial.nodes = block.nodes;
  trial.edges = block.edges;
  trial.arguments = block.arguments;
  trial.results = block.results;
  trial.merged_sources = block.merged_sources;
  for (const BlockNode& n : trial.nodes)
    if (n.kind == NodeKind::Call) block.tables->attrs.retain(n.attrs);
  reorder(trial, order);
  auto after = std::make_unique<Liveness>(liveness(trial, context.placements));
  if (after->peak >= before.peak) return;
  trial.blocks = std::move(block.blocks);
  block = std::move(trial);
  context.live = std::move(after);
}

}  // namespace autoray::ir
