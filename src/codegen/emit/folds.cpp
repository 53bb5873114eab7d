// Reductions and scans: along which dimension vectors run, and rows that are folded.
#include <algorithm>
#include <numeric>

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

namespace {

constexpr std::int64_t kRowsTogether = 4;

}  // namespace

void Emitter::emit_fold() {
  std::size_t folded = nest_->extents.size() - 1;
  // Which dimension do vectors run along? The folded one where the loads are dense there; else a kept one where they are.
  auto dense = [&](std::size_t axis) {
    bool any = false;
    for (const Access& access : nest_->loads) {
      if (access.buffer == kNoBuffer || fixed_along(access, axis)) continue;
      if (!dense_along(access, axis) && !paired_along(access, axis)) return false;
      any = true;
    }
    return any;
  };
  std::size_t across = folded;
  if (nest_->order == Order::Sequential || !dense(folded))
    for (std::size_t axis = folded; axis-- > 0;)
      if (dense(axis)) {
        across = axis;
        break;
      }
  // Without a dense dimension to go side by side along, each chain is one of numbers.
  if (nest_->scans && across == folded) {
    std::vector<std::size_t> rows(folded);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return around(rows, bases(), [&](const Pointers& pointers) { scan(pointers, {folded, b_.getInt64(0), 1, nullptr}); });
  }
  // Term by term means one point of the result a lane.
  if (nest_->order == Order::Sequential && across == folded && folded > 0) across = folded - 1;
  if (nest_->order == Order::Sequential && folded == 0) return fold_alone(bases());
  std::vector<std::size_t> outer;
  for (std::size_t axis = 0; axis < folded; ++axis)
    if (axis != across) outer.push_back(axis);
  if (tiled(outer, across)) {
    std::size_t rows = outer.back();
    outer.pop_back();
    return around(outer, bases(), [&](const Pointers& pointers) { fold_tiles(pointers, rows, across); });
  }
  if (across == folded && side_by_side(outer)) {
    std::size_t rows = outer.back();
    outer.pop_back();
    return around(outer, bases(), [&](const Pointers& pointers) { fold_rows(pointers, rows); });
  }
  around(outer, bases(), [&](const Pointers& pointers) {
    if (across == folded)
      fold_row(pointers);
    else
      fold_columns(pointers, across, nest_->extents[across], number(nest_->extents[across]));
  });
}

void Emitter::give(const Pointers& pointers, const Place& place, Value* result) {
  for (std::size_t i = 0; i < nest_->stores.size(); ++i) store(nest_->stores[i].to, pointers.stores[i], place, result);
  for (auto [value, reg] : nest_->registers) registers_[reg] = result;
}

Value* Emitter::term(const Pointers& pointers, const Place& place) {
  std::vector<Value*> values = load_all(pointers, place);
  compute(values, pointers, place);
  return values[nest_->folded];
}

Value* Emitter::combine(Value* x, Value* y) {
  Instr instr{nest_->fold, fold_dtype_};
  return apply(instr, fold_dtype_, x, y, nullptr, 1);
}

Value* Emitter::identity(int width) {
  auto* type = widened(scalar_type(fold_dtype_), width);
  switch (nest_->fold) {
    case Prim::Multiply: return is_float(fold_dtype_) ? llvm::ConstantFP::get(type, 1.0) : llvm::ConstantInt::get(type, 1);
    case Prim::And: return llvm::Constant::getAllOnesValue(type);
    default: return llvm::Constant::getNullValue(type);
  }
}

// One chain of additions.
void Emitter::fold_alone(const Pointers& pointers) {
  std::size_t folded = nest_->extents.size() - 1;
  auto result = long_fold_loop(b_.getInt64(0), number(nest_->extents[folded]), 1, {identity(1)},
                               [&](Value* i, const std::vector<Value*>& now) {
                                 return std::vector<Value*>{combine(now[0], term(pointers, {folded, i, 1, nullptr}))};
                               });
  give(pointers, {folded, b_.getInt64(0), 1, nullptr}, result[1]);
}

// The same, giving every value on the way; the first is the first term itself.
void Emitter::scan(const Pointers& pointers, const Place& place) {
  std::size_t along = nest_->extents.size() - 1;
  Value* first = term(pointers, place);
  give(pointers, place, first);
  long_fold_loop(b_.getInt64(1), number(nest_->extents[along]), 1, {first}, [&](Value* i, const std::vector<Value*>& now) {
    Pointers here = moved(pointers, along, i);
    Value* total = combine(now[0], term(here, place));
    give(here, place, total);
    return std::vector<Value*>{total};
  });
}

// Along the folded dimension, which the loads follow densely (or by gathers).
void Emitter::fold_row(const Pointers& pointers) {
  std::size_t folded = nest_->extents.size() - 1;
  const Number& extent = nest_->extents[folded];
  Value* result;
  bool ordered = nest_->order == Order::Pairwise;
  if (!ordered || (extent.constant && extent.value <= kBlock)) {
    result = fold_block(pointers, b_.getInt64(0), extent, number(extent));
  } else {
    // Most rows are of one block.
    Value* n = number(extent);
    auto tree = [&] {
      return fold_tree(pointers, n, 1, kRow * kBlock + kBlock - 1,
                       [&](const Pointers& inner, Value* begin, Value* count) { return fold_blocks(inner, begin, count); });
    };
    result = extent.constant ? tree()
                             : either(
                                   b_.CreateICmpSLE(n, b_.getInt64(kBlock)),
                                   [&] { return fold_block(pointers, b_.getInt64(0), Number{false, 0}, n); }, tree);
  }
  Place point{folded, b_.getInt64(0), 1, nullptr};
  give(pointers, point, result);
}

bool Emitter::side_by_side(const std::vector<std::size_t>& outer) const {
  std::size_t folded = nest_->extents.size() - 1;
  const Number& n = nest_->extents[folded];
  return nest_->order == Order::Pairwise && !outer.empty() && vector_width() >= kRowsTogether && zeros_are_harmless(folded) &&
         !(n.constant && n.value > kBlock) && !paired_anywhere(folded);
}

bool Emitter::paired_anywhere(std::size_t axis) const {
  return std::ranges::any_of(nest_->loads, [&](const Access& access) { return paired_along(access, axis); });
}

void Emitter::fold_rows(const Pointers& pointers, std::size_t rows) {
  Value *n = number(nest_->extents.back()), *m = number(nest_->extents[rows]);
  auto alone = [&](Value* first) { long_loop(m, 1, kRows, [&](Value* i) { fold_row(moved(pointers, rows, i)); }, first); };
  auto together = [&] {
    Value* whole = b_.CreateAnd(m, b_.getInt64(static_cast<std::uint64_t>(-kRowsTogether)));
    long_loop(whole, kRowsTogether, kRows, [&](Value* i) { fold_four(pointers, rows, i); });
    alone(whole);
  };
  if (nest_->extents.back().constant)
    together();
  else
    branch(b_.CreateICmpSLE(n, b_.getInt64(kBlock)), together, [&] { alone(b_.getInt64(0)); });
}

void Emitter::fold_four(const Pointers& pointers, std::size_t rows, Value* first) {
  std::size_t folded = nest_->extents.size() - 1;
  uniform_.assign(nest_->body.size(), nullptr);
  const int width = std::min(vector_width(), kLanes), parts = kLanes / width;
  std::vector<Pointers> row;
  for (std::int64_t r = 0; r < kRowsTogether; ++r)
    row.push_back(moved(pointers, rows, b_.CreateAdd(first, b_.getInt64(static_cast<std::uint64_t>(r)))));
  auto add = [&](Value* at, std::vector<Value*> now, Value* left) {
    for (std::size_t r = 0; r < row.size(); ++r)
      for (int p = 0; p < parts; ++p) {
        auto offset = b_.getInt64(static_cast<std::uint64_t>(p * width));
        Value* mask = left ? mask_of(b_.CreateSub(left, offset), width) : nullptr;
        Value*& lanes = now[r * static_cast<std::size_t>(parts) + static_cast<std::size_t>(p)];
        Value* sum = combine(lanes, term(row[r], {folded, b_.CreateAdd(at, offset), width, mask}));
        lanes = mask ? b_.CreateSelect(mask, sum, lanes) : sum;
      }
    return now;
  };
  Value* n = number(nest_->extents[folded]);
  std::vector<Value*> lanes(row.size() * static_cast<std::size_t>(parts), identity(width));
  auto done = fold_loop(b_.getInt64(0), n, kLanes, lanes,
                        [&](Value* at, const std::vector<Value*>& now) { return add(at, now, nullptr); });
  zeros_idle_ = true;
  lanes = add(done[0], {done.begin() + 1, done.end()}, b_.CreateSub(n, done[0]));
  zeros_idle_ = false;
  std::vector<Value*> joined;
  for (auto part = lanes.begin(); part != lanes.end(); part += parts) joined.push_back(vectors_together({part, part + parts}));
  Value* sums = rows_together(std::move(joined), width);
  for (std::size_t i = 0; i < nest_->stores.size(); ++i)
    store(nest_->stores[i].to, pointers.stores[i], {rows, first, static_cast<int>(kRowsTogether), nullptr}, sums);
}

// The tree over the lanes of each vector: halves are added until one lane a vector is left, in vectors of several.
Value* Emitter::rows_together(std::vector<Value*> vectors, int width) {
  int lanes = width, rows = 1;  // of one vector
  while (lanes > 1) {
    std::vector<int> low, high;
    const bool pairs = vectors.size() > 1;
    for (int r = 0; r < (pairs ? 2 : 1) * rows; ++r)
      for (int k = 0; k < lanes / 2; ++k) {
        low.push_back(r * lanes + k);
        high.push_back(r * lanes + lanes / 2 + k);
      }
    std::vector<Value*> next;
    for (std::size_t k = 0; k < vectors.size(); k += pairs ? 2 : 1) {
      Value *a = vectors[k], *b = pairs ? vectors[k + 1] : llvm::PoisonValue::get(a->getType());
      next.push_back(combine(b_.CreateShuffleVector(a, b, low), b_.CreateShuffleVector(a, b, high)));
    }
    vectors = std::move(next);
    lanes /= 2;
    if (pairs) rows *= 2;
  }
  return vectors[0];
}

}  // namespace autoray::codegen
