// Kernel IR's primitives on points and vectors.
#include <llvm/IR/MDBuilder.h>

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

llvm::Type* Emitter::scalar_type(DType dtype) {
  switch (dtype) {
    case DType::Bool: return b_.getInt1Ty();
    case DType::Float16: return b_.getHalfTy();
    case DType::Float32: return b_.getFloatTy();
    case DType::Float64: return b_.getDoubleTy();
    default: return b_.getIntNTy(8 * static_cast<unsigned>(ir::itemsize(dtype)));
  }
}

// As it lies in memory: a bool is a byte, a half its bits.
llvm::Type* Emitter::stored_type(DType dtype) {
  return dtype == DType::Bool ? b_.getInt8Ty() : dtype == DType::Float16 ? b_.getInt16Ty() : scalar_type(dtype);
}

Value* Emitter::constant(DType dtype, std::int64_t bits) {
  if (is_float(dtype)) {
    double real;
    __builtin_memcpy(&real, &bits, sizeof real);
    return llvm::ConstantFP::get(scalar_type(dtype), real);
  }
  return llvm::ConstantInt::get(scalar_type(dtype), static_cast<std::uint64_t>(bits), true);
}

Value* Emitter::apply(const Instr& instr, DType from, Value* x, Value* y, Value* z, int width, Value* w) {
  bool real = is_float(from), is_signed = ir::is_signed_integer(from);
  switch (instr.prim) {
    case Prim::Cast: return cast(x, from, instr.dtype, width);
    case Prim::Add: return real ? b_.CreateFAdd(x, y) : b_.CreateAdd(x, y);
    case Prim::Subtract: return real ? b_.CreateFSub(x, y) : b_.CreateSub(x, y);
    case Prim::Multiply: return real ? b_.CreateFMul(x, y) : b_.CreateMul(x, y);
    case Prim::Divide: return real ? b_.CreateFDiv(x, y) : is_signed ? b_.CreateSDiv(x, y) : b_.CreateUDiv(x, y);
    case Prim::Negative: return real ? b_.CreateFNeg(x) : b_.CreateNeg(x);
    case Prim::Sqrt: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
    case Prim::Fabs: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
    case Prim::Copysign: return b_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, x, y);
    case Prim::Floor: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x);
    case Prim::Ceil: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::ceil, x);
    case Prim::Trunc: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, x);
    case Prim::Rint: return b_.CreateUnaryIntrinsic(llvm::Intrinsic::nearbyint, x);
    case Prim::Maximum:
    case Prim::Minimum: {
      bool max = instr.prim == Prim::Maximum;
      if (from == DType::Bool) return max ? b_.CreateOr(x, y) : b_.CreateAnd(x, y);
      // Of floats: unordered only where a or b is NaN; a itself when it is.
      if (real) {
        Value* first = max ? b_.CreateFCmpOGE(x, y) : b_.CreateFCmpOLE(x, y);
        return b_.CreateSelect(b_.CreateOr(first, b_.CreateFCmpUNO(x, x)), x, y);
      }
      Value* first = is_signed ? (max ? b_.CreateICmpSGE(x, y) : b_.CreateICmpSLE(x, y))
                               : (max ? b_.CreateICmpUGE(x, y) : b_.CreateICmpULE(x, y));
      return b_.CreateSelect(first, x, y);
    }
    case Prim::Equal: return real ? b_.CreateFCmpOEQ(x, y) : b_.CreateICmpEQ(x, y);
    case Prim::NotEqual: return real ? b_.CreateFCmpUNE(x, y) : b_.CreateICmpNE(x, y);
    case Prim::Less: return real ? b_.CreateFCmpOLT(x, y) : is_signed ? b_.CreateICmpSLT(x, y) : b_.CreateICmpULT(x, y);
    case Prim::LessEqual: return real ? b_.CreateFCmpOLE(x, y) : is_signed ? b_.CreateICmpSLE(x, y) : b_.CreateICmpULE(x, y);
    case Prim::And: return b_.CreateAnd(x, y);
    case Prim::Or: return b_.CreateOr(x, y);
    case Prim::Xor: return b_.CreateXor(x, y);
    case Prim::Not: return b_.CreateNot(x);
    case Prim::ShiftLeft:
    case Prim::ShiftRight: return shift(instr.prim, from, x, y);
    case Prim::Select: return b_.CreateSelect(x, y, z);
    case Prim::Check: return check(instr, x, y, z, width);
    case Prim::Library: return call_library(static_cast<LibraryFunction>(instr.immediate), from, x, y, width);
    case Prim::Divided:
      if (options_.tells_events) tell_division(y);
      return x;
    case Prim::Complex: return complex_part(static_cast<int>(instr.immediate), from, {x, y, z, w}, width);
    case Prim::Function: return call_function(static_cast<int>(instr.immediate), from, x, y, width);
    default: return x;
  }
}

// Whether turns wait for the dividend alone. FMA comes with vectors of 32 bytes (x86-64-v3).
bool Emitter::is_late_quotient(const Instr& instr) const {
  if (waiting_.empty() || !nest_->extents.empty() || options_.vector_bytes < 32) return false;
  const std::vector<bool>& waits = waiting_[static_cast<std::size_t>(nest_ - kernel_.nests.data())];
  return instr.prim == Prim::Divide && instr.dtype == DType::Float64 && waits[instr.a] && !waits[instr.b];
}

// x / y, where y is there long before x. A division takes a processor 13 to 15 cycles. A product with the reciprocal of y, as
// the sum of two numbers, takes half as many, and is off the quotient by little more than half a unit in the last place.
// Corrected once more, by its remainder, it is the quotient, as 1 / y is rounded correctly (P. Markstein, Computation of
// elementary functions on the IBM RISC System/6000 processor, 1990): whatever number that leaves as it is is the quotient, and
// nobody waits for the answer, as hardly any is changed. Where it is, and where exponents are so large or small that a step
// might overflow, or be inexact below the normal numbers, it divides.
Value* Emitter::late_quotient(const Instr& instr, const std::vector<Value*>& values) {
  Value *x = values[instr.a], *y = values[instr.b];
  constexpr std::uint64_t kRange = 400;
  auto in_range = [&](Value* v) {
    Value* exponent = b_.CreateAnd(b_.CreateLShr(b_.CreateBitCast(v, b_.getInt64Ty()), 52), b_.getInt64(0x7ff));
    return b_.CreateICmpULE(b_.CreateSub(exponent, b_.getInt64(1023 - kRange)), b_.getInt64(2 * kRange));
  };
  auto fused = [&](Value* a, Value* b, Value* c) {
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {y->getType()}, {a, b, c});
  };
  auto* f = b_.GetInsertBlock()->getParent();
  auto* quick = llvm::BasicBlock::Create(context_, "quick", f);
  auto* divide = llvm::BasicBlock::Create(context_, "divide", f);
  auto* after = llvm::BasicBlock::Create(context_, "after", f);
  auto* likely = llvm::MDBuilder(context_).createLikelyBranchWeights();
  b_.CreateCondBr(b_.CreateAnd(in_range(y), in_range(x)), quick, divide, likely);
  b_.SetInsertPoint(quick);
  Value* one = llvm::ConstantFP::get(y->getType(), 1.0);
  Value* high = b_.CreateFDiv(one, y);
  Value* low = b_.CreateFMul(fused(b_.CreateFNeg(high), y, one), high);
  Value* near = fused(x, high, product_with_low(instr.a, values, low));
  Value* exact = fused(fused(b_.CreateFNeg(near), y, x), high, near);
  b_.CreateCondBr(b_.CreateFCmpUEQ(near, exact), after, divide, likely);  // neither is NaN
  b_.SetInsertPoint(divide);
  Value* divided = b_.CreateFDiv(x, y);
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
  auto* quotient = b_.CreatePHI(x->getType(), 2);
  quotient->addIncoming(near, quick);
  quotient->addIncoming(divided, divide);
  return quotient;
}

// About x * low. Of a sum or a difference, one of whose terms waits, it need not wait for x.
Value* Emitter::product_with_low(ValueId x, const std::vector<Value*>& values, Value* low) {
  const Instr& instr = nest_->body[x];
  const std::vector<bool>& waits = waiting_[static_cast<std::size_t>(nest_ - kernel_.nests.data())];
  const bool subtracts = instr.prim == Prim::Subtract;
  if ((!subtracts && instr.prim != Prim::Add) || waits[instr.a] == waits[instr.b]) return b_.CreateFMul(values[x], low);
  Value *left = values[instr.a], *right = subtracts ? b_.CreateFNeg(values[instr.b]) : values[instr.b];
  if (!waits[instr.b]) std::swap(left, right);
  return b_.CreateIntrinsic(llvm::Intrinsic::fma, {low->getType()}, {right, low, b_.CreateFMul(left, low)});
}

// Counts outside the width give 0, or the sign.
Value* Emitter::shift(Prim prim, DType from, Value* x, Value* n) {
  auto* type = x->getType();
  Value* bits = llvm::ConstantInt::get(type, 8 * ir::itemsize(from));
  Value* inside = b_.CreateICmpULT(n, bits);
  if (prim == Prim::ShiftLeft) {
    Value* safe = b_.CreateSelect(inside, n, llvm::Constant::getNullValue(type));
    return b_.CreateSelect(inside, b_.CreateShl(x, safe), llvm::Constant::getNullValue(type));
  }
  Value* most = llvm::ConstantInt::get(type, 8 * ir::itemsize(from) - 1);
  Value* safe = b_.CreateSelect(inside, n, most);
  if (ir::is_signed_integer(from)) return b_.CreateAShr(x, safe);
  return b_.CreateSelect(inside, b_.CreateLShr(x, safe), llvm::Constant::getNullValue(type));
}

Value* Emitter::cast(Value* x, DType from, DType to, int width) {
  if (from == to) return x;
  auto* type = widened(scalar_type(to), width);
  bool from_float = is_float(from), to_float = is_float(to);
  if (to == DType::Bool) return from_float ? b_.CreateFCmpUNE(x, llvm::Constant::getNullValue(x->getType())) : to_bool(x);
  if (from == DType::Bool) return to_float ? b_.CreateUIToFP(x, type) : b_.CreateZExt(x, type);
  if (from == DType::Float64 && to == DType::Float16) x = to_odd(x);
  if (from_float && to_float)
    return ir::itemsize(from) < ir::itemsize(to) ? b_.CreateFPExt(x, type) : b_.CreateFPTrunc(x, type);
  if (!from_float && to_float) return ir::is_signed_integer(from) ? b_.CreateSIToFP(x, type) : b_.CreateUIToFP(x, type);
  if (from_float) return float_to_integer(x, to, type);
  if (ir::itemsize(from) >= ir::itemsize(to)) return b_.CreateTrunc(x, type);
  return ir::is_signed_integer(from) ? b_.CreateSExt(x, type) : b_.CreateZExt(x, type);
}

// float64 as float32, inexact ones with an odd last bit: rounding that once more to float16 is rounding once.
Value* Emitter::to_odd(Value* x) {
  int width =
      x->getType()->isVectorTy() ? static_cast<int>(llvm::cast<llvm::FixedVectorType>(x->getType())->getNumElements()) : 1;
  auto *single = widened(b_.getFloatTy(), width), *bits = widened(b_.getInt32Ty(), width);
  Value* near = b_.CreateFPTrunc(x, single);
  Value* back = b_.CreateFPExt(near, x->getType());
  Value* number = b_.CreateBitCast(near, bits);
  Value* even = b_.CreateICmpEQ(b_.CreateAnd(number, llvm::ConstantInt::get(bits, 1)), llvm::Constant::getNullValue(bits));
  Value* inexact = b_.CreateFCmpONE(back, x);
  Value* below =
      b_.CreateFCmpOLT(b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, back), b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x));
  Value* step = b_.CreateSelect(below, llvm::ConstantInt::get(bits, 1), llvm::Constant::getAllOnesValue(bits));
  Value* odd = b_.CreateSelect(b_.CreateAnd(even, inexact), b_.CreateAdd(number, step), number);
  return b_.CreateBitCast(odd, single);
}

// ir::to_integer: the guarded conversion of integer_rules.h.
Value* Emitter::float_to_integer(Value* x, DType to, llvm::Type* type) {
  auto real = [&](double v) { return llvm::ConstantFP::get(x->getType(), v); };
  int bits = static_cast<int>(8 * ir::itemsize(to));
  auto power = [](int n) { return __builtin_ldexp(1.0, n); };
  // A value that does not fit is replaced before the conversion, whose result would be undefined.
  Value* zero = real(0);
  if (ir::is_signed_integer(to)) {
    Value* fits = b_.CreateAnd(b_.CreateFCmpOGE(x, real(-power(bits - 1))), b_.CreateFCmpOLT(x, real(power(bits - 1))));
    Value* converted = b_.CreateFPToSI(b_.CreateSelect(fits, x, zero), type);
    return b_.CreateSelect(fits, converted, llvm::ConstantInt::get(type, std::uint64_t{1} << (bits - 1)));
  }
  Value* fits = b_.CreateAnd(b_.CreateFCmpOGT(x, real(-1)), b_.CreateFCmpOLT(x, real(power(bits))));
  Value* converted = b_.CreateFPToUI(b_.CreateSelect(fits, x, zero), type);
  Value* negative = b_.CreateAnd(b_.CreateFCmpOGE(x, real(-power(63))), b_.CreateFCmpOLT(x, zero));
  auto* wide = type->isVectorTy() ? static_cast<llvm::Type*>(llvm::FixedVectorType::get(
                                        b_.getInt64Ty(), llvm::cast<llvm::FixedVectorType>(type)->getNumElements()))
                                  : b_.getInt64Ty();
  Value* wrapped = b_.CreateTruncOrBitCast(b_.CreateFPToSI(b_.CreateSelect(negative, x, zero), wide), type);
  return b_.CreateSelect(fits, converted, b_.CreateSelect(negative, wrapped, llvm::Constant::getNullValue(type)));
}

}  // namespace autoray::codegen
