// The backend `eigen` says what Eigen computes: its expressions are counted while they run.
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/backends/eigen/backend.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

class Eigen : public testing::Test {
 protected:
  Eigen() : eigen_(*runtime_.find_backend("eigen")) {
    a_ = runtime_.allocate(ir::DType::Float64, ir::Dims{40, 40});
    for (std::int64_t i = 0; i < a_.size(); ++i) a_.as<double>()[i] = 0.25 + 0.5 * static_cast<double>(i % 7) / 7;
  }
  // Expressions that one call evaluates.
  std::int64_t expressions(ir::OpId op, BackendId backend, std::initializer_list<const Array*> operands) {
    std::int64_t before = eigen_expressions();
    runtime_.run1(op, backend, operands);
    return eigen_expressions() - before;
  }

  Runtime runtime_;
  BackendId eigen_;
  Array a_;
};

TEST_F(Eigen, ItsOwnLoopsAreEigensExpressions) {
  int counted = 0;
  for (const ir::Op& op : ir::all_ops()) {
    if (op.op_class != ir::OpClass::Elementwise || runtime_.loop_provider(eigen_, op.id, ir::DType::Float64) != eigen_)
      continue;
    if (!runtime_.loop(eigen_, op.id, ir::DType::Float64)) continue;
    SCOPED_TRACE(std::string(op.path));
    std::size_t operands = static_cast<std::size_t>(std::count(op.operands.begin(), op.operands.end(), 'A'));
    if (operands == 1) {
      EXPECT_GT(expressions(op.id, eigen_, {&a_}), 0);
    } else if (operands == 2) {
      EXPECT_GT(expressions(op.id, eigen_, {&a_, &a_}), 0);
    }
    ++counted;
    // The default backend never does.
    if (operands == 1) {
      EXPECT_EQ(expressions(op.id, 0, {&a_}), 0);
    }
  }
  EXPECT_GE(counted, 20);
}

TEST_F(Eigen, ItsOwnKernelsAreEigensExpressions) {
  for (ir::OpId op : {ir::OpId::Sum, ir::OpId::Mean, ir::OpId::Max, ir::OpId::Min, ir::OpId::Prod}) {
    if (runtime_.entry(eigen_, op).provided_by != eigen_) continue;
    EXPECT_GT(expressions(op, eigen_, {&a_}), 0) << ir::op(op).path;
    EXPECT_EQ(expressions(op, 0, {&a_}), 0) << ir::op(op).path;
  }
  EXPECT_GT(expressions(ir::OpId::Matmul, eigen_, {&a_, &a_}), 0);
  EXPECT_EQ(expressions(ir::OpId::Matmul, 0, {&a_, &a_}), 0);
}

TEST_F(Eigen, IntegersAreInherited) {
  Array integers = converted(runtime_, a_, ir::DType::Int64);
  for (ir::OpId op : {ir::OpId::Add, ir::OpId::Multiply, ir::OpId::Maximum})
    EXPECT_EQ(expressions(op, eigen_, {&integers, &integers}), 0) << ir::op(op).path;
  EXPECT_EQ(expressions(ir::OpId::Sum, eigen_, {&integers}), 0);
}

TEST_F(Eigen, BothBackendsAgree) {
  for (ir::OpId op : {ir::OpId::Sqrt, ir::OpId::Exp, ir::OpId::Sin, ir::OpId::Log, ir::OpId::Sum, ir::OpId::Mean}) {
    Array x = runtime_.run1(op, 0, {&a_}), y = runtime_.run1(op, eigen_, {&a_});
    ASSERT_EQ(x.size(), y.size());
    for (std::int64_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(x.as<double>()[i], y.as<double>()[i], 1e-12 * std::abs(x.as<double>()[i]));
  }
}

}  // namespace
}  // namespace autoray::runtime
