// Recording of views and writes: movements are rewritten while they are recorded, and a write through a view is a new version
// of its base.
#include <algorithm>

#include "ir/error.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/recorder.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::Attr;
using ir::AttrsId;
using ir::Dims;
using ir::Error;
using ir::ErrorClass;
using ir::kNoNode;
using ir::NodeId;
using ir::NodeKind;
using ir::OpId;

namespace {

Dims identity(int ndim) {
  Dims axes;
  for (int i = 0; i < ndim; ++i) axes.push_back(i);
  return axes;
}

Dims reversed_axes(int ndim) {
  Dims axes = identity(ndim);
  std::reverse(axes.begin(), axes.end());
  return axes;
}

// The permutation that a movement of axes is; Count ops give none.
std::optional<Dims> permutation(OpId id, int ndim, std::span<const Attr> attrs) {
  Dims order = identity(ndim);
  switch (id) {
    case OpId::Transpose: {
      auto axes = ir::as_axes(attrs[0], "axes");
      if (!axes) {
        std::reverse(order.begin(), order.end());
        return order;
      }
      if (axes->ssize() != ndim) throw Error(ErrorClass::ValueError, "axes don't match array");
      Dims normal;
      for (std::int64_t axis : *axes) normal.push_back(ir::normalize_axis(axis, ndim));
      Dims sorted = normal;
      std::sort(sorted.begin(), sorted.end());
      if (!(sorted == order)) throw Error(ErrorClass::ValueError, "repeated axis in transpose");
      return normal;
    }
    case OpId::Swapaxes: {
      auto a = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attrs[0], "axis1"), ndim));
      auto b = static_cast<std::size_t>(ir::normalize_axis(ir::as_int(attrs[1], "axis2"), ndim));
      std::swap(order[a], order[b]);
      return order;
    }
    case OpId::Moveaxis: {
      Dims source = ir::normalize_axes(ir::as_axes(attrs[0], "source"), ndim);
      Dims destination = ir::normalize_axes(ir::as_axes(attrs[1], "destination"), ndim);
      if (source.size() != destination.size())
        throw Error(ErrorClass::ValueError, "`source` and `destination` arguments must have the same number of elements");
      std::fill(order.begin(), order.end(), -1);
      for (std::size_t i = 0; i < source.size(); ++i) order[static_cast<std::size_t>(destination[i])] = source[i];
      std::int64_t next = 0;
      for (std::int64_t& axis : order) {
        if (axis >= 0) continue;
        while (std::find(source.begin(), source.end(), next) != source.end()) ++next;
        axis = next++;
      }
      return order;
    }
    default: return std::nullopt;
  }
}

Attr step_of(OpId id, std::span<const Attr> attrs) {
  Attr::Tuple parts = {Attr(std::string(ir::op(id).path))};
  parts.insert(parts.end(), attrs.begin(), attrs.end());
  return parts;
}

// A basic index applied to a layout without data.
Array indexed_layout(const Array& layout, const Attr::Tuple& index, const Dims& shape) {
  Dims strides;
  int consumed = 0;
  for (const Attr& item : index) consumed += !item.none() && !item.get<ir::Ellipsis>();
  std::size_t axis = 0;
  std::int64_t offset = 0;
  auto keep = [&] { strides.push_back(layout.strides[axis++]); };
  bool ellipsis = false;
  for (const Attr& item : index) {
    if (item.none()) {
      strides.push_back(0);
    } else if (auto* i = item.get<std::int64_t>()) {
      offset += (*i < 0 ? *i + layout.shape[axis] : *i) * layout.strides[axis];
      ++axis;
    } else if (auto* slice = item.get<ir::Slice>()) {
      ir::SliceRange range = ir::slice_range(*slice, layout.shape[axis]);
      offset += range.start * layout.strides[axis];
      strides.push_back(range.count > 1 ? layout.strides[axis] * range.step : layout.strides[axis]);
      ++axis;
    } else {
      ellipsis = true;
      for (int k = layout.ndim() - consumed; k-- > 0;) keep();
    }
  }
  if (!ellipsis)
    while (axis < layout.shape.size()) keep();
  return with_shape_and_strides(layout, shape, strides, offset);
}

}  // namespace

// ---- cells and views ----

Ref<LazyArray> Recorder::argument(const Array& array, ir::Kind kind) {
  ir::TypesId type = tables_.types.intern(array.type(kind));
  NodeId id = graph_.add_leaf(NodeKind::Variable, type, nullptr, ir::kNoSource, static_cast<std::uint8_t>(array.backend));
  Ref<LazyArray> result = lazy_array(id);
  if (kind != ir::Kind::Array) return result;
  // Whether a reshape of it is a view, and whether it may be written.
  View& view = view_of(*result);
  view.layout.strides = array.strides;
  view.writable = array.can_write();
  return result;
}

Ref<LazyArray> Recorder::given(const Array& array, ir::Kind kind) {
  ir::TypesId type = tables_.types.intern(array.type(kind));
  return lazy_array(
      graph_.add_leaf(NodeKind::Leaf, type, new Array(array), ir::kNoSource, static_cast<std::uint8_t>(array.backend)));
}

std::optional<Recorder::Lies> Recorder::lies_in(const LazyArray& array, const LazyArray& base) {
  if (!array.view_ || !base.view_) return std::nullopt;
  const View &view = views_[array.view_ - 1], &of = views_[base.view_ - 1];
  if (view.cell != of.cell || !of.path.empty()) return std::nullopt;
  return Lies{view.layout, view.layout.data - of.layout.data};
}

Recorder::View& Recorder::view_of(const LazyArray& array) {
  auto& a = const_cast<LazyArray&>(array);  // what it is does not change: it becomes known by a cell
  if (a.view_) return views_[a.view_ - 1];
  std::uint32_t cell;
  if (free_cells_.empty()) {
    cell = static_cast<std::uint32_t>(cells_.size());
    cells_.emplace_back();
  } else {
    cell = free_cells_.back();
    free_cells_.pop_back();
    cells_[cell] = {};
  }
  cells_[cell].references = 1;
  cells_[cell].current = a.node_;
  graph_.retain(a.node_);
  Array layout = layout_of(graph_.type(a.node_));
  if (const Array* own = held(a.node_)) {
    layout.strides = own->strides;
    layout.writable = own->can_write();
  }
  bool writable = layout.writable;
  a.view_ = new_view({cell, 0, writable, std::move(layout), {}});
  return views_[a.view_ - 1];
}

std::uint32_t Recorder::new_view(View view) {
  if (free_views_.empty()) {
    views_.push_back(std::move(view));
    return static_cast<std::uint32_t>(views_.size());
  }
  std::uint32_t place = free_views_.back();
  free_views_.pop_back();
  views_[place] = std::move(view);
  return place + 1;
}

void Recorder::drop_view(std::uint32_t place) {
  View& view = views_[place];
  Cell& cell = cells_[view.cell];
  if (--cell.references == 0) {
    graph_.release(cell.current);
    free_cells_.push_back(view.cell);
  }
  view = {};
  free_views_.push_back(place);
}

void Recorder::become_view(LazyArray& result, const LazyArray& of, Attr step, Array layout, bool writable) {
  const View& base = view_of(of);
  View view{base.cell, cells_[base.cell].version, base.writable && writable, std::move(layout), base.path};
  if (!step.none()) view.path.push_back(std::move(step));
  ++cells_[view.cell].references;
  result.view_ = new_view(std::move(view));
}

NodeId Recorder::replay(const View& view) {
  NodeId at = cells_[view.cell].current;
  graph_.retain(at);
  for (const Attr& step : view.path) {
    const auto& parts = *step.get<Attr::Tuple>();
    OpId id = ir::find_op(*parts[0].get<std::string>());
    std::vector<Attr> attrs(parts.begin() + 1, parts.end());
    Inputs inputs(*this);
    inputs.hold(at);
    at = record(id, inputs, tables_.attrs.intern(attrs), attrs, backend_of(inputs, 0), false);
  }
  return at;
}

// ---- movements ----

Value Recorder::movement(OpId id, const Value& operand, std::span<const Attr> attrs, bool dispatched, BackendId backend) {
  Ref<LazyArray> operand_array = leaf_or_constant(operand);
  std::vector<Attr> own(attrs.begin(), attrs.end());
  if (id == OpId::Reshape || id == OpId::Ravel || id == OpId::Flatten) {
    Value ordered = in_order(id, operand_array, own, dispatched, backend);
    operand_array = Ref<LazyArray>::share(&ordered.as<LazyArray>());
  }
  if (auto* asked = id == OpId::Reshape ? own[2].get<bool>() : nullptr) {
    const bool copies = *asked;
    own[2] = Attr();
    Value view = movement(id, operand_array, own, dispatched, backend);
    if (!copies) {
      if (view_of(view.as<LazyArray>()).cell != view_of(*operand_array).cell)
        throw Error(ErrorClass::ValueError, "Unable to avoid creating a copy while reshaping.");
      return view;
    }
    const Value arguments[] = {view, make_str("C")};
    return call(OpId::Copy, backend, {arguments, {}, {}}, nullptr, dispatched);
  }
  const ir::Type type = operand_array->type();
  int ndim = type.shape.ssize();
  NodeId from = operand_array->node();
  bool drops = false;
  std::vector<Attr> step;  // from the operand, where the node is one from further back
  if (id == OpId::Moveaxis || id == OpId::Swapaxes) {
    // They become transposes: their own rule has numpy's words for axes that do not fit.
    Inputs inputs(*this);
    inputs.nodes.push_back(from);
    AttrsId asked = tables_.attrs.intern(attrs);
    struct Count {
      ~Count() { table.release(id); }
      ir::AttrTable& table;
      AttrsId id;
    } count{tables_.attrs, asked};
    infer(id, inputs, asked, attrs);
  }
  if (auto order = permutation(id, ndim, attrs)) {
    id = OpId::Transpose;
    own = {Attr(*order)};
    step = own;
    drops = *order == identity(ndim);
    // A transpose of a transpose is one.
    const ir::Node& inner = graph_.node(from);
    if (!drops && inner.kind == NodeKind::Call && inner.op == OpId::Transpose) {
      Dims before = *ir::as_axes(tables_.attrs.attrs(inner.attrs)[0], "axes"), both;
      for (std::int64_t axis : *order) both.push_back(before[static_cast<std::size_t>(axis)]);
      own = {Attr(both)};
      from = inner.few[0];
    }
  } else if (id == OpId::Reshape) {
    Dims target;
    const Attr& shape = ir::attribute(ir::op(id), attrs, "shape");
    if (auto* one = shape.get<std::int64_t>())
      target = {*one};
    else
      target = ir::as_axes(shape, "shape").value_or(Dims{});
    target = ir::resolve_reshape(ir::element_count(type.shape), target);
    own[0] = Attr(target);
    bool c_order = ir::as_string(ir::attribute(ir::op(id), own, "order"), "order") == "C";
    drops = c_order && target == type.shape;
    // Of a reshape of a reshape only the last one matters.
    const ir::Node& inner = graph_.node(from);
    if (!drops && c_order && inner.kind == NodeKind::Call && inner.op == OpId::Reshape) {
      std::vector<Attr> before = tables_.attrs.attrs(inner.attrs);
      if (ir::as_string(ir::attribute(ir::op(id), before, "order"), "order") == "C") from = inner.few[0];
    }
  } else if (id == OpId::BroadcastTo) {
    own[0] = Attr(ir::as_shape(attrs[0], "shape"));
    drops = *own[0].get<Dims>() == type.shape;
  }
  NodeId node;
  if (drops) {
    graph_.retain(from);
    node = from;
  } else {
    Inputs inputs(*this);
    inputs.nodes.push_back(from);
    node = record(id, inputs, tables_.attrs.intern(own), own, backend_of(inputs, backend), dispatched);
  }
  Value result = drops ? wrap(node) : results(id, node);
  if (!ir::op(id).has(ir::kViewResult) || !result.is(ObjectKind::Lazy)) return result;
  track_view(id, result.as<LazyArray>(), *operand_array, step.empty() ? own : step, drops);
  return result;
}

// Orders that ask how memory lies become what comes of it: 'C', 'F', or 'C' of a transpose. Gives the operand.
Value Recorder::in_order(OpId id, const Ref<LazyArray>& operand, std::vector<Attr>& attrs, bool dispatched, BackendId backend) {
  Attr& attr = attrs[id == OpId::Reshape ? 1 : 0];
  char order = ir::memory_order(attr, 'C');
  if (order == 'A' || order == 'K') {
    Array layout = layout_of(operand->type());
    layout.strides = strides(*operand);
    const bool by_columns = is_fortran(layout);
    if (order == 'K' && id == OpId::Reshape) throw Error(ErrorClass::ValueError, "order 'K' is not permitted for reshaping");
    if (order == 'K' && !by_columns) {
      const Dims axes = memory_axes(layout);
      if (axes != identity(layout.ndim())) {
        attr = Attr(std::string("C"));
        const Attr transpose[] = {Attr(axes)};
        return movement(OpId::Transpose, operand, transpose, dispatched, backend);
      }
    }
    order = by_columns ? 'F' : 'C';
  }
  attr = Attr(std::string(1, order));
  return operand;
}

void Recorder::track_view(OpId id, LazyArray& result, const LazyArray& of, const std::vector<Attr>& attrs, bool dropped) {
  const Array layout = view_of(of).layout;
  const ir::Type& type = graph_.type(result.node_);
  Attr step = dropped ? Attr() : step_of(id, attrs);
  if (dropped) return become_view(result, of, step, layout, id != OpId::BroadcastTo);
  if (id == OpId::Reshape || id == OpId::Ravel) {
    // A view where the strides allow one; else eagerly a copy, which later writes do not reach.
    const bool by_columns = ir::as_string(ir::attribute(ir::op(id), attrs, "order"), "order") == "F";
    // Items in Fortran order are those of the transpose in C order.
    auto turned = [&](const Array& array) { return by_columns ? transposed(array, reversed_axes(array.ndim())) : array; };
    ir::Dims shape = type.shape;
    if (by_columns) std::reverse(shape.begin(), shape.end());
    const Array rows = turned(layout);
    Array view;
    if ((id == OpId::Reshape || rows.c_contiguous()) && try_reshape_view(rows, shape, view))
      become_view(result, of, step, turned(view), true);
    return;
  }
  if (id == OpId::Diag && of.type().shape.size() != 2) return;
  if (id == OpId::BroadcastTo) return become_view(result, of, step, broadcast_view(layout, type.shape), false);
  // The others are always views: the kernel itself works on the layout, which has no data.
  const Operand in[] = {{&layout, ir::Kind::Array}};
  const std::uint32_t groups[] = {1};
  Array out[1];
  const ir::Type types[] = {type};
  KernelCall call{.runtime = runtime_,
                  .op = ir::op(id),
                  .backend = 0,
                  .in = in,
                  .groups = groups,
                  .attrs = attrs,
                  .types = types,
                  .out = out};
  runtime_.entry(0, id).kernel(call);
  become_view(result, of, step, out[0], id != OpId::Diagonal && id != OpId::Diag);
}

Value Recorder::split(OpId id, const Value& operand, std::span<const Attr> attrs) {
  Ref<LazyArray> operand_array = leaf_or_constant(operand);
  const Dims& shape = operand_array->type().shape;
  int axis = ir::normalize_axis(ir::as_int(ir::attribute(ir::op(id), attrs, "axis"), "axis"), shape.ssize());
  std::int64_t length = shape[static_cast<std::size_t>(axis)];
  Dims ends = ir::split_points(attrs[0], length, id == OpId::Split);
  std::vector<Value> pieces;
  std::int64_t start = 0;
  for (std::int64_t end : ends) {
    std::vector<Value> index;
    for (int k = 0; k < axis; ++k) index.push_back(from_attr(Attr(ir::Slice{})));
    index.push_back(from_attr(Attr(ir::Slice{start, end, std::nullopt})));
    pieces.push_back(get_item(*operand_array, make_tuple(std::move(index))));
    start = end;
  }
  return make_list(std::move(pieces));
}

// atleast_2d(a, b): each operand in the shape that the op's rule gives it, as a view.
Value Recorder::each_reshaped(OpId id, const Inputs& inputs, std::span<const Attr> attrs, std::span<const Value> given,
                              BackendId backend) {
  AttrsId asked = tables_.attrs.intern(attrs);
  ir::TypesId types = infer(id, inputs, asked, attrs).out;
  tables_.attrs.release(asked);
  std::vector<Value> items;
  for (std::size_t i = 0; i < given.size(); ++i) {
    auto defaults = runtime_.default_attrs(OpId::Reshape);
    std::vector<Attr> reshape(defaults.begin(), defaults.end());
    reshape[0] = Attr(tables_.types.types(types)[i].shape);
    items.push_back(movement(OpId::Reshape, given[i], reshape, false, backend));
  }
  return items.size() == 1 ? items[0] : make_tuple(std::move(items));
}

// Real and imaginary parts of a complex array are views of it; a real array is its own real part, and its imaginary part cannot
// be written.
Value Recorder::part(OpId id, const Value& operand, bool dispatched, BackendId backend) {
  Ref<LazyArray> of = leaf_or_constant(operand);
  const ir::Type type = of->type();
  bool complex = ir::is_complex(type.dtype);
  if (id == OpId::Real && !complex && type.kind == ir::Kind::Array) return of;
  Inputs inputs(*this);
  inputs.nodes.push_back(of->node());
  Value result = wrap(record(id, inputs, default_attrs(id), {}, backend_of(inputs, backend), dispatched));
  if (type.kind != ir::Kind::Array) return result;
  if (!complex) {
    view_of(result.as<LazyArray>()).writable = false;
    return result;
  }
  Array layout = view_of(*of).layout;
  layout.dtype = ir::real_dtype(layout.dtype);
  if (id == OpId::Imag) layout = with_shape_and_strides(layout, layout.shape, layout.strides, layout.itemsize());
  become_view(result.as<LazyArray>(), *of, step_of(id, {}), std::move(layout), true);
  return result;
}

bool Recorder::may_share(const LazyArray& a, const LazyArray& b) {
  const View &x = view_of(a), &y = view_of(b);
  return x.cell == y.cell && may_overlap(x.layout, y.layout);
}

Ref<LazyArray> Recorder::leaf_or_constant(const Value& operand) {
  if (auto* lazy = operand.get_if<LazyArray>()) return Ref<LazyArray>::share(lazy);
  Inputs inputs(*this);
  add_input(inputs, operand);
  graph_.retain(inputs.nodes[0]);
  return lazy_array(inputs.nodes[0]);
}

// ---- items ----

Attr::Tuple Recorder::index_of(const Value& index, Inputs& operands) {
  Attr::Tuple items;
  std::size_t first = operands.nodes.size();
  auto no_index = []() {
    throw Error(ErrorClass::IndexError,
                "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are valid "
                "indices");
  };
  auto add = [&](const Value& v) {
    if (v.is_none() || v.is_int() || v.is_ellipsis() || v.is(ObjectKind::Slice)) {
      items.push_back(v.is(ObjectKind::Slice) ? attribute(ir::op(OpId::GetItem), "index", v) : to_attr(runtime_, v));
      return;
    }
    if (auto* s = v.get_if<NumpyScalar>(); s && ir::is_integer(s->dtype)) {
      items.push_back(to_attr(runtime_, v));
      return;
    }
    if (v.is(ObjectKind::Str) || v.is_float() || v.is(ObjectKind::Dict) || v.is(ObjectKind::Callable)) no_index();
    items.push_back(ir::OperandRef{static_cast<int>(operands.nodes.size() - first)});
    if ((v.is(ObjectKind::List) || v.is(ObjectKind::Tuple)) && !contains_lazy(v)) {
      Array array = to_array(runtime_, v);
      if (array.size() == 0) array = runtime_.allocate(ir::DType::Int64, array.shape);
      if (!ir::is_integer(array.dtype) && !ir::is_bool(array.dtype)) no_index();
      operands.hold(constant(std::move(array), ir::Kind::Array));
    } else {
      add_input(operands, v);
    }
  };
  if (auto* tuple = index.get_if<Tuple>()) {
    for (const Value& v : tuple->items) add(v);
  } else {
    add(index);
  }
  return items;
}

Value Recorder::get_item(const LazyArray& array, const Value& index) {
  try {
    return recorded_item(array, index);
  } catch (const Error& error) {
    if (!tracing || error.code() != kValueNeeded) throw;
    return item_with_values(array, index, error);
  }
}

Value Recorder::recorded_item(const LazyArray& array, const Value& index) {
  Inputs inputs(*this);
  inputs.nodes.push_back(array.node());
  Attr::Tuple items = index_of(index, inputs);
  bool view = !ir::has_arrays(items);
  const Attr attrs[] = {Attr(items)};
  NodeId node = record(OpId::GetItem, inputs, tables_.attrs.intern(attrs), attrs, backend_of(inputs, 0), false);
  Value result = wrap(node);
  // A numpy scalar is taken out, not viewed.
  const ir::Type& type = graph_.type(node);
  if (view && type.kind != ir::Kind::Scalar) {
    Array layout = indexed_layout(view_of(array).layout, items, type.shape);
    become_view(result.as<LazyArray>(), array, step_of(OpId::GetItem, attrs), std::move(layout), true);
  }
  return result;
}

void Recorder::set_item(LazyArray& array, const Value& index, const Value& item) {
  View& view = view_of(array);
  if (!view.writable) throw Error(ErrorClass::ValueError, "assignment destination is read-only");
  std::uint32_t cell = view.cell;
  Attr::Tuple path = view.path;
  // The whole base gets a value of its own type: that value is the new version.
  if (path.empty() && index.is_ellipsis() && item.is(ObjectKind::Lazy)) {
    NodeId value = item.as<LazyArray>().node();
    const ir::Type &now = graph_.type(cells_[cell].current), &fresh = graph_.type(value);
    const ir::Node& node = graph_.node(value);
    bool made_for_this = node.kind == NodeKind::Call && !ir::op(node.op).has(ir::kViewResult);
    if (made_for_this && now.dtype == fresh.dtype && now.shape == fresh.shape) {
      graph_.retain(value);
      graph_.release(cells_[cell].current);
      cells_[cell].current = value;
      ++cells_[cell].version;
      return;
    }
  }
  Inputs inputs(*this);
  inputs.nodes.push_back(cells_[cell].current);
  add_input(inputs, item);
  Attr::Tuple items = index_of(index, inputs);
  const Attr step[] = {Attr(items)};
  path.push_back(step_of(OpId::GetItem, step));
  // x[i] += y ends with giving the view x[i] to its own place.
  if (auto* view_given = item.get_if<LazyArray>(); view_given && view_given->view_ && inputs.nodes.size() == 2) {
    const View& same = views_[view_given->view_ - 1];
    if (same.cell == cell && same.path == path) return;
  }
  const Attr attrs[] = {Attr(std::move(path))};
  NodeId node = record(OpId::SetItem, inputs, tables_.attrs.intern(attrs), attrs, backend_of(inputs, 0), false);
  graph_.release(cells_[cell].current);
  cells_[cell].current = node;
  ++cells_[cell].version;
}

NodeId Recorder::base_version(const LazyArray& array) { return cells_[view_of(array).cell].current; }

void Recorder::restore_base(const LazyArray& array, NodeId version) {
  Cell& cell = cells_[view_of(array).cell];
  if (cell.current == version) return;
  graph_.retain(version);
  graph_.release(cell.current);
  cell.current = version;
  ++cell.version;
}

}  // namespace autoray::runtime
