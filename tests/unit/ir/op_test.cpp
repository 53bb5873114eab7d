// The table against itself: what a row says must be usable.
#include "ir/op.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "ir/error.h"

namespace autoray::ir {
namespace {

TEST(OpTable, RowsAreWhole) {
  for (const Op& op : all_ops()) {
    SCOPED_TRACE(std::string(op.path));
    EXPECT_EQ(&ir::op(op.id), &op);
    Signature signature = parse_op_signature(op);
    EXPECT_EQ(op.operands.size(), signature.parameters.size()) << "a letter for each parameter";
    EXPECT_EQ(op.operands.find_first_not_of("AOSB-DC"), std::string_view::npos);
    if (op.op_class != OpClass::Host) {
      EXPECT_TRUE(op.shape_rule || op.has(kDynamicShape) || op.has(kRandom));
      EXPECT_TRUE(op.cost_rule);
    }
    EXPECT_FALSE(op.has(kTupleResult) && op.has(kListResult));
    if (op.has(kRandom)) {
      EXPECT_FALSE(op.has(kFoldable));
    }
    if (op.has(kUfunc)) {
      EXPECT_TRUE(op.op_class == OpClass::Elementwise || op.op_class == OpClass::Contract);
    }
    for (std::size_t p = 0; p < op.operands.size(); ++p) {
      // What need not be given as an operand is optional for the call too.
      if (op.operands[p] == 'O') {
        EXPECT_FALSE(signature.parameters[p].required);
      }
    }
  }
}

TEST(OpTable, NamesAreFoundOnce) {
  std::set<std::string_view> seen;
  for (const Op& op : all_ops()) {
    EXPECT_TRUE(seen.insert(op.path).second) << op.path;
    EXPECT_EQ(find_op(op.path), op.id);
  }
  for (const Alias& alias : aliases()) {
    EXPECT_TRUE(seen.insert(alias.name).second) << alias.name;
    EXPECT_EQ(find_op(alias.name), alias.id);
  }
  EXPECT_EQ(find_op("sqrtt"), OpId::Count);
  EXPECT_EQ(find_op(""), OpId::Count);
}

TEST(OpTable, ElementwiseRowsInfer) {
  Type array{DType::Float64, Kind::Array, Dims{2, 3}}, row{DType::Float32, Kind::Array, Dims{3}};
  for (const Op& op : all_ops()) {
    if (op.op_class != OpClass::Elementwise || !op.has(kUfunc)) continue;
    SCOPED_TRACE(std::string(op.path));
    std::vector<OperandType> in;
    for (char letter : op.operands)
      if (letter == 'A') in.push_back({in.empty() ? &array : &row});
    std::vector<std::uint32_t> groups(in.size(), 1);
    Inference inference{op, in, groups, {}, {}};
    try {
      infer(inference);
    } catch (const Error& error) {
      EXPECT_EQ(error.error_class(), ErrorClass::UFuncTypeError) << error.message();  // bitwise ops take no floats
      continue;
    }
    ASSERT_FALSE(inference.results.empty());
    EXPECT_EQ(inference.results[0].shape, (Dims{2, 3}));
    EXPECT_GT(op.cost_rule(inference).bytes, 0);
  }
}

}  // namespace
}  // namespace autoray::ir
