#include "codegen/body.h"

#include <cstring>

namespace autoray::codegen {

using ir::DType;

ValueId Body::emit(Prim prim, DType dtype, ValueId a, ValueId b, ValueId c, std::int64_t immediate, ValueId d) {
  nest_.body.push_back({prim, dtype, a, b, c, immediate, d});
  return static_cast<ValueId>(nest_.body.size() - 1);
}
ValueId Body::real(DType dtype, double value) {
  std::int64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return emit(Prim::Constant, dtype, kNoValue, kNoValue, kNoValue, bits);
}
ValueId Body::integer(DType dtype, std::int64_t value) {
  return emit(Prim::Constant, dtype, kNoValue, kNoValue, kNoValue, value);
}
ValueId Body::cast(ValueId value, DType to) {
  DType from = dtype(value);
  if (from == to) return value;
  // Halves are those of float32; only from float64 there would be two roundings. Integers that float32 rounds are infinite.
  if (from == DType::Float16 || (to == DType::Float16 && from != DType::Float64)) {
    DType between = DType::Float32;
    if (from != between && to != between) return cast(emit(Prim::Cast, between, value), to);
  }
  return emit(Prim::Cast, to, value);
}
Parts Body::cast(Parts value, DType to) {
  if (ir::is_complex(to)) {
    DType part = ir::real_dtype(to);
    return {cast(value.re, part), value.complex() ? cast(value.im, part) : real(part, 0)};
  }
  if (!value.complex() || to != DType::Bool) return {cast(value.re, to)};
  return {emit(Prim::Or, DType::Bool, cast(value.re, DType::Bool), cast(value.im, DType::Bool))};
}

}  // namespace autoray::codegen
