#include "codegen/kernel_builder.h"

#include <algorithm>

#include "ir/error.h"

namespace autoray::codegen {

using ir::Dims;
using ir::DType;
using ir::Index;
using ir::kNoIndex;
using ir::OpId;

namespace {

std::int64_t item_bytes(DType dtype) { return static_cast<std::int64_t>(ir::itemsize(dtype)); }

}  // namespace

ValueId KernelBuilder::operand_value(Emission& e, Index x) {
  if (!inlined(x) || single(x)) return load(e, x);
  ++stamp_;
  std::vector<Index> none;
  const Index targets[] = {x};
  for (Index i : closure(targets, none, false)) evaluate(e, i);
  return e.values[x];
}

void KernelBuilder::scalars_for(Index x) {
  if (!inlined(x)) return;
  if (single(x)) return scalars({x});
  ++stamp_;
  std::vector<Index> needed;
  const Index targets[] = {x};
  closure(targets, needed, false);
  scalars(needed);
}

void KernelBuilder::fold(Index i) {
  const NodeRole& role = roles_[i];
  Index x = block_.inputs(i)[0];
  scalars_for(x);
  Emission e;
  const Dims shape = block_.type(x).shape;
  begin(e, shape);
  ValueId v = operand_value(e, x);
  Body body(e.draft.nest);
  if (role.before == NodeRole::Before::Truth) v = body.cast(v, DType::Bool);
  v = body.cast(v, role.accumulate);
  if (role.before == NodeRole::Before::Square) v = body.emit(Prim::Multiply, role.accumulate, v, v);
  e.draft.nest.folds = true;
  e.draft.nest.fold = role.fold;
  e.draft.nest.order = role.order;
  e.draft.nest.folded = v;
  // Kept dimensions first, in order; the folded ones behind.
  Dims order;
  std::int64_t n = 1;
  for (int pass = 0; pass < 2; ++pass)
    for (int axis = 0; axis < shape.ssize(); ++axis) {
      bool folded = std::find(role.axes.begin(), role.axes.end(), axis) != role.axes.end();
      if (folded == (pass == 1)) order.push_back(axis);
      if (folded && pass == 1) n *= shape[static_cast<std::size_t>(axis)];
    }
  e.draft.kept = order.size() - role.axes.size();
  // The norm of everything walks memory, as the eager kernel does.
  if (role.after == NodeRole::After::Sqrt && e.draft.kept == 0 && fortran_order(memory_.where[x].layout, block_.type(x).dtype))
    std::reverse(order.begin(), order.end());
  permute(e.draft, order);
  if (!foldable(e.draft)) return fold_copied(i, e.draft, n);
  finish_fold(i, std::move(e.draft), n);
}

void KernelBuilder::fold_copied(Index i, NestDraft& draft, std::int64_t n) {
  Nest terms = draft.nest;
  ValueId v = terms.folded;
  DType dtype = terms.body[v].dtype;
  std::int64_t total = ir::element_count(draft.extents);
  RootId root = memory_.new_root(total * item_bytes(dtype));
  NestDraft copy;
  copy.nest = terms;
  copy.nest.folds = false;
  copy.nest.folded = kNoValue;
  copy.extents = draft.extents;
  copy.kept = draft.extents.size();
  copy.loads = draft.loads;
  copy.nest.stores.push_back({v, {}});
  copy.stores.push_back({root, 0, dtype, ir::contiguous_strides(draft.extents, item_bytes(dtype))});
  add(std::move(copy));
  Emission e;
  begin(e, draft.extents);
  e.draft.kept = draft.kept;
  ValueId item = load_walk(e, {root, 0, dtype, ir::contiguous_strides(draft.extents, item_bytes(dtype))});
  e.draft.nest.folds = true;
  e.draft.nest.fold = terms.fold;
  e.draft.nest.order = terms.order;
  e.draft.nest.folded = item;
  finish_fold(i, std::move(e.draft), n);
}

void KernelBuilder::finish_fold(Index i, NestDraft draft, std::int64_t n) {
  const NodeRole& role = roles_[i];
  bool alone = count(i) == 1;
  bool plain = role.after == NodeRole::After::Nothing && role.accumulate == block_.type(i).dtype;
  // The result's strides over the kept dimensions; the folded ones add
  // nothing.
  Dims strides;
  if (!alone) {
    Dims all = kept_strides(i);
    strides = all;
  }
  strides.resize(draft.extents.size(), 0);
  if (alone) {
    auto number = static_cast<std::uint16_t>(draft_.registers.size());
    draft_.registers.push_back(role.accumulate);
    draft.nest.registers.emplace_back(kNoValue, number);
    add(std::move(draft));
    Emission e;
    begin(e, {});
    Body body(e.draft.nest);
    ValueId v = body.emit(Prim::Register, role.accumulate, kNoValue, kNoValue, kNoValue, number);
    v = after(e, i, v, n);
    give_register(e.draft, i, v);
    if (stored_[i]) store_single(e.draft, i, v);
    add(std::move(e.draft));
  } else if (plain) {
    draft.nest.stores.push_back({kNoValue, {}});
    draft.stores.push_back({memory_.where[i].root, memory_.where[i].layout.offset, role.accumulate, strides});
    add(std::move(draft));
  } else {
    // Sums into memory of their own, then the rest of the op on each.
    RootId root = memory_.new_root(count(i) * item_bytes(role.accumulate));
    Dims shape(draft.extents.begin(), draft.extents.begin() + static_cast<std::ptrdiff_t>(draft.kept));
    Dims dense = ir::contiguous_strides(shape, item_bytes(role.accumulate));
    Dims wide = dense;
    wide.resize(draft.extents.size(), 0);
    draft.nest.stores.push_back({kNoValue, {}});
    draft.stores.push_back({root, 0, role.accumulate, wide});
    add(std::move(draft));
    Emission e;
    begin(e, shape);
    ValueId v = load_walk(e, {root, 0, role.accumulate, dense});
    v = after(e, i, v, n);
    strides.resize(shape.size(), 0);
    e.draft.nest.stores.push_back({v, {}});
    e.draft.stores.push_back({memory_.where[i].root, memory_.where[i].layout.offset, block_.type(i).dtype, strides});
    add(std::move(e.draft));
  }
  emitted_[i] = true;
}

Dims KernelBuilder::kept_strides(Index i) {
  const NodeRole& role = roles_[i];
  const Where& w = memory_.where[i];
  int rank = block_.type(block_.inputs(i)[0]).shape.ssize();
  bool keepdims = w.layout.shape.ssize() == rank;
  Dims strides;
  std::size_t next = 0;
  for (int axis = 0; axis < rank; ++axis) {
    bool folded = std::find(role.axes.begin(), role.axes.end(), axis) != role.axes.end();
    if (!folded) strides.push_back(w.layout.strides[keepdims ? static_cast<std::size_t>(axis) : next]);
    if (!folded || keepdims) ++next;
  }
  return strides;
}

ValueId KernelBuilder::after(Emission& e, Index i, ValueId v, std::int64_t n) {
  const NodeRole& role = roles_[i];
  Body body(e.draft.nest);
  if (role.after == NodeRole::After::Sqrt) v = body.emit(Prim::Sqrt, role.accumulate, v);
  if (role.after == NodeRole::After::Mean) {
    // The number of terms is data of the program: kernels of all lengths are
    // one.
    ValueId divisor =
        load_walk(e, {memory_.constant(role.accumulate, static_cast<double>(n)), 0, role.accumulate, Dims(e.shape.size(), 0)});
    v = body.emit(Prim::Divide, role.accumulate, v, divisor);
  }
  return body.cast(v, block_.type(i).dtype);
}

void KernelBuilder::make_dense(Walk& w, const Dims& shape, std::size_t first, std::size_t last) {
  Dims own, dense(shape.size(), 0);
  for (std::size_t k = 0; k < shape.size(); ++k) own.push_back(w.strides[k] == 0 ? 1 : shape[k]);
  // The dimensions in this order; from the innermost one outwards.
  std::int64_t step = item_bytes(w.dtype);
  auto place = [&](std::size_t k) {
    dense[k] = step;
    step *= own[k];
  };
  for (std::size_t k = last; k-- > first;) place(k);
  for (std::size_t k = shape.size(); k-- > 0;)
    if (k < first || k >= last) place(k);
  RootId copy = memory_.new_root(step);
  Emission c;
  begin(c, own);
  ValueId item = load_walk(c, {w.root, w.offset, w.dtype, w.strides});
  c.draft.nest.stores.push_back({item, {}});
  c.draft.stores.push_back({copy, 0, w.dtype, dense});
  add(std::move(c.draft));
  for (std::size_t k = 0; k < shape.size(); ++k) w.strides[k] = own[k] == 1 ? 0 : dense[k];
  w.root = copy;
  w.offset = 0;
}

void KernelBuilder::product(Index i) {
  const NodeRole& role = roles_[i];
  auto inputs = block_.inputs(i);
  Index a = inputs[0], b = inputs[1];
  Emission e;
  Dims shape;
  auto extent = [&](Index x, std::int64_t axis) { return block_.type(x).shape[static_cast<std::size_t>(axis)]; };
  for (std::int64_t axis : role.batch_a) shape.push_back(extent(a, axis));
  for (std::int64_t axis : role.free_a) shape.push_back(extent(a, axis));
  for (std::int64_t axis : role.free_b) shape.push_back(extent(b, axis));
  std::size_t kept = shape.size();
  for (std::int64_t axis : role.summed_a) shape.push_back(extent(a, axis));
  begin(e, shape);
  e.draft.kept = kept;
  auto strides = [&](Index x, const Dims& batch, const Dims& free, std::size_t free_at, const Dims& summed) {
    const Layout& layout = memory_.where[x].layout;
    auto stride = [&](std::int64_t axis) { return layout.strides[static_cast<std::size_t>(axis)]; };
    Dims s(shape.size(), 0);
    for (std::size_t k = 0; k < batch.size(); ++k) s[k] = stride(batch[k]);
    for (std::size_t k = 0; k < free.size(); ++k) s[free_at + k] = stride(free[k]);
    for (std::size_t k = 0; k < summed.size(); ++k) s[kept + k] = stride(summed[k]);
    return s;
  };
  Body body(e.draft.nest);
  std::size_t batch = role.batch_a.size();
  Dims sa = strides(a, role.batch_a, role.free_a, batch, role.summed_a);
  Dims sb = strides(b, role.batch_b, role.free_b, batch + role.free_a.size(), role.summed_b);
  ValueId x = load_walk(e, {memory_.where[a].root, memory_.where[a].layout.offset, block_.type(a).dtype, sa});
  ValueId y = load_walk(e, {memory_.where[b].root, memory_.where[b].layout.offset, block_.type(b).dtype, sb});
  x = body.cast(x, role.accumulate);
  y = body.cast(y, role.accumulate);
  ValueId v = body.emit(Prim::Multiply, role.accumulate, x, y);
  e.draft.nest.folds = true;
  e.draft.nest.fold = role.fold;
  e.draft.nest.order = role.order;
  e.draft.nest.folded = v;
  std::int64_t n = 1;
  for (std::size_t k = kept; k < shape.size(); ++k) n *= shape[k];
  if (count(i) == 1) {
    if (!foldable(e.draft)) return fold_copied(i, e.draft, n);
    return finish_fold(i, std::move(e.draft), n);
  }
  Dims out = memory_.where[i].layout.strides;
  out.resize(shape.size(), 0);
  auto finish = [&](NestDraft draft) {
    draft.nest.stores.push_back({kNoValue, {}});
    draft.stores.push_back({memory_.where[i].root, memory_.where[i].layout.offset, role.accumulate, out});
    add(std::move(draft));
    emitted_[i] = true;
  };
  if (role.any_order) {
    // A large one: a matrix times a vector is dots along rows; else the second factor's columns lie side by side.
    std::size_t columns = batch + role.free_a.size();
    auto points = [&](std::size_t from, std::size_t to) {
      return ir::element_count(
          Dims(shape.begin() + static_cast<std::ptrdiff_t>(from), shape.begin() + static_cast<std::ptrdiff_t>(to)));
    };
    auto dense_along = [&](const Walk& w, std::size_t axis) { return w.strides[axis] == item_bytes(w.dtype); };
    if (points(batch, columns) == 1 || points(columns, kept) == 1) {
      if (dense_along(e.draft.loads[0], shape.size() - 1) && dense_along(e.draft.loads[1], shape.size() - 1))
        e.draft.nest.order = Order::Pairwise;
    } else if (!dense_along(e.draft.loads[1], kept - 1)) {
      make_dense(e.draft.loads[1], shape, columns, kept);
    }
  }
  if (foldable(e.draft)) return finish(std::move(e.draft));
  // Both factors as matrices, copied where their summed axes lie apart.
  for (Walk& w : e.draft.loads) {
    NestDraft one;
    one.extents = shape;
    one.kept = kept;
    one.loads = {w};
    if (!foldable(one)) make_dense(w, shape, 0, 0);
  }
  if (!foldable(e.draft)) throw ir::Error(ir::ErrorClass::SystemError, "code generation: a product's axes cannot be joined");
  finish(std::move(e.draft));
}

}  // namespace autoray::codegen
