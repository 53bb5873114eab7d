#include "runtime/lazy/plan_memo.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <unordered_map>

#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

using ir::Block;
using ir::BlockNode;
using ir::NodeId;
using ir::NodeKind;

namespace {

bool equal(const BlockNode& a, const BlockNode& b) {
  return std::memcmp(&a, &b, offsetof(BlockNode, dispatched) + sizeof a.dispatched) == 0;
}

bool equal(const Block& a, const Block& b) {
  return a.nodes.size() == b.nodes.size() && a.edges == b.edges && a.arguments == b.arguments && a.results == b.results &&
         std::ranges::equal(a.nodes, b.nodes, [](const BlockNode& x, const BlockNode& y) { return equal(x, y); });
}

// The same for equal blocks, and seldom for others: their sizes, and some nodes.
std::uint64_t mark_of(const Block& block) {
  std::uint64_t mark = block.nodes.size();
  auto mix = [&](std::uint64_t value) { mark = (mark ^ value) * 0x9e3779b97f4a7c15ull, mark ^= mark >> 29; };
  mix(block.edges.size());
  mix(block.results.size());
  const std::size_t step = block.nodes.size() / 32 + 1;
  for (std::size_t i = 0; i < block.nodes.size(); i += step) {
    const BlockNode& n = block.nodes[i];
    mix(std::uint64_t{n.types} << 32 | n.source);
    mix(static_cast<std::uint64_t>(n.op) << 32 | n.first_input);
  }
  return mark | 1;  // 0 is nobody's
}

Block copy_of(const Block& block) {
  Block copy(*block.tables);
  copy.nodes = block.nodes;
  copy.edges = block.edges;
  copy.arguments = block.arguments;
  copy.results = block.results;
  for (const BlockNode& n : copy.nodes)
    if (n.kind == NodeKind::Call) block.tables->attrs.retain(n.attrs);
  return copy;
}

bool plain(const ir::PassOptions& options) {
  return options.without.empty() && options.print_after.empty() && !options.timed && !options.check;
}

}  // namespace

PlanMemo::Conditions::Conditions(Recorder& recorder, const Extracted& extracted)
    : placements(pass_context(recorder, extracted.arguments).placements) {
  const ir::Graph& graph = recorder.graph();
  std::unordered_map<NodeId, std::uint32_t> first;
  for (NodeId id : extracted.arguments) {
    first.emplace(id, static_cast<std::uint32_t>(first.size()));
    if (id == ir::kNoNode || graph.node(id).kind != NodeKind::Constant || !graph.type(id).shape.empty()) continue;
    scalars.push_back(scalar_value(recorder, id));
  }
  for (NodeId id : extracted.results)
    owners.push_back(first.emplace(memory_of(graph, id), static_cast<std::uint32_t>(first.size())).first->second);
}

bool PlanMemo::seen_before(std::uint64_t mark) {
  if (std::ranges::find(seen_, mark) != seen_.end()) return true;
  seen_[next_seen_++ % seen_.size()] = mark;
  return false;
}

std::shared_ptr<const ir::Plan> PlanMemo::plan(Recorder& recorder, Extracted& extracted) {
  const std::size_t nodes = extracted.block.nodes.size();
  if (extracted.calls_back || nodes > kMostNodes || !extracted.block.blocks.empty() || !plain(recorder.passes)) return nullptr;
  const std::uint64_t mark = mark_of(extracted.block);
  if (!seen_before(mark)) return nullptr;
  Conditions conditions(recorder, extracted);
  for (auto kept = kept_.begin(); kept != kept_.end(); ++kept)
    if (kept->mark == mark && equal(kept->recorded, extracted.block) && kept->conditions == conditions) {
      std::rotate(kept, kept + 1, kept_.end());
      return kept_.back().plan;
    }
  Block recorded = copy_of(extracted.block);
  auto plan = std::make_shared<const ir::Plan>(ir::make_plan(plan_maker(recorder, extracted)));
  std::size_t all = nodes;
  for (const Kept& kept : kept_) all += kept.recorded.nodes.size();
  while (!kept_.empty() && (all > kMostNodes || kept_.size() >= kMost)) {
    all -= kept_.front().recorded.nodes.size();
    kept_.erase(kept_.begin());
  }
  kept_.push_back({mark, std::move(recorded), std::move(conditions), plan});
  return plan;
}

}  // namespace autoray::runtime
