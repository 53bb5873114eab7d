// Writes in place.
#include <algorithm>

#include "codegen/kernel_builder.h"

namespace autoray::codegen {

using ir::Dims;
using ir::Index;
using ir::kNoIndex;

namespace {

bool same_walk(const Walk& a, const Walk& b) {
  return a.root == b.root && a.offset == b.offset && a.dtype == b.dtype && a.strides == b.strides;
}

// Whether no byte belongs to both, however their points are paired; false where that is not easily seen.
bool disjoint(const Walk& a, const Walk& b, const Dims& extents) {
  if (a.root != b.root) return true;
  struct Range {
    std::int64_t first, end;
  };
  auto range = [&](const Walk& w) {
    Range r{w.offset, w.offset + static_cast<std::int64_t>(ir::itemsize(w.dtype))};
    for (std::size_t d = 0; d < extents.size(); ++d) {
      std::int64_t reach = (extents[d] - 1) * w.strides[d];
      (reach < 0 ? r.first : r.end) += reach;
    }
    return r;
  };
  Range p = range(a), q = range(b);
  if (p.end <= q.first || q.end <= p.first) return true;
  // Columns of one matrix: as far apart as their items, modulo one stride.
  if (!(a.strides == b.strides) || a.dtype != b.dtype) return false;
  std::int64_t stride = 0;
  for (std::size_t d = 0; d < extents.size(); ++d) {
    if (extents[d] == 1) continue;
    if (stride) return false;
    stride = std::abs(a.strides[d]);
  }
  if (stride == 0) return false;
  auto item = static_cast<std::int64_t>(ir::itemsize(a.dtype)), apart = std::abs(a.offset - b.offset) % stride;
  return apart >= item && stride - apart >= item;
}

}  // namespace

Walk KernelBuilder::updated_place(Index i, Dims& shape) const {
  ir::DType dtype = block_.type(i).dtype;
  auto place = viewed_along(runtime_, roles_.attrs(i)[0], memory_.where[i].layout, dtype);
  shape = place->shape;
  return {memory_.where[i].root, place->offset, dtype, place->strides};
}

void KernelBuilder::updates(std::span<const Index> list) {
  if (list.empty() || update_directly(list)) return;
  flush();
  for (Index i : list) update(i);
}

bool KernelBuilder::update_directly(std::span<const Index> list) {
  std::vector<Walk> places;
  for (Index i : list) {
    Index value = block_.inputs(i)[1];
    if (roles_[i].indexing || !memory_.in_place[i] || std::ranges::find(open_, value) == open_.end()) return false;
    if (block_.type(value).dtype != block_.type(i).dtype || memory_.joined[value]) return false;
    Dims shape;
    places.push_back(updated_place(i, shape));
    if (!(shape == block_.type(value).shape)) return false;
    for (std::size_t k = 0; k + 1 < places.size(); ++k)
      if (!disjoint(places[k], places.back(), shape)) return false;
  }
  const Dims& shape = block_.type(open_[0]).shape;
  ++stamp_;
  std::vector<Index> needed;
  std::vector<Index> nodes = closure(open_, needed, false);
  // What an index chooses may be any item.
  for (Index i : nodes)
    if (roles_[i].indexing) return false;
  scalars(needed);
  Emission e;
  begin(e, shape);
  for (Index i : nodes) evaluate(e, i);
  for (const Walk& place : places)
    for (const Walk& load : e.draft.loads)
      if (!same_walk(load, place) && !disjoint(load, place, shape)) return false;
  for (Index t : open_)
    if (!only_written_[t]) store_all(e, t);
  for (std::size_t k = 0; k < list.size(); ++k) store(e.draft, e.values[block_.inputs(list[k])[1]], places[k]);
  for (Index t : open_) emitted_[t] = true;
  open_.clear();
  add(std::move(e.draft));
  for (Index i : list) emitted_[i] = true;
  return true;
}

void KernelBuilder::update(Index i) {
  Index base = block_.inputs(i)[0], value = block_.inputs(i)[1];
  const ir::Type& type = block_.type(i);
  if (inlined(value) && single(value)) scalars({value});
  const auto& indexing = roles_[i].indexing;
  if (indexing) check_indices(i);
  if (!memory_.in_place[i]) copy(base, walk_of(i), type.shape, type.dtype);
  Dims points;
  Walk place = updated_place(i, points);
  const Layout view{points, place.strides, place.offset};
  if (indexing) points = indexing->shape;
  if (ir::element_count(points) == 0) {
    emitted_[i] = true;
    return;
  }
  // numpy drops leading axes of extent 1 that the place does not have.
  const Where& w = memory_.where[value];
  Dims shape = w.layout.shape, strides = w.layout.strides;
  while (shape.size() > points.size()) {
    shape.erase(0);
    strides.erase(0);
  }
  Emission e;
  begin(e, points);
  Parts v = register_[value] >= 0 && inside(value)
                ? load(e, value)
                : load_walk(e, {w.root, w.layout.offset, block_.type(value).dtype, broadcast_strides(shape, strides, points)});
  ValueId offset = kNoValue;
  if (indexing) {
    offset = index_offset(e, i, view.strides);
    place.strides = walked(*indexing, view, points.size());
  }
  store(e.draft, Body(e.draft.nest).cast(v, place.dtype), place);
  for (Store& s : e.draft.nest.stores) s.offset = offset;
  add(std::move(e.draft));
  emitted_[i] = true;
}

}  // namespace autoray::codegen
