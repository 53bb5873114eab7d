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
      if (role == Role::Fold) ++folds_it[x];
      bool inside = group(x) != kNoIndex && group(x) == group(i);
      bool looked_at = role == Role::Product || role == Role::Join || role == Role::Update || role == Role::Call;
      if (!inside || looked_at) stored_[x] = true;
      // Over another shape it would be computed again and again.
      if (inside && role == Role::Pointwise && count(x) != 1 && !(block_.type(x).shape == block_.type(i).shape))
        stored_[x] = true;
      if (inside && role == Role::Fold && roles_[x].role != Role::Pointwise) stored_[x] = true;
    }
  }
  for (Index i = 0; i < n; ++i) {
    if (roles_[i].role != Role::Pointwise && count(i) != 1) stored_[i] = true;
    if (roles_[i].expensive && folds_it[i] && uses[i] > 1) stored_[i] = true;
  }
}

bool KernelBuilder::inlined(Index x) { return inside(x) && roles_[x].role == Role::Pointwise && !emitted_[x]; }

KernelDraft KernelBuilder::kernel(Index group) {
  group_ = group;
  draft_ = KernelDraft();
  open_.clear();
  for (Index i : groups_.list[group].nodes) {
    switch (roles_[i].role) {
      case Role::Pointwise: visit_pointwise(i); break;
      case Role::Fold:
        flush();
        fold(i);
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
  flush();
  return std::move(draft_);
}

void KernelBuilder::visit_pointwise(Index i) {
  // What an open nest stores can be read only after it.
  for (Index x : block_.inputs(i)) {
    if (x == kNoIndex) continue;
    bool elsewhere = is_view(x) || !(block_.type(x).shape == block_.type(i).shape);
    if (elsewhere && std::find(open_.begin(), open_.end(), memory_.root_node[x]) != open_.end()) flush();
  }
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

ValueId KernelBuilder::load(Emission& e, Index x) {
  if (auto found = e.values.find(x); found != e.values.end()) return found->second;
  Body body(e.draft.nest);
  ValueId v;
  DType dtype = block_.type(x).dtype;
  if (register_[x] >= 0 && inside(x)) {
    v = body.emit(Prim::Register, dtype, kNoValue, kNoValue, kNoValue, register_[x]);
  } else {
    const Where& w = memory_.where[x];
    v = load_walk(e, {w.root, w.layout.offset, dtype, broadcast_strides(w.layout.shape, w.layout.strides, e.shape)});
  }
  return e.values[x] = v;
}

ValueId KernelBuilder::load_walk(Emission& e, Walk walk) {
  Body body(e.draft.nest);
  e.draft.loads.push_back(std::move(walk));
  return body.emit(Prim::Load, e.draft.loads.back().dtype, kNoValue, kNoValue, kNoValue,
                   static_cast<std::int64_t>(e.draft.loads.size() - 1));
}

ValueId KernelBuilder::evaluate(Emission& e, Index i) {
  const NodeRole& role = roles_[i];
  Body body(e.draft.nest);
  ValueId operands[3] = {kNoValue, kNoValue, kNoValue};
  auto inputs = block_.inputs(i);
  for (std::size_t k = 0; k < role.operands; ++k) {
    if (inputs[k] == kNoIndex) continue;
    ValueId v = load(e, inputs[k]);
    bool condition = block_.nodes[i].op == OpId::Where && k == 0;
    operands[k] = body.cast(v, condition ? DType::Bool : role.compute);
  }
  ValueId v = role.lowering(body, role.compute, std::span(operands, role.operands));
  return e.values[i] = body.cast(v, block_.type(i).dtype);
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
  for (Index t : targets) {
    e.draft.nest.stores.push_back({e.values[t], {}});
    e.draft.stores.push_back(walk_of(t));
  }
  add(std::move(e.draft));
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
    ValueId v = evaluate_single(e, i);
    give_register(e.draft, i, v);
    if (stored_[i]) store_single(e.draft, i, v);
  }
  add(std::move(e.draft));
  for (Index i : list) emitted_[i] = true;
}

ValueId KernelBuilder::evaluate_single(Emission& e, Index i) {
  // Every operand has one element: all strides are gone.
  return evaluate(e, i);
}

void KernelBuilder::give_register(NestDraft& draft, Index i, ValueId v) {
  register_[i] = static_cast<int>(draft_.registers.size());
  draft_.registers.push_back(block_.type(i).dtype);
  draft.nest.registers.emplace_back(v, static_cast<std::uint16_t>(register_[i]));
}

void KernelBuilder::store_single(NestDraft& draft, Index i, ValueId v) {
  draft.nest.stores.push_back({v, {}});
  draft.stores.push_back(
      {memory_.where[i].root, memory_.where[i].layout.offset, block_.type(i).dtype, Dims(draft.extents.size(), 0)});
}

void KernelBuilder::copy(Index x, const Walk& target, const Dims& shape, DType dtype) {
  Emission e;
  begin(e, shape);
  const Where& w = memory_.where[x];
  ValueId v;
  if (register_[x] >= 0 && inside(x))
    v = load(e, x);
  else
    v = load_walk(e,
                  {w.root, w.layout.offset, block_.type(x).dtype, broadcast_strides(w.layout.shape, w.layout.strides, shape)});
  Body body(e.draft.nest);
  v = body.cast(v, dtype);
  e.draft.nest.stores.push_back({v, {}});
  e.draft.stores.push_back(target);
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

void KernelBuilder::update(Index i) {
  Index base = block_.inputs(i)[0], value = block_.inputs(i)[1];
  const ir::Type& type = block_.type(i);
  if (!memory_.in_place[i]) copy(base, walk_of(i), type.shape, type.dtype);
  auto place = viewed_along(runtime_, roles_.attrs(i)[0], memory_.where[i].layout, type.dtype);
  // numpy drops leading axes of extent 1 that the place does not have.
  const Where& w = memory_.where[value];
  Dims shape = w.layout.shape, strides = w.layout.strides;
  while (shape.size() > place->shape.size()) {
    shape.erase(0);
    strides.erase(0);
  }
  Emission e;
  begin(e, place->shape);
  ValueId v =
      register_[value] >= 0 && inside(value)
          ? load(e, value)
          : load_walk(e, {w.root, w.layout.offset, block_.type(value).dtype, broadcast_strides(shape, strides, place->shape)});
  Body body(e.draft.nest);
  v = body.cast(v, type.dtype);
  e.draft.nest.stores.push_back({v, {}});
  e.draft.stores.push_back({memory_.where[i].root, place->offset, type.dtype, place->strides});
  add(std::move(e.draft));
  emitted_[i] = true;
}

void KernelBuilder::add(NestDraft draft) {
  for (const Walk& w : draft.loads) memory_.touch(w.root, group_);
  for (const Walk& w : draft.stores) memory_.touch(w.root, group_);
  simplify(draft);
  draft_.nests.push_back(std::move(draft));
}

}  // namespace autoray::codegen
