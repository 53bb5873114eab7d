// Folds across a kept dimension: a lane for each result, and products in tiles of them.

#include "codegen/emit/emitter.h"

namespace autoray::codegen {

namespace {

constexpr std::int64_t kTileRows = 4;

}  // namespace

bool Emitter::tiled(const std::vector<std::size_t>& outer, std::size_t across) const {
  if (nest_->order != Order::Sequential || nest_->scans || outer.empty() || options_.check_bounds) return false;
  const Number &rows = nest_->extents[outer.back()], &columns = nest_->extents[across];
  return !(rows.constant && rows.value < kTileRows) && !(columns.constant && columns.value < tile_vectors() * vector_width());
}

void Emitter::fold_tiles(const Pointers& pointers, std::size_t rows, std::size_t across) {
  std::int64_t columns = tile_vectors() * vector_width();
  Value *m = number(nest_->extents[rows]), *n = number(nest_->extents[across]);
  Value* whole_rows = b_.CreateAnd(m, b_.getInt64(static_cast<std::uint64_t>(-kTileRows)));
  Value* whole_columns = b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(-columns)));
  long_loop(whole_columns, columns, 1, [&](Value* j) {
    Pointers at = moved(pointers, across, j);
    long_loop(whole_rows, kTileRows, kRows, [&](Value* i) { fold_tile(moved(at, rows, i), rows, kTileRows, across); });
    Pointers rest = moved(at, rows, whole_rows);
    loop(b_.CreateSub(m, whole_rows), 1, [&](Value* i) { fold_tile(moved(rest, rows, i), rows, 1, across); });
  });
  const Number& extent = nest_->extents[across];
  if (extent.constant && extent.value % columns == 0) return;
  Pointers rest = moved(pointers, across, whole_columns);
  Number left{extent.constant, extent.constant ? extent.value % columns : 0};
  long_loop(m, 1, kRows, [&](Value* i) { fold_columns(moved(rest, rows, i), across, left, b_.CreateSub(n, whole_columns)); });
}

void Emitter::fold_tile(const Pointers& pointers, std::size_t rows, std::int64_t count, std::size_t across) {
  std::size_t folded = nest_->extents.size() - 1;
  int width = vector_width();
  std::vector<Pointers> row;
  std::vector<Place> place;
  for (std::int64_t r = 0; r < count; ++r) row.push_back(moved(pointers, rows, b_.getInt64(static_cast<std::uint64_t>(r))));
  for (std::int64_t v = 0; v < tile_vectors(); ++v)
    place.push_back({across, b_.getInt64(static_cast<std::uint64_t>(v * width)), width, nullptr});
  std::vector<Value*> sums(row.size() * place.size(), identity(width));
  auto done = fold_loop(b_.getInt64(0), number(nest_->extents[folded]), 1, sums, [&](Value* k, const std::vector<Value*>& now) {
    std::vector<Value*> next;
    for (const Pointers& p : row)
      for (const Place& at : place) next.push_back(combine(now[next.size()], term(moved(p, folded, k), at)));
    return next;
  });
  for (std::size_t r = 0; r < row.size(); ++r)
    for (std::size_t v = 0; v < place.size(); ++v) give(row[r], place[v], done[1 + r * place.size() + v]);
}

// Across a kept dimension: one result a lane.
void Emitter::fold_columns(const Pointers& pointers, std::size_t across, const Number& extent, Value* n) {
  int width = vector_width();
  Value* whole = b_.CreateAnd(n, b_.getInt64(static_cast<std::uint64_t>(-width)));
  if (!extent.constant || extent.value >= width)
    long_loop(whole, width, kRows, [&](Value* j) { fold_column(pointers, {across, j, width, nullptr}); });
  if (extent.constant && extent.value % width == 0) return;
  when(b_.CreateICmpSLT(whole, n),
       [&] { fold_column(pointers, {across, whole, width, mask_of(b_.CreateSub(n, whole), width)}); });
}

void Emitter::fold_column(const Pointers& pointers, const Place& place) {
  if (nest_->scans) return scan(pointers, place);
  std::size_t folded = nest_->extents.size() - 1;
  Value* n = number(nest_->extents[folded]);
  auto at = [&](const Pointers& from, Value* i) { return moved(from, folded, i); };
  Value* result;
  if (nest_->order == Order::Pairwise) {
    const Number& extent = nest_->extents[folded];
    if (extent.constant && extent.value <= kBlock) {
      result = column_block(pointers, place, b_.getInt64(0), n);
    } else {
      // The column's place goes into the pointers, which the recursion hands on.
      Pointers shifted = moved(pointers, place.axis, place.index);
      if (place.mask) {
        // A mask is rebuilt from the number of lanes that is left.
        result = fold_tree_masked(shifted, place, n);
      } else {
        result = fold_tree(shifted, n, place.width, kBlock, [&](const Pointers& inner, Value* begin, Value* count) {
          return column_block(inner, {place.axis, b_.getInt64(0), place.width, nullptr}, begin, count);
        });
      }
    }
  } else {
    bool extreme = nest_->fold == Prim::Maximum || nest_->fold == Prim::Minimum;
    Value* start = extreme ? term(pointers, place) : identity(place.width);
    // In a free order as many rows as keep the processor busy.
    std::int64_t rows = nest_->order == Order::Any ? 4 : 1;
    std::vector<Value*> chains(static_cast<std::size_t>(rows), start);
    auto done = fold_loop(b_.getInt64(0), n, rows, chains, [&](Value* i, std::vector<Value*> now) {
      for (std::int64_t r = 0; r < rows; ++r) {
        Value*& chain = now[static_cast<std::size_t>(r)];
        chain = combine(chain, term(at(pointers, b_.CreateAdd(i, b_.getInt64(static_cast<std::uint64_t>(r)))), place));
      }
      return now;
    });
    chains.assign(done.begin() + 1, done.end());
    result = vectors_together(std::move(chains));
    if (rows > 1)
      result = fold_loop(done[0], n, 1, {result}, [&](Value* i, const std::vector<Value*>& now) {
        return std::vector<Value*>{combine(now[0], term(at(pointers, i), place))};
      })[1];
  }
  give(pointers, place, result);
}

Value* Emitter::fold_tree_masked(const Pointers& shifted, const Place& place, Value* n) {
  // The lanes as a register of their own would need a type; a mask of i1 lanes is handed on through the arguments instead.
  Value* bits = b_.CreateZExt(b_.CreateBitCast(place.mask, b_.getIntNTy(static_cast<unsigned>(place.width))), b_.getInt64Ty());
  arguments_.push_back(bits);
  Value* result = fold_tree(shifted, n, place.width, kBlock, [&](const Pointers& inner, Value* begin, Value* count) {
    Value* mask = b_.CreateBitCast(b_.CreateTrunc(arguments_.back(), b_.getIntNTy(static_cast<unsigned>(place.width))),
                                   widened(b_.getInt1Ty(), place.width));
    return column_block(inner, {place.axis, b_.getInt64(0), place.width, mask}, begin, count);
  });
  arguments_.pop_back();
  return result;
}

// Up to 256 terms of each column: sixteen lanes, a vector register each.
Value* Emitter::column_block(const Pointers& pointers, const Place& place, Value* begin, Value* n) {
  std::size_t folded = nest_->extents.size() - 1;
  Number extent = nest_->extents[folded];
  if (extent.constant && extent.value > kBlock) extent.constant = false;
  auto add = [&](Value* at, std::vector<Value*> now) {
    for (std::size_t k = 0; k < now.size(); ++k)
      now[k] = combine(now[k], term(moved(pointers, folded, b_.CreateAdd(at, b_.getInt64(k))), place));
    return now;
  };
  std::vector<Value*> lanes(kLanes, identity(place.width));
  if (!extent.constant || extent.value >= kLanes) {
    auto done = fold_loop(begin, b_.CreateAdd(begin, n), kLanes, lanes, add);
    lanes.assign(done.begin() + 1, done.end());
  }
  add_rest(
      begin, extent, n, lanes, [&](const std::vector<Value*>& now) { return halved(now); },
      [&](Value* at, int, std::vector<Value*> now) { return add(at, std::move(now)); });
  return lanes[0];
}

}  // namespace autoray::codegen
