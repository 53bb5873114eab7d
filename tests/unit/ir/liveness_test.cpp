#include <gtest/gtest.h>

#include "ir/passes/passes.h"
#include "ir/plan/plan.h"

namespace autoray::ir {
namespace {

// Blocks of float64 vectors, written as a script would make them.
class Program {
 public:
  explicit Program(std::int64_t length)
      : block(tables), type_(tables.types.intern(Type{DType::Float64, Kind::Array, {length}})) {
    const Type pair[] = {tables.types.type(type_), tables.types.type(type_)};
    pair_ = tables.types.intern(pair);
  }

  Index argument() {
    BlockNode n;
    n.kind = NodeKind::Leaf;
    n.types = type_;
    n.number = static_cast<Index>(block.arguments.size());
    block.arguments.push_back(static_cast<Index>(block.nodes.size()));
    return block.add(n, {});
  }
  Index call(OpId op, std::initializer_list<Index> inputs) { return call(op, inputs, type_); }
  Index call_for_two(OpId op, std::initializer_list<Index> inputs) { return call(op, inputs, pair_); }
  Index project(Index of, Index number) {
    BlockNode n;
    n.kind = NodeKind::Project;
    n.types = type_;
    n.number = number;
    return block.add(n, {&of, 1});
  }

  GraphTables tables;
  Block block;

 private:
  Index call(OpId op, std::initializer_list<Index> inputs, TypesId types) {
    BlockNode n;
    n.op = op;
    n.types = types;
    n.attrs = tables.attrs.intern({});
    Index i = block.add(n, {inputs.begin(), inputs.size()});
    tables.attrs.release(n.attrs);  // the block holds it
    return i;
  }
  TypesId type_, pair_;
};

constexpr std::int64_t kBytes = 8 * 100;  // of one vector

TEST(Liveness, CountsArgumentsValuesAndResults) {
  Program p(100);
  Index x = p.argument();
  Index y = p.call(OpId::Sin, {x});
  Index z = p.call(OpId::Add, {x, y});  // y is the second operand: no place for the result
  p.block.results = {z};
  EXPECT_EQ(liveness(p.block).peak, 3 * kBytes);
}

TEST(Liveness, AResultTakesItsFirstOperandsPlace) {
  Program p(100);
  Index x = p.argument();
  Index y = p.call(OpId::Sin, {x});
  Index z = p.call(OpId::Add, {y, x});
  p.block.results = {z};
  std::vector<std::int64_t> alive;
  Liveness live = liveness(p.block, {}, &alive);
  EXPECT_TRUE(live.in_place[z]);
  EXPECT_FALSE(live.in_place[y]);  // arguments are the caller's
  EXPECT_EQ(live.peak, 2 * kBytes);
  EXPECT_EQ(alive, (std::vector<std::int64_t>{kBytes, 2 * kBytes, 2 * kBytes}));
}

TEST(Liveness, NoPlaceThatIsUsedAgain) {
  Program p(100);
  Index x = p.argument();
  Index y = p.call(OpId::Sin, {x});
  Index z = p.call(OpId::Cos, {y});
  p.block.results = {p.call(OpId::Add, {z, y})};
  Liveness live = liveness(p.block);
  EXPECT_FALSE(live.in_place[z]);
  EXPECT_EQ(live.peak, 3 * kBytes);
}

TEST(Liveness, WhatAnArgumentHoldsIsToldByItsPlacement) {
  Program p(100);
  Index x = p.argument(), y = p.argument();
  p.block.results = {p.call(OpId::Add, {x, y})};
  const Placement placements[] = {{Layout::C, 5 * kBytes}, {Layout::C, 0}};  // two views of one big array
  EXPECT_EQ(liveness(p.block, placements).peak, 6 * kBytes);
}

// Terms first, then their sum in pairs: in this order all terms are alive together.
TEST(Schedule, AReductionTreeKeepsAPathInsteadOfALevel) {
  constexpr std::size_t kTerms = 256;
  Program p(100);
  Index x = p.argument();
  std::vector<Index> level;
  for (std::size_t k = 0; k < kTerms; ++k) level.push_back(p.call(OpId::Sin, {x}));
  while (level.size() > 1) {
    std::vector<Index> next;
    for (std::size_t k = 0; k < level.size(); k += 2) next.push_back(p.call(OpId::Add, {level[k], level[k + 1]}));
    level = next;
  }
  p.block.results = level;
  EXPECT_EQ(liveness(p.block).peak, static_cast<std::int64_t>(kTerms + 1) * kBytes);
  schedule(p.block, {});
  EXPECT_LE(liveness(p.block).peak, 10 * kBytes);  // the argument, and a value for each of the eight levels
  for (Index i = 0; i < p.block.nodes.size(); ++i)
    for (Index input : p.block.inputs(i)) EXPECT_LT(input, i);
}

TEST(Schedule, KeepsTheOrderWhereNothingIsWon) {
  Program p(100);
  Index x = p.argument();
  Index y = p.call(OpId::Sin, {x});
  Index z = p.call(OpId::Cos, {x});
  p.block.results = {p.call(OpId::Add, {z, y})};
  schedule(p.block, {});
  EXPECT_EQ(p.block.nodes[y].op, OpId::Sin);
  EXPECT_EQ(p.block.nodes[z].op, OpId::Cos);
}

TEST(Plan, ABufferNumberIsTakenAgainAfterItsLastUse) {
  Program p(100);
  Index x = p.argument();
  Index y = x;
  for (int k = 0; k < 50; ++k) y = p.call(OpId::Maximum, {x, y});
  p.block.results = {y};
  Plan plan = make_plan(std::move(p.block));
  EXPECT_LE(plan.buffer_count, 3u);
  EXPECT_EQ(plan.steps.size(), 50u);
  EXPECT_EQ(plan.peak_bytes, 3 * kBytes);
}

TEST(Plan, StepsMadeOneByOneAreThoseMadeAtOnce) {
  auto make = [](Program& p) {
    Index x = p.argument(), y = x;
    for (int k = 0; k < 20; ++k) {
      Index both = p.call_for_two(OpId::LinalgQr, {y});
      Index quotient = p.project(both, 0), rest = p.project(both, 1);
      if (k % 3 == 0) p.project(both, 1);  // nobody uses it
      y = k % 2 ? p.call(OpId::Add, {rest, quotient}) : rest;
    }
    p.block.results = {y, x};
  };
  Program p(100), q(100);
  make(p);
  make(q);
  const Plan plan = make_plan(std::move(p.block));
  PlanMaker maker(std::move(q.block));
  std::size_t made = 0;
  auto equal = [](std::span<const Index> a, std::span<const Index> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  while (maker.add_steps(1)) {
    ASSERT_EQ(maker.plan.steps.size(), 1u);
    ASSERT_LT(made, plan.steps.size());
    const Step &one = maker.plan.steps[0], &same = plan.steps[made++];
    EXPECT_EQ(one.node, same.node);
    EXPECT_EQ(one.in_place, same.in_place);
    EXPECT_TRUE(equal(maker.plan.inputs(one), plan.inputs(same)));
    EXPECT_TRUE(equal(maker.plan.outputs(one), plan.outputs(same)));
    EXPECT_TRUE(equal(maker.plan.freed(one), plan.freed(same)));
    maker.plan.steps.clear();
    maker.plan.slots.clear();
  }
  EXPECT_EQ(made, plan.steps.size());
  EXPECT_EQ(maker.plan.result_slots, plan.result_slots);
  EXPECT_EQ(maker.plan.buffer_count, plan.buffer_count);
}

TEST(Plan, ManyNodesTakeNoStack) {
  Program p(1);
  Index y = p.argument();
  for (int k = 0; k < 300'000; ++k) y = p.call(OpId::Sin, {y});
  p.block.results = {y};
  run_passes(p.block, {});
  EXPECT_EQ(make_plan(std::move(p.block)).peak_bytes, 16);
}

TEST(Passes, UnknownNamesAreRefused) {
  Program p(1);
  p.block.results = {p.argument()};
  PassOptions options;
  options.without = {"shar"};
  EXPECT_ANY_THROW(run_passes(p.block, {}, options));
  options.without = {"share"};
  std::vector<std::string> printed;
  options.print_after = "all";
  options.print = [&](std::string_view pass, const Block&) { printed.emplace_back(pass); };
  run_passes(p.block, {}, options);
  EXPECT_EQ(printed.size(), all_passes().size() - 1);
}

}  // namespace
}  // namespace autoray::ir
