#include "ir/graph/graph.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ir/error.h"

namespace autoray::ir {
namespace {

struct Fixture {
  GraphTables tables;
  Graph graph{tables, [](void*) {}};
  TypesId type = tables.types.intern(Type{DType::Float64, Kind::Array, {2}});

  NodeId call(std::initializer_list<NodeId> inputs) {
    return graph.add_call(OpId::Add, {inputs.begin(), inputs.size()}, tables.attrs.intern({}), type, kNoSource, 0);
  }
};

TEST(Graph, NodesGoWithTheLastThatNeedsThem) {
  Fixture f;
  NodeId x = f.graph.add_leaf(NodeKind::Leaf, f.type, nullptr, kNoSource, 0);
  NodeId y = f.call({x, x}), z = f.call({y, x});
  f.graph.release(x);
  f.graph.release(y);
  EXPECT_EQ(f.graph.live(), 3u);
  f.graph.release(z);
  EXPECT_EQ(f.graph.live(), 0u);
  EXPECT_EQ(f.tables.attrs.live(), 0u);
}

TEST(Graph, AMillionNodesGoWithoutRecursion) {
  Fixture f;
  NodeId y = f.graph.add_leaf(NodeKind::Leaf, f.type, nullptr, kNoSource, 0);
  for (int k = 0; k < 1'000'000; ++k) {
    NodeId next = f.call({y});
    f.graph.release(y);
    y = next;
  }
  EXPECT_LE(f.graph.memory(), 50u * f.graph.live());
  EXPECT_EQ(f.graph.ascend(std::span(&y, 1)).size(), 1'000'001u);
  f.graph.release(y);
  EXPECT_EQ(f.graph.live(), 0u);
}

TEST(Graph, AChainThatIsFollowedDoesNotGrow) {
  Fixture f;
  NodeId y = f.graph.add_leaf(NodeKind::Leaf, f.type, nullptr, kNoSource, 0);
  for (int k = 0; k < 100'000; ++k) {
    NodeId next = f.call({y, y, y, y, y, y});
    f.graph.release(y);
    f.graph.set_value(next, nullptr);
    y = next;
  }
  EXPECT_LE(f.graph.capacity(), 4096u);
  f.graph.release(y);
}

TEST(Graph, PastItsLimitItIsRefusedAndWhole) {
  Fixture f;
  f.graph.set_limit(3);
  NodeId x = f.graph.add_leaf(NodeKind::Leaf, f.type, nullptr, kNoSource, 0);
  NodeId y = f.call({x}), z = f.call({y});
  AttrsId attrs = f.tables.attrs.intern({});
  const NodeId inputs[] = {z};
  try {
    f.graph.add_call(OpId::Add, inputs, attrs, f.type, kNoSource, 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::MemoryError);
    EXPECT_EQ(error.code(), 703);
  }
  f.tables.attrs.release(attrs);
  EXPECT_EQ(f.graph.live(), 3u);
  f.graph.release(x);
  f.graph.release(y);
  f.graph.release(z);
  EXPECT_EQ(f.graph.live(), 0u);
}

TEST(Graph, AScalarStandsInItsNode) {
  Fixture f;
  char item[16] = {1, 2, 3};
  NodeId s = f.graph.add_scalar(f.type, item);
  EXPECT_TRUE(f.graph.node(s).holds_item());
  EXPECT_EQ(std::memcmp(f.graph.node(s).item, item, sizeof item), 0);
  NodeId y = f.call({s});
  f.graph.release(s);
  f.graph.release(y);
  EXPECT_EQ(f.graph.live(), 0u);
}

}  // namespace
}  // namespace autoray::ir
