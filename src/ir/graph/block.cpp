#include "ir/graph/block.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <unordered_set>

#include "ir/error.h"

namespace autoray::ir {

Block::~Block() {
  if (!tables) return;
  for (const BlockNode& n : nodes)
    if (n.kind == NodeKind::Call) tables->attrs.release(n.attrs);
}

Block::Block(Block&& other) noexcept
    : tables(other.tables),
      nodes(std::move(other.nodes)),
      edges(std::move(other.edges)),
      arguments(std::move(other.arguments)),
      results(std::move(other.results)),
      merged_sources(std::move(other.merged_sources)),
      blocks(std::move(other.blocks)) {
  other.nodes.clear();
}

Block& Block::operator=(Block&& other) noexcept {
  std::swap(tables, other.tables);
  std::swap(nodes, other.nodes);
  std::swap(edges, other.edges);
  std::swap(arguments, other.arguments);
  std::swap(results, other.results);
  std::swap(merged_sources, other.merged_sources);
  std::swap(blocks, other.blocks);
  return *this;
}

Index Block::add(BlockNode node, std::span<const Index> node_inputs) {
  node.first_input = static_cast<Index>(edges.size());
  node.input_count = static_cast<Index>(node_inputs.size());
  edges.insert(edges.end(), node_inputs.begin(), node_inputs.end());
  if (node.kind == NodeKind::Call) tables->attrs.retain(node.attrs);
  nodes.push_back(node);
  return static_cast<Index>(nodes.size() - 1);
}

std::vector<SourceId> Block::sources(Index i) const {
  std::vector<SourceId> list = {nodes[i].source};
  for (const auto& [node, source] : merged_sources)
    if (node == i && std::find(list.begin(), list.end(), source) == list.end()) list.push_back(source);
  return list;
}

namespace {

// The newest scalars of a block by type and bits: equal ones are one argument, unless thousands of others lie between them. A
// table of all would be looked up at random, which on large graphs costs more than everything else here.
class NewestScalars {
 public:
  explicit NewestScalars(const Graph& graph) : graph_(graph) {}
  // One that equals this node, itself when there is none.
  NodeId operator()(NodeId id, const Node& n) {
    if (kept_ >= slots_.size() / 2 && slots_.size() < kMost) grow();
    std::uint32_t hash = scalar_hash(n.types, n.item);
    Slot& slot = place(hash);
    if (slot.node != kNoNode && slot.hash == hash && graph_.node(slot.node).same_item(n.types, n.item)) return slot.node;
    kept_ += slot.node == kNoNode;
    slot = {hash, id};
    return id;
  }

 private:
  static constexpr std::size_t kLeast = 64, kMost = std::size_t{1} << 16;
  struct Slot {
    std::uint32_t hash = 0;
    NodeId node = kNoNode;
  };
  Slot& place(std::uint32_t hash) { return slots_[hash & (slots_.size() - 1)]; }
  void grow() {
    std::vector<Slot> before(std::max(kLeast, 2 * slots_.size()));
    slots_.swap(before);
    for (const Slot& slot : before)
      if (slot.node != kNoNode) place(slot.hash) = slot;
  }
  const Graph& graph_;
  std::vector<Slot> slots_;
  std::size_t kept_ = 0;
};

}  // namespace

Block extract(Graph& graph, std::span<const NodeId> roots, LargeVector<NodeId>& arguments, LargeVector<NodeId>* ids,
              bool dispatched) {
  Graph::Traversal walk(graph);
  Block block(graph.tables());
  auto reserve = [&](std::size_t nodes) {
    block.nodes.reserve(nodes);
    block.edges.reserve(2 * nodes);
    if (ids) ids->reserve(nodes);
  };
  reserve(walk.expected());
  constexpr Index kMany = 1 << 16;  // so many need most of the graph, probably; what is not written is address space alone
  NewestScalars scalars(graph);
  // While the traversal has them at hand: a second walk would fetch them from memory again.
  walk.ascend(roots, true, [&](NodeId id, const Node& n) {
    if (n.holds_item())
      if (NodeId same = scalars(id, n); same != id) {
        walk.set_place(id, walk.place(same));
        return;
      }
    auto index = static_cast<Index>(block.nodes.size());
    if (index == kMany) reserve(graph.live());
    walk.set_place(id, index);
    if (ids) ids->push_back(id);
    BlockNode& b = block.nodes.emplace_back();
    b.types = n.types;
    b.source = n.source;
    b.name = n.name;
    b.op = n.op;
    b.kind = n.kind;
    b.backend = n.backend;
    b.dispatched = dispatched && n.dispatched;
    b.first_input = static_cast<Index>(block.edges.size());
    auto inputs = n.inputs();
    b.input_count = static_cast<Index>(inputs.size());
    for (NodeId input : inputs) block.edges.push_back(input == kNoNode ? kNoIndex : walk.place(input));
    if (n.kind == NodeKind::Call) {
      b.attrs = n.attrs;
      block.tables->attrs.retain(n.attrs);
    } else if (n.kind == NodeKind::Project) {
      b.number = n.attrs;
    } else {
      b.number = static_cast<Index>(arguments.size());
      arguments.push_back(id);
      block.arguments.push_back(index);
    }
  });
  for (NodeId root : roots) block.results.push_back(walk.place(root));
  return block;
}

bool Block::draws() const {
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const BlockNode& n) { return n.kind == NodeKind::Call && ir::op(n.op).has(kRandom); });
}

std::int64_t element_count(const Block& block, Index i) { return block.tables->types.elements(block.nodes[i].types); }
std::int64_t byte_count(const Block& block, Index i) { return block.tables->types.bytes(block.nodes[i].types); }

namespace {

// An inference over a node's inputs; the spans refer to this object.
struct NodeInference {
  NodeInference(const Block& block, Index i) : attrs(block.tables->attrs.attrs(block.nodes[i].attrs)) {
    const BlockNode& n = block.nodes[i];
    for (Index input : block.inputs(i)) operands.push_back({input == kNoIndex ? nullptr : &block.type(input)});
    groups = operand_groups(op(n.op), operands.size());
    inference = std::make_unique<Inference>(Inference{op(n.op), operands, groups, attrs, {}});
  }
  std::vector<Attr> attrs;
  std::vector<OperandType> operands;
  std::vector<std::uint32_t> groups;
  std::unique_ptr<Inference> inference;
};

}  // namespace

Cost cost(const Block& block, Index i) {
  const BlockNode& n = block.nodes[i];
  if (n.kind != NodeKind::Call) return {};
  NodeInference with(block, i);
  auto types = block.types(i);
  with.inference->results.assign(types.begin(), types.end());
  return op(n.op).cost_rule(*with.inference);
}

std::vector<std::string> node_names(const Block& block) {
  std::vector<std::string> names;
  names.reserve(block.nodes.size());
  std::unordered_map<std::string, int> used;
  std::unordered_set<std::string> taken;
  for (Index i = 0; i < block.nodes.size(); ++i) {
    const BlockNode& n = block.nodes[i];
    std::string base(block.tables->names.text(n.name));
    if (base.empty()) {
      switch (n.kind) {
        case NodeKind::Leaf: base = "array"; break;
        case NodeKind::Variable: base = "variable"; break;
        case NodeKind::Constant: base = "constant"; break;
        case NodeKind::State: base = "state"; break;
        default: base = block.label(i);
      }
    }
    std::string name = base;
    int& next = used[base];
    while (!taken.insert(name).second) name = base + "_" + std::to_string(++next);
    names.push_back(std::move(name));
  }
  return names;
}

void verify(const Block& block, std::string_view after) {
  auto broken = [&](Index i, const std::string& what) {
    throw Error(ErrorClass::SystemError, "graph after '" + std::string(after) + "': node " + std::to_string(i) + " (" +
                                             std::string(block.label(i)) + "): " + what)
        .with_code(901);
  };
  std::vector<bool> state_used(block.nodes.size());
  for (Index i = 0; i < block.nodes.size(); ++i) {
    const BlockNode& n = block.nodes[i];
    for (Index input : block.inputs(i)) {
      if (input == kNoIndex) continue;
      if (input >= i) broken(i, "an input stands behind it");
      const BlockNode& in = block.nodes[input];
      bool several = block.types(input).size() != 1;
      if (n.kind == NodeKind::Project ? !several && n.number != 0 : several && in.kind == NodeKind::Call)
        broken(i, "an input has several results");
    }
    if (n.kind == NodeKind::Project) {
      if (n.input_count != 1 || n.number >= block.types(block.inputs(i)[0]).size()) broken(i, "projects a result that is none");
      if (!(block.type(i) == block.types(block.inputs(i)[0])[n.number])) broken(i, "has another type than what it projects");
    } else if (n.kind == NodeKind::Call) {
      if (op(n.op).has(kRandom)) continue;
      NodeInference with(block, i);
      infer(*with.inference);
      auto types = block.types(i);
      if (!std::equal(types.begin(), types.end(), with.inference->results.begin(), with.inference->results.end()))
        broken(i, "has type " + to_string(block.type(i)) + ", its rules say " +
                      (with.inference->results.empty() ? "nothing" : to_string(with.inference->results[0])));
    } else if (n.number >= block.arguments.size() || block.arguments[n.number] != i) {
      broken(i, "is not the argument that it says");
    }
  }
  for (Index result : block.results)
    if (result >= block.nodes.size()) broken(0, "a result is no node");
}

}  // namespace autoray::ir
