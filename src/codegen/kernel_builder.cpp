#include "codegen/kernel_builder.h"

#include <algorithm>

namespace autoray::codegen {

using ir::Dims;
using ir::DType;
using ir::Index;
using ir::kNoIndex;
using ir::OpId;

void KernelBuilder::decide_stores() {
  auto n = static_cast<Index>(block_.nodes.size());
  stored_.assign(n, false);
  register_.assign(n, -1);
  emitted_.assign(n, false);
  only_written_.assign(n, false);
  std::vector<std::uint8_t> folds_it(n, 0), uses(n, 0);
  auto group = [&](Index i) { return groups_.of[i]; };
  for (Index r : block_.results) stored_[memory_.root_node[r]] = true;
  for (Index i = 0; i < n; ++i) {
    if (memory_.joined[i]) stored_[i] = true;
    Role role = roles_[i].role;
    if (role == Role::View) {
      stored_[memory_.root_node[i]] = true;
      continue;
    }
    for (Index x : block_.inputs(i)) {
      if (x == kNoIndex) continue;
      if (uses[x] < 255) ++uses[x];
      bool folds = role == Role::Fold || role == Role::Scan;
      if (folds) ++folds_it[x];
      bool inside = group(x) != kNoIndex && group(x) == group(i);
      if (role == Role::Update && inside && x == block_.inputs(i)[1] && !roles_[i].indexing) {
        only_written_[x] = true;
        continue;
      }
      bool looked_at = role == Role::Product || role == Role::Join || role == Role::Update || role == Role::Routine ||
                       role == Role::CallInto || role == Role::Call || roles_[i].indexing;
      if (!inside || looked_at) stored_[x] = true;
      // Over another shape it would be computed again and again.
      if (inside && role == Role::Pointwise && count(x) != 1 && !(block_.type(x).shape == block_.type(i).shape))
        stored_[x] = true;
      if (inside && folds && roles_[x].role != Role::Pointwise) stored_[x] = true;
    }
  }
  for (Index i = 0; i < n; ++i) {
    if (roles_[i].role != Role::Pointwise && (count(i) != 1 || roles_[i].role == Role::Scan)) stored_[i] = true;
    if (roles_[i].expensive && folds_it[i] && uses[i] > 1) stored_[i] = true;
    // A value of one element is written from its register.
    if (only_written_[i] && stored_[i])
      only_written_[i] = false;
    else if (only_written_[i] && !single(i))
      stored_[i] = true;
  }
}

bool KernelBuilder::inlined(Index x) { return inside(x) && roles_[x].role == Role::Pointwise && !emitted_[x]; }

KernelDraft KernelBuilder::kernel(Index group) {
  group_ = group;
  draft_ = KernelDraft();
  open_.clear();
  const std::span<const Index> nodes = groups_.list[group].nodes;
  const std::size_t ordered = nodes.size() - groups_.list[group].written;
  for (Index i : nodes.first(ordered)) {
    switch (roles_[i].role) {
      case Role::Pointwise: visit_pointwise(i); break;
      case Role::Fold:
        flush();
        fold(i);
        break;
      case Role::Scan:
        flush();
        scan(i);
        break;
      case Role::Product:
        flush();
        product(i);
        break;
      case Role::Join:
        flush();
        join(i);
        break;
      case Role::Update:
        flush();
        update(i);
        break;
      default: break;
    }
  }
  updates(nodes.subspan(ordered));
  flush();
  return std::move(draft_);
}

void KernelBuilder::visit_pointwise(Index i) {
  // What an open nest stores can be read only after it.
  for (Index x : block_.inputs(i)) {
    if (x == kNoIndex) continue;
    bool elsewhere = roles_[i].indexing || is_view(x) || !(block_.type(x).shape == block_.type(i).shape);
    if (elsewhere && std::find(open_.begin(), open_.end(), memory_.root_node[x]) != open_.end()) flush();
  }
  if (roles_[i].indexing) check_indices(i);
  if (!stored_[i]) return;
  if (single(i)) {
    scalars({i});
    return;
  }
  if (!open_.empty() && !(block_.type(open_[0]).shape == block_.type(i).shape)) flush();
  open_.push_back(i);
}

void KernelBuilder::flush() {
  if (open_.empty()) return;
  std::vector<Index> targets = std::move(open_);
  open_.clear();
  map(targets, block_.type(targets[0]).shape);
  for (Index t : targets) emitted_[t] = true;
}

std::vector<Index> KernelBuilder::closure(std::span<const Index> targets, std::vector<Index>& scalars_needed, bool of_scalars) {
  std::vector<Index> list, stack(targets.begin(), targets.end());
  while (!stack.empty()) {
    Index i = stack.back();
    stack.pop_back();
    if (seen_.size() < block_.nodes.size()) seen_.resize(block_.nodes.size(), 0);
    if (seen_[i] == stamp_) continue;
    seen_[i] = stamp_;
    list.push_back(i);
    auto inputs = block_.inputs(i);
    for (std::size_t k = 0; k < roles_[i].operands; ++k) {
      Index x = inputs[k];
      if (x == kNoIndex || !inlined(x) || register_[x] >= 0) continue;
      if (single(x) && !of_scalars)
        scalars_needed.push_back(x);
      else
        stack.push_back(x);
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

void KernelBuilder::begin(Emission& e, const Dims& shape) {
  e.shape = shape;
  e.draft.extents = shape;
  e.draft.kept = shape.size();
}

Parts KernelBuilder::load(Emission& e, Index x) {
  if (auto found = e.values.find(x); found != e.values.end()) return found->second;
  Body body(e.draft.nest);
  Parts v;
  DType dtype = block_.type(x).dtype, part = ir::is_complex(dtype) ? ir::real_dtype(dtype) : dtype;
  if (register_[x] >= 0 && inside(x)) {
    v.re = body.emit(Prim::Register, part, kNoValue, kNoValue, kNoValue, register_[x]);
    if (part != dtype) v.im = body.emit(Prim::Register, part, kNoValue, kNoValue, kNoValue, register_[x] + 1);
  } else {
    const Where& w = memory_.where[x];
    v = load_walk(e, {w.root, w.layout.offset, dtype, broadcast_strides(w.layout.shape, w.layout.strides, e.shape)});
  }
  return e.values[x] = v;
}

Parts KernelBuilder::load_walk(Emission& e, const Walk& walk) {
  Body body(e.draft.nest);
  auto part = [&](int number) {
    e.draft.loads.push_back(walk);
    e.draft.loads.back().part = number;
    return body.emit(Prim::Load, ir::is_complex(walk.dtype) ? ir::real_dtype(walk.dtype) : walk.dtype, kNoValue, kNoValue,
                     kNoValue, static_cast<std::int64_t>(e.draft.loads.size() - 1));
  };
  Parts v;
  v.re = part(0);
  if (ir::is_complex(walk.dtype)) v.im = part(1);
  return v;
}

Parts KernelBuilder::evaluate(Emission& e, Index i) {
  const NodeRole& role = roles_[i];
  Body body(e.draft.nest);
  if (role.indexing) return e.values[i] = gather(e, i);
  ir::SmallVector<Parts, 4> operands;
  if (role.index) {
    AffineIndex index = *role.index;
    if (!index.by_memory.empty()) index.steps = numbered_by_memory(block_.inputs(i)[0], index.by_memory);
    operands.push_back(affine_index(e, index));
  }
  auto inputs = block_.inputs(i);
  for (std::size_t k = 0; k < role.operands; ++k) {
    Parts v;
    if (inputs[k] != kNoIndex) {
      bool condition = block_.nodes[i].op == OpId::Where && k == 0;
      v = load(e, inputs[k]);
      // A Python number is one of float16 before it takes part.
      if (role.half && block_.type(inputs[k]).kind == ir::Kind::Weak) v = body.cast(v, DType::Float16);
      v = body.cast(v, condition ? DType::Bool : role.compute);
    }
    operands.push_back(v);
  }
  Parts v = role.lowering(body, role.compute, std::span(operands.begin(), operands.size()), role.parameters);
  return e.values[i] = body.cast(v, block_.type(i).dtype);
}

// The axis of the largest stride is the outermost.
Dims KernelBuilder::numbered_by_memory(Index x, Dims axes) const {
  const Layout& layout = memory_.where[x].layout;
  std::sort(axes.begin(), axes.end());
  auto stride = [&](std::int64_t axis) { return std::abs(layout.strides[static_cast<std::size_t>(axis)]); };
  std::stable_sort(axes.begin(), axes.end(), [&](std::int64_t a, std::int64_t b) { return stride(a) > stride(b); });
  Dims steps(layout.shape.size(), 0);
  std::int64_t step = 1;
  for (std::size_t k = axes.size(); k-- > 0;) {
    auto axis = static_cast<std::size_t>(axes[k]);
    steps[axis] = step;
    step *= layout.shape[axis];
  }
  return steps;
}

void KernelBuilder::store(NestDraft& draft, Parts value, const Walk& walk) {
  for (int part = 0; part < (value.complex() ? 2 : 1); ++part) {
    draft.nest.stores.push_back({value[part], {}});
    draft.stores.push_back(walk);
    draft.stores.back().part = part;
  }
}

Walk KernelBuilder::walk_of(Index i) const {
  const Where& w = memory_.where[i];
  return {w.root, w.layout.offset, block_.type(i).dtype, w.layout.strides};
}

void KernelBuilder::map(std::span<const Index> targets, const Dims& shape) {
  ++stamp_;
  std::vector<Index> needed;
  std::vector<Index> list = closure(targets, needed, false);
  scalars(needed);
  Emission e;
  begin(e, shape);
  for (Index i : list) evaluate(e, i);
  for (Index t : targets) store_all(e, t);
  add(std::move(e.draft));
}

void KernelBuilder::store_all(Emission& e, Index t) {
  store(e.draft, e.values[t], walk_of(t));
  if (!memory_.beside[t]) return;
  Where part = memory_.part_of_join(t);
  store(e.draft, e.values[t], {part.root, part.layout.offset, block_.type(t).dtype, part.layout.strides});
}

void KernelBuilder::scalars(std::vector<Index> targets) {
  std::erase_if(targets, [&](Index t) { return register_[t] >= 0; });
  if (targets.empty()) return;
  ++stamp_;
  std::vector<Index> none;
  std::vector<Index> list = closure(targets, none, true);
  Emission e;
  begin(e, {});
  for (Index i : list) {
    Parts v = evaluate(e, i);
    give_register(e.draft, i, v);
    if (stored_[i]) store_single(e.draft, i, v);
  }
  add(std::move(e.draft));
  for (Index i : list) emitted_[i] = true;
}

std::uint16_t KernelBuilder::new_registers(DType dtype) {
  auto number = static_cast<std::uint16_t>(draft_.registers.size());
  draft_.registers.insert(draft_.registers.end(), ir::is_complex(dtype) ? 2 : 1,
                          ir::is_complex(dtype) ? ir::real_dtype(dtype) : dtype);
  return number;
}
void KernelBuilder::give_register(NestDraft& draft, Index i, Parts v) {
  std::uint16_t number = new_registers(block_.type(i).dtype);
  register_[i] = number;
  draft.nest.registers.emplace_back(v.re, number);
  if (v.complex()) draft.nest.registers.emplace_back(v.im, static_cast<std::uint16_t>(number + 1));
}

void KernelBuilder::store_single(NestDraft& draft, Index i, Parts v) {
  store(draft, v, {memory_.where[i].root, memory_.where[i].layout.offset, block_.type(i).dtype, Dims(draft.extents.size(), 0)});
}

void KernelBuilder::copy(Index x, const Walk& target, const Dims& shape, DType dtype) {
  Emission e;
  begin(e, shape);
  const Where& w = memory_.where[x];
  Parts v;
  if (register_[x] >= 0 && inside(x))
    v = load(e, x);
  else
    v = load_walk(e,
                  {w.root, w.layout.offset, block_.type(x).dtype, broadcast_strides(w.layout.shape, w.layout.strides, shape)});
  store(e.draft, Body(e.draft.nest).cast(v, dtype), target);
  add(std::move(e.draft));
}

void KernelBuilder::join(Index i) {
  auto inputs = block_.inputs(i);
  DType dtype = block_.type(i).dtype;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (memory_.made_in_join(i, k)) continue;
    if (count(inputs[k]) == 0) continue;
    Where part = memory_.part_of_join(i, k);
    copy(inputs[k], {part.root, part.layout.offset, dtype, part.layout.strides}, part.layout.shape, dtype);
  }
  emitted_[i] = true;
}

void KernelBuilder::add(NestDraft draft) {
  for (const Walk& w : draft.loads)
    if (w.root != kNoRoot) memory_.touch(w.root, group_);
  for (const Walk& w : draft.stores) memory_.touch(w.root, group_);
  simplify(draft);
  draft_.nests.push_back(std::move(draft));
}

}  // namespace autoray::codegen
