#include "codegen/pointwise.h"

#include <cmath>
#include <cstring>

#include "runtime/vector_math.h"

namespace autoray::codegen {

using ir::DType;
using ir::OpId;
using runtime::VectorFunction;

ValueId Body::emit(Prim prim, DType dtype, ValueId a, ValueId b, ValueId c, std::int64_t immediate) {
  nest_.body.push_back({prim, dtype, a, b, c, immediate});
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
ValueId Body::cast(ValueId value, DType to) { return dtype(value) == to ? value : emit(Prim::Cast, to, value); }

namespace {

using Operands = std::span<const ValueId>;

enum Classes : unsigned { kBool = 1, kInt = 2, kFloat = 4, kNumber = kInt | kFloat, kAny = 7 };

struct Row {
  OpId op;
  unsigned classes;
  Lowering lowering;
};

ValueId zero(Body& b, DType t) { return ir::is_real_floating(t) ? b.real(t, 0) : b.integer(t, 0); }
ValueId one(Body& b, DType t) { return ir::is_real_floating(t) ? b.real(t, 1) : b.integer(t, 1); }

template <Prim P>
ValueId unary(Body& b, DType t, Operands x) {
  return b.emit(P, t, x[0]);
}
template <Prim P>
ValueId binary(Body& b, DType t, Operands x) {
  return b.emit(P, t, x[0], x[1]);
}
template <Prim P, bool Swapped = false>
ValueId comparison(Body& b, DType, Operands x) {
  return b.emit(P, DType::Bool, x[Swapped], x[!Swapped]);
}
template <Prim P>
ValueId logical(Body& b, DType, Operands x) {
  return b.emit(P, DType::Bool, b.cast(x[0], DType::Bool), b.cast(x[1], DType::Bool));
}
template <VectorFunction F>
ValueId function(Body& b, DType t, Operands x) {
  return b.emit(Prim::Function, t, x[0], x.size() > 1 ? x[1] : kNoValue, kNoValue, static_cast<std::int64_t>(F));
}
ValueId identity(Body&, DType, Operands x) { return x[0]; }
ValueId absolute(Body& b, DType t, Operands x) {
  if (ir::is_real_floating(t)) return b.emit(Prim::Fabs, t, x[0]);
  if (!ir::is_signed_integer(t)) return x[0];
  return b.emit(Prim::Select, t, b.emit(Prim::Less, DType::Bool, x[0], zero(b, t)), b.emit(Prim::Negative, t, x[0]), x[0]);
}
ValueId sign(Body& b, DType t, Operands x) {
  ValueId nothing = zero(b, t), up = one(b, t);
  ValueId down = ir::is_real_floating(t) ? b.real(t, -1) : b.integer(t, -1);
  ValueId above = b.emit(Prim::Less, DType::Bool, nothing, x[0]), below = b.emit(Prim::Less, DType::Bool, x[0], nothing);
  if (!ir::is_real_floating(t)) {
    ValueId rest = b.emit(Prim::Select, t, b.emit(Prim::Equal, DType::Bool, x[0], nothing), nothing, down);
    return b.emit(Prim::Select, t, above, up, rest);
  }
  // A NaN stays.
  ValueId rest = b.emit(Prim::Select, t, b.emit(Prim::Equal, DType::Bool, x[0], nothing), nothing, x[0]);
  return b.emit(Prim::Select, t, above, up, b.emit(Prim::Select, t, below, down, rest));
}
ValueId square(Body& b, DType t, Operands x) { return b.emit(Prim::Multiply, t, x[0], x[0]); }
ValueId reciprocal(Body& b, DType t, Operands x) { return b.emit(Prim::Divide, t, one(b, t), x[0]); }
template <bool ToRadians>
ValueId angle_unit(Body& b, DType t, Operands x) {
  // The unit in the dtype's own arithmetic.
  const auto pi = static_cast<float>(M_PI);
  const double single = ToRadians ? pi / 180.0f : 180.0f / pi, unit = ToRadians ? M_PI / 180 : 180 / M_PI;
  return b.emit(Prim::Multiply, t, x[0], b.real(t, t == DType::Float64 ? unit : single));
}
ValueId is_nan(Body& b, DType t, Operands x) {
  if (!ir::is_real_floating(t)) return b.integer(DType::Bool, 0);
  return b.emit(Prim::NotEqual, DType::Bool, x[0], x[0]);
}
ValueId is_inf(Body& b, DType t, Operands x) {
  if (!ir::is_real_floating(t)) return b.integer(DType::Bool, 0);
  return b.emit(Prim::Equal, DType::Bool, b.emit(Prim::Fabs, t, x[0]), b.real(t, INFINITY));
}
ValueId is_finite(Body& b, DType t, Operands x) {
  if (!ir::is_real_floating(t)) return b.integer(DType::Bool, 1);
  return b.emit(Prim::Less, DType::Bool, b.emit(Prim::Fabs, t, x[0]), b.real(t, INFINITY));
}
ValueId logical_not(Body& b, DType t, Operands x) { return b.emit(Prim::Equal, DType::Bool, x[0], zero(b, t)); }
ValueId heaviside(Body& b, DType t, Operands x) {
  ValueId nothing = zero(b, t);
  ValueId side = b.emit(Prim::Select, t, b.emit(Prim::Less, DType::Bool, x[0], nothing), nothing, one(b, t));
  ValueId at_zero = b.emit(Prim::Select, t, b.emit(Prim::Equal, DType::Bool, x[0], nothing), x[1], side);
  return b.emit(Prim::Select, t, b.emit(Prim::NotEqual, DType::Bool, x[0], x[0]), x[0], at_zero);
}
ValueId where(Body& b, DType t, Operands x) { return b.emit(Prim::Select, t, x[0], x[1], x[2]); }
ValueId clip(Body& b, DType t, Operands x) {
  ValueId v = x[0];
  if (x[1] != kNoValue) v = b.emit(Prim::Maximum, t, v, x[1]);
  if (x[2] != kNoValue) v = b.emit(Prim::Minimum, t, v, x[2]);
  return v;
}
template <Prim Integer, Prim Bool>
ValueId with_bool(Body& b, DType t, Operands x) {
  return b.emit(t == DType::Bool ? Bool : Integer, t, x[0], x[1]);
}
// Of integers: themselves.
template <Prim P>
ValueId rounding(Body& b, DType t, Operands x) {
  return ir::is_real_floating(t) ? b.emit(P, t, x[0]) : x[0];
}

constexpr Row kRows[] = {
    {OpId::Add, kAny, with_bool<Prim::Add, Prim::Or>},
    {OpId::Subtract, kNumber, binary<Prim::Subtract>},
    {OpId::Multiply, kAny, with_bool<Prim::Multiply, Prim::And>},
    {OpId::Divide, kFloat, binary<Prim::Divide>},
    {OpId::Maximum, kAny, binary<Prim::Maximum>},
    {OpId::Minimum, kAny, binary<Prim::Minimum>},
    {OpId::Negative, kNumber, unary<Prim::Negative>},
    {OpId::Positive, kNumber, identity},
    {OpId::Conjugate, kAny, identity},
    {OpId::Real, kAny, identity},
    {OpId::Abs, kAny, absolute},
    {OpId::Fabs, kFloat, unary<Prim::Fabs>},
    {OpId::Sign, kNumber, sign},
    {OpId::Sqrt, kFloat, unary<Prim::Sqrt>},
    {OpId::Square, kNumber, square},
    {OpId::Reciprocal, kFloat, reciprocal},
    {OpId::Copysign, kFloat, binary<Prim::Copysign>},
    {OpId::Heaviside, kFloat, heaviside},
    {OpId::Deg2rad, kFloat, angle_unit<true>},
    {OpId::Rad2deg, kFloat, angle_unit<false>},
    {OpId::Floor, kAny, rounding<Prim::Floor>},
    {OpId::Ceil, kAny, rounding<Prim::Ceil>},
    {OpId::Trunc, kAny, rounding<Prim::Trunc>},
    {OpId::Rint, kFloat, unary<Prim::Rint>},
    {OpId::IsNan, kAny, is_nan},
    {OpId::IsInf, kAny, is_inf},
    {OpId::IsFinite, kAny, is_finite},
    {OpId::Equal, kAny, comparison<Prim::Equal>},
    {OpId::NotEqual, kAny, comparison<Prim::NotEqual>},
    {OpId::Less, kAny, comparison<Prim::Less>},
    {OpId::LessEqual, kAny, comparison<Prim::LessEqual>},
    {OpId::Greater, kAny, comparison<Prim::Less, true>},
    {OpId::GreaterEqual, kAny, comparison<Prim::LessEqual, true>},
    {OpId::LogicalAnd, kAny, logical<Prim::And>},
    {OpId::LogicalOr, kAny, logical<Prim::Or>},
    {OpId::LogicalXor, kAny, logical<Prim::Xor>},
    {OpId::LogicalNot, kAny, logical_not},
    {OpId::BitwiseAnd, kBool | kInt, binary<Prim::And>},
    {OpId::BitwiseOr, kBool | kInt, binary<Prim::Or>},
    {OpId::BitwiseXor, kBool | kInt, binary<Prim::Xor>},
    {OpId::Invert, kBool | kInt, unary<Prim::Not>},
    {OpId::LeftShift, kInt, binary<Prim::ShiftLeft>},
    {OpId::RightShift, kInt, binary<Prim::ShiftRight>},
    {OpId::Where, kAny, where},
    {OpId::Clip, kNumber, clip},
    {OpId::Astype, kAny, identity},
    {OpId::Copy, kAny, identity},
    {OpId::Exp, kFloat, function<VectorFunction::Exp>},
    {OpId::Exp2, kFloat, function<VectorFunction::Exp2>},
    {OpId::Expm1, kFloat, function<VectorFunction::Expm1>},
    {OpId::Log, kFloat, function<VectorFunction::Log>},
    {OpId::Log2, kFloat, function<VectorFunction::Log2>},
    {OpId::Log10, kFloat, function<VectorFunction::Log10>},
    {OpId::Log1p, kFloat, function<VectorFunction::Log1p>},
    {OpId::Sin, kFloat, function<VectorFunction::Sin>},
    {OpId::Cos, kFloat, function<VectorFunction::Cos>},
    {OpId::Tan, kFloat, function<VectorFunction::Tan>},
    {OpId::Arcsin, kFloat, function<VectorFunction::Asin>},
    {OpId::Arccos, kFloat, function<VectorFunction::Acos>},
    {OpId::Arctan, kFloat, function<VectorFunction::Atan>},
    {OpId::Sinh, kFloat, function<VectorFunction::Sinh>},
    {OpId::Cosh, kFloat, function<VectorFunction::Cosh>},
    {OpId::Tanh, kFloat, function<VectorFunction::Tanh>},
    {OpId::Arcsinh, kFloat, function<VectorFunction::Asinh>},
    {OpId::Arccosh, kFloat, function<VectorFunction::Acosh>},
    {OpId::Arctanh, kFloat, function<VectorFunction::Atanh>},
    {OpId::Cbrt, kFloat, function<VectorFunction::Cbrt>},
    {OpId::Power, kFloat, function<VectorFunction::Pow>},
    {OpId::Arctan2, kFloat, function<VectorFunction::Atan2>},
    {OpId::Hypot, kFloat, function<VectorFunction::Hypot>},
};

const Row* find(OpId op) {
  for (const Row& row : kRows)
    if (row.op == op) return &row;
  return nullptr;
}

// Which vector function a row calls; Count: none.
VectorFunction function_of(const Row& row) {
  Nest nest;
  Body body(nest);
  ValueId x = body.emit(Prim::Load, DType::Float64);
  const ValueId operands[] = {x, x, x};
  row.lowering(body, DType::Float64, std::span(operands, ir::op(row.op).operands.size() > 1 ? 3 : 1));
  for (const Instr& instr : nest.body)
    if (instr.prim == Prim::Function) return static_cast<VectorFunction>(instr.immediate);
  return VectorFunction::Count;
}

}  // namespace

bool is_expensive(OpId op) {
  const Row* row = find(op);
  return row && row->classes == kFloat && function_of(*row) != VectorFunction::Count;
}

Lowering pointwise(OpId op, DType dtype) {
  const Row* row = find(op);
  if (!row) return nullptr;
  unsigned dtype_class = 0;
  if (ir::is_bool(dtype)) dtype_class = kBool;
  if (ir::is_integer(dtype)) dtype_class = kInt;
  if (dtype == DType::Float32 || dtype == DType::Float64) dtype_class = kFloat;
  if (!(row->classes & dtype_class)) return nullptr;
  if (row->classes == kFloat) {
    VectorFunction f = function_of(*row);
    if (f != VectorFunction::Count && !runtime::vector_entry(f, dtype == DType::Float32)) return nullptr;
  }
  return row->lowering;
}

}  // namespace autoray::codegen
