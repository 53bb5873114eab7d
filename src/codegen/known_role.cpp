// Calls whose end is known before any element is.
#include <deque>

#include "codegen/outcome.h"
#include "codegen/roles.h"
#include "codegen/routines.h"

namespace autoray::codegen {

using ir::Index;
using ir::kNoIndex;

NodeRole Roles::call_unless_known(Index i, std::string reason) {
  NodeRole role = call(std::move(reason));
  if (standalone_) return role;
  const ir::BlockNode& n = block_.nodes[i];
  std::deque<runtime::Array> stand_ins;
  std::vector<runtime::Operand> operands;
  bool known = true;
  for (Index x : block_.inputs(n)) {
    if (x == kNoIndex) {
      operands.push_back({});
      continue;
    }
    const ir::Type& type = block_.type(x);
    const runtime::Array* value = nullptr;
    if (block_.nodes[x].kind == ir::NodeKind::Constant) value = arguments_[block_.nodes[x].number].constant;
    if (!value) {
      // Zeros everywhere, which all of these ops take.
      runtime::Array& zeros = stand_ins.emplace_back(runtime_.allocate_zeroed(type.dtype, {}));
      zeros.shape = type.shape;
      zeros.strides = ir::Dims(type.shape.size(), 0);
      value = &zeros;
      known = known && ir::element_count(type.shape) == 0;
    }
    operands.push_back({value, type.kind});
  }
  // Zeros are no matrix that can be solved or decomposed.
  if (!known && ir::op(n.op).op_class == ir::OpClass::Linalg) return role;
  Outcome outcome = outcome_of(runtime_, n, attrs(i), block_.types(i), operands);
  if (outcome.error) {
    role.role = Role::Routine;
    role.routine = refuse_routine();
    role.error = std::move(outcome.error);
  } else if (known && outcome.result && ir::element_count(block_.type(i).shape) == 0) {
    role.role = Role::Nothing;
  } else if (known && outcome.value) {
    role.role = Role::Pointwise;
    role.compute = block_.type(i).dtype;
    role.lowering = constant_value;
    role.parameters = {*outcome.value};
  }
  return role;
}

}  // namespace autoray::codegen
