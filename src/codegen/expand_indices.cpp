// Indices by arrays: the view of their basic part, and what the arrays choose along its axes.
#include <algorithm>

#include "codegen/expander.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::OpId;

namespace {

bool indexes(DType dtype) { return ir::is_integer(dtype) || ir::is_bool(dtype); }

}  // namespace

// As ir::indexed_shape: where the axes of arrays come in the result. An int among arrays takes part as one.
std::optional<Expander::Choice> Expander::choice(const Dims& shape, const Attr::Tuple& index, std::span<const Index> arrays,
                                                 std::size_t first_input) const {
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
      const ir::Type& array = made(arrays[number]);
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
    array.first = place + broadcast.size() - made(arrays[array.input - first_input]).shape.size();
  c.indexing.axes = std::move(kept);
  c.indexing.shape = std::move(extents);
  return c;
}

Index Expander::chosen(const ir::Type& type, Inputs inputs, Indexing indexing) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = type.dtype;
  role.c_order = true;
  role.indexing = std::move(indexing);
  return given(type, std::move(inputs), std::move(role));
}

Index Expander::getitem(Index i) {
  auto* index = attr(i, "index").get<Attr::Tuple>();
  if (!index) return kNoIndex;
  Inputs all{input(i, 0)};
  for (std::size_t k = 1; k < inputs(i); ++k) all.push_back(input(i, k));
  auto c = choice(shape(all[0]), *index, std::span(all).subspan(1), 1);
  if (!c) return kNoIndex;
  all[0] = call(OpId::GetItem, {all[0]}, {{"index", c->basic}});
  return chosen(type(i), std::move(all), std::move(c->indexing));
}

Index Expander::setitem(Index i) {
  auto* steps = attr(i, "path").get<Attr::Tuple>();
  if (inputs(i) == 2) {
    DType part = dtype(i);
    if (viewed_along(runtime_, Attr(*steps), contiguous_layout(type(i)), part)) return kNoIndex;
    const Attr::Tuple whole = *steps;
    return put(input(i, 0), whole, input(i, 1));
  }
  Attr::Tuple path(steps->begin(), steps->end() - 1);
  auto* last = steps->back().get<Attr::Tuple>();
  auto* index = last->size() == 2 ? (*last)[1].get<Attr::Tuple>() : nullptr;
  DType item = dtype(i);
  auto place = viewed_along(runtime_, Attr(path), contiguous_layout(type(i)), item);
  if (!index || !place) return kNoIndex;
  DType value = dtype(from_.inputs(i)[1]);
  if (ir::is_complex(value) && !ir::is_complex(item)) return kNoIndex;  // numpy warns
  if (weak_out_of_range(from_.inputs(i)[1], item)) return kNoIndex;
  if (inputs(i) == 3 && ir::is_bool(dtype(from_.inputs(i)[2]))) return set_masked(i, path, place->shape, *index);
  Inputs all;
  for (std::size_t k = 0; k < inputs(i); ++k) all.push_back(input(i, k));
  auto c = choice(place->shape, *index, std::span(all).subspan(2), 2);
  if (!c) return kNoIndex;
  if (ir::element_count(c->indexing.shape) == 0) {
    NodeRole role;
    role.role = Role::Pointwise;
    role.compute = dtype(i);
    role.lowering = identity;
    role.operands = 1;
    return given(type(i), std::move(all), std::move(role));
  }
  path.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(c->basic)}));
  return updated(type(i), std::move(all), std::move(path), std::move(c->indexing));
}

Index Expander::along(Index x, std::span<const Attr> path) {
  for (const Attr& step : path) {
    const auto& parts = *step.get<Attr::Tuple>();
    OpId id = ir::find_op(*parts[0].get<std::string>());
    auto names = ir::attribute_names(id);
    std::vector<Named> given;
    for (std::size_t k = 0; k < names.size() && k + 1 < parts.size(); ++k) given.emplace_back(names[k], parts[k + 1]);
    x = call(id, {x}, given);
  }
  return x;
}

// Where a reshape would be a view in the memory of the eager array alone: that is reshaped, written, and reshaped back.
Index Expander::put(Index x, std::span<const Attr> path, Index value) {
  auto steps = [&](std::size_t count) { return Attr::Tuple(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(count)); };
  std::size_t known = 0;
  for (; known < path.size(); ++known) {
    DType item = made(x).dtype;
    if (!viewed_along(runtime_, Attr(steps(known + 1)), contiguous_layout(made(x)), item)) break;
  }
  if (known == path.size()) return call(OpId::SetItem, {x, value}, {{"path", steps(known)}});
  const auto& step = *path[known].get<Attr::Tuple>();
  OpId id = ir::find_op(*step[0].get<std::string>());
  if (id != OpId::Reshape && id != OpId::Ravel) return kNoIndex;
  auto names = ir::attribute_names(id);
  auto order = static_cast<std::size_t>(std::ranges::find(names, "order") - names.begin());
  auto* text = order + 1 < step.size() ? step[order + 1].get<std::string>() : nullptr;
  if (!text || (*text != "C" && *text != "F")) return kNoIndex;
  Index before = along(x, steps(known));
  ir::Type flat = made(before);
  const std::span<const Attr> attrs(step.begin() + 1, step.end());
  const ir::OperandType operand[] = {{&flat}};
  const std::uint32_t groups[] = {1};
  ir::Inference inference{ir::op(id), operand, groups, attrs, {}};
  ir::infer(inference);
  auto reshaped = [&](Index of, const Dims& to) { return *text == "C" ? reshape(of, to) : reshape_columns(of, to); };
  Index after = put(reshaped(before, inference.results[0].shape), path.subspan(known + 1), value);
  if (after == kNoIndex) return kNoIndex;
  Attr::Tuple place = steps(known);
  if (place.empty()) place.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(Attr::Tuple{Attr(ir::Ellipsis{})})}));
  return call(OpId::SetItem, {x, reshaped(after, flat.shape)}, {{"path", std::move(place)}});
}

Index Expander::updated(const ir::Type& type, Inputs inputs, Attr::Tuple path, Indexing indexing) {
  NodeRole role;
  role.role = Role::Update;
  role.indexing = std::move(indexing);
  Index r = given(type, std::move(inputs), std::move(role));
  ir::BlockNode& node = to_.block.nodes[r];
  const Attr attrs[] = {Attr(std::move(path))};
  from_.tables->attrs.release(node.attrs);
  node.attrs = from_.tables->attrs.intern(attrs);
  return r;
}

// As many values as the mask takes places: the places of its ones, in order, each written into a list of that length; those of
// its zeros behind it.
Index Expander::set_counted(Index i, Attr::Tuple path, const Dims& place, const Attr::Tuple& index, std::int64_t count) {
  Index mask = input(i, 2);
  const Dims taken = shape(mask);
  auto number = [&](std::int64_t n) { return constant(DType::Int64, static_cast<double>(n)); };
  Index flags = flat(mask);
  std::int64_t size = shape(flags)[0];
  Index counted = call(OpId::Cumsum, {cast(flags, DType::Int64)}, {{"axis", std::int64_t{0}}, {"dtype", DType::Int64}});
  Index slots = call(OpId::Minimum, {call(OpId::Subtract, {counted, number(1)}), number(count)});
  slots = call(OpId::Where, {flags, slots, number(count)});
  Indexing into;
  into.shape = {size};
  into.axes = {-1};
  into.arrays.push_back({2, 0, count + 1, 0, 0});
  Attr::Tuple whole = {Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(Attr::Tuple{Attr(ir::Slice{})})})};
  Index list =
      updated({DType::Int64, Kind::Array, {count + 1}}, {constant(DType::Int64, 0, {count + 1}), affine({size}, {{1}}), slots},
              std::move(whole), std::move(into));
  list = slice(list, 0, 0, count);
  Inputs all{input(i, 0), input(i, 1)};
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
      Index along = call(OpId::FloorDivide, {list, number(inner)});
      all.push_back(call(OpId::Remainder, {along, number(extent)}));
    }
  }
  auto c = choice(place, integers, std::span(all).subspan(2), 2);
  if (!c) return kNoIndex;
  // What is told where the mask takes another number of places.
  Dims result = c->indexing.shape;
  std::size_t at = c->indexing.arrays[0].first;
  std::span<const std::int64_t> values[] = {type(from_.inputs(i)[1]).shape};
  std::string from = ir::broadcast_shapes_text(values), before = "(", after;
  from.pop_back();
  for (std::size_t k = 0; k < result.size(); ++k)
    (k < at ? before : after) += k == at ? "" : (k > at ? "," : "") + std::to_string(result[k]) + (k < at ? "," : "");
  after += result.size() == 1 ? ",)" : ")";
  c->indexing.count = Indexing::Count{
      all.size(), count,
      "shape mismatch: value array of shape " + from + " could not be broadcast to indexing result of shape " + before, after};
  all.push_back(slice(counted, 0, size - 1, size));
  path.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(c->basic)}));
  return updated(type(i), std::move(all), std::move(path), std::move(c->indexing));
}

// Values that do not depend on how many places the mask takes: a choice at every place.
Index Expander::set_masked(Index i, const Attr::Tuple& path, const Dims& place, const Attr::Tuple& index) {
  Index x = input(i, 0), value = input(i, 1), mask = input(i, 2);
  const Dims taken = shape(mask);
  // One truth value takes all or nothing.
  if (taken.empty() ? index.size() != 1 || shape(value).size() > place.size()
                    : taken.size() == place.size() && shape(value).size() > 1)
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
  Dims one = shape(value), seen = taken;
  if (one.size() > behind) {
    std::size_t counted = one.size() - behind - 1;
    if (one[counted] == 0) return kNoIndex;
    if (one[counted] != 1) return set_counted(i, path, place, index, one[counted]);
    for (std::size_t k = 1; k < taken.size(); ++k) one.insert(counted, 1);
    while (one.size() > basic.size() && one[0] == 1) one.erase(0);
    if (one.size() > basic.size()) return kNoIndex;
  }
  for (std::size_t k = 0; k < behind; ++k) seen.push_back(1);
  Attr::Tuple whole = path;
  whole.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(basic)}));
  Index now = along(x, whole);
  Index fresh = call(OpId::Where, {reshape(mask, seen), cast(reshape(value, one), made(now).dtype), now});
  if (path.empty() && index.size() == 1) return fresh;
  return call(OpId::SetItem, {x, fresh}, {{"path", std::move(whole)}});
}

Index Expander::take(Index i) {
  const std::string& mode = ir::as_string(attr(i, "mode"), "mode");
  Index x = input(i, 0), indices = input(i, 1);
  // A Python float is cut.
  if (made(indices).kind == Kind::Weak && ir::is_real_floating(made(indices).dtype)) indices = cast(indices, DType::Int64);
  if (!indexes(made(indices).dtype) || (mode != "raise" && mode != "clip" && mode != "wrap")) return kNoIndex;
  const Attr& axis_attr = attr(i, "axis");
  if (axis_attr.none() || shape(x).empty()) x = flat(x);
  std::int64_t axis = axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), shape(x).ssize());
  std::int64_t n = shape(x)[static_cast<std::size_t>(axis)];
  if (n == 0) return kNoIndex;
  if (mode != "raise" || ir::is_bool(made(indices).dtype)) indices = cast(indices, DType::Int64);
  if (mode == "wrap") indices = call(OpId::Remainder, {indices, constant(DType::Int64, static_cast<double>(n))});
  if (mode == "clip") {
    indices = call(OpId::Maximum, {indices, constant(DType::Int64, 0)});
    indices = call(OpId::Minimum, {indices, constant(DType::Int64, static_cast<double>(n - 1))});
  }
  Indexing indexing;
  indexing.shape = type(i).shape;
  indexing.arrays.push_back({1, axis, n, axis_attr.none() ? -1 : axis, static_cast<std::size_t>(axis)});
  for (std::int64_t a = 0; a < axis; ++a) indexing.axes.push_back(a);
  for (std::size_t k = 0; k < shape(indices).size(); ++k) indexing.axes.push_back(-1);
  for (std::int64_t a = axis + 1; a < shape(x).ssize(); ++a) indexing.axes.push_back(a);
  return chosen(type(i), {x, indices}, std::move(indexing));
}

Index Expander::take_along_axis(Index i) {
  Index x = input(i, 0), indices = input(i, 1);
  const Attr& axis_attr = attr(i, "axis");
  if (axis_attr.none()) x = flat(x);
  std::int64_t axis = axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), shape(x).ssize());
  std::int64_t n = shape(x)[static_cast<std::size_t>(axis)];
  if (n == 0 || !ir::is_integer(made(indices).dtype)) return kNoIndex;
  Indexing indexing;
  indexing.shape = type(i).shape;
  indexing.arrays.push_back({1, axis, n, axis, 0});
  for (std::int64_t a = 0; a < shape(x).ssize(); ++a) indexing.axes.push_back(a == axis ? -1 : a);
  return chosen(type(i), {x, indices}, std::move(indexing));
}

}  // namespace autoray::codegen
