#include "ir/passes/passes.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "ir/error.h"
#include "ir/suggest.h"

namespace autoray::ir {
namespace {

constexpr Pass kPasses[] = {
    {"canonicalise", "movements that move nothing go, a conjugate of a real array too", canonicalise},
    {"share", "equal calls of equal inputs become one", share},
    {"simplify", "arithmetic that changes no bit goes: x * 1, x / 1, x - 0, --x", simplify},
    {"dead-code", "what no result needs goes; draws stay", remove_dead},
    {"schedule", "an order of the calls in which less memory is alive at once", schedule},
};

}  // namespace

std::span<const Pass> all_passes() { return kPasses; }

void check_names(const PassOptions& options) {
  if (options.without.empty() && options.print_after.empty()) return;
  std::vector<std::string_view> names;
  for (const Pass& pass : kPasses) names.push_back(pass.name);
  auto known = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    std::string near = did_you_mean(name, names), all;
    for (std::string_view n : names) all += (all.empty() ? "" : ", ") + std::string(n);
    throw Error(ErrorClass::ValueError, "there is no pass '" + name + "'")
        .with_hint(near.empty() ? "the passes are " + all : "did you mean '" + near + "'?");
  };
  for (const std::string& name : options.without) known(name);
  if (!options.print_after.empty() && options.print_after != "all") known(options.print_after);
}

void run_passes(Block& block, const PassContext& context, const PassOptions& options) {
  check_names(options);
  for (const Pass& pass : kPasses) {
    if (std::find(options.without.begin(), options.without.end(), pass.name) != options.without.end()) continue;
    auto begin = options.timed ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    context.live = nullptr;
    pass.run(block, context);
    if (options.timed)
      options.timed(pass.name, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
#ifndef NDEBUG
    verify(block, pass.name);
#else
    if (options.check) verify(block, pass.name);
#endif
    if (options.print && (options.print_after == "all" || options.print_after == pass.name)) options.print(pass.name, block);
  }
}

void replace(Block& block, std::span<const Index> to) {
  for (Index& result : block.results) result = to[result];
  for (Index i = 0; i < to.size(); ++i) {
    if (to[i] == i) continue;
    if (block.nodes[i].source != block.nodes[to[i]].source) block.merged_sources.emplace_back(to[i], block.nodes[i].source);
    if (!block.nodes[to[i]].name) block.nodes[to[i]].name = block.nodes[i].name;
  }
  for (auto& [node, source] : block.merged_sources) node = to[node];
}

namespace {

// What names nodes from outside follows them; kNoIndex: gone.
void renumber(Block& block, std::span<const Index> place) {
  for (Index& argument : block.arguments) argument = place[argument];
  for (Index& result : block.results) result = place[result];
  std::erase_if(block.merged_sources, [&](const auto& entry) { return place[entry.first] == kNoIndex; });
  for (auto& [node, source] : block.merged_sources) node = place[node];
  std::erase_if(block.blocks, [&](const auto& owned) { return place[owned.first] == kNoIndex; });
  for (auto& [node, inner] : block.blocks) node = place[node];
}

}  // namespace

Block reordered(const Block& block, std::span<const Index> order) {
  LargeVector<Index> place(block.nodes.size(), kNoIndex);
  Block result(*block.tables);
  result.nodes.reserve(order.size());
  result.edges.reserve(block.edges.size());
  for (Index old : order) {
    BlockNode n = block.nodes[old];
    auto inputs = block.inputs(n);
    n.first_input = static_cast<Index>(result.edges.size());
    for (Index input : inputs) result.edges.push_back(input == kNoIndex ? kNoIndex : place[input]);
    place[old] = static_cast<Index>(result.nodes.size());
    if (n.kind == NodeKind::Call) block.tables->attrs.retain(n.attrs);
    result.nodes.push_back(n);
  }
  result.arguments = block.arguments;
  result.results = block.results;
  result.merged_sources = block.merged_sources;
  renumber(result, place);
  return result;
}

void compact(Block& block, std::span<const std::uint8_t> keep) {
  const auto count = static_cast<Index>(block.nodes.size());
  Index nodes = 0;
  while (nodes < count && keep[nodes]) ++nodes;
  if (nodes == count) return;
  // In their places: what stays moves down.
  LargeVector<Index> place(count, kNoIndex);
  std::iota(place.begin(), place.begin() + nodes, 0);
  Index edges = block.nodes[nodes].first_input;
  for (Index i = nodes; i < count; ++i) {
    const BlockNode& from = block.nodes[i];
    if (!keep[i]) {
      if (from.kind == NodeKind::Call) block.tables->attrs.release(from.attrs);
      continue;
    }
    auto inputs = block.inputs(from);
    BlockNode& n = block.nodes[nodes];
    n = from;
    n.first_input = edges;
    for (Index input : inputs) block.edges[edges++] = input == kNoIndex ? kNoIndex : place[input];
    place[i] = nodes++;
  }
  block.nodes.resize(nodes);
  block.edges.resize(edges);
  renumber(block, place);
}

void remove_dead(Block& block, const PassContext&) {
  const std::span<const Op> ops = all_ops();
  LargeVector<std::uint8_t> needed(block.nodes.size());
  for (Index result : block.results) needed[result] = true;
  // Arguments keep their numbers, needed or not.
  for (Index argument : block.arguments) needed[argument] = true;
  for (Index i = static_cast<Index>(block.nodes.size()); i-- > 0;) {
    const BlockNode& n = block.nodes[i];
    if (n.kind == NodeKind::Call && ops[static_cast<std::size_t>(n.op)].has(kRandom)) needed[i] = true;
    if (!needed[i]) continue;
    for (Index input : block.inputs(n))
      if (input != kNoIndex) needed[input] = true;
  }
  compact(block, needed);
}

}  // namespace autoray::ir
