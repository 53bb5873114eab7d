#include "ir/graph/graph.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ir/error.h"
#include "ir/graph/order.h"

namespace autoray::ir {

Graph::~Graph() {
  // Whatever still stands (a script's globals at exit) lets its values go.
  for (std::size_t word = 0; word < free_.size(); ++word)
    for (std::uint64_t taken = ~free_[word]; taken; taken &= taken - 1) {
      Node& n = node(static_cast<NodeId>(64 * word) + static_cast<NodeId>(std::countr_zero(taken)));
      if ((n.kind == NodeKind::Leaf || n.kind == NodeKind::Constant || n.kind == NodeKind::State) && !n.holds_item() && n.value)
        drop_(n.value);
      if (n.kind == NodeKind::Call) {
        tables_.attrs.release(n.attrs);
        if (n.count > 4) delete[] n.many;
      }
    }
}

inline NodeId Graph::take() {
  if (live_ >= limit_ || word_ == free_.size() || !free_[word_]) [[unlikely]]
    find_place();
  ++live_;
  std::uint64_t& places = free_[word_];
  auto id = static_cast<NodeId>(64 * word_) + static_cast<NodeId>(std::countr_zero(places));
  places &= places - 1;
  return id;
}

void Graph::find_place() {
  if (live_ >= limit_)
    throw Error(ErrorClass::MemoryError, "the graph has reached its limit of " + std::to_string(limit_) + " nodes")
        .with_code(703);
  while (word_ == free_.size() || !free_[word_]) {
    if (word_ < free_.size()) ++word_;
    if (word_ < free_.size()) continue;
    // Once round: a new slab only where most places are taken, so that the search stays short.
    if (live_ < capacity() / 4 * 3) {
      word_ = 0;
      continue;
    }
    slabs_.push_back(std::make_unique_for_overwrite<Node[]>(kSlab));
    free_.resize(slabs_.size() * kSlab / 64, ~std::uint64_t{0});
  }
}

NodeId Graph::add_call(OpId op, std::span<const NodeId> inputs, AttrsId attrs, TypesId types, SourceId source,
                       std::uint8_t backend, bool dispatched) {
  std::uint32_t depth = 0;
  for (NodeId id : inputs) {
    if (id == kNoNode) continue;
    Node& input = node(id);
    ++input.references;
    if (input.depth >= depth && !input.hidden()) depth = input.depth + 1;
  }
  return add_counted_call(op, inputs, attrs, types, source, backend, dispatched, depth);
}

NodeId Graph::add_counted_call(OpId op, std::span<const NodeId> inputs, AttrsId attrs, TypesId types, SourceId source,
                               std::uint8_t backend, bool dispatched, std::uint32_t depth) {
  NodeId id;
  NodeId* many = nullptr;
  try {
    if (inputs.size() > 4) many = new NodeId[inputs.size()];
    id = take();
  } catch (...) {
    delete[] many;
    for (NodeId input : inputs)
      if (input != kNoNode) --node(input).references;
    throw;
  }
  // Written once and not read again: its place is often in no cache.
  Node& n = node(id);
  n.references = 1;
  n.attrs = attrs;
  n.types = types;
  n.source = source;
  n.name = 0;
  n.depth = depth;
  n.op = op;
  n.kind = NodeKind::Call;
  n.backend = backend;
  n.count = static_cast<std::uint32_t>(inputs.size());
  n.dispatched = dispatched;
  n.method = false;
  NodeId* edges = n.few;
  if (many) {
    edges = n.many = many;
    far_edges_ += inputs.size();
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) edges[k] = inputs[k];
  return id;
}

NodeId Graph::add_leaf(NodeKind kind, TypesId types, void* value, SourceId source, std::uint8_t backend) {
  NodeId id = take();
  Node& n = node(id);
  n = Node{};
  n.references = 1;
  n.types = types;
  n.source = source;
  n.kind = kind;
  n.backend = backend;
  n.value = value;
  return id;
}

NodeId Graph::add_scalar(TypesId types, const char (&item)[16]) {
  NodeId id = add_leaf(NodeKind::Constant, types, nullptr, kNoSource, 0);
  Node& n = node(id);
  n.count = 1;
  std::memcpy(n.item, item, sizeof n.item);
  return id;
}

NodeId Graph::add_projection(NodeId of, std::uint32_t result, TypesId type) {
  NodeId id = take();
  Node& n = node(id);
  n = Node{};
  n.references = 1;
  n.attrs = result;
  n.types = type;
  n.source = node(of).source;
  n.kind = NodeKind::Project;
  n.backend = node(of).backend;
  n.count = 1;
  n.few[0] = of;
  n.depth = node(of).depth + 1;
  retain(of);
  return id;
}

void Graph::drop_contents(Node& n, std::vector<NodeId>& dead) {
  if (n.kind == NodeKind::Call || n.kind == NodeKind::Project) {
    for (NodeId input : n.inputs())
      if (input != kNoNode && --node(input).references == 0) dead.push_back(input);
    if (n.kind == NodeKind::Call) {
      tables_.attrs.release(n.attrs);
      if (n.count > 4) {
        far_edges_ -= n.count;
        delete[] n.many;
      }
    }
  } else if (!n.holds_item() && n.value) {
    drop_(n.value);
  }
}

void Graph::free_node(NodeId first) {
  std::vector<NodeId> dead = {first};
  while (!dead.empty()) {
    NodeId id = dead.back();
    dead.pop_back();
    drop_contents(node(id), dead);
    free_[id / 64] |= std::uint64_t{1} << id % 64;
    --live_;
  }
}

void Graph::set_value(NodeId id, void* value) {
  Node& n = node(id);
  std::vector<NodeId> dead;
  drop_contents(n, dead);
  n.kind = NodeKind::Leaf;
  n.attrs = 0;
  n.count = 0;
  n.value = value;
  n.depth = 0;
  for (NodeId input : dead) free_node(input);
}

std::size_t Graph::memory() const {
  return slabs_.size() * kSlab * sizeof(Node) + far_edges_ * sizeof(NodeId) + free_.capacity() * sizeof(free_[0]) +
         places_.capacity() * sizeof(places_[0]);
}

// ---- traversals ----

Graph::Traversal::Traversal(Graph& graph) : graph_(graph) {
  if (graph.places_.size() < graph.capacity()) graph.places_.resize(graph.capacity());
  order_.reserve(expected());
}

Graph::Traversal::~Traversal() { finish(); }

LargeVector<NodeId> Graph::Traversal::finish() {
  for (NodeId id : order_) graph_.places_[id] = 0;
  if (!order_.empty()) graph_.visited_ = order_.size();
  return std::exchange(order_, {});
}

// The deepest root is visited first, the deepest input of each node too.
void Graph::Traversal::sort_roots(std::span<const NodeId> roots) {
  queue_.assign(roots.begin(), roots.end());
  stable_order(std::span(queue_), [&](NodeId a, NodeId b) { return graph_.node(a).depth < graph_.node(b).depth; });
}

std::span<const NodeId> Graph::Traversal::descend(std::span<const NodeId> roots, bool hidden) {
  std::uint32_t* places = graph_.places_.data();
  sort_roots(roots);
  while (!queue_.empty()) {
    NodeId id = queue_.back();
    queue_.pop_back();
    if (places[id]) continue;
    order_.push_back(id);
    places[id] = static_cast<std::uint32_t>(order_.size());
    for (NodeId input : graph_.node(id).inputs())
      if (input != kNoNode && !places[input] && (hidden || !graph_.node(input).hidden())) queue_.push_back(input);
  }
  return order_;
}

// ---- labels ----

namespace {

struct OpLabel {
  OpId id;
  std::string_view text;
};
constexpr OpLabel kLabels[] = {
#define OP(...)
#define LABEL(id, text) {OpId::id, text},
#include "ir/ops.def"
#undef OP
    {OpId::Count, ""}};

}  // namespace

std::string_view label(NodeKind kind, OpId id) {
  if (kind == NodeKind::Project) return "getitem";
  if (kind != NodeKind::Call) return "None";
  for (const OpLabel& row : kLabels)
    if (row.id == id) return row.text;
  std::string_view path = op(id).path;
  return path.substr(path.rfind('.') + 1);
}
std::string_view label(const Node& n) { return label(n.kind, n.op); }

}  // namespace autoray::ir
