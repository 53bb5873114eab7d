// Folds of one row: in blocks of lanes whose sums are joined as a tree.
#include <algorithm>
#include <numeric>

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

namespace {

unsigned log2_of(std::int64_t power) { return static_cast<unsigned>(__builtin_ctzll(static_cast<std::uint64_t>(power))); }

}  // namespace

// Up to 256 terms from `begin`; `whole`: the fold has no others.
Value* Emitter::ordered_block(const Pointers& pointers, Value* begin, const Number& extent, Value* n, bool whole) {
  std::size_t folded = nest_->extents.size() - 1;
  const int width = std::min(vector_width(), kLanes);
  hoist(pointers, folded);
  auto add = [&](Value* at, int count, std::vector<Value*> now) {
    for (std::size_t k = 0; k < now.size(); ++k) {
      Value* index = b_.CreateAdd(at, b_.getInt64(k * static_cast<std::size_t>(width)));
      if (nest_->streams && count == kLanes) prefetch(pointers, index);
      now[k] = combine(now[k], narrow_term(pointers, {folded, index, std::min(count, width), nullptr, count <= kLast}));
    }
    return now;
  };
  std::vector<Value*> lanes(static_cast<std::size_t>(kLanes / width), identity(width));
  const bool newest = whole && std::ranges::any_of(nest_->loads, [](const Access& a) { return a.newest != kNoRegister; });
  if (newest) {
    auto done = fold_loop(begin, b_.CreateSub(n, b_.getInt64(1)), kLanes, lanes,
                          [&](Value* at, const std::vector<Value*>& now) { return add(at, kLanes, now); });
    lanes.assign(done.begin() + 1, done.end());
    return add_up_to_newest(pointers, n, std::move(lanes), add);
  }
  if (written_out(extent, width)) {
    for (std::int64_t i = 0; i + kLanes <= extent.value; i += kLanes)
      lanes = add(b_.CreateAdd(begin, b_.getInt64(static_cast<std::uint64_t>(i))), kLanes, std::move(lanes));
  } else {
    Value *from = begin, *end = b_.CreateAdd(begin, n);
    auto in_pieces = [&](std::int64_t step, const std::function<std::vector<Value*>(Value*, std::vector<Value*>)>& piece) {
      lanes = fold_loop(from, end, step, lanes, piece);
      from = lanes.front();
      lanes.erase(lanes.begin());
    };
    if (nest_->streams && options_.fetch_ahead == FetchAhead::Burst && !options_.check_bounds)
      in_pieces(kBurst, [&](Value* at, std::vector<Value*> now) {
        read_burst(pointers, at);
        for (std::int64_t k = 0; k < kBurst; k += kLanes)
          now = add(b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(k))), kLanes, std::move(now));
        return now;
      });
    in_pieces(kLanes, [&](Value* at, std::vector<Value*> now) { return add(at, kLanes, std::move(now)); });
  }
  add_rest(begin, extent, n, lanes, [&](const std::vector<Value*>& now) { return halved(now); }, add);
  return lanes[0];
}

// Whether a fold's loop is.
bool Emitter::written_out(const Number& extent, int width) const {
  return extent.constant &&
         (extent.value + width - 1) / width * static_cast<std::int64_t>(nest_->loads.size()) <= 2 * kUnrolled;
}

// The lanes are halved, and of what is beyond the whole sixteens as many terms added as lanes are left, where the length has
// that binary digit.
void Emitter::add_rest(Value* begin, const Number& extent, Value* n, std::vector<Value*>& lanes,
                       const std::function<std::vector<Value*>(std::vector<Value*>)>& halve, const AddTerms& add) {
  for (int width = kLanes / 2; width > 0; width /= 2) {
    lanes = halve(std::move(lanes));
    if (extent.constant && !(extent.value & width)) continue;
    auto rest = [&](std::vector<Value*> now) {
      Value* at = b_.CreateAdd(begin, b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(-2 * width))));
      return add(at, width, std::move(now));
    };
    Value* digit = b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(width)));
    lanes = extent.constant ? rest(std::move(lanes)) : changed_when(b_.CreateIsNotNull(digit), lanes, rest);
  }
}

// The end of a sum whose last term takes up the item that the turn before put down. The turns wait for each other by that term
// alone: it comes to the sum by additions of numbers, one for each halving, and no lane has to be moved on that way. What the
// other lanes give is known before.
Value* Emitter::add_up_to_newest(const Pointers& pointers, Value* n, std::vector<Value*> lanes, const AddTerms& add) {
  const std::size_t folded = nest_->extents.size() - 1;
  const auto constant = [&](int i) { return b_.getInt64(static_cast<std::uint64_t>(std::int64_t{i})); };
  Value* newest = b_.CreateSub(n, constant(1));
  Value* left = b_.CreateAdd(b_.CreateAnd(newest, constant(kLanes - 1)), constant(1));
  auto last_of = [&](Value* lane) { return width_of(lane) == 1 ? lane : b_.CreateExtractElement(lane, width_of(lane) - 1); };
  auto without_last = [&](Value* lane) {
    return width_of(lane) == 1 ? identity(1) : b_.CreateInsertElement(lane, identity(1), width_of(lane) - 1);
  };
  // The last `width` terms.
  auto end = [&](int width, std::vector<Value*> now) {
    const int vector = width_of(now[0]);
    Value* sum = narrow_term(pointers, {folded, newest, 1, nullptr, true, true});
    for (std::size_t k = 0; k < now.size() && width > 1; ++k) {
      const int at = static_cast<int>(k) * vector, behind = width - at - vector;
      Value* terms =
          narrow_term(pointers, {folded, b_.CreateSub(n, constant(width - at)), vector, nullptr, behind < kLast, behind == 0});
      now[k] = combine(now[k], behind == 0 ? without_last(terms) : terms);
    }
    sum = combine(last_of(now.back()), sum);
    for (; width > 1; width /= 2) {
      if (width == 2 && now.size() == 1) {
        now = {b_.CreateExtractElement(now[0], std::uint64_t{0})};  // nothing is added to it
      } else {
        now.back() = without_last(now.back());
        now = halved(std::move(now));
      }
      sum = combine(last_of(now.back()), sum);
    }
    return sum;
  };
  std::function<Value*(int, std::vector<Value*>)> from = [&](int width, std::vector<Value*> now) {
    if (width < kLanes) now = halved(std::move(now));
    if (width == 1) return end(1, now);
    Value* digits = b_.CreateAnd(left, constant(2 * width - 1));
    return either(
        b_.CreateICmpEQ(digits, constant(width)), [&] { return end(width, now); },
        [&] {
          if (width < kLanes)
            now = changed_when(b_.CreateICmpSGT(digits, constant(width)), now, [&](std::vector<Value*> before) {
              return add(b_.CreateAnd(n, constant(-2 * width)), width, std::move(before));
            });
          return from(width / 2, now);
        });
  };
  return from(kLanes, std::move(lanes));
}

// Terms of fewer lanes than a vector has, with the bits that they have in a vector.
Value* Emitter::narrow_term(const Pointers& pointers, const Place& place) {
  const int whole = std::min(vector_width(), kLanes);
  if (place.width == whole || !needs_whole_vectors()) return term(pointers, place);
  Value* mask = mask_of(b_.getInt64(static_cast<std::uint64_t>(place.width)), whole);
  Value* terms = term(pointers, {place.axis, place.index, whole, mask});
  if (place.width == 1) return b_.CreateExtractElement(terms, std::uint64_t{0});
  std::vector<int> first(static_cast<std::size_t>(place.width));
  std::iota(first.begin(), first.end(), 0);
  return b_.CreateShuffleVector(terms, first);
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
    Value* sum = ordered_block(pointers, first_term, Number{false, 0}, count);
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

// The upper half of the lanes added to the lower one: whole vectors, then parts of one, at last a number.
std::vector<Value*> Emitter::halved(std::vector<Value*> lanes) {
  if (std::size_t half = lanes.size() / 2) {
    for (std::size_t k = 0; k < half; ++k) lanes[k] = combine(lanes[k], lanes[k + half]);
    lanes.resize(half);
    return lanes;
  }
  Value* v = lanes[0];
  const int half = width_of(v) / 2;
  if (half == 1) return {combine(b_.CreateExtractElement(v, std::uint64_t{0}), b_.CreateExtractElement(v, std::uint64_t{1}))};
  std::vector<int> low(static_cast<std::size_t>(half)), high(low.size());
  std::iota(low.begin(), low.end(), 0);
  std::iota(high.begin(), high.end(), half);
  return {combine(b_.CreateShuffleVector(v, low), b_.CreateShuffleVector(v, high))};
}

Value* Emitter::vectors_together(std::vector<Value*> vectors) {
  while (vectors.size() > 1) vectors = halved(std::move(vectors));
  return vectors[0];
}

Value* Emitter::lanes_together(std::vector<Value*> lanes) {
  lanes = {vectors_together(std::move(lanes))};
  while (width_of(lanes[0]) > 1) lanes = halved(std::move(lanes));
  return lanes[0];
}

}  // namespace autoray::codegen
