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
  if (!ordered || nest_->one_block || (extent.constant && extent.value <= kBlock)) {
    result = ordered ? ordered_block(pointers, b_.getInt64(0), extent, number(extent), true) : fold_block(pointers);
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
                                   [&] { return ordered_block(pointers, b_.getInt64(0), extent, n, true); }, tree);
  }
  Place point{folded, b_.getInt64(0), 1, nullptr};
  give(pointers, point, result);
}

// In a free order: as many chains as the processor has instructions under way.
Value* Emitter::fold_block(const Pointers& pointers) {
  std::size_t folded = nest_->extents.size() - 1;
  const Number& extent = nest_->extents[folded];
  const int width = vector_width(), parts = extent.constant && extent.value < kLanes * width ? 1 : 4;
  hoist(pointers, folded);
  bool extreme = nest_->fold == Prim::Maximum || nest_->fold == Prim::Minimum;
  Value *zero = b_.getInt64(0), *n = number(extent);
  std::vector<Value*> lanes(static_cast<std::size_t>(parts),
                            extreme ? splat(term(pointers, {folded, zero, 1, nullptr}), width) : identity(width));
  auto part = [&](Value* at, std::size_t p) { return b_.CreateAdd(at, b_.getInt64(p * static_cast<std::size_t>(width))); };
  auto whole = [&](Value* at, Value* now) { return combine(now, term(pointers, {folded, at, width, nullptr})); };
  auto partly = [&](Value* at, Value* now) {
    Value* mask = mask_of(b_.CreateSub(n, at), width);
    return b_.CreateSelect(mask, combine(now, term(pointers, {folded, at, width, mask})), now);
  };
  if (written_out(extent, width)) {
    std::int64_t i = 0;
    for (std::size_t p = 0; i < extent.value; i += width, p = (p + 1) % lanes.size()) {
      Value* at = b_.getInt64(static_cast<std::uint64_t>(i));
      lanes[p] = i + width <= extent.value ? whole(at, lanes[p]) : partly(at, lanes[p]);
    }
    return lanes_together(std::move(lanes));
  }
  auto done = long_fold_loop(zero, n, std::int64_t{width} * parts, lanes, [&](Value* at, std::vector<Value*> now) {
    for (std::size_t p = 0; p < now.size(); ++p) {
      if (nest_->streams) prefetch(pointers, part(at, p));
      now[p] = whole(part(at, p), now[p]);
    }
    return now;
  });
  // The rest of a chunk, a vector at a time.
  for (std::size_t p = 0; p < lanes.size(); ++p) {
    Value* at = part(done[0], p);
    lanes[p] = changed_when(b_.CreateICmpSLT(at, n), {done[1 + p]},
                            [&](const std::vector<Value*>& now) { return std::vector<Value*>{partly(at, now[0])}; })[0];
  }
  return lanes_together(std::move(lanes));
}

bool Emitter::side_by_side(const std::vector<std::size_t>& outer) const {
  std::size_t folded = nest_->extents.size() - 1;
  const Number& n = nest_->extents[folded];
  return nest_->order == Order::Pairwise && !outer.empty() && vector_width() >= kRowsTogether && !needs_whole_vectors() &&
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
  // `lanes` terms of each row, to vectors of one row's or several rows' lanes.
  auto add = [&](Value* at, int lanes, std::vector<Value*> now) {
    std::vector<Value*> terms;
    for (const Pointers& p : row)
      for (int k = 0; k < lanes; k += width)
        terms.push_back(
            term(p, {folded, b_.CreateAdd(at, b_.getInt64(static_cast<std::uint64_t>(k))), std::min(lanes, width), nullptr}));
    std::size_t together = terms.size() / now.size();
    for (std::size_t k = 0; k < now.size(); ++k) {
      auto from = terms.begin() + static_cast<std::ptrdiff_t>(k * together);
      now[k] = combine(now[k], joined({from, from + static_cast<std::ptrdiff_t>(together)}));
    }
    return now;
  };
  std::vector<Value*> lanes(row.size() * static_cast<std::size_t>(parts), identity(width));
  const Number& extent = nest_->extents[folded];
  Value *n = number(extent), *zero = b_.getInt64(0);
  auto done =
      fold_loop(zero, n, kLanes, lanes, [&](Value* at, const std::vector<Value*>& now) { return add(at, kLanes, now); });
  lanes.assign(done.begin() + 1, done.end());
  add_rest(zero, extent, n, lanes, [&](const std::vector<Value*>& now) { return halved_rows(now); }, add);
  for (std::size_t i = 0; i < nest_->stores.size(); ++i)
    store(nest_->stores[i].to, pointers.stores[i], {rows, first, static_cast<int>(kRowsTogether), nullptr}, lanes[0]);
}

// Vectors of the lanes of four rows: the upper half of each row's lanes added to the lower one.
std::vector<Value*> Emitter::halved_rows(const std::vector<Value*>& vectors) {
  const auto rows = static_cast<std::size_t>(kRowsTogether);
  std::vector<Value*> next;
  if (vectors.size() > rows) {
    std::size_t parts = vectors.size() / rows;
    for (std::size_t k = 0; k < vectors.size(); k += parts)
      for (std::size_t p = 0; p < parts / 2; ++p) next.push_back(combine(vectors[k + p], vectors[k + p + parts / 2]));
    return next;
  }
  // Two vectors become one of the same size, as long as there are two.
  const bool pairs = vectors.size() > 1;
  const int lanes = width_of(vectors[0]) / static_cast<int>(rows / vectors.size());
  std::vector<int> low, high;
  for (int from = 0; from < width_of(vectors[0]) * (pairs ? 2 : 1); from += lanes)
    for (int k = 0; k < lanes / 2; ++k) {
      low.push_back(from + k);
      high.push_back(from + lanes / 2 + k);
    }
  for (std::size_t k = 0; k < vectors.size(); k += pairs ? 2 : 1) {
    Value *a = vectors[k], *b = pairs ? vectors[k + 1] : llvm::PoisonValue::get(a->getType());
    next.push_back(combine(b_.CreateShuffleVector(a, b, low), b_.CreateShuffleVector(a, b, high)));
  }
  return next;
}

// One vector of them all, one behind the other.
Value* Emitter::joined(std::vector<Value*> values) {
  if (values.size() > 1 && !values[0]->getType()->isVectorTy()) {
    Value* v = llvm::PoisonValue::get(widened(values[0]->getType(), static_cast<int>(values.size())));
    for (std::size_t k = 0; k < values.size(); ++k) v = b_.CreateInsertElement(v, values[k], k);
    return v;
  }
  while (values.size() > 1) {
    std::vector<int> all(static_cast<std::size_t>(2 * width_of(values[0])));
    std::iota(all.begin(), all.end(), 0);
    std::vector<Value*> next;
    for (std::size_t k = 0; k < values.size(); k += 2) next.push_back(b_.CreateShuffleVector(values[k], values[k + 1], all));
    values = std::move(next);
  }
  return values[0];
}

}  // namespace autoray::codegen
