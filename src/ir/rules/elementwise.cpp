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
void dtype_inexact(Inference& inference) {
  DType plain = promoted_dtype(inference);
  if (!is_integer(plain)) {
    inference.results[0].dtype = inexact_dtype(plain);
    return;
  }
  // numpy takes the first of the e, f, d loops that every operand casts to safely, so int8 with uint8 is float16 though their
  // common integer dtype is int16.
  DType result = DType::Float16;
  bool all_bool = true;
  for (const OperandType& operand : inference.in) {
    if (!operand.present() || (operand.type->kind == Kind::Weak && !is_bool(operand.type->dtype))) continue;
    all_bool &= is_bool(operand.type->dtype);
    result = promote(result, inexact_dtype(operand.type->dtype));
  }
  inference.results[0].dtype = all_bool ? inexact_dtype(plain) : result;
}
void dtype_number(Inference& inference) {
  DType dtype = promoted_dtype(inference);
  inference.results[0].dtype = is_bool(dtype) ? DType::Int8 : dtype;
}
void dtype_bool(Inference& inference) { inference.results[0].dtype = DType::Bool; }

void dtype_divide(Inference& inference) {
  DType dtype = promoted_dtype(inference);
  inference.results[0].dtype = is_inexact(dtype) ? dtype : DType::Float64;
}
void dtype_real_part(Inference& inference) { inference.results[0].dtype = real_dtype(promoted_dtype(inference)); }
void dtype_part(Inference& inference) {
  dtype_real_part(inference);
  inference.results[0].kind = inference.type(0).kind;
}
void dtype_angle(Inference& inference) {
  // numpy takes arctan2(imaginary part, real part); that of a real array is the Python int 0.
  DType dtype = promoted_dtype(inference);
  inference.results[0].dtype = is_bool(dtype) ? DType::Float64 : real_dtype(inexact_dtype(dtype));
}
void dtype_round(Inference& inference) {
  DType dtype = promoted_dtype(inference);
  inference.results[0].dtype = is_bool(dtype) ? DType::Float16 : dtype;
}
void dtype_complex(Inference& inference) { inference.results[0].dtype = complex_dtype(promoted_dtype(inference)); }
void dtype_where(Inference& inference) {
  Promotion promotion;
  for (std::size_t i = 1; i < 3; ++i) promotion.add(inference.in[i].type->dtype, inference.in[i].type->kind);
  inference.results[0].dtype = promotion.result();
}
void dtype_argument(Inference& inference) {
  inference.results[0].dtype = as_dtype(inference.attrs[0]).value_or(DType::Float64);
}

bool loop_in_operand_dtype(const Op& op) {
  return op.dtype_rule == dtype_bool || op.dtype_rule == dtype_real_part || op.dtype_rule == dtype_part;
}

Cost cost_elementwise(const Inference& inference) {
  Cost cost;
  for (const OperandType& operand : inference.in)
    if (operand.present())
      cost.bytes +=
          static_cast<double>(element_count(operand.type->shape) * static_cast<std::int64_t>(itemsize(operand.type->dtype)));
  for (const Type& result : inference.results) {
    double count = static_cast<double>(element_count(result.shape));
    cost.flops += count;
    cost.bytes += count * static_cast<double>(itemsize(result.dtype));
  }
  return cost;
}

Cost cost_free(const Inference&) { return {}; }

}  // namespace autoray::ir
