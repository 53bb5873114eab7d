#include "codegen/kernel_builder.h"

#include <algorithm>
#include <array>

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

Parts KernelBuilder::operand_value(Emission& e, Index x) {
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

Parts KernelBuilder::terms(Emission& e, Index i, Dims& order) {
  const NodeRole& role = roles_[i];
  Index x = block_.inputs(i)[0];
  scalars_for(x);
  const Dims shape = block_.type(x).shape;
  begin(e, shape);
  Parts v = operand_value(e, x);
  Body body(e.draft.nest);
  if (role.before == NodeRole::Before::Truth) v = body.cast(v, DType::Bool);
  if (role.before == NodeRole::Before::Square) {
    Parts term{body.emit(Prim::Multiply, body.dtype(v.re), v.re, v.re)};
    if (v.complex())
      term.re = body.emit(Prim::Add, body.dtype(v.re), term.re, body.emit(Prim::Multiply, body.dtype(v.im), v.im, v.im));
    v = term;
  }
  // Kept dimensions first, in order; the folded ones behind.
  for (int pass = 0; pass < 2; ++pass)
    for (int axis = 0; axis < shape.ssize(); ++axis) {
      bool folded = std::find(role.axes.begin(), role.axes.end(), axis) != role.axes.end();
      if (folded == (pass == 1)) order.push_back(axis);
    }
  e.draft.kept = order.size() - role.axes.size();
  return body.cast(v, role.accumulate);
}

void KernelBuilder::fold(Index i) {
  const NodeRole& role = roles_[i];
  Index x = block_.inputs(i)[0];
  Emission e;
  Dims order;
  Parts v = terms(e, i, order);
  std::int64_t n = 1;
  for (std::int64_t axis : role.axes) n *= block_.type(x).shape[static_cast<std::size_t>(axis)];
  // The norm of everything walks memory, as the eager kernel does.
  if (role.after == NodeRole::After::Sqrt && e.draft.kept == 0 && fortran_order(memory_.where[x].layout, block_.type(x).dtype))
    std::reverse(order.begin(), order.end());
  permute(e.draft, order);
  fold_terms(i, e.draft, v, n, role.order);
}

// Each partial result goes where its last term stands.
void KernelBuilder::scan(Index i) {
  const NodeRole& role = roles_[i];
  Emission e;
  Dims order, strides;
  Parts v = terms(e, i, order);
  permute(e.draft, order);
  for (std::int64_t axis : order) strides.push_back(memory_.where[i].layout.strides[static_cast<std::size_t>(axis)]);
  for (int part = 0; part < (v.complex() ? 2 : 1); ++part) {
    NestDraft draft = e.draft;
    draft.nest.folds = draft.nest.scans = true;
    draft.nest.fold = role.fold;
    draft.nest.order = role.order;
    draft.nest.folded = v[part];
    draft.nest.stores.push_back({kNoValue, {}});
    draft.stores.push_back({memory_.where[i].root, memory_.where[i].layout.offset, role.accumulate, strides, part});
    add(std::move(draft));
  }
  emitted_[i] = true;
}

void KernelBuilder::fold_terms(Index i, const NestDraft& draft, Parts terms, std::int64_t n, Order order) {
  const NodeRole& role = roles_[i];
  std::vector<NestDraft> parts;
  for (int part = 0; part < (terms.complex() ? 2 : 1); ++part) {
    parts.push_back(draft);
    Nest& nest = parts.back().nest;
    nest.folds = true;
    nest.fold = role.fold;
    nest.order = order;
    nest.folded = terms[part];
    if (!foldable(draft)) parts.back() = with_copied_terms(parts.back());
  }
  finish_fold(i, parts, n);
}

NestDraft KernelBuilder::with_copied_terms(const NestDraft& draft) {
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
  Parts item = load_walk(e, {root, 0, dtype, ir::contiguous_strides(draft.extents, item_bytes(dtype))});
  e.draft.nest.folds = true;
  e.draft.nest.fold = terms.fold;
  e.draft.nest.order = terms.order;
  e.draft.nest.folded = item.re;
  return std::move(e.draft);
}

void KernelBuilder::finish_fold(Index i, std::span<NestDraft> parts, std::int64_t n) {
  const NodeRole& role = roles_[i];
  const NestDraft& draft = parts[0];
  bool alone = count(i) == 1;
  bool plain = role.after == NodeRole::After::Nothing && role.accumulate == block_.type(i).dtype;
  // The result's strides over the kept dimensions; the folded ones add
  // nothing.
  Dims strides;
  if (!alone) {
    Dims all = kept_strides(i);
    strides = all;
  }
  if (alone) {
    std::uint16_t number = new_registers(role.accumulate);
    Emission e;
    begin(e, {});
    Body body(e.draft.nest);
    ValueId values[2] = {kNoValue, kNoValue};
    for (std::size_t k = 0; k < parts.size(); ++k) {
      auto mine = static_cast<std::uint16_t>(number + k);
      parts[k].nest.registers.emplace_back(kNoValue, mine);
      add(std::move(parts[k]));
      values[k] = body.emit(Prim::Register, draft_.registers[mine], kNoValue, kNoValue, kNoValue, mine);
    }
    Parts v = after(e, i, {values[0], values[1]}, n);
    give_register(e.draft, i, v);
    if (stored_[i]) store_single(e.draft, i, v);
    add(std::move(e.draft));
    emitted_[i] = true;
    return;
  }
  // Straight into the result; or into memory of their own, then the rest of the op on each.
  Walk to{memory_.where[i].root, memory_.where[i].layout.offset, role.accumulate, strides};
  Dims shape(draft.extents.begin(), draft.extents.begin() + static_cast<std::ptrdiff_t>(draft.kept));
  if (!plain) {
    to.root = memory_.new_root(count(i) * item_bytes(role.accumulate));
    to.offset = 0;
    to.strides = ir::contiguous_strides(shape, item_bytes(role.accumulate));
  }
  for (std::size_t k = 0; k < parts.size(); ++k) {
    parts[k].nest.stores.push_back({kNoValue, {}});
    parts[k].stores.push_back(to);
    parts[k].stores.back().part = static_cast<int>(k);
    parts[k].stores.back().strides.resize(parts[k].extents.size(), 0);
    add(std::move(parts[k]));
  }
  if (!plain) {
    Emission e;
    begin(e, shape);
    Parts v = after(e, i, load_walk(e, to), n);
    store(e.draft, v, {memory_.where[i].root, memory_.where[i].layout.offset, block_.type(i).dtype, strides});
    add(std::move(e.draft));
  }
  emitted_[i] = true;
}

Dims KernelBuilder::kept_strides(Index i) {
  const NodeRole& role = roles_[i];
  const Where& w = memory_.where[i];
  if (role.role == Role::Product) return w.layout.strides;
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

Parts KernelBuilder::after(Emission& e, Index i, Parts v, std::int64_t n) {
  const NodeRole& role = roles_[i];
  Body body(e.draft.nest);
  if (role.after == NodeRole::After::Sqrt) v.re = body.emit(Prim::Sqrt, role.accumulate, v.re);
  if (role.after == NodeRole::After::Mean) {
    // The number of terms is data of the program: kernels of all lengths are
    // one.
    DType part = body.dtype(v.re);
    ValueId divisor = load_walk(e, {memory_.constant(part, static_cast<double>(n)), 0, part, Dims(e.shape.size(), 0)}).re;
    if (v.complex()) {
      const Parts operands[] = {v, {divisor, body.real(part, 0)}};
      v = pointwise(OpId::Divide, role.accumulate)(body, role.accumulate, std::span(operands), {});
    } else {
      v.re = body.emit(Prim::Divide, part, v.re, divisor);
    }
  }
  return body.cast(v, block_.type(i).dtype);
}

void KernelBuilder::make_dense(std::vector<Walk>& loads, std::size_t number, const Dims& shape, std::size_t first,
                               std::size_t last) {
  Walk& w = loads[number];
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
  store(c.draft, load_walk(c, {w.root, w.offset, w.dtype, w.strides}), {copy, 0, w.dtype, dense});
  add(std::move(c.draft));
  for (std::size_t k = 0; k < shape.size(); ++k) w.strides[k] = own[k] == 1 ? 0 : dense[k];
  w.root = copy;
  w.offset = 0;
  // The imaginary part lies beside the real one.
  if (number + 1 < loads.size() && loads[number + 1].part == 1) {
    loads[number + 1] = w;
    loads[number + 1].part = 1;
  }
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
  Parts x = load_walk(e, {memory_.where[a].root, memory_.where[a].layout.offset, block_.type(a).dtype, sa});
  Parts y = load_walk(e, {memory_.where[b].root, memory_.where[b].layout.offset, block_.type(b).dtype, sb});
  const std::array factors = {body.cast(x, role.accumulate), body.cast(y, role.accumulate)};
  Parts v = pointwise(OpId::Multiply, role.accumulate)(body, role.accumulate, factors, {});
  std::int64_t n = 1;
  for (std::size_t k = kept; k < shape.size(); ++k) n *= shape[k];
  Order order = role.order;
  if (role.any_order) {
    // A large one: a matrix times a vector is dots along rows; else the second factor's columns lie side by side.
    std::size_t columns = batch + role.free_a.size();
    auto points = [&](std::size_t from, std::size_t to) {
      return ir::element_count(
          Dims(shape.begin() + static_cast<std::ptrdiff_t>(from), shape.begin() + static_cast<std::ptrdiff_t>(to)));
    };
    auto dense_along = [&](const Walk& w, std::size_t axis) { return w.strides[axis] == item_bytes(w.dtype); };
    std::size_t second = x.complex() ? 2 : 1;  // of the loads
    if (points(batch, columns) == 1 || points(columns, kept) == 1) {
      if (dense_along(e.draft.loads[0], shape.size() - 1) && dense_along(e.draft.loads[second], shape.size() - 1))
        order = Order::Pairwise;
    } else if (!dense_along(e.draft.loads[second], kept - 1)) {
      make_dense(e.draft.loads, second, shape, columns, kept);
    }
  }
  if (count(i) == 1 || foldable(e.draft)) return fold_terms(i, e.draft, v, n, order);
  // Both factors as matrices, copied where their summed axes lie apart.
  for (std::size_t number = 0; number < e.draft.loads.size(); ++number) {
    const Walk& w = e.draft.loads[number];
    if (w.part == 1) continue;  // copied with the real part
    NestDraft one;
    one.extents = shape;
    one.kept = kept;
    one.loads = {w};
    if (!foldable(one)) make_dense(e.draft.loads, number, shape, 0, 0);
  }
  if (!foldable(e.draft)) throw ir::Error(ir::ErrorClass::SystemError, "code generation: a product's axes cannot be joined");
  fold_terms(i, e.draft, v, n, order);
}

}  // namespace autoray::codegen
