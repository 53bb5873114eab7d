// Indices by arrays: the view of their basic part, and what the arrays choose along its axes.
#include <algorithm>

#include "codegen/expand/expander.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"

namespace autoray::codegen::expansion {

namespace {

bool indexes(DType dtype) { return ir::is_integer(dtype) || ir::is_bool(dtype); }

struct Choice {
  Attr::Tuple basic;  // the index with whole axes for arrays
  Indexing indexing;
};

// As ir::indexed_shape: where the axes of arrays come in the result. An int among arrays takes part as one.
std::optional<Choice> choice(const Expander& to, const Dims& shape, const Attr::Tuple& index, std::span<const Index> arrays,
                             std::size_t first_input) {
  int consumed = 0;
  for (const Attr& item : index) consumed += !item.none() && !item.get<ir::Ellipsis>();
  Choice c;
  Dims kept, extents;  // axes of the view that stay, with their extents
  std::vector<std::span<const std::int64_t>> index_shapes;
  bool together = true, parted = false;
  int first = -1, last = -2;
  std::size_t axis = 0;
  std::int64_t of_view = 0;
  auto keep = [&](Attr item, std::int64_t extent) {
    c.basic.push_back(std::move(item));
    kept.push_back(of_view++);
    extents.push_back(extent);
  };
  auto advanced = [&] {
    if (first < 0) first = kept.ssize();
    if (last >= 0 && (parted || last != kept.ssize())) together = false;
    last = kept.ssize();
    parted = false;
  };
  auto whole = [&](int count) {
    for (; count > 0; --count) keep(Attr(ir::Slice{}), shape[axis++]);
  };
  for (const Attr& item : index) {
    if (item.none()) {
      keep(item, 1);
    } else if (auto* i = item.get<std::int64_t>()) {
      std::int64_t at = *i < 0 ? *i + shape[axis] : *i;
      advanced();
      c.basic.push_back(Attr(ir::Slice{at, at + 1, std::nullopt}));
      ++of_view;
      ++axis;
    } else if (auto* slice = item.get<ir::Slice>()) {
      keep(item, ir::slice_range(*slice, shape[axis]).count);
      ++axis;
    } else if (item.get<ir::Ellipsis>()) {
      parted = true;
      whole(shape.ssize() - consumed);
    } else {
      auto number = static_cast<std::size_t>(item.get<ir::OperandRef>()->operand);
      const ir::Type& array = to.type(arrays[number]);
      if (!ir::is_integer(array.dtype)) return std::nullopt;
      advanced();
      index_shapes.push_back(array.shape);
      auto named = static_cast<std::int64_t>(axis);
      c.indexing.arrays.push_back({first_input + number, of_view, shape[axis], named});
      c.basic.push_back(Attr(ir::Slice{}));
      ++of_view;
      ++axis;
    }
  }
  whole(shape.ssize() - static_cast<int>(axis));
  Dims broadcast = ir::broadcast_all(index_shapes);
  std::size_t place = together ? static_cast<std::size_t>(first) : 0;
  for (std::size_t k = broadcast.size(); k-- > 0;) {
    kept.insert(place, -1);
    extents.insert(place, broadcast[k]);
  }
  for (Indexing::Array& array : c.indexing.arrays)
    array.first = place + broadcast.size() - to.type(arrays[array.input - first_input]).shape.size();
  c.indexing.axes = std::move(kept);
  c.indexing.shape = std::move(extents);
  return c;
}

}  // namespace

Index chosen(Expander& to, const ir::Type& type, Inputs inputs, Indexing indexing) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = type.dtype;
  role.c_order = true;
  role.indexing = std::move(indexing);
  return to.given(type, std::move(inputs), std::move(role));
}

Index getitem(Expander& to, const Site& site) {
  if (site.inputs.size() < 2) return kNoIndex;
  auto* index = site.attr("index").get<Attr::Tuple>();
  if (!index) return kNoIndex;
  Inputs all(site.inputs.begin(), site.inputs.end());
  auto c = choice(to, to.shape(all[0]), *index, std::span(all).subspan(1), 1);
  if (!c) return kNoIndex;
  all[0] = to.call(OpId::GetItem, {all[0]}, {{"index", c->basic}});
  return chosen(to, site.type, std::move(all), std::move(c->indexing));
}

namespace {

bool reshapes_nothing(const Attr::Tuple& path) {
  return std::ranges::none_of(path, [](const Attr& step) {
    OpId id = ir::find_op(*(*step.get<Attr::Tuple>())[0].get<std::string>());
    return id == OpId::Reshape || id == OpId::Ravel;
  });
}

// Seen along the path of a write.
Index along(Expander& to, Index x, std::span<const Attr> path) {
  for (const Attr& step : path) {
    const auto& parts = *step.get<Attr::Tuple>();
    OpId id = ir::find_op(*parts[0].get<std::string>());
    auto names = ir::attribute_names(id);
    std::vector<Named> given;
    for (std::size_t k = 0; k < names.size() && k + 1 < parts.size(); ++k) given.emplace_back(names[k], parts[k + 1]);
    x = to.call(id, {x}, given);
  }
  return x;
}

// A new version of x with the value written where the path leads. Where a reshape would be a view in the memory of the eager
// array alone, that is reshaped, written, and reshaped back.
Index put(Expander& to, Index x, std::span<const Attr> path, Index value) {
  auto steps = [&](std::size_t count) { return Attr::Tuple(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(count)); };
  std::size_t known = 0;
  for (; known < path.size(); ++known) {
    DType item = to.dtype(x);
    if (!viewed_along(to.runtime(), Attr(steps(known + 1)), contiguous_layout(to.type(x)), item)) break;
  }
  if (known == path.size()) return to.call(OpId::SetItem, {x, value}, {{"path", steps(known)}});
  const auto& step = *path[known].get<Attr::Tuple>();
  OpId id = ir::find_op(*step[0].get<std::string>());
  if (id != OpId::Reshape && id != OpId::Ravel) return kNoIndex;
  auto names = ir::attribute_names(id);
  auto order = static_cast<std::size_t>(std::ranges::find(names, "order") - names.begin());
  auto* text = order + 1 < step.size() ? step[order + 1].get<std::string>() : nullptr;
  if (!text || (*text != "C" && *text != "F")) return kNoIndex;
  Index before = along(to, x, steps(known));
  ir::Type flat = to.type(before);
  const std::span<const Attr> attrs(step.begin() + 1, step.end());
  const ir::OperandType operand[] = {{&flat}};
  const std::uint32_t groups[] = {1};
  ir::Inference inference{ir::op(id), operand, groups, attrs, {}};
  ir::infer(inference);
  auto reshaped = [&](Index of, const Dims& as) { return *text == "C" ? to.reshape(of, as) : reshape_columns(to, of, as); };
  Index after = put(to, reshaped(before, inference.results[0].shape), path.subspan(known + 1), value);
  if (after == kNoIndex) return kNoIndex;
  Attr::Tuple place = steps(known);
  if (place.empty()) place.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(Attr::Tuple{Attr(ir::Ellipsis{})})}));
  return to.call(OpId::SetItem, {x, reshaped(after, flat.shape)}, {{"path", std::move(place)}});
}

// A new version of the first input, with the second written where arrays choose behind the path.
Index updated(Expander& to, const ir::Type& type, Inputs inputs, Attr::Tuple path, Indexing indexing) {
  NodeRole role;
  role.role = Role::Update;
  role.indexing = std::move(indexing);
  const Attr attrs[] = {Attr(std::move(path))};
  return to.given(type, std::move(inputs), std::move(role), attrs);
}

// As many values as the mask takes places: the places of its ones, in order, each written into a list of that length; those of
// its zeros behind it.
Index set_counted(Expander& to, const Site& site, Attr::Tuple path, const Dims& place, const Attr::Tuple& index,
                  std::int64_t count) {
  Index mask = site.inputs[2];
  const Dims taken = to.shape(mask);
  auto number = [&](std::int64_t n) { return to.constant(DType::Int64, static_cast<double>(n)); };
  Index flags = to.flat(mask);
  std::int64_t size = to.shape(flags)[0];
  Index counted = to.call(OpId::Cumsum, {to.cast(flags, DType::Int64)}, {{"axis", std::int64_t{0}}, {"dtype", DType::Int64}});
  Index slots = to.call(OpId::Minimum, {to.call(OpId::Subtract, {counted, number(1)}), number(count)});
  slots = to.call(OpId::Where, {flags, slots, number(count)});
  Indexing into;
  into.shape = {size};
  into.axes = {-1};
  into.arrays.push_back({2, 0, count + 1, 0, 0});
  Attr::Tuple whole = {Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(Attr::Tuple{Attr(ir::Slice{})})})};
  Index list =
      updated(to, {DType::Int64, Kind::Array, {count + 1}},
              {to.constant(DType::Int64, 0, {count + 1}), to.affine({size}, {{1}}), slots}, std::move(whole), std::move(into));
  list = to.slice(list, 0, 0, count);
  Inputs all{site.inputs[0], site.inputs[1]};
  Attr::Tuple integers;
  std::int64_t inner = size;
  for (const Attr& item : index) {
    if (!item.get<ir::OperandRef>()) {
      integers.push_back(item);
      continue;
    }
    for (std::int64_t extent : taken) {
      inner /= extent;
      integers.push_back(Attr(ir::OperandRef{static_cast<int>(all.size() - 2)}));
      Index along = to.call(OpId::FloorDivide, {list, number(inner)});
      all.push_back(to.call(OpId::Remainder, {along, number(extent)}));
    }
  }
  auto c = choice(to, place, integers, std::span(all).subspan(2), 2);
  if (!c) return kNoIndex;
  // What is told where the mask takes another number of places.
  Dims result = c->indexing.shape;
  std::size_t at = c->indexing.arrays[0].first;
  std::span<const std::int64_t> values[] = {to.type(site.inputs[1]).shape};
  std::string from = ir::broadcast_shapes_text(values), before = "(", after;
  from.pop_back();
  for (std::size_t k = 0; k < result.size(); ++k)
    (k < at ? before : after) += k == at ? "" : (k > at ? "," : "") + std::to_string(result[k]) + (k < at ? "," : "");
  after += result.size() == 1 ? ",)" : ")";
  c->indexing.count = Indexing::Count{
      all.size(), count,
      "shape mismatch: value array of shape " + from + " could not be broadcast to indexing result of shape " + before, after};
  all.push_back(to.slice(counted, 0, size - 1, size));
  path.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(c->basic)}));
  return updated(to, site.type, std::move(all), std::move(path), std::move(c->indexing));
}

// Values that do not depend on how many places the mask takes: a choice at every place.
Index set_masked(Expander& to, const Site& site, const Attr::Tuple& path, const Dims& place, const Attr::Tuple& index) {
  Index x = site.inputs[0], value = site.inputs[1], mask = site.inputs[2];
  const Dims taken = to.shape(mask);
  // One truth value takes all or nothing.
  if (taken.empty() ? index.size() != 1 || to.shape(value).size() > place.size()
                    : taken.size() == place.size() && to.shape(value).size() > 1)
    return kNoIndex;
  // The view of the index's other items, whole along the mask's axes, which begin at `at`.
  Attr::Tuple basic;
  std::size_t at = 0, axis = 0, consumed = taken.size() - 1;
  for (const Attr& item : index) consumed += !item.none() && !item.get<ir::Ellipsis>();
  for (const Attr& item : index) {
    if (item.get<std::int64_t>()) return kNoIndex;
    if (item.get<ir::OperandRef>()) {
      at = basic.size();
      for (std::int64_t extent : taken) {
        if (extent != place[axis++]) return kNoIndex;
        basic.push_back(Attr(ir::Slice{}));
      }
    } else if (item.get<ir::Ellipsis>()) {
      for (std::size_t k = consumed; k < place.size(); ++k, ++axis) basic.push_back(Attr(ir::Slice{}));
    } else {
      axis += !item.none();
      basic.push_back(item);
    }
  }
  for (; axis < place.size(); ++axis) basic.push_back(Attr(ir::Slice{}));
  // In the values one axis stands for all of the mask's.
  std::size_t behind = basic.size() - at - taken.size();
  Dims one = to.shape(value), seen = taken;
  if (one.size() > behind) {
    std::size_t counted = one.size() - behind - 1;
    if (one[counted] == 0) return kNoIndex;
    if (one[counted] != 1) return set_counted(to, site, path, place, index, one[counted]);
    for (std::size_t k = 1; k < taken.size(); ++k) one.insert(counted, 1);
    while (one.size() > basic.size() && one[0] == 1) one.erase(0);
    if (one.size() > basic.size()) return kNoIndex;
  }
  for (std::size_t k = 0; k < behind; ++k) seen.push_back(1);
  Attr::Tuple whole = path;
  whole.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(basic)}));
  Index now = along(to, x, whole);
  Index fresh = to.call(OpId::Where, {to.reshape(mask, seen), to.cast(to.reshape(value, one), to.dtype(now)), now});
  if (path.empty() && index.size() == 1) return fresh;
  return to.call(OpId::SetItem, {x, fresh}, {{"path", std::move(whole)}});
}

}  // namespace

Index setitem(Expander& to, const Site& site) {
  auto* steps = site.attr("path").get<Attr::Tuple>();
  if (site.inputs.size() == 2) {
    if (reshapes_nothing(*steps)) return kNoIndex;
    DType part = site.type.dtype;
    if (viewed_along(to.runtime(), Attr(*steps), contiguous_layout(site.type), part)) return kNoIndex;
    return put(to, site.inputs[0], *steps, site.inputs[1]);
  }
  Attr::Tuple path(steps->begin(), steps->end() - 1);
  auto* last = steps->back().get<Attr::Tuple>();
  auto* index = last->size() == 2 ? (*last)[1].get<Attr::Tuple>() : nullptr;
  DType item = site.type.dtype;
  auto place = viewed_along(to.runtime(), Attr(path), contiguous_layout(site.type), item);
  if (!index || !place) return kNoIndex;
  DType value = to.dtype(site.inputs[1]);
  if (ir::is_complex(value) && !ir::is_complex(item)) return kNoIndex;  // numpy warns
  if (to.out_of_range(site.inputs[1], item)) return kNoIndex;
  if (site.inputs.size() == 3 && ir::is_bool(to.dtype(site.inputs[2]))) return set_masked(to, site, path, place->shape, *index);
  Inputs all(site.inputs.begin(), site.inputs.end());
  auto c = choice(to, place->shape, *index, std::span(all).subspan(2), 2);
  if (!c) return kNoIndex;
  if (ir::element_count(c->indexing.shape) == 0) {
    NodeRole role;
    role.role = Role::Pointwise;
    role.compute = site.type.dtype;
    role.lowering = identity;
    role.operands = 1;
    return to.given(site.type, std::move(all), std::move(role));
  }
  path.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(c->basic)}));
  return updated(to, site.type, std::move(all), std::move(path), std::move(c->indexing));
}

Index take(Expander& to, const Site& site) {
  const std::string& mode = ir::as_string(site.attr("mode"), "mode");
  Index x = site.inputs[0], indices = site.inputs[1];
  // A Python float is cut.
  if (to.type(indices).kind == Kind::Weak && ir::is_real_floating(to.dtype(indices))) indices = to.cast(indices, DType::Int64);
  if (!indexes(to.dtype(indices)) || (mode != "raise" && mode != "clip" && mode != "wrap")) return kNoIndex;
  const Attr& axis_attr = site.attr("axis");
  if (axis_attr.none() || to.shape(x).empty()) x = to.flat(x);
  std::int64_t axis = axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), to.shape(x).ssize());
  std::int64_t n = to.shape(x)[static_cast<std::size_t>(axis)];
  if (n == 0) return kNoIndex;
  if (mode != "raise" || ir::is_bool(to.dtype(indices))) indices = to.cast(indices, DType::Int64);
  if (mode == "wrap") indices = to.call(OpId::Remainder, {indices, to.constant(DType::Int64, static_cast<double>(n))});
  if (mode == "clip") {
    indices = to.call(OpId::Maximum, {indices, to.constant(DType::Int64, 0)});
    indices = to.call(OpId::Minimum, {indices, to.constant(DType::Int64, static_cast<double>(n - 1))});
  }
  Indexing indexing;
  indexing.shape = site.type.shape;
  indexing.arrays.push_back({1, axis, n, axis_attr.none() ? -1 : axis, static_cast<std::size_t>(axis)});
  for (std::int64_t a = 0; a < axis; ++a) indexing.axes.push_back(a);
  for (std::size_t k = 0; k < to.shape(indices).size(); ++k) indexing.axes.push_back(-1);
  for (std::int64_t a = axis + 1; a < to.shape(x).ssize(); ++a) indexing.axes.push_back(a);
  return chosen(to, site.type, {x, indices}, std::move(indexing));
}

Index take_along_axis(Expander& to, const Site& site) {
  Index x = site.inputs[0], indices = site.inputs[1];
  const Attr& axis_attr = site.attr("axis");
  if (axis_attr.none()) x = to.flat(x);
  std::int64_t axis = axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), to.shape(x).ssize());
  std::int64_t n = to.shape(x)[static_cast<std::size_t>(axis)];
  if (n == 0 || !ir::is_integer(to.dtype(indices))) return kNoIndex;
  Indexing indexing;
  indexing.shape = site.type.shape;
  indexing.arrays.push_back({1, axis, n, axis, 0});
  for (std::int64_t a = 0; a < to.shape(x).ssize(); ++a) indexing.axes.push_back(a == axis ? -1 : a);
  return chosen(to, site.type, {x, indices}, std::move(indexing));
}

}  // namespace autoray::codegen::expansion
