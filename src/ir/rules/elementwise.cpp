#include "ir/rules/elementwise.h"

namespace autoray::ir {

void shape_broadcast(Inference& inference) {
  SmallVector<std::span<const std::int64_t>, 4> shapes;
  for (const OperandType& operand : inference.in)
    if (operand.present()) shapes.push_back(operand.type->shape);
  Type result;
  result.shape = broadcast_all(shapes);
  inference.results.assign(1, result);
}

DType promoted_dtype(const Inference& inference) {
  Promotion promotion;
  for (const OperandType& operand : inference.in)
    if (operand.present()) promotion.add(operand.type->dtype, operand.type->kind);
  return promotion.result();
}

void dtype_promote(Inference& inference) { inference.results[0].dtype = promoted_dtype(inference); }
void dtype_inexact(Inference& inference) { inference.results[0].dtype = inexact_dtype(promoted_dtype(inference)); }
void dtype_bool(Inference& inference) { inference.results[0].dtype = DType::Bool; }

Cost cost_elementwise(const Inference& inference) {
  Cost cost;
  for (const OperandType& operand : inference.in)
    if (operand.present())
      cost.bytes += static_cast<double>(element_count(operand.type->shape) * static_cast<std::int64_t>(itemsize(operand.type->dtype)));
  for (const Type& result : inference.results) {
    double count = static_cast<double>(element_count(result.shape));
    cost.flops += count;
    cost.bytes += count * static_cast<double>(itemsize(result.dtype));
  }
  return cost;
}

Cost cost_free(const Inference&) { return {}; }

}  // namespace autoray::ir
