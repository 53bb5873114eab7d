// Element-wise ops as instructions of kernel IR: which ops and dtypes there are, and the instructions of each.
#pragma once

#include <span>
#include <vector>

#include "codegen/kernel.h"
#include "ir/op.h"

namespace autoray::codegen {

// The body of a nest under construction.
class Body {
 public:
  explicit Body(Nest& nest) : nest_(nest) {}
  ValueId emit(Prim prim, ir::DType dtype, ValueId a = kNoValue, ValueId b = kNoValue, ValueId c = kNoValue,
               std::int64_t immediate = 0);
  ValueId real(ir::DType dtype, double value);
  ValueId integer(ir::DType dtype, std::int64_t value);
  ValueId cast(ValueId value, ir::DType dtype);
  ir::DType dtype(ValueId value) const { return nest_.body[value].dtype; }
  std::size_t size() const { return nest_.body.size(); }

 private:
  Nest& nest_;
};

// The op on operands of the dtype in which its loop computes; the result may have another dtype than asked for, which the
// caller casts. kNoValue operands are absent ones.
using Lowering = ValueId (*)(Body& body, ir::DType dtype, std::span<const ValueId> operands);

// Null where no code is generated for the op in that dtype.
Lowering pointwise(ir::OpId op, ir::DType dtype);
// It calls a function: worth storing rather than computing twice.
bool is_expensive(ir::OpId op);

}  // namespace autoray::codegen
