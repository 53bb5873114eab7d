// What each node of a block becomes, looked at alone.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "codegen/builder.h"
#include "codegen/layout.h"
#include "codegen/pointwise.h"

namespace autoray::codegen {

enum class Role : std::uint8_t {
  Argument,
  View,       // an index map of its first input
  Pointwise,  // an element-wise value
  Fold,       // one operand folded along some of its axes
  Scan,       // the same, with every value on the way
  Product,    // two operands multiplied, summed over shared axes
  Join,       // operands copied to their places in one array
  Update,     // a new version of the first operand with other values in one place
  Nothing,    // has no elements
  Routine,    // by a routine of the runtime, on contiguous memory
  CallInto,   // by the runtime's kernel of the op, which makes its result in the program's memory
  Call,       // by the runtime's dispatch
  Project,    // one result of a call
};

// An integer that grows along the axes of an array: at (i, j) the offset plus the steps times i and j.
struct AffineIndex {
  ir::Dims steps;
  std::int64_t offset = 0;
  // Of these axes instead: the points are numbered as they lie in the memory of the node's first input.
  ir::Dims by_memory = {};
};

// Elements that arrays of integers choose, out of an operand (a pointwise value) or in it (an update). Point (i, j, ...) of the
// chosen elements is walked in the operand by `axes`; each array's integers, whose own axes are the points' from `first` on,
// say where along one more axis of the operand.
struct Indexing {
  struct Array {
    std::size_t input = 0;
    std::int64_t axis = 0;
    std::int64_t size = 0;        // of that axis
    std::int64_t named_axis = 0;  // the axis that an error names; below 0: none
    std::size_t first = 0;
  };
  // How many places a mask takes is known from the values that it gets: a number that must be so.
  struct Count {
    std::size_t input = 0;
    std::int64_t expected = 0;
    std::string before, after;  // of the number, in the error
  };
  ir::Dims shape;  // of the points
  ir::Dims axes;   // by axis of the points: the operand's; -1: none
  std::vector<Array> arrays;
  std::optional<Count> count;
};

struct NodeRole {
  Role role = Role::Call;
  std::string reason;  // CallInto, Call: why
  // Pointwise
  Lowering lowering = nullptr;
  ir::DType compute{};
  std::uint8_t operands = 0;  // how many inputs take part
  bool expensive = false;
  bool half = false;                 // computes in float32 what is float16: Python numbers are rounded first
  bool c_order = false;              // whatever the operands' order
  bool f_order = false;              // the first axis fastest
  std::optional<AffineIndex> index;  // the lowering's first operand
  std::vector<double> parameters;    // of the lowering
  std::optional<Indexing> indexing;  // of a pointwise value or an update
  // Fold, Scan: `before` is applied to the operand (the square of a norm), `after` to the result.
  Prim fold{};
  Order order = Order::Any;
  ir::DType accumulate{};
  ir::Dims axes;
  bool together = false;  // in the kernel of the fold on which its terms depend: both are one operation
  enum class Before : std::uint8_t { Nothing, Square, Truth } before = Before::Nothing;
  enum class After : std::uint8_t { Nothing, Mean, Sqrt } after = After::Nothing;
  // Product: axes of both operands.
  ir::Dims batch_a, free_a, summed_a, batch_b, free_b, summed_b;
  bool any_order = false;  // so large that its sums have no order that others agree on
  // Routine: what it is given, and the error with which it may end the program.
  Routine routine;
  std::vector<std::int64_t> numbers;
  std::shared_ptr<const ir::Error> error;
  // Join: where each operand lies in the result, which is contiguous.
  std::vector<Layout> parts;
};

// float16 is computed in float32.
inline ir::DType computed_dtype(ir::DType dtype) { return dtype == ir::DType::Float16 ? ir::DType::Float32 : dtype; }

// A product of matrices of more multiply-adds is OpenBLAS's: the same bound as the eager kernels', because the order of the
// sums changes there.
inline bool is_large_product(double rows, double columns, double summed) {
  constexpr double kSmallProduct = 32 * 32 * 32;
  return rows * columns != 1 && rows * columns * summed > kSmallProduct;
}

// Of nodes that no op describes.
using GivenRoles = std::unordered_map<ir::Index, NodeRole>;

class Roles {
 public:
  // `standalone`: there will be no runtime whose products are faster.
  Roles(runtime::Runtime& runtime, const ir::Block& block, std::span<const ArgumentInfo> arguments, const GivenRoles& given,
        bool standalone);
  const NodeRole& operator[](ir::Index i) const { return *roles_[i]; }
  // A movement that turns out to copy.
  void become_call(ir::Index i, std::string reason);
  // A movement of all elements, in order, that turns out to copy.
  void become_copy(ir::Index i);
  const std::vector<ir::Attr>& attrs(ir::Index i);

 private:
  static NodeRole call(std::string reason);
  static NodeRole call_into(std::string reason);
  // An error or a number that is known before any element is; else a call.
  NodeRole call_unless_known(ir::Index i, std::string reason);
  NodeRole role_of(ir::Index i);
  std::optional<std::vector<double>> by_parameters(ir::Index i, ir::OpId id, ir::DType compute);
  std::optional<NodeRole> sum_of_nothing(ir::Index i, const ir::Op& op);
  std::optional<NodeRole> created_role(ir::Index i);
  NodeRole pointwise_role(ir::Index i, const ir::Op& op);
  NodeRole fold_role(ir::Index i, const ir::Op& op);
  NodeRole scan_role(ir::Index i, const ir::Op& op);
  NodeRole norm_role(ir::Index i);
  NodeRole product_role(ir::Index i);
  NodeRole join_role(ir::Index i, const ir::Op& op);
  NodeRole update_role(ir::Index i);
  // The value of a constant scalar.
  std::optional<double> constant(ir::Index i, bool& integer) const;
  bool is_true(ir::Index i) const;
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
