#include "runtime/lazy/deferral.h"

#include <algorithm>
#include <unordered_map>

#include "ir/error.h"
#include "ir/passes/passes.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::NodeId;
using ir::NodeKind;
using ir::OpId;

namespace {

// Scalars are values wherever they are looked at: an index by one is an integer, no array.
bool is_recorded_index(const Value& v) {
  auto* array = v.peek<ArrayObject>();
  return array && array->array.ndim() > 0;
}

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

// The array that a call writes its result to; null: none.
const Value* given_out(const Arguments& arguments) {
  for (std::size_t i = 0; i < arguments.keyword_names.size(); ++i) {
    if (arguments.keyword_names[i] != "out") continue;
    const Value* out = &arguments.keyword_values[i];
    if (auto* tuple = out->get_if<Tuple>(); tuple && tuple->items.size() == 1) out = &tuple->items[0];
    return out->peek<ArrayObject>() ? out : nullptr;
  }
  return nullptr;
}

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
  auto record_call = [&] {
    if (cache_) recorder_.sharing.push_back(cache_);
    struct Pop {
      ~Pop() {
        if (active) sharing.pop_back();
      }
      std::vector<Ref<SharingCache>>& sharing;
      bool active;
    } pop{recorder_.sharing, static_cast<bool>(cache_)};
    result = recorder_.call(id, backend, recorded.arguments, generator, false);
    ++statistics.recorded;
  };
  try {
    if (const Value* out = given_out(given))
      written(*out, record_call);
    else
      record_call();
  } catch (const Error& error) {
    if (error.code() != kValueNeeded) throw;
    return call_now(id, backend, given, generator);
  }
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

void Deferral::written(const Value& array, const std::function<void()>& write) {
  const Value lazy = record(array);
  const NodeId before = recorder_.base_version(lazy.as<LazyArray>());
  ir::Graph& graph = recorder_.graph();
  graph.retain(before);
  struct Release {
    ~Release() { graph.release(node); }
    ir::Graph& graph;
    NodeId node;
  } release{graph, before};
  try {
    write();
    finished(array);
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::FloatingPointError) {
      // What is raised because of values has been written.
      constexpr FpAction kNot = FpAction::Ignore;
      struct Restore {
        ~Restore() { place = before; }
        FpState& place;
        FpState before;
      } restore{runtime_.fp_state, std::exchange(runtime_.fp_state, {kNot, kNot, kNot, kNot})};
      (void)array.get_if<ArrayObject>();
    } else {
      recorder_.restore_base(lazy.as<LazyArray>(), before);
    }
    throw;
  }
}

void Deferral::set_item(const Value& array, const Value& key, const Value& item) {
  write_back();
  Value lazy = record(array);
  Value recorded_key = record_index(key);
  try {
    written(array, [&] {
      recorder_.set_item(lazy.as<LazyArray>(), recorded_key, record(item));
      ++statistics.recorded;
    });
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
  written(target, [&] {
    inplace_call(runtime_, id, lazy, record(operand));
    ++statistics.recorded;
  });
}

void Deferral::reshape(ArrayObject& object, const ir::Dims& shape) {
  write_back();
  const Value operands[] = {behind(object).lazy, from_attr(ir::Attr(shape))};
  Value view = present(recorder_.call(OpId::Reshape, 0, {operands, {}, {}}, nullptr, false));
  auto* fresh = view.peek<ArrayObject>();
  object.array = fresh->array;
  object.recorded = fresh->recorded;
}

}  // namespace autoray::runtime
