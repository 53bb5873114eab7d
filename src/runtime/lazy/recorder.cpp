#include "runtime/lazy/recorder.h"

#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/index.h"
#include "ir/rules/movement.h"
#include "runtime/bind.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/driver.h"
#include "runtime/forms.h"
#include "runtime/lazy/plan_memo.h"
#include "runtime/random/random_state.h"
#include "runtime/ufunc.h"

namespace autoray::runtime {

using ir::Attr;
using ir::AttrsId;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::Kind;
using ir::kNoNode;
using ir::NodeId;
using ir::NodeKind;
using ir::OpId;

namespace {

constexpr AttrsId kNoAttrs = 0xffffffffu;
constexpr ir::TypesId kNoTypes = 0xffffffffu;

void drop_array(void* value) { delete static_cast<Array*>(value); }

constexpr std::size_t kScalars = 1024;

}  // namespace

// ---- the recorder ----

Recorder::Recorder(Runtime& runtime)
    : runtime_(runtime),
      graph_(tables_, drop_array),
      forms_(ir::kOpCount),
      memos_(kMemos),
      numbers_(kNumbersMemos),
      scalars_(kScalars, kNoNode),
      plans_(std::make_unique<PlanMemo>()) {
  for (auto& kinds : scalar_types_) std::fill(std::begin(kinds), std::end(kinds), kNoTypes);
}

Recorder::~Recorder() {
  sharing.clear();
  for (auto& [generator, stream] : streams_) {
    graph_.release(stream.state);
    if (stream.last != kNoNode) graph_.release(stream.last);
  }
  for (NodeId id : scalars_)
    if (id != kNoNode) graph_.release(id);
  for (const Inferred& memo : memos_)
    if (memo.op != OpId::Count) tables_.attrs.release(memo.attrs);
  for (const NumbersMemo& memo : numbers_)
    if (memo.op != OpId::Count) tables_.attrs.release(memo.attrs);
  for (const OpForm& form : forms_)
    if (form.defaults != kNoAttrs) tables_.attrs.release(form.defaults);
}

Ref<LazyArray> Recorder::lazy_array(NodeId node) {
  auto array = Ref<LazyArray>::adopt(new (arrays_) LazyArray(*this, node));
  ++live_arrays_;
  return array;
}

void Recorder::set_value(NodeId node, Array array) {
  graph_.node(node).types = tables_.types.intern(array.type(graph_.type(node).kind));
  graph_.set_value(node, new Array(std::move(array)));
}

// ---- inputs ----

NodeId Recorder::scalar(DType dtype, const void* given, Kind kind) {
  char item[16] = {};
  std::memcpy(item, given, ir::itemsize(dtype));
  ir::TypesId& known = scalar_types_[static_cast<std::size_t>(dtype)][static_cast<std::size_t>(kind)];
  if (known == kNoTypes) known = tables_.types.intern(ir::Type{dtype, kind, {}});
  const ir::TypesId types = known;
  // Calls that are shared have equal scalars as one node.
  if (!sharing.empty()) {
    NodeId found = sharing.back()->find_scalar(types, item);
    if (found == kNoNode) {
      found = graph_.add_scalar(types, item);
      sharing.back()->insert_scalar(found);
    } else {
      graph_.retain(found);
    }
    return found;
  }
  // Scalars come again soon or not at all: the newest ones are kept, and equal ones that are not become one argument of a
  // block.
  NodeId& place = scalars_[ir::scalar_hash(types, item) % kScalars];
  if (place == kNoNode || !graph_.node(place).same_item(types, item)) {
    NodeId fresh = graph_.add_scalar(types, item);
    if (place != kNoNode) graph_.release(place);
    place = fresh;
  }
  graph_.retain(place);
  return place;
}

Array Recorder::array(NodeId id) const {
  const ir::Node& node = graph_.node(id);
  if (!node.holds_item()) return node.value ? *static_cast<const Array*>(node.value) : Array();
  Array array;
  array.data = const_cast<char*>(node.item);
  array.dtype = graph_.type(id).dtype;
  return array;
}

const Array& Recorder::array_in(NodeId id, Array& place) const {
  const ir::Node& node = graph_.node(id);
  if (!node.holds_item() && node.value) return *static_cast<const Array*>(node.value);
  place.data = node.holds_item() ? const_cast<char*>(node.item) : nullptr;
  place.dtype = tables_.types.type(node.types).dtype;
  return place;
}

Array Recorder::owned_array(NodeId id) const {
  Array array = this->array(id);
  if (array.storage || !array.data) return array;
  // Outside the memory limit: a scalar is part of the program.
  array.storage = StoragePtr(Storage::allocate(sizeof(ir::Node::item), nullptr));
  std::memcpy(array.storage->data(), array.data, ir::itemsize(array.dtype));
  array.data = array.storage->data();
  return array;
}

NodeId Recorder::constant(Array array, Kind kind) {
  ir::TypesId type = tables_.types.intern(array.type(kind));
  BackendId backend = array.backend;
  auto* held = new Array(std::move(array));
  try {
    return graph_.add_leaf(NodeKind::Constant, type, held, ir::kNoSource, static_cast<std::uint8_t>(backend));
  } catch (...) {
    delete held;
    throw;
  }
}

bool Recorder::contains_lazy(const Value& v, int depth) const {
  if (v.is(ObjectKind::Lazy)) return true;
  if (depth > 64) return false;  // deeper than any array; a cycle
  const std::vector<Value>* items = nullptr;
  if (auto* list = v.get_if<List>()) items = &list->items;
  if (auto* tuple = v.get_if<Tuple>()) items = &tuple->items;
  if (!items) return false;
  return std::any_of(items->begin(), items->end(), [&](const Value& item) { return contains_lazy(item, depth + 1); });
}

// np.sum([a, b]) with lazy a or b: the array that the nested list stands for.
Value Recorder::stacked(const Value& sequence) {
  const std::vector<Value>& items = sequence.is(ObjectKind::List) ? sequence.as<List>().items : sequence.as<Tuple>().items;
  std::vector<Value> parts;
  for (const Value& item : items)
    parts.push_back(item.is(ObjectKind::List) || item.is(ObjectKind::Tuple)
                        ? (contains_lazy(item) ? stacked(item) : make_array(to_array(runtime_, item)))
                        : item);
  Value list = make_list(std::move(parts));
  return call(OpId::Stack, 0, {std::span(&list, 1), {}, {}}, nullptr, false);
}

void Recorder::add_input(Inputs& inputs, const Value& v) {
  if (auto* lazy = v.get_if<LazyArray>()) {
    const NodeId node = lazy->node();
    if (const Array* layout = layout_known(*lazy)) inputs.layouts.emplace_back(inputs.nodes.size(), layout);
    inputs.nodes.push_back(node);
    return;
  }
  auto item = [&](DType dtype, const auto& x, Kind kind) { inputs.hold(scalar(dtype, &x, kind)); };
  if (v.is_float()) return item(DType::Float64, v.as_float(), Kind::Weak);
  if (v.is_int()) return item(DType::Int64, v.as_int(), Kind::Weak);
  if (v.is_bool()) return item(DType::Bool, v.as_bool(), Kind::Weak);
  if (auto* c = v.get_if<Complex>()) return item(DType::Complex128, c->value, Kind::Weak);
  if (auto* s = v.get_if<NumpyScalar>()) return inputs.hold(scalar(s->dtype, s->data, Kind::Scalar));
  if (auto* a = v.get_if<ArrayObject>()) {
    if (!a->array.c_contiguous()) inputs.layouts.emplace_back(inputs.nodes.size(), &a->array);
    if (!sharing.empty()) return inputs.hold(shared_array(a->array, NodeKind::Constant));
    return inputs.hold(constant(a->array, Kind::Array));
  }
  if (v.is(ObjectKind::BigInt)) {
    OperandList list;
    list.add(runtime_, v);  // checks the range
    return inputs.hold(scalar(list.operands()[0]->dtype, list.operands()[0]->data, Kind::Weak));
  }
  if (contains_lazy(v)) {
    Value array = stacked(v);
    NodeId id = array.as<LazyArray>().node();
    graph_.retain(id);
    inputs.hold(id);
    return;
  }
  inputs.hold(constant(to_array(runtime_, v), Kind::Array));
}

NodeId Recorder::shared_array(const Array& array, NodeKind kind) {
  // The same array: storage, view and version.
  std::string key;
  auto put = [&](const auto& x) { key.append(reinterpret_cast<const char*>(&x), sizeof x); };
  put(kind);
  put(array.dtype);
  put(array.backend);
  auto* storage = array.storage.get();
  put(storage);
  put(array.data);
  put(storage ? storage->version() : std::uint64_t{0});
  for (std::int64_t d : array.shape) put(d);
  for (std::int64_t d : array.strides) put(d);
  SharingCache& cache = *sharing.back();
  if (auto found = cache.arrays().find(key); found != cache.arrays().end()) {
    graph_.retain(found->second);
    return found->second;
  }
  NodeId id = kind == NodeKind::Constant ? constant(array, Kind::Array)
                                         : graph_.add_leaf(kind, tables_.types.intern(array.type()), new Array(array), here(),
                                                           static_cast<std::uint8_t>(array.backend));
  cache.keep_array(std::move(key), id);
  return id;
}

Ref<LazyArray> Recorder::leaf(const Value& v) {
  if (auto* lazy = v.get_if<LazyArray>()) return Ref<LazyArray>::share(lazy);
  if (contains_lazy(v)) {
    Value list = stacked(v);
    return Ref<LazyArray>::share(&list.as<LazyArray>());
  }
  Array array = to_array(runtime_, v);
  NodeId id;
  if (!sharing.empty()) {
    id = shared_array(array, NodeKind::Leaf);
  } else {
    ir::TypesId type = tables_.types.intern(array.type());
    auto backend = static_cast<std::uint8_t>(array.backend);
    id = graph_.add_leaf(NodeKind::Leaf, type, new Array(std::move(array)), here(), backend);
  }
  return lazy_array(id);
}

Ref<LazyArray> Recorder::variable(DType dtype, std::span<const std::int64_t> shape, BackendId backend) {
  ir::element_count(shape);
  ir::Type type{dtype, Kind::Array, ir::Dims(shape)};
  NodeId id =
      graph_.add_leaf(NodeKind::Variable, tables_.types.intern(type), nullptr, here(), static_cast<std::uint8_t>(backend));
  return lazy_array(id);
}

BackendId Recorder::backend_of(const Inputs& inputs, BackendId fallback) const {
  // Priorities are the order of the ids; scalars belong to no backend.
  int best = -1;
  for (NodeId id : inputs.nodes) {
    if (id == kNoNode) continue;
    const ir::Node& node = graph_.node(id);
    if (node.kind == NodeKind::Constant && graph_.type(id).kind != Kind::Array) continue;
    best = std::max<int>(best, node.backend);
  }
  return best >= 0 ? static_cast<BackendId>(best) : fallback;
}

AttrsId Recorder::default_attrs(OpId id) {
  AttrsId& place = forms_[static_cast<std::size_t>(id)].defaults;
  if (place == kNoAttrs) place = tables_.attrs.intern(runtime_.default_attrs(id));
  tables_.attrs.retain(place);
  return place;
}

// ---- one node ----

const Recorder::Inferred& Recorder::infer(OpId id, const Inputs& inputs, AttrsId attrs, std::span<const Attr> known) {
  std::size_t n = inputs.nodes.size();
  Inferred* memo = nullptr;
  auto types_of = [&](std::size_t i) {
    return i >= n ? std::uint64_t{0} : inputs.nodes[i] == kNoNode ? kNoTypes : graph_.node(inputs.nodes[i]).types;
  };
  std::uint64_t first = 0, second = 0;
  if (n <= 4) {
    first = types_of(0) | types_of(1) << 32;
    if (n > 2) second = types_of(2) | types_of(3) << 32;
    memo = memo_of(id, attrs, first, second);
    if (memo->is(id, n, attrs, first, second)) return *memo;
  }
  const ir::Op& op = ir::op(id);
  std::vector<ir::OperandType> operands;
  std::size_t data = op.has(ir::kRandom) ? n - 2 : n;  // the last two inputs of a draw are its generator and the draw before
  for (std::size_t i = 0; i < data; ++i)
    operands.push_back({inputs.nodes[i] == kNoNode ? nullptr : &graph_.type(inputs.nodes[i])});
  std::vector<std::uint32_t> groups = ir::operand_groups(op, operands.size());
  for (std::size_t i = 0, at = 0; i < groups.size(); at += groups[i], ++i)
    if (groups[i] == 1 && !operands[at].present()) groups[i] = 0;
  std::vector<Attr> own;
  if (known.empty()) {
    own = tables_.attrs.attrs(attrs);
    known = own;
  }
  ir::Inference inference{op, operands, groups, known, {}};
  ir::infer(inference);
  if (op.op_class == ir::OpClass::Elementwise)
    check_operand_types(runtime_, *runtime_.find_backend("numpy"), op, operands, inference.results[0]);
  Inferred& result = memo ? *memo : unkept_;
  if (memo) {
    if (memo->op != OpId::Count) tables_.attrs.release(memo->attrs);
    tables_.attrs.retain(attrs);
  }
  result = {.op = id,
            .lone = inference.results.size() == 1 && !op.has(ir::kTupleResult) && !op.has(ir::kListResult),
            .count = static_cast<std::uint8_t>(n),
            .attrs = attrs,
            .in = {first, second},
            .out = tables_.types.intern(inference.results),
            .names = inference.names};
  return result;
}

NodeId Recorder::record(OpId id, const Inputs& inputs, AttrsId attrs, std::span<const Attr> known, BackendId backend,
                        bool dispatched) {
  struct Count {
    ir::AttrTable& table;
    AttrsId id;
    bool held = true;
    ~Count() {
      if (held) table.release(id);
    }
  } count{tables_.attrs, attrs};
  const Inferred& inferred = infer(id, inputs, attrs, known);
  const ir::TypesId types = inferred.out;
  lone_ = inferred.lone;
  names_ = inferred.names;
  auto b = static_cast<std::uint8_t>(backend);
  bool shares = !sharing.empty() && !ir::op(id).has(ir::kRandom);
  if (shares) {
    NodeId found = sharing.back()->find(id, inputs.nodes, attrs, b);
    if (found != kNoNode) {
      graph_.retain(found);
      return found;
    }
  }
  NodeId node = graph_.add_call(id, inputs.nodes, attrs, types, here(), b, dispatched);
  count.held = false;
  if (shares) sharing.back()->insert(node);
  return node;
}

Value Recorder::results(OpId id, NodeId node) {
  if (lone_) return wrap(node);
  const ir::Op& op = ir::op(id);
  auto types = tables_.types.types(graph_.node(node).types);
  std::vector<Value> items;
  for (std::size_t i = 0; i < types.size(); ++i)
    items.push_back(wrap(graph_.add_projection(node, static_cast<std::uint32_t>(i), tables_.types.intern(types[i]))));
  graph_.release(node);
  if (op.has(ir::kListResult)) return make_list(std::move(items));
  if (items.size() == 1) return items[0];
  return make_result_tuple(std::move(items), names_);
}

}  // namespace autoray::runtime
