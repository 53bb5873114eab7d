// The graph that recording makes: nodes in slabs owned by an Engine, counted, freed one by one without recursion when the last
// array of a script that needs them goes. A node is 48 bytes with up to four edges; attributes, types, call stacks and names
// are numbers into shared tables. The graph knows nothing of data: a leaf's value is an opaque pointer of its owner's.
//
// Costs: adding a node about 10 ns; a traversal one visit an edge, whatever else the graph holds.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "ir/graph/attr_table.h"
#include "ir/graph/order.h"
#include "ir/graph/source_table.h"
#include "ir/graph/type_table.h"
#include "ir/large_vector.h"
#include "ir/op.h"

namespace autoray::ir {

// What graphs and blocks of one Engine share.
struct GraphTables {
  AttrTable attrs;
  TypeTable types;
  SourceTable sources;
  Interner names;  // variables, files, functions; 0 is the empty name
  GraphTables() { names.intern(""); }
};

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffffu;  // an optional operand that was not given

enum class NodeKind : std::uint8_t {
  Call,      // an op of inputs
  Leaf,      // an array: given by the script, or computed
  Variable,  // a place for an array that is given later
  Constant,  // hidden: a scalar, or an array of the script's that an op took as it was; not counted as a node
  Project,   // one result of a node that has several
  State,     // hidden: a random generator's state before the first draw
};

struct Node {
  std::uint32_t references;
  AttrsId attrs;  // Project: the number of the result
  TypesId types;  // of all results
  SourceId source;
  NameId name;          // the variable it was first assigned to; 0: none
  std::uint32_t depth;  // longest way to a leaf
  OpId op;              // Call
  NodeKind kind;
  std::uint8_t backend;          // which computes it
  std::uint32_t count : 29;      // inputs
  std::uint32_t dispatched : 1;  // called through `do`: registered functions take part
  std::uint32_t method : 1;      // written as an operator (a * b): printed and counted under the operator's name
  union {
    NodeId few[4];
    NodeId* many;   // count > 4
    void* value;    // Leaf and Constant: the owner's
    char item[16];  // a Constant that is a scalar (count 1): the item itself
  };

  std::span<const NodeId> inputs() const {
    if (kind != NodeKind::Call && kind != NodeKind::Project) return {};
    return {count > 4 ? many : few, count};
  }
  bool holds_item() const { return kind == NodeKind::Constant && count == 1; }
  bool same_item(TypesId of, const char (&other)[16]) const {
    return types == of && std::memcmp(item, other, sizeof item) == 0;
  }
  bool hidden() const { return kind == NodeKind::Constant || kind == NodeKind::State; }
};
static_assert(sizeof(Node) == 48);

// Of a scalar, by type and bits.
inline std::uint32_t scalar_hash(TypesId types, const char (&item)[16]) {
  std::uint64_t words[2];
  std::memcpy(words, item, sizeof words);
  std::uint64_t hash = words[0] ^ words[1] * 0x9e3779b97f4a7c15ull ^ std::uint64_t{types} << 48;
  // Round numbers differ in high bits alone, and tables look at the low ones.
  hash = (hash ^ hash >> 32) * 0xff51afd7ed558ccdull;
  return static_cast<std::uint32_t>(hash >> 32);
}

class Graph {
 public:
  // `drop` is called with a leaf's value when its node goes.
  Graph(GraphTables& tables, void (*drop)(void*)) : tables_(tables), drop_(drop) {}
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  GraphTables& tables() { return tables_; }
  const GraphTables& tables() const { return tables_; }

  Node& node(NodeId id) { return slabs_[id / kSlab][id % kSlab]; }
  const Node& node(NodeId id) const { return slabs_[id / kSlab][id % kSlab]; }
  static constexpr std::size_t kMostNodes = std::size_t{1} << 28;
  const Type& type(NodeId id) const { return tables_.types.type(node(id).types); }

  // New nodes are counted once, for the caller. Inputs are counted by the node; the attributes' count passes to it.
  NodeId add_call(OpId op, std::span<const NodeId> inputs, AttrsId attrs, TypesId types, SourceId source, std::uint8_t backend,
                  bool dispatched = false);
  // The same for who has come by every input: they are counted already, and the deepest of them not hidden lies `depth - 1`
  // deep.
  NodeId add_counted_call(OpId op, std::span<const NodeId> inputs, AttrsId attrs, TypesId types, SourceId source,
                          std::uint8_t backend, bool dispatched, std::uint32_t depth);
  NodeId add_leaf(NodeKind kind, TypesId types, void* value, SourceId source, std::uint8_t backend);
  NodeId add_scalar(TypesId types, const char (&item)[16]);
  NodeId add_projection(NodeId of, std::uint32_t result, TypesId type);

  void retain(NodeId id) { ++node(id).references; }
  void release(NodeId id) {
    if (--node(id).references == 0) free_node(id);
  }
  // The node becomes a leaf with this value and lets its inputs go.
  void set_value(NodeId id, void* value);

  std::size_t live() const { return live_; }
  std::size_t capacity() const { return slabs_.size() * kSlab; }
  std::size_t memory() const;  // bytes of slabs and of edges beyond four
  // A graph past this many nodes is refused with MemoryError (code 703).
  void set_limit(std::size_t nodes) { limit_ = nodes; }

  // Every node that the roots need, once, in the order in which the reference's lazy.ascend (inputs first) and lazy.descend
  // (outputs first) give them. Hidden nodes are left out unless asked for.
  LargeVector<NodeId> ascend(std::span<const NodeId> roots, bool hidden = false) {
    Traversal walk(*this);
    walk.ascend(roots, hidden, [](NodeId, const Node&) {});
    return walk.finish();
  }
  LargeVector<NodeId> descend(std::span<const NodeId> roots, bool hidden = false) {
    Traversal walk(*this);
    walk.descend(roots, hidden);
    return walk.finish();
  }

  // A traversal, and the number of each node in it for as long as it lives; one at a time.
  class Traversal {
   public:
    explicit Traversal(Graph& graph);
    ~Traversal();
    Traversal(const Traversal&) = delete;
    // Calls visited(id, node) for each node once its inputs were visited.
    template <class Visit>
    void ascend(std::span<const NodeId> roots, bool hidden, Visit&& visited);
    std::span<const NodeId> descend(std::span<const NodeId> roots, bool hidden);
    LargeVector<NodeId> finish();  // the order; no place is known any more
    // How many nodes this one may well visit: as many as the one before, and some.
    std::size_t expected() const { return std::min(graph_.live(), graph_.visited_ + graph_.visited_ / 8 + 64); }
    // Of a node that was visited: its place in the order, or what it was given since.
    std::uint32_t place(NodeId id) const { return graph_.places_[id] - 1; }
    void set_place(NodeId id, std::uint32_t place) { graph_.places_[id] = place + 1; }

   private:
    static constexpr NodeId kInputsDone = NodeId{1} << 31;  // in the queue: its inputs were visited
    static_assert(kMostNodes <= kInputsDone);

    void sort_roots(std::span<const NodeId> roots);

    Graph& graph_;
    LargeVector<NodeId> order_, queue_;
  };

 private:
  static constexpr std::size_t kSlab = 1024;

  NodeId take();
  void find_place();
  void free_node(NodeId id);
  void drop_contents(Node& n, std::vector<NodeId>& dead);

  GraphTables& tables_;
  void (*drop_)(void*);
  std::vector<std::unique_ptr<Node[]>> slabs_;
  // A bit a place, set where it is free. Places are taken in rising order, round and round, so that nodes of one time stand
  // side by side however those before them went.
  std::vector<std::uint64_t> free_;
  std::size_t word_ = 0;  // where the search goes on
  std::size_t live_ = 0;
  std::size_t limit_ = kMostNodes;
  std::size_t far_edges_ = 0;
  std::size_t visited_ = 0;  // by the newest traversal
  // By node: 1 + its place in the running traversal; all zero between traversals. Apart from the nodes, so that a visit of an
  // edge to what was visited before touches four bytes.
  LargeVector<std::uint32_t> places_;
};

template <class Visit>
void Graph::Traversal::ascend(std::span<const NodeId> roots, bool hidden, Visit&& visited) {
  std::uint32_t* places = graph_.places_.data();
  auto by_depth = [&](NodeId a, NodeId b) { return graph_.node(a).depth < graph_.node(b).depth; };
  sort_roots(roots);
  auto visit = [&](NodeId id) {
    order_.push_back(id);
    places[id] = static_cast<std::uint32_t>(order_.size());
    visited(id, std::as_const(graph_).node(id));
  };
  while (!queue_.empty()) {
    NodeId id = queue_.back();
    if (id & kInputsDone) {
      queue_.pop_back();
      if (!places[id ^ kInputsDone]) visit(id ^ kInputsDone);
      continue;
    }
    if (places[id]) {
      queue_.pop_back();
      continue;
    }
    queue_.back() = id | kInputsDone;
    std::size_t before = queue_.size();
    for (NodeId input : graph_.node(id).inputs())
      if (input != kNoNode && !places[input] && (hidden || !graph_.node(input).hidden())) queue_.push_back(input);
    std::size_t pushed = queue_.size() - before;
    if (pushed == 0) {
      queue_.pop_back();
      visit(id);
    } else if (pushed == 2) {
      if (by_depth(queue_[before + 1], queue_[before])) std::swap(queue_[before], queue_[before + 1]);
    } else if (pushed > 2) {
      stable_order(std::span(queue_).subspan(before), by_depth);
    }
  }
}

// The name under which the reference counts a node: the function's own ("conjugate", "getitem"), the operator's for arithmetic
// ("mul", "truediv"), "None" for leaves.
std::string_view label(const Node& node);
std::string_view label(NodeKind kind, OpId op);

}  // namespace autoray::ir
