// Indices by arrays: the view of their basic part, and what the arrays choose along its axes.
#include <algorithm>
#include <functional>

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

// A new version of x with something written where the path leads. Where a reshape would be a view in the memory of the eager
// array alone, that is reshaped, written, and reshaped back.
using WriteAlong = std::function<Index(Index x, Attr::Tuple path)>;
Index put(Expander& to, Index x, std::span<const Attr> path, const WriteAlong& write) {
  auto steps = [&](std::size_t count) { return Attr::Tuple(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(count)); };
  std::size_t known = 0;
  for (; known < path.size(); ++known) {
    DType item = to.dtype(x);
    if (!viewed_along(to.runtime(), Attr(steps(known + 1)), contiguous_layout(to.type(x)), item)) break;
  }
  if (known == path.size()) return write(x, steps(known));
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
  Index after = put(to, reshaped(before, inference.results[0].shape), path.subspan(known + 1), write);
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

// A write of a value where a mask chooses, in the view of x along a path. In the index the mask may have other items beside it.
struct MaskedWrite {
  Index x;
  Attr::Tuple path;
  Dims place;  // the view's shape
  Index value, mask;
  const Attr::Tuple& index;
};

// How many places the mask has to take: the axes of what it takes stand before and behind its own.
struct Places {
  const Dims& value;
  std::span<const std::int64_t> before, behind;
  bool whole;             // there are no others
  std::int64_t expected;  // below 0: no number fits

  Indexing::Count counted(std::size_t input) const {
    if (whole)
      return {input, expected,
              "NumPy boolean array indexing assignment cannot assign " + std::to_string(value[0]) + " input values to the ",
              " output values where the mask is true"};
    std::span<const std::int64_t> values[] = {value};
    std::string shape = ir::broadcast_shapes_text(values), head = "(", tail;
    shape.pop_back();
    for (std::int64_t extent : before) head += std::to_string(extent) + ",";
    for (std::int64_t extent : behind) tail += "," + std::to_string(extent);
    tail += before.empty() && behind.empty() ? ",)" : ")";
    return {input, expected,
            "shape mismatch: value array of shape " + shape + " could not be broadcast to indexing result of shape " + head,
            tail};
  }
};

// Nothing is written: an error where the mask takes another number of places.
Index refuse_places(Expander& to, const MaskedWrite& w, const Places& places) {
  Indexing indexing;
  indexing.shape = {0};
  indexing.axes = {-1};
  indexing.count = places.counted(2);
  Index number = to.call(OpId::CountNonzero, {w.mask}), nothing = to.constant(to.dtype(w.x), 0);
  return updated(to, to.type(w.x), {w.x, nothing, number}, w.path, std::move(indexing));
}

// As many values as the mask takes places: the places of its ones, in order, each written into a list of that length; those of
// its zeros behind it.
Index set_counted(Expander& to, const MaskedWrite& w, const Places& places) {
  std::int64_t count = places.expected;
  const Dims taken = to.shape(w.mask);
  auto number = [&](std::int64_t n) { return to.constant(DType::Int64, static_cast<double>(n)); };
  Index flags = to.flat(w.mask);
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
  Inputs all{w.x, w.value};
  Attr::Tuple integers;
  std::int64_t inner = size;
  for (const Attr& item : w.index) {
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
  auto c = choice(to, w.place, integers, std::span(all).subspan(2), 2);
  if (!c) return kNoIndex;
  c->indexing.count = places.counted(all.size());
  all.push_back(to.slice(counted, 0, size - 1, size));
  Attr::Tuple path = w.path;
  path.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(c->basic)}));
  return updated(to, to.type(w.x), std::move(all), std::move(path), std::move(c->indexing));
}

// Whether the axes of a value, from the last one, fit those of a place.
bool fits(std::span<const std::int64_t> value, std::span<const std::int64_t> place) {
  auto shape = ir::broadcast(value, place);
  return shape && std::ranges::equal(*shape, place);
}

Index set_masked(Expander& to, const MaskedWrite& w) {
  const Dims taken = to.shape(w.mask);
  // One truth value takes all or nothing; a mask over the whole takes a vector.
  bool whole_mask = w.index.size() == 1 && !taken.empty() && taken.size() == w.place.size();
  if ((taken.empty() && w.index.size() != 1) || (whole_mask && to.shape(w.value).size() > 1)) return kNoIndex;
  // The view of the index's other items, whole along the mask's axes, which begin at `at`.
  Attr::Tuple basic;
  std::size_t at = 0, axis = 0, consumed = taken.size();
  for (const Attr& item : w.index) consumed += !item.none() && !item.get<ir::Ellipsis>() && !item.get<ir::OperandRef>();
  for (const Attr& item : w.index) {
    if (item.get<std::int64_t>()) return kNoIndex;
    if (item.get<ir::OperandRef>()) {
      at = basic.size();
      for (std::int64_t extent : taken) {
        if (extent != w.place[axis++]) return kNoIndex;
        basic.push_back(Attr(ir::Slice{}));
      }
    } else if (item.get<ir::Ellipsis>()) {
      for (std::size_t k = consumed; k < w.place.size(); ++k, ++axis) basic.push_back(Attr(ir::Slice{}));
    } else {
      axis += !item.none();
      basic.push_back(item);
    }
  }
  for (; axis < w.place.size(); ++axis) basic.push_back(Attr(ir::Slice{}));
  Attr::Tuple whole = w.path;
  whole.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(basic)}));
  Index now = along(to, w.x, whole);
  const Dims view = to.shape(now);
  // In the values one axis stands for all of the mask's. Axes in front that the place does not have are dropped as numpy does.
  std::span<const std::int64_t> before(view.data(), at),
      behind(view.data() + at + taken.size(), view.size() - at - taken.size());
  Dims one = to.shape(w.value), seen = taken;
  std::size_t rank = before.size() + 1 + behind.size();
  while (one.size() > rank && one[0] == 1) one.erase(0);
  if (one.size() > rank && std::find(one.end() - static_cast<std::ptrdiff_t>(rank), one.end(), 0) != one.end())
    while (one.size() > rank) one.erase(0);
  std::size_t own = std::min(one.size(), behind.size()), front = one.size() - own;  // axes for those behind, and the others
  std::span<const std::int64_t> axes(one.data(), one.size());
  bool possible =
      one.size() <= rank && fits(axes.subspan(front), behind) && (front == 0 || fits(axes.first(front - 1), before));
  std::int64_t count = front == 0 ? 1 : one[front - 1];
  if (taken.empty() && count > 1) possible = false;
  if (!possible || count == 0)
    return refuse_places(to, w, {to.shape(w.value), before, behind, whole_mask, possible ? count : -1});
  // Values that do not depend on how many places the mask takes: a choice at every place.
  if (count != 1) return set_counted(to, w, {to.shape(w.value), before, behind, whole_mask, count});
  if (front > 0 && taken.empty()) one.erase(front - 1);
  if (front > 0)
    for (std::size_t k = 1; k < taken.size(); ++k) one.insert(front - 1, 1);
  for (std::size_t k = 0; k < behind.size(); ++k) seen.push_back(1);
  Index fresh = to.call(OpId::Where, {to.reshape(w.mask, seen), to.cast(to.reshape(w.value, one), to.dtype(now)), now});
  if (w.path.empty() && w.index.size() == 1) return fresh;
  return to.call(OpId::SetItem, {w.x, fresh}, {{"path", std::move(whole)}});
}

// A write of a value where arrays choose, in the view of x along a path.
Index set_chosen(Expander& to, Index x, Attr::Tuple path, Index value, std::span<const Index> arrays,
                 const Attr::Tuple& index) {
  DType item = to.dtype(x);
  const Dims place = viewed_along(to.runtime(), Attr(path), contiguous_layout(to.type(x)), item)->shape;
  if (to.out_of_range(value, item)) return kNoIndex;
  // A Python number is refused; of others the imaginary part is thrown away, which a cast tells of.
  if (ir::is_complex(to.dtype(value)) && !ir::is_complex(item)) {
    if (to.type(value).kind == Kind::Weak) return kNoIndex;
    value = to.cast(value, item);
  }
  if (arrays.size() == 1 && ir::is_bool(to.dtype(arrays[0])))
    return set_masked(to, {x, std::move(path), place, value, arrays[0], index});
  Inputs all{x, value};
  all.insert(all.end(), arrays.begin(), arrays.end());
  auto c = choice(to, place, index, arrays, 2);
  if (!c) return kNoIndex;
  if (ir::element_count(c->indexing.shape) == 0) {
    NodeRole role;
    role.role = Role::Pointwise;
    role.compute = to.dtype(x);
    role.lowering = identity;
    role.operands = 1;
    return to.given(to.type(x), std::move(all), std::move(role));
  }
  path.push_back(Attr(Attr::Tuple{Attr(std::string("getitem")), Attr(c->basic)}));
  return updated(to, to.type(x), std::move(all), std::move(path), std::move(c->indexing));
}

}  // namespace

Index setitem(Expander& to, const Site& site) {
  const Attr::Tuple& steps = *site.attr("path").get<Attr::Tuple>();
  Index x = site.inputs[0], value = site.inputs[1];
  if (site.inputs.size() == 2) {
    DType part = site.type.dtype;
    if (reshapes_nothing(steps) || viewed_along(to.runtime(), Attr(steps), contiguous_layout(site.type), part)) return kNoIndex;
    return put(to, x, steps,
               [&](Index of, Attr::Tuple path) { return to.call(OpId::SetItem, {of, value}, {{"path", std::move(path)}}); });
  }
  auto* last = steps.back().get<Attr::Tuple>();
  auto* index = last->size() == 2 ? (*last)[1].get<Attr::Tuple>() : nullptr;
  if (!index) return kNoIndex;
  return put(to, x, std::span(steps).first(steps.size() - 1), [&](Index of, Attr::Tuple path) {
    return set_chosen(to, of, std::move(path), value, site.inputs.subspan(2), *index);
  });
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
