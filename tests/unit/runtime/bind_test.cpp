#include "runtime/bind.h"

#include <gtest/gtest.h>

#include "ir/error.h"

namespace autoray::runtime {
namespace {

struct Bound {
  Slots slots;
  UfuncKeywords ufunc;
  VarArguments var;
};

class Bind : public testing::Test {
 protected:
  std::string error_of(ir::OpId id, std::vector<Value> positional, std::vector<std::string_view> names,
                       std::vector<Value> values) {
    try {
      bind(id, positional, names, values);
      return "";
    } catch (const ir::Error& error) {
      EXPECT_EQ(error.error_class(), ir::ErrorClass::TypeError);
      return error.message();
    }
  }
  Bound bind(ir::OpId id, const std::vector<Value>& positional, const std::vector<std::string_view>& names,
             const std::vector<Value>& values) {
    Bound bound;
    bind_arguments(ir::op(id), runtime_.binding(id), {positional, names, values}, bound.slots, bound.ufunc, bound.var);
    return bound;
  }
  Runtime runtime_;
};

TEST_F(Bind, PositionsAndKeywordsFillParameters) {
  std::vector<Value> positional = {Value::integer(1)}, values = {Value::integer(0)};
  Bound bound = bind(ir::OpId::Sum, positional, {"axis"}, values);
  EXPECT_EQ(bound.slots[0]->as_int(), 1);
  EXPECT_EQ(bound.slots[static_cast<std::size_t>(runtime_.signature(ir::OpId::Sum).index_of("axis"))]->as_int(), 0);
}

TEST_F(Bind, UfuncKeywordsStandBesideTheSignature) {
  std::vector<Value> positional = {Value::real(1)}, values = {make_tuple({}), make_list()};
  Bound bound = bind(ir::OpId::Sqrt, positional, {"out", "where"}, values);
  EXPECT_TRUE(bound.ufunc.out);
  EXPECT_TRUE(bound.ufunc.where);
  EXPECT_FALSE(bound.ufunc.dtype);
}

TEST_F(Bind, MistakesAreTypeErrors) {
  EXPECT_NE(error_of(ir::OpId::Sum, {}, {}, {}), "");
  EXPECT_NE(error_of(ir::OpId::Sqrt, {Value::real(1), Value::real(1), Value::real(1)}, {}, {}), "");
  EXPECT_NE(error_of(ir::OpId::Sum, {Value::real(1)}, {"axes"}, {Value::integer(0)}), "");
  EXPECT_NE(error_of(ir::OpId::Sum, {Value::real(1), Value::integer(0)}, {"axis"}, {Value::integer(0)}), "");
  // Positional-only parameters have no keyword.
  EXPECT_NE(error_of(ir::OpId::Sqrt, {}, {"x"}, {Value::real(1)}), "");
}

TEST(OperandList, ScalarsBecomeArraysThatRememberTheirKind) {
  Runtime runtime;
  OperandList operands;
  operands.begin_group();
  operands.add(runtime, Value::real(1.5));
  operands.count();
  double item = 2;
  operands.begin_group();
  operands.add(runtime, make_scalar(ir::DType::Float64, &item));
  operands.count();
  ASSERT_EQ(operands.operands().size(), 2u);
  EXPECT_EQ(operands[0].kind, ir::Kind::Weak);
  EXPECT_EQ(*operands[0]->as<double>(), 1.5);
  EXPECT_EQ(operands[1].kind, ir::Kind::Scalar);
  EXPECT_EQ(operands.groups().size(), 2u);
}

}  // namespace
}  // namespace autoray::runtime
