// A block: arguments, nodes in an order in which inputs come first, results. What passes change and a plan is made of;
// extracted from the recording graph in one traversal, dense, with node numbers instead of counted references.
//
// A node may own blocks (the body of a loop, the sides of a branch).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/graph/graph.h"

namespace autoray::ir {

using Index = std::uint32_t;  // of a node in its block
inline constexpr Index kNoIndex = 0xffffffffu;

struct BlockNode {
  union {
    AttrsId attrs = 0;  // Call: counted by the block
    Index number;       // Project: which result; others: which argument
  };
  TypesId types = 0;
  SourceId source = kNoSource;
  NameId name = 0;
  Index first_input = 0;  // in Block::edges
  Index input_count = 0;
  OpId op{};
  NodeKind kind = NodeKind::Call;
  std::uint8_t backend = 0;
  bool dispatched = false;  // called through `do`: registered functions take part
};
static_assert(sizeof(BlockNode) <= 32);  // a graph of ten million nodes has its block beside it

class Block {
 public:
  explicit Block(GraphTables& t) : tables(&t) {}
  ~Block();
  Block(Block&&) noexcept;
  Block& operator=(Block&&) noexcept;

  std::span<const Index> inputs(const BlockNode& n) const { return {edges.data() + n.first_input, n.input_count}; }
  std::span<Index> inputs(const BlockNode& n) { return {edges.data() + n.first_input, n.input_count}; }
  std::span<const Index> inputs(Index i) const { return inputs(nodes[i]); }
  std::span<const Type> types(Index i) const { return tables->types.types(nodes[i].types); }
  const Type& type(Index i) const { return tables->types.type(nodes[i].types); }
  std::string_view label(Index i) const { return ir::label(nodes[i].kind, nodes[i].op); }
  bool hidden(Index i) const { return nodes[i].kind == NodeKind::Constant || nodes[i].kind == NodeKind::State; }
  bool draws() const;  // random numbers: it cannot be run twice
  // All call stacks that made it: a merged node keeps every one of them.
  std::vector<SourceId> sources(Index i) const;

  // Appends; the node's attributes are counted once more.
  Index add(BlockNode node, std::span<const Index> node_inputs);

  GraphTables* tables;
  LargeVector<BlockNode> nodes;
  LargeVector<Index> edges;      // kNoIndex: an optional operand that was not given
  LargeVector<Index> arguments;  // by argument number: leaves, variables, constants, states
  std::vector<Index> results;
  std::vector<std::pair<Index, SourceId>> merged_sources;        // beyond BlockNode::source, by node
  std::vector<std::pair<Index, std::unique_ptr<Block>>> blocks;  // by the node that owns it
};

// Everything that the roots need. `arguments[i]` is the graph's node of argument i; `ids` (when not null) the node of each
// index. Without `dispatched` no call counts as one through `do`: there is no registered function to take part.
Block extract(Graph& graph, std::span<const NodeId> roots, LargeVector<NodeId>& arguments, LargeVector<NodeId>* ids = nullptr,
              bool dispatched = true);

// What one node costs by its op's cost rule: floating-point operations and bytes moved. Leaves and projections are free.
Cost cost(const Block& block, Index i);
std::int64_t element_count(const Block& block, Index i);  // of all results
std::int64_t byte_count(const Block& block, Index i);

// One name a node, the same in every output: the variable that it was assigned to, else its label; made unique with a number
// in the order of the block.
std::vector<std::string> node_names(const Block& block);

// Throws SystemError naming the broken rule when the block is not well-formed: inputs stand before their users, counts fit the
// op, types are those that the op's rules infer, every effect's state is used at most once.
void verify(const Block& block, std::string_view after);

}  // namespace autoray::ir
