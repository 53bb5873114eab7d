#include "runtime/lazy/deferral.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "ir/error.h"
#include "ir/passes/passes.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/function.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::NodeId;
using ir::NodeKind;
using ir::OpId;

namespace {

// The same elements in the same layout, in memory of its own.
Array cloned(Runtime& runtime, const Array& array) {
  Array copy = array;
  copy.storage = StoragePtr(Storage::allocate(array.storage->bytes(), &runtime.budget()));
  std::memcpy(copy.storage->data(), array.storage->data(), array.storage->bytes());
  copy.data = copy.storage->data() + (array.data - array.storage->data());
  return copy;
}

Deferred& behind(const ArrayObject& object) { return static_cast<Deferred&>(*object.recorded.get()); }

// Scalars are values wherever they are looked at: an index by one is an integer, no array.
bool is_recorded_index(const Value& v) {
  auto* array = v.peek<ArrayObject>();
  return array && array->array.ndim() > 0;
}

struct Scope {
  explicit Scope(int& c) : count(c) { ++count; }
  ~Scope() { --count; }
  int& count;
};

}  // namespace

void Value::settle(Object& object) {
  if (object.kind() == ObjectKind::Array) {
    auto& array = static_cast<ArrayObject&>(object);
    behind(array).lazy->recorder->runtime().deferral()->settle(array);
  } else {
    auto& scalar = static_cast<NumpyScalar&>(object);
    static_cast<LazyArray&>(*scalar.recorded.get()).recorder->runtime().deferral()->settle(scalar);
  }
}

Deferral::Deferral(Runtime& runtime, Defer mode) : runtime_(runtime), recorder_(runtime.recorder()), mode_(mode) {
  if (mode == Defer::Shared) cache_ = make<SharingCache>(recorder_.graph());
  choose_passes();
}
Deferral::~Deferral() = default;

void Deferral::set_pass(std::string name) {
  pass_ = std::move(name);
  choose_passes();
}
// Functions of folded graphs take all passes.
void Deferral::choose_passes() {
  recorder_.passes.check = true;
  recorder_.passes.without.clear();
  if (mode_ == Defer::Folded) return;
  bool all = mode_ == Defer::Passes || mode_ == Defer::Native;
  for (const ir::Pass& pass : ir::all_passes())
    if (!all || (!pass_.empty() && pass_ != pass.name)) recorder_.passes.without.emplace_back(pass.name);
}

// ---- between the script's values and the graph's ----

void Deferral::adopt(ArrayObject& object) {
  Value copy = make_array(cloned(runtime_, object.array));
  Ref<LazyArray> leaf = recorder_.leaf(copy);
  auto deferred = make<Deferred>(leaf);
  deferred->shown = leaf->version();
  deferred->version = object.array.storage->version();
  object.defer(std::move(deferred));
  // Whoever holds its memory may write it.
  hand_out(object);
}

Value Deferral::record(const Value& value) {
  if (auto* array = value.peek<ArrayObject>()) {
    if (!array->deferred()) adopt(*array);
    return behind(*array).lazy;
  }
  if (auto* scalar = value.peek<NumpyScalar>(); scalar && scalar->deferred())
    return Ref<LazyArray>::share(static_cast<LazyArray*>(scalar->recorded.get()));
  const std::vector<Value>* items = nullptr;
  if (auto* list = value.get_if<List>()) items = &list->items;
  if (auto* tuple = value.get_if<Tuple>()) items = &tuple->items;
  if (!items) return value;
  std::vector<Value> recorded;
  bool changed = false;
  // Deeper than any array is a cycle: whoever reads the container says so.
  if (depth_ > 64) return value;
  Scope deeper(depth_);
  for (const Value& item : *items) {
    recorded.push_back(record(item));
    changed |= !recorded.back().identical(item);
  }
  if (!changed) return value;
  return value.is(ObjectKind::List) ? make_list(std::move(recorded)) : make_tuple(std::move(recorded));
}

Value Deferral::present(Value recorded) {
  if (auto* list = recorded.get_if<List>()) {
    for (Value& item : list->items) item = present(item);
    return recorded;
  }
  if (auto* tuple = recorded.get_if<Tuple>()) {
    for (Value& item : tuple->items) item = present(item);
    return recorded;
  }
  auto* lazy = recorded.get_if<LazyArray>();
  if (!lazy) return recorded;
  const ir::Type& type = lazy->type();
  auto backend = static_cast<BackendId>(recorder_.graph().node(lazy->node()).backend);
  if (type.kind == ir::Kind::Weak) {
    // A Python number is a value.
    compute(*lazy);
    return computed_value(recorder_, lazy->node());
  }
  if (type.kind != ir::Kind::Array) {
    auto scalar = make<NumpyScalar>(type.dtype, Ref<Object>(Ref<LazyArray>::share(lazy)));
    scalar->backend = backend;
    return scalar;
  }
  Array layout = layout_of(type);
  layout.strides = recorder_.strides(*lazy);
  layout.backend = backend;
  auto object = make<ArrayObject>(std::move(layout));
  object->defer(make<Deferred>(Ref<LazyArray>::share(lazy)));
  return object;
}

// ---- calls ----

namespace {

bool recordable(const ir::Op& op) {
  if (op.has(ir::kDynamicShape) || op.has(ir::kDynamicDType)) return false;
  return op.op_class != ir::OpClass::Host || op.id == OpId::Asarray || op.id == OpId::ArrayOp;
}

// Arguments as lazy arrays; a result that is one of them is the script's own object again.
struct Recorded {
  Recorded(Deferral& deferral, const Arguments& given) {
    auto add = [&](const Value& v, std::vector<Value>& list) {
      list.push_back(deferral.record(v));
      any |= !list.back().identical(v);
      if (v.peek<ArrayObject>()) pairs.emplace_back(list.back().object(), v);
      if (auto* tuple = v.get_if<Tuple>(); tuple && tuple->items.size() == 1 && tuple->items[0].peek<ArrayObject>())
        pairs.emplace_back(list.back().as<Tuple>().items[0].object(), tuple->items[0]);
    };
    for (const Value& v : given.positional) add(v, positional);
    for (const Value& v : given.keyword_values) add(v, keywords);
    arguments = {positional, given.keyword_names, keywords};
  }
  std::vector<Value> positional, keywords;
  std::vector<std::pair<Object*, Value>> pairs;
  Arguments arguments;
  bool any = false;  // of them is or holds an array
};

bool raises(const FpState& s) {
  return s.divide == FpAction::Raise || s.over == FpAction::Raise || s.under == FpAction::Raise || s.invalid == FpAction::Raise;
}

}  // namespace

Value Deferral::finished(Value result) {
  if (prompt == 0 && !raises(runtime_.fp_state)) return result;
  auto settle_one = [](const Value& v) {
    (void)v.get_if<ArrayObject>();
    (void)v.get_if<NumpyScalar>();
  };
  Scope quiet(printing);
  settle_one(result);
  if (auto* list = result.get_if<List>())
    for (const Value& item : list->items) settle_one(item);
  if (auto* tuple = result.get_if<Tuple>())
    for (const Value& item : tuple->items) settle_one(item);
  return result;
}

Value Deferral::call(OpId id, BackendId backend, const Arguments& given, BitGenerator* generator) {
  if (!recordable(ir::op(id))) return call_now(id, backend, given, generator);
  write_back();
  Recorded recorded(*this, given);
  // What makes arrays out of lists of numbers has nothing to wait for.
  if (!recorded.any && ir::op(id).op_class == ir::OpClass::Host) return call_now(id, backend, given, generator);
  Value result;
  try {
    if (cache_) recorder_.sharing.push_back(cache_);
    struct Pop {
      ~Pop() {
        if (active) sharing.pop_back();
      }
      std::vector<Ref<SharingCache>>& sharing;
      bool active;
    } pop{recorder_.sharing, static_cast<bool>(cache_)};
    result = recorder_.call(id, backend, recorded.arguments, generator, false);
  } catch (const Error& error) {
    if (error.code() != kValueNeeded) throw;
    return call_now(id, backend, given, generator);
  }
  ++statistics.recorded;
  for (auto& [lazy, own] : recorded.pairs)
    if (result.is_object() && result.object() == lazy) return finished(own);
  return finished(present(std::move(result)));
}

Value Deferral::call_now(OpId id, BackendId backend, const Arguments& arguments, BitGenerator* generator) {
  ++statistics.eager;
  if (ir::op(id).has(ir::kRandom) || ir::op(id).path.starts_with("random.")) finish_draws();
  Scope scope(direct);
  return runtime_.call(id, backend, arguments, generator);
}

void Deferral::finish_draws() {
  std::vector<NodeId> draws = recorder_.pending_draws();
  if (draws.empty()) return;
  Scope scope(direct);
  runtime::compute(recorder_, draws);
}

Value Deferral::record_index(const Value& key) {
  if (is_recorded_index(key)) return record(key);
  auto* tuple = key.get_if<Tuple>();
  if (!tuple) return key;
  std::vector<Value> items;
  for (const Value& item : tuple->items) items.push_back(is_recorded_index(item) ? record(item) : item);
  return make_tuple(std::move(items));
}

Value Deferral::get_item(const Value& array, const Value& key) {
  write_back();
  Value lazy = record(array);
  Value recorded_key = record_index(key);
  try {
    Value item = recorder_.get_item(lazy.as<LazyArray>(), recorded_key);
    ++statistics.recorded;
    return finished(present(std::move(item)));
  } catch (const Error& error) {
    if (error.code() != kValueNeeded) throw;
  }
  ++statistics.eager;
  Scope scope(direct);
  return runtime::get_item(runtime_, array.as<ArrayObject>().array, key);
}

void Deferral::set_item(const Value& array, const Value& key, const Value& item) {
  write_back();
  Value lazy = record(array);
  Value recorded_key = record_index(key);
  try {
    recorder_.set_item(lazy.as<LazyArray>(), recorded_key, record(item));
    ++statistics.recorded;
    finished(array);
    return;
  } catch (const Error& error) {
    if (error.code() != kValueNeeded) throw;
  }
  ++statistics.eager;
  Scope scope(direct);
  // Values that are asked for while an array is written would take it for written before it is.
  for (const Value* v : {&key, &item}) {
    (void)v->get_if<ArrayObject>();
    (void)v->get_if<NumpyScalar>();
  }
  runtime::set_item(runtime_, array.as<ArrayObject>().array, key, item);
}

void Deferral::inplace(OpId id, const Value& target, const Value& operand) {
  write_back();
  const Value lazy = record(target);
  inplace_call(runtime_, id, lazy, record(operand));
  ++statistics.recorded;
  finished(target);
}

void Deferral::reshape(ArrayObject& object, const ir::Dims& shape) {
  write_back();
  const Value operands[] = {behind(object).lazy, from_attr(ir::Attr(shape))};
  Value view = present(recorder_.call(OpId::Reshape, 0, {operands, {}, {}}, nullptr, false));
  auto* fresh = view.peek<ArrayObject>();
  object.array = fresh->array;
  object.recorded = fresh->recorded;
}

// ---- values ----

void Deferral::hand_out(ArrayObject& object) {
  Deferred& d = behind(object);
  d.age = 0;
  if (!std::exchange(d.handed_out, true)) handed_out_.push_back(Ref<ArrayObject>::share(&object));
}

void Deferral::write_back() {
  // What nobody else holds, or has not written for long, is not looked at any more; memory that a graph of the script's own
  // holds is, for its writes must come there.
  constexpr int kOld = 64;
  for (std::size_t i = 0; i < handed_out_.size(); ++i) {
    ArrayObject& object = *handed_out_[i];
    Deferred& d = behind(object);
    if (!d.handed_out) continue;  // it became a view of what it was
    std::uint64_t version = object.array.storage->version();
    if (version != d.version) {
      d.age = 0;
      d.version = version;
      recorder_.set_item(*d.lazy, Value::ellipsis(), make_array(cloned(runtime_, object.array)));
      d.shown = d.lazy->version();
    }
  }
  std::erase_if(handed_out_, [](const Ref<ArrayObject>& object) {
    Deferred& d = behind(*object);
    bool done = !d.handed_out || (object->array.storage->unique() && (object->references() == 1 || ++d.age > kOld));
    if (done) d.handed_out = false;
    return done;
  });
}

bool Deferral::may_share(const Value& a, const Value& b) {
  Value x = record(a), y = record(b);
  return recorder_.may_share(x.as<LazyArray>(), y.as<LazyArray>());
}

void Deferral::settle(ArrayObject& object) {
  Deferred& d = behind(object);
  if (d.shown != d.lazy->version()) {
    write_back();
    compute(*d.lazy);
    const Array value = recorder_.owned_array(d.lazy->node());
    if (d.shown >= 0) {
      // Whoever looked before sees the new values too.
      copy_into(runtime_, value, object.array);
      object.array.storage->bump_version();
    } else {
      // Passes may have found it another way.
      const ir::Dims strides = recorder_.strides(*d.lazy);
      const BackendId backend = object.array.backend;
      object.array = lies_otherwise(value, strides) ? with_strides(runtime_, value, strides) : cloned(runtime_, value);
      object.array.backend = backend;
    }
    d.shown = d.lazy->version();
    d.version = object.array.storage->version();
  }
  hand_out(object);
}

void Deferral::refresh() {
  if (direct > 0) return;
  write_back();
  const std::vector<Ref<ArrayObject>> looked_at = handed_out_;
  for (const Ref<ArrayObject>& object : looked_at)
    if (behind(*object).handed_out) settle(*object);
}

void Deferral::settle(NumpyScalar& object) {
  auto lazy = Ref<LazyArray>::share(static_cast<LazyArray*>(object.recorded.get()));
  write_back();
  compute(*lazy);
  const Array value = recorder_.array(lazy->node());
  std::memcpy(object.data, value.data, ir::itemsize(object.dtype));
  object.settled();
}

// A value is computed together with what other live arrays stand for: they share their past, and nothing is computed twice.
void Deferral::compute(const LazyArray& array) {
  ir::Graph& graph = recorder_.graph();
  const NodeId root[] = {array.node()};
  NodeKind kind = graph.node(root[0]).kind;
  if (kind == NodeKind::Leaf || kind == NodeKind::Constant) return;
  if (printing == 0) ++statistics.demands;
  if (cache_) cache_->clear();
  ir::LargeVector<NodeId> order = graph.ascend(root, true);
  for (NodeId id : order) {
    NodeKind n = graph.node(id).kind;
    statistics.computed += n == NodeKind::Call || n == NodeKind::Project;
  }
  std::vector<NodeId> roots = with_living(recorder_, root);
  Scope scope(direct);
  if (mode_ == Defer::Folded) return compute_folded(order, roots);
  runtime::compute(recorder_, roots);
}

// Half of the leaves are a function's arguments; what the other half decides is folded.
void Deferral::compute_folded(std::span<const NodeId> order, std::vector<NodeId> roots) {
  ir::Graph& graph = recorder_.graph();
  std::vector<NodeId> draws, inputs;
  for (NodeId id : order)
    if (graph.node(id).kind == NodeKind::Call && ir::op(graph.node(id).op).has(ir::kRandom)) draws.push_back(id);
  if (!draws.empty()) runtime::compute(recorder_, draws);
  bool take = false;
  for (NodeId id : graph.ascend(roots, true))
    if (graph.node(id).kind == NodeKind::Leaf && (take = !take)) inputs.push_back(id);
  std::erase_if(roots, [&](NodeId id) { return graph.node(id).kind == NodeKind::Leaf; });
  if (roots.empty()) return;
  std::vector<Value> outputs, values;
  for (NodeId id : roots) {
    graph.retain(id);
    outputs.push_back(recorder_.wrap(id));
  }
  for (NodeId id : inputs) values.push_back(make_array(recorder_.owned_array(id)));
  std::vector<Array> arrays;
  {
    auto function = make<LazyFunction>(recorder_, inputs, make_tuple(outputs), true);
    Value results = function->call(runtime_, {values, {}, {}});
    for (const Value& v : results.as<Tuple>().items) arrays.push_back(cloned(runtime_, to_array(runtime_, v)));
  }
  for (std::size_t i = 0; i < roots.size(); ++i)
    if (graph.node(roots[i]).kind != NodeKind::Leaf) recorder_.set_value(roots[i], std::move(arrays[i]));
}

}  // namespace autoray::runtime
