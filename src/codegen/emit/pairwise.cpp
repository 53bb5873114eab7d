// Folds of one row: in blocks of lanes whose sums are joined as a tree.

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

namespace {

unsigned log2_of(std::int64_t power) { return static_cast<unsigned>(__builtin_ctzll(static_cast<std::uint64_t>(power))); }

}  // namespace

// Up to 256 terms from `begin`, or any number where the order is free: lanes, then a tree over the lanes.
Value* Emitter::fold_block(const Pointers& pointers, Value* begin, const Number& extent, Value* n) {
  std::size_t folded = nest_->extents.size() - 1;
  int width = vector_width();
  hoist(pointers, folded);
  if (nest_->order == Order::Pairwise) width = std::min(width, kLanes);
  // Where the order is free, as many chains as the processor has instructions under way.
  int parts = nest_->order == Order::Pairwise ? kLanes / width : extent.constant && extent.value < kLanes * width ? 1 : 4;
  std::int64_t step = std::int64_t{width} * parts;
  bool extreme = nest_->fold == Prim::Maximum || nest_->fold == Prim::Minimum;
  std::vector<Value*> lanes;
  if (extreme) {
    Value* first = term(pointers, {folded, begin, 1, nullptr});
    lanes.assign(static_cast<std::size_t>(parts), splat(first, width));
  } else {
    lanes.assign(static_cast<std::size_t>(parts), identity(width));
  }
  auto chunk = [&](Value* at, std::vector<Value*> now) {
    for (int p = 0; p < parts; ++p) {
      Value* index = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(p * width)));
      if (nest_->streams) fetch_ahead(pointers, index);
      auto k = static_cast<std::size_t>(p);
      now[k] = combine(now[k], term(pointers, {folded, index, width, nullptr}));
    }
    return now;
  };
  auto partial = [&](Value* at, Value* left, std::vector<Value*> now, int p) {
    Value* mask = mask_of(left, width);
    auto k = static_cast<std::size_t>(p);
    now[k] = b_.CreateSelect(mask, combine(now[k], term(pointers, {folded, at, width, mask})), now[k]);
    return now;
  };
  if (extent.constant && extent.value <= kBlock &&
      (extent.value + width - 1) / width * static_cast<std::int64_t>(nest_->loads.size()) <= 2 * kUnrolled) {
    std::int64_t i = 0;
    auto at = [&](std::int64_t k) { return b_.CreateAdd(begin, b_.getInt64(static_cast<std::uint64_t>(k))); };
    for (; i + step <= extent.value; i += step) lanes = chunk(at(i), lanes);
    for (int p = 0; i < extent.value; ++p, i += width) {
      std::int64_t left = extent.value - i;
      if (left >= width)
        lanes[static_cast<std::size_t>(p)] =
            combine(lanes[static_cast<std::size_t>(p)], term(pointers, {folded, at(i), width, nullptr}));
      else
        lanes = partial(at(i), b_.getInt64(static_cast<std::uint64_t>(left)), lanes, p);
    }
    return lanes_together(lanes, width);
  }
  Value* end = b_.CreateAdd(begin, n);
  // In the fixed order a block is short.
  auto done = nest_->order == Order::Pairwise ? fold_loop(begin, end, step, lanes, chunk)
                                              : long_fold_loop(begin, end, step, lanes, chunk);
  Value* at = done[0];
  lanes.assign(done.begin() + 1, done.end());
  // The rest of a chunk, a vector at a time.
  zeros_idle_ = zeros_are_harmless(folded);
  if (zeros_idle_) {
    auto* before = b_.GetInsertBlock();
    std::vector<Value*> changed = lanes;
    llvm::BasicBlock* inside = nullptr;
    when(b_.CreateICmpSLT(at, end), [&] {
      for (int p = 0; p < parts; ++p) {
        Value* from = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(p * width)));
        changed = partial(from, b_.CreateSub(end, from), changed, p);
      }
      inside = b_.GetInsertBlock();
    });
    zeros_idle_ = false;
    for (std::size_t k = 0; k < lanes.size(); ++k) {
      auto* phi = b_.CreatePHI(lanes[k]->getType(), 2);
      phi->addIncoming(lanes[k], before);
      phi->addIncoming(changed[k], inside);
      changed[k] = phi;
    }
    return lanes_together(changed, width);
  }
  for (int p = 0; p < parts; ++p) {
    Value* from = b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(p * width)));
    Value* left = b_.CreateSub(end, from);
    auto* before = b_.GetInsertBlock();
    std::vector<Value*> changed;
    llvm::BasicBlock* inside = nullptr;
    when(b_.CreateICmpSGT(left, b_.getInt64(0)), [&] {
      changed = partial(from, left, lanes, p);
      inside = b_.GetInsertBlock();
    });
    auto k = static_cast<std::size_t>(p);
    auto* phi = b_.CreatePHI(lanes[k]->getType(), 2);
    phi->addIncoming(lanes[k], before);
    phi->addIncoming(changed[k], inside);
    lanes[k] = phi;
  }
  return lanes_together(lanes, width);
}

// Up to kRow blocks and a rest: one loop reads them all, which is what the processor fetches ahead of best. Their sums are
// joined as the rule says, by which the rest belongs to the last block. `prepare` makes a block's terms.
Value* Emitter::fold_blocks(const Pointers& pointers, Value* begin, Value* n,
                            const std::function<void(Value* begin, Value* count)>& prepare) {
  auto* type = scalar_type(fold_dtype_);
  auto& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::IRBuilder<> first(&entry, entry.begin());
  Value* sums = first.CreateAlloca(type, first.getInt64(static_cast<std::uint64_t>(kRow + 1)));
  auto at = [&](Value* block) { return b_.CreateGEP(type, sums, block); };
  loop(n, kBlock, [&](Value* i) {
    Value *left = b_.CreateSub(n, i), *most = b_.getInt64(kBlock);
    Value* count = b_.CreateSelect(b_.CreateICmpSLT(left, most), left, most);
    Value* first_term = b_.CreateAdd(begin, i);
    if (prepare) prepare(first_term, count);
    Value* sum = fold_block(pointers, first_term, Number{false, 0}, count);
    b_.CreateStore(sum, at(b_.CreateLShr(i, log2_of(kBlock))));
  });
  Value* whole = b_.CreateLShr(n, log2_of(kBlock));
  Value *one = b_.getInt64(1), *last = b_.CreateSub(whole, one);
  Value* has_rest = b_.CreateICmpNE(b_.CreateAnd(n, b_.getInt64(kBlock - 1)), b_.getInt64(0));
  when(b_.CreateAnd(has_rest, b_.CreateICmpSGT(whole, b_.getInt64(0))),
       [&] { b_.CreateStore(combine(b_.CreateLoad(type, at(last)), b_.CreateLoad(type, at(whole))), at(last)); });
  return b_.CreateCall(joined_blocks(), {sums, b_.CreateSelect(b_.CreateICmpSGT(whole, one), whole, one)});
}

// A function that joins n sums as a tree: the first half of them, rounded down, then the others.
llvm::Function* Emitter::joined_blocks() {
  auto* type = scalar_type(fold_dtype_);
  auto* f = make_function(llvm::FunctionType::get(type, {b_.getPtrTy(), b_.getInt64Ty()}, false), name_ + ".join", true);
  auto outside = b_.saveIP();
  auto block = [&](const char* name) { return llvm::BasicBlock::Create(context_, name, f); };
  b_.SetInsertPoint(block("entry"));
  auto *one = block("one"), *several = block("several"), *two = block("two"), *more = block("more");
  Value *sums = f->getArg(0), *n = f->getArg(1);
  auto item = [&](std::uint64_t number) { return b_.CreateLoad(type, b_.CreateConstGEP1_64(type, sums, number)); };
  b_.CreateCondBr(b_.CreateICmpEQ(n, b_.getInt64(1)), one, several);
  b_.SetInsertPoint(one);
  b_.CreateRet(item(0));
  b_.SetInsertPoint(several);
  b_.CreateCondBr(b_.CreateICmpEQ(n, b_.getInt64(2)), two, more);
  b_.SetInsertPoint(two);
  Value* first = item(0);
  b_.CreateRet(combine(first, item(1)));
  b_.SetInsertPoint(more);
  Value* half = b_.CreateLShr(n, 1);
  Value* left = b_.CreateCall(f, {sums, half});
  Value* right = b_.CreateCall(f, {b_.CreateGEP(type, sums, half), b_.CreateSub(n, half)});
  b_.CreateRet(combine(left, right));
  b_.restoreIP(outside);
  return f;
}

// n terms by the rule of runtime/reduction/order.h: a function that calls itself for the halves, so that its size does not
// depend on n; up to `most` terms are `block`'s. What it needs of the kernel is handed on.
Value* Emitter::fold_tree(const Pointers& pointers, Value* n, int width, std::int64_t most,
                          const std::function<Value*(const Pointers&, Value*, Value*)>& block) {
  std::vector<Value*> environment;
  std::vector<llvm::Type*> types = {b_.getInt64Ty(), b_.getInt64Ty()};
  auto hand_on = [&](const std::vector<Value*>& values) {
    environment.insert(environment.end(), values.begin(), values.end());
  };
  std::vector<Value*> held;
  for (Value* r : registers_)
    if (r) held.push_back(r);
  environment.push_back(kernel_context_);
  hand_on(pointers.loads);
  hand_on(arguments_);
  hand_on(held);
  for (Value* v : environment) types.push_back(v->getType());
  auto* result_type = widened(scalar_type(fold_dtype_), width);
  auto* f = make_function(llvm::FunctionType::get(result_type, types, false), name_ + ".fold", true);
  std::vector<Value*> given = {b_.getInt64(0), n};
  given.insert(given.end(), environment.begin(), environment.end());
  Value* result = b_.CreateCall(f, given);
  // The function's body, with its own parameters for everything.
  auto outside = b_.saveIP();
  auto saved_arguments = arguments_;
  auto saved_registers = registers_;
  auto* saved_context = kernel_context_;
  b_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", f));
  std::size_t at = 2;
  auto take = [&] { return static_cast<Value*>(f->getArg(static_cast<unsigned>(at++))); };
  Pointers inner;
  kernel_context_ = take();
  for (std::size_t i = 0; i < pointers.loads.size(); ++i) inner.loads.push_back(take());
  for (Value*& a : arguments_) a = take();
  for (Value*& r : registers_)
    if (r) r = take();
  Value *begin = f->getArg(0), *count = f->getArg(1);
  auto* split = llvm::BasicBlock::Create(context_, "split", f);
  auto* leaf = llvm::BasicBlock::Create(context_, "leaf", f);
  b_.CreateCondBr(b_.CreateICmpSGT(count, b_.getInt64(static_cast<std::uint64_t>(most))), split, leaf);
  b_.SetInsertPoint(split);
  poll();
  Value* half = b_.CreateAnd(b_.CreateLShr(count, 1), b_.getInt64(static_cast<std::uint64_t>(-kBlock)));
  Value* head = b_.CreateSelect(b_.CreateICmpSLT(half, b_.getInt64(kBlock)), b_.getInt64(kBlock), half);
  std::vector<Value*> deeper = {begin, head};
  for (std::size_t i = 2; i < f->arg_size(); ++i) deeper.push_back(f->getArg(static_cast<unsigned>(i)));
  Value* left = b_.CreateCall(f, deeper);
  deeper[0] = b_.CreateAdd(begin, head);
  deeper[1] = b_.CreateSub(count, head);
  Value* right = b_.CreateCall(f, deeper);
  b_.CreateRet(combine(left, right));
  b_.SetInsertPoint(leaf);
  b_.CreateRet(block(inner, begin, count));
  arguments_ = std::move(saved_arguments);
  registers_ = std::move(saved_registers);
  kernel_context_ = saved_context;
  b_.restoreIP(outside);
  return result;
}

Value* Emitter::vectors_together(std::vector<Value*> vectors) {
  for (std::size_t count = vectors.size(); count > 1; count /= 2)
    for (std::size_t k = 0; k < count / 2; ++k) vectors[k] = combine(vectors[k], vectors[k + count / 2]);
  return vectors[0];
}

Value* Emitter::lanes_together(std::vector<Value*> lanes, int width) {
  Value* v = vectors_together(std::move(lanes));
  for (int w = width; w > 1; w /= 2) {
    std::vector<int> low, high;
    for (int k = 0; k < w / 2; ++k) {
      low.push_back(k);
      high.push_back(k + w / 2);
    }
    if (w == 2) {
      v = combine(b_.CreateExtractElement(v, std::uint64_t{0}), b_.CreateExtractElement(v, std::uint64_t{1}));
    } else {
      v = combine(b_.CreateShuffleVector(v, low), b_.CreateShuffleVector(v, high));
    }
  }
  return v;
}

}  // namespace autoray::codegen
