// What each node of a block becomes, looked at alone.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "codegen/builder.h"
#include "codegen/pointwise.h"

namespace autoray::codegen {

enum class Role : std::uint8_t {
  Argument,
  View,       // an index map of its first input
  Pointwise,  // an element-wise value
  Fold,       // one operand folded along some of its axes
  Product,    // two operands multiplied, summed over shared axes
  Join,       // operands side by side in one array
  Update,     // a new version of the first operand with other values in one place
  Nothing,    // has no elements
  Call,       // by the runtime
  Project,    // one result of a call
};

struct NodeRole {
  Role role = Role::Call;
  std::string reason;  // Call: why
  // Pointwise
  Lowering lowering = nullptr;
  ir::DType compute{};
  std::uint8_t operands = 0;  // how many inputs take part
  bool expensive = false;
  bool half = false;               // computes in float32 what is float16: Python numbers are rounded first
  bool c_order = false;            // whatever the operands' order
  std::vector<double> parameters;  // of the lowering
  // Fold: `before` is applied to the operand (the square of a norm), `after` to the result.
  Prim fold{};
  Order order = Order::Any;
  ir::DType accumulate{};
  ir::Dims axes;
  enum class Before : std::uint8_t { Nothing, Square, Truth } before = Before::Nothing;
  enum class After : std::uint8_t { Nothing, Mean, Sqrt } after = After::Nothing;
  // Product: axes of both operands.
  ir::Dims batch_a, free_a, summed_a, batch_b, free_b, summed_b;
  bool any_order = false;  // so large that its sums have no order that others agree on
  // Join: where each operand lies in the result.
  std::vector<std::int64_t> offsets;
  int axis = 0;
};

// float16 is computed in float32.
inline ir::DType computed_dtype(ir::DType dtype) { return dtype == ir::DType::Float16 ? ir::DType::Float32 : dtype; }

class Roles {
 public:
  // `standalone`: there will be no runtime whose products are faster.
  Roles(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments, bool standalone);
  const NodeRole& operator[](ir::Index i) const { return *roles_[i]; }
  // A movement that turns out to copy.
  void become_call(ir::Index i, std::string reason);
  const std::vector<ir::Attr>& attrs(ir::Index i);

 private:
  static NodeRole call(std::string reason);
  NodeRole role_of(ir::Index i);
  std::optional<std::vector<double>> by_parameters(ir::Index i, ir::OpId id, ir::DType compute);
  std::optional<NodeRole> sum_of_nothing(ir::Index i, const ir::Op& op);
  std::optional<NodeRole> created_role(ir::Index i);
  NodeRole pointwise_role(ir::Index i, const ir::Op& op);
  NodeRole fold_role(ir::Index i, const ir::Op& op);
  NodeRole norm_role(ir::Index i);
  NodeRole product_role(ir::Index i);
  NodeRole join_role(ir::Index i, const ir::Op& op);
  NodeRole update_role(ir::Index i);
  // The value of a constant scalar.
  std::optional<double> constant(ir::Index i, bool& integer) const;
  bool is_true(ir::Index i) const;
  bool overflows_half(ir::Index i) const;
  bool weak_out_of_range(ir::Index i, ir::DType dtype) const;

  runtime::Runtime& runtime_;
  const ir::Block& block_;
  std::span<const ArgumentInfo> arguments_;
  bool standalone_;
  // Equal calls of equal types have one role: an unrolled loop has few different ones.
  std::deque<NodeRole> pool_;
  std::vector<const NodeRole*> roles_;
  std::unordered_map<ir::AttrsId, std::vector<ir::Attr>> attrs_;
};

}  // namespace autoray::codegen
