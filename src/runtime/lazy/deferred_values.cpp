// Values of what was deferred: computed when somebody looks, written back when somebody wrote.
#include <cstring>

#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/deferral.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/function.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::NodeId;
using ir::NodeKind;

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
