// Loops and branches of a kernel, and the looks for a stop that long ones take.
#include <atomic>
#include <cstddef>

#include "codegen/context.h"
#include "codegen/emit/emitter.h"

namespace autoray::codegen {

llvm::Function* Emitter::make_function(llvm::FunctionType* type, const std::string& name, bool internal) {
  auto* f = llvm::Function::Create(type, internal ? llvm::GlobalValue::InternalLinkage : llvm::GlobalValue::ExternalLinkage,
                                   name, module_);
  f->addFnAttr(llvm::Attribute::NoUnwind);
  f->addFnAttr("min-legal-vector-width", "512");
  f->addFnAttr("prefer-vector-width", "512");
  return f;
}

// for (i = 0; i < count; i += step) body(i). Nothing where a constant count is no step.
void Emitter::loop(Value* count, std::int64_t step, const std::function<void(Value*)>& body, Value* begin) {
  auto* before = b_.GetInsertBlock();
  auto* f = before->getParent();
  auto* head = llvm::BasicBlock::Create(context_, "loop", f);
  auto* inside = llvm::BasicBlock::Create(context_, "body", f);
  auto* after = llvm::BasicBlock::Create(context_, "after", f);
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  auto* i = b_.CreatePHI(b_.getInt64Ty(), 2);
  i->addIncoming(begin ? begin : b_.getInt64(0), before);
  b_.CreateCondBr(b_.CreateICmpSLT(i, count), inside, after);
  b_.SetInsertPoint(inside);
  body(i);
  i->addIncoming(b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(step)), "", true, true), b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(after);
}

// The same, carrying values from turn to turn.
std::vector<Value*> Emitter::fold_loop(Value* begin, Value* end, std::int64_t step, std::vector<Value*> carried,
                                       const std::function<std::vector<Value*>(Value*, const std::vector<Value*>&)>& body) {
  auto* before = b_.GetInsertBlock();
  auto* f = before->getParent();
  auto* head = llvm::BasicBlock::Create(context_, "loop", f);
  auto* inside = llvm::BasicBlock::Create(context_, "body", f);
  auto* after = llvm::BasicBlock::Create(context_, "after", f);
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  auto* i = b_.CreatePHI(b_.getInt64Ty(), 2);
  i->addIncoming(begin, before);
  std::vector<llvm::PHINode*> phis;
  std::vector<Value*> now;
  for (Value* v : carried) {
    phis.push_back(b_.CreatePHI(v->getType(), 2));
    phis.back()->addIncoming(v, before);
    now.push_back(phis.back());
  }
  b_.CreateCondBr(b_.CreateICmpSLE(b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(step))), end), inside, after);
  b_.SetInsertPoint(inside);
  std::vector<Value*> next = body(i, now);
  i->addIncoming(b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(step))), b_.GetInsertBlock());
  for (std::size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(after);
  now.insert(now.begin(), i);
  return now;
}

// Ends the kernel, or the function of it that is being written, where somebody asked the run to stop.
void Emitter::poll() {
  if (!options_.polls) return;
  auto field = [&](std::size_t offset) { return b_.CreateConstGEP1_64(b_.getInt8Ty(), kernel_context_, offset); };
  auto* asked = b_.CreateAlignedLoad(b_.getInt32Ty(), b_.CreateLoad(b_.getPtrTy(), field(offsetof(Context, stop))),
                                     llvm::Align(alignof(std::atomic<int>)));
  asked->setAtomic(llvm::AtomicOrdering::Monotonic);
  when(b_.CreateIsNotNull(asked), [&] {
    auto* f = b_.GetInsertBlock()->getParent();
    b_.CreateStore(b_.getInt8(1), field(offsetof(Context, stopped)));
    b_.CreateRet(llvm::Constant::getNullValue(f->getReturnType()));
    b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "never", f));
  });
}

bool Emitter::is_long(Value* turns, std::int64_t most) const {
  auto* constant = llvm::dyn_cast<llvm::ConstantInt>(turns);
  return options_.polls && !(constant && constant->getSExtValue() <= most);
}

// As loop, in pieces of so many turns.
void Emitter::long_loop(Value* count, std::int64_t step, std::int64_t turns, const std::function<void(Value*)>& body,
                        Value* begin) {
  if (!is_long(count, turns * step)) return loop(count, step, body, begin);
  loop(
      count, turns * step,
      [&](Value* from) {
        Value* next = b_.CreateAdd(from, b_.getInt64(static_cast<std::uint64_t>(turns * step)));
        Value* more = b_.CreateICmpSLT(next, count);
        loop(b_.CreateSelect(more, next, count), step, body, from);
        when(more, [&] { poll(); });
      },
      begin);
}

// As fold_loop.
std::vector<Value*> Emitter::long_fold_loop(
    Value* begin, Value* end, std::int64_t step, std::vector<Value*> carried,
    const std::function<std::vector<Value*>(Value*, const std::vector<Value*>&)>& body) {
  if (is_long(end, kTurns * step)) {
    carried = fold_loop(begin, end, kTurns * step, std::move(carried), [&](Value* from, const std::vector<Value*>& now) {
      Value* next = b_.CreateAdd(from, b_.getInt64(static_cast<std::uint64_t>(kTurns * step)));
      std::vector<Value*> values = fold_loop(from, next, step, now, body);
      values.erase(values.begin());
      poll();
      return values;
    });
    begin = carried.front();
    carried.erase(carried.begin());
  }
  return fold_loop(begin, end, step, std::move(carried), body);
}

void Emitter::branch(Value* condition, const std::function<void()>& yes, const std::function<void()>& no) {
  auto* f = b_.GetInsertBlock()->getParent();
  auto *then = llvm::BasicBlock::Create(context_, "then", f), *otherwise = llvm::BasicBlock::Create(context_, "else", f),
       *after = llvm::BasicBlock::Create(context_, "after", f);
  b_.CreateCondBr(condition, then, otherwise);
  b_.SetInsertPoint(then);
  yes();
  b_.CreateBr(after);
  b_.SetInsertPoint(otherwise);
  no();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

Value* Emitter::either(Value* condition, const std::function<Value*()>& yes, const std::function<Value*()>& no) {
  Value* values[2];
  llvm::BasicBlock* ends[2];
  branch(
      condition, [&] { values[0] = yes(), ends[0] = b_.GetInsertBlock(); },
      [&] { values[1] = no(), ends[1] = b_.GetInsertBlock(); });
  auto* result = b_.CreatePHI(values[0]->getType(), 2);
  for (int k = 0; k < 2; ++k) result->addIncoming(values[k], ends[k]);
  return result;
}

void Emitter::when(Value* condition, const std::function<void()>& body) {
  auto* f = b_.GetInsertBlock()->getParent();
  auto* yes = llvm::BasicBlock::Create(context_, "then", f);
  auto* after = llvm::BasicBlock::Create(context_, "after", f);
  b_.CreateCondBr(condition, yes, after);
  b_.SetInsertPoint(yes);
  body();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

// The values, or what `change` makes of them where the condition holds.
std::vector<Value*> Emitter::changed_when(Value* condition, const std::vector<Value*>& values,
                                          const std::function<std::vector<Value*>(std::vector<Value*>)>& change) {
  auto* before = b_.GetInsertBlock();
  std::vector<Value*> changed;
  llvm::BasicBlock* inside = nullptr;
  when(condition, [&] {
    changed = change(values);
    inside = b_.GetInsertBlock();
  });
  for (std::size_t k = 0; k < values.size(); ++k) {
    auto* phi = b_.CreatePHI(values[k]->getType(), 2);
    phi->addIncoming(values[k], before);
    phi->addIncoming(changed[k], inside);
    changed[k] = phi;
  }
  return changed;
}

}  // namespace autoray::codegen
