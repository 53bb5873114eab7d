// Calls of functions that whoever links the code provides.
#include "codegen/emit/emitter.h"

namespace autoray::codegen {

std::string vector_symbol(int function, bool single) {
  return "autoray_vector_" + std::to_string(function) + (single ? "_f32" : "_f64");
}

std::string complex_symbol(int function, bool single) {
  return "autoray_complex_" + std::to_string(function) + (single ? "_f32" : "_f64");
}

// What is needed after a call lies on the stack meanwhile. A vector that begins anywhere crosses a line of the cache, and to
// take it up again takes as long as the function: so the frame begins where a line does. LLVM aligns no frame once it finds
// that out.
void Emitter::align_frame() {
  const llvm::Align bytes(static_cast<std::uint64_t>(options_.vector_bytes));
  b_.GetInsertBlock()->getParent()->addFnAttr(llvm::Attribute::getWithStackAlignment(context_, bytes));
}

Value* Emitter::call_library(LibraryFunction function, DType dtype, Value* x, Value* y, int width) {
  align_frame();
  auto* type = scalar_type(dtype);
  auto callee = module_.getOrInsertFunction(library_symbol(function, dtype == DType::Float32), type, type, type);
  auto call = [&](Value* p, Value* q) {
    auto* result = b_.CreateCall(callee, {p, q});
    result->setDoesNotThrow();
    result->setOnlyAccessesInaccessibleMemory();
    return static_cast<Value*>(result);
  };
  if (width == 1) return call(x, y);
  Value* result = llvm::PoisonValue::get(x->getType());
  for (int k = 0; k < width; ++k)
    result = b_.CreateInsertElement(result, call(b_.CreateExtractElement(x, k), b_.CreateExtractElement(y, k)), k);
  return result;
}

// Vector functions take whole vectors: narrower ones are padded with their first lane.
Value* Emitter::call_function(int function, DType dtype, Value* x, Value* y, int width) {
  align_frame();
  int lanes = options_.vector_bytes / static_cast<int>(ir::itemsize(dtype));
  auto* vector = llvm::FixedVectorType::get(scalar_type(dtype), static_cast<unsigned>(lanes));
  auto callee = y ? module_.getOrInsertFunction(vector_symbol(function, dtype == DType::Float32), vector, vector, vector)
                  : module_.getOrInsertFunction(vector_symbol(function, dtype == DType::Float32), vector, vector);
  auto call = [&](Value* p, Value* q) {
    auto* result = q ? b_.CreateCall(callee, {p, q}) : b_.CreateCall(callee, {p});
    // Values alone: equal calls of equal operands are one, and one that nobody needs goes.
    result->setDoesNotThrow();
    result->setOnlyAccessesInaccessibleMemory();
    return static_cast<Value*>(result);
  };
  if (width == lanes) return call(x, y);
  if (width == 1) {
    Value* r = call(b_.CreateVectorSplat(static_cast<unsigned>(lanes), x),
                    y ? b_.CreateVectorSplat(static_cast<unsigned>(lanes), y) : nullptr);
    return b_.CreateExtractElement(r, std::uint64_t{0});
  }
  if (width < lanes) {
    std::vector<int> pad, cut;
    for (int k = 0; k < lanes; ++k) pad.push_back(k < width ? k : 0);
    for (int k = 0; k < width; ++k) cut.push_back(k);
    Value* r = call(b_.CreateShuffleVector(x, pad), y ? b_.CreateShuffleVector(y, pad) : nullptr);
    return b_.CreateShuffleVector(r, cut);
  }
  Value* joined = nullptr;
  for (int part = 0; part < width; part += lanes) {
    std::vector<int> take;
    for (int k = 0; k < lanes; ++k) take.push_back(part + k);
    Value* r = call(b_.CreateShuffleVector(x, take), y ? b_.CreateShuffleVector(y, take) : nullptr);
    std::vector<int> both;
    for (int k = 0; k < part + lanes; ++k) both.push_back(k);
    if (!joined) {
      joined = r;
    } else {
      // Both sides of a shuffle have one length.
      std::vector<int> longer;
      for (int k = 0; k < part; ++k) longer.push_back(k < lanes ? k : -1);
      joined = b_.CreateShuffleVector(joined, b_.CreateShuffleVector(r, longer), both);
    }
  }
  return joined;
}

void Emitter::tell_division(Value* divisor) {
  Value* zero = b_.CreateICmpEQ(divisor, llvm::Constant::getNullValue(divisor->getType()));
  if (zero->getType()->isVectorTy()) zero = b_.CreateOrReduce(zero);
  when(zero, [&] { b_.CreateCall(module_.getOrInsertFunction("autoray_divided_by_zero", b_.getVoidTy())); });
}

// One call gives both parts: they are asked for one after the other. The parts of a second operand may be absent.
Value* Emitter::complex_part(int which, DType dtype, const std::array<Value*, 4>& operands, int width) {
  const int function = which / 2, part = which % 2;
  if (part == 1 && pair_.function == function && pair_.operands == operands) return pair_.imaginary;
  auto* type = operands[0]->getType();
  auto slot = [&] {
    auto& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
    llvm::IRBuilder<> at(&entry, entry.begin());
    return at.CreateAlloca(type);
  };
  std::vector<Value*> arguments;
  for (Value* operand : operands) {
    if (!operand) break;
    arguments.push_back(slot());
    b_.CreateStore(operand, arguments.back());
  }
  Value *re = slot(), *im = slot();
  arguments.insert(arguments.end(), {re, im, b_.getInt64(static_cast<std::uint64_t>(width))});
  std::vector<llvm::Type*> types;
  for (Value* argument : arguments) types.push_back(argument->getType());
  auto callee = module_.getOrInsertFunction(complex_symbol(function, dtype == DType::Float32),
                                            llvm::FunctionType::get(b_.getVoidTy(), types, false));
  auto* call = b_.CreateCall(callee, arguments);
  call->setDoesNotThrow();
  call->setOnlyAccessesInaccessibleMemOrArgMem();
  Value* real = b_.CreateLoad(type, re);
  pair_ = {function, operands, b_.CreateLoad(type, im)};
  return part ? pair_.imaginary : real;
}

}  // namespace autoray::codegen
