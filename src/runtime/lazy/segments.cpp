// Where a trace needs values because a shape depends on them: it computes them, calls the operation at once, and records on
// with its result.
#include <algorithm>

#include "ir/error.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/function.h"
#include "runtime/lazy/recorder.h"

namespace autoray::runtime {

using ir::NodeId;
using ir::NodeKind;
using ir::OpId;

namespace {

// Arguments with the values of their lazy arrays. Where a segment cannot end, `error` says what was needed.
class Computed {
 public:
  Computed(Recorder& recorder, const ir::Error& error) : recorder_(recorder), error_(error) {}

  void need(const Value& tree) {
    for_each_leaf(tree, [&](const Value& v) {
      if (auto* lazy = v.get_if<LazyArray>()) needed_.push_back(lazy->node());
    });
  }
  void compute() {
    ir::Graph& graph = recorder_.graph();
    for (NodeId id : graph.ascend(needed_, true))
      if (graph.node(id).kind == NodeKind::Variable) recorder_.shaped_by.push_back(id);
    if (!recorder_.end_segment) throw ir::Error(error_);
    recorder_.end_segment(needed_);
    for (NodeId id : needed_) {
      Array array = recorder_.array(id);
      if (array.storage) storages_.push_back(array.storage.get());
      backend = std::max(backend, static_cast<BackendId>(graph.node(id).backend));
    }
  }
  Value values(const Value& tree) {
    return map_leaves(tree, [&](const Value& v) -> Value {
      auto* lazy = v.get_if<LazyArray>();
      return lazy ? from_kind(recorder_.owned_array(lazy->node()), lazy->type().kind) : v;
    });
  }
  // Arrays become leaves of what follows. What shares memory with an operand would have to share its writes.
  Value recorded(const Value& result) {
    return map_leaves(result, [&](const Value& v) -> Value {
      auto* array = v.get_if<ArrayObject>();
      if (!array) return v;
      if (std::ranges::find(storages_, array->array.storage.get()) != storages_.end()) throw ir::Error(error_);
      return recorder_.given(array->array, ir::Kind::Array);
    });
  }

  BackendId backend = 0;

 private:
  Recorder& recorder_;
  const ir::Error& error_;
  std::vector<NodeId> needed_;
  std::vector<const Storage*> storages_;
};

// Draws happen once, whatever becomes of the trace; files are no part of it; arrays made of others may be these.
bool may_be_called(const ir::Op& op) {
  if (op.has(ir::kRandom)) return false;
  return op.op_class != ir::OpClass::Host || op.id == OpId::Arange || op.id == OpId::Histogram;
}

}  // namespace

Value Recorder::call_with_values(OpId id, BackendId backend, const Arguments& given, const ir::Error& error) {
  if (!may_be_called(ir::op(id))) throw ir::Error(error);
  for (std::size_t i = 0; i < given.keyword_names.size(); ++i)
    if (given.keyword_names[i] == "out" && contains_lazy(given.keyword_values[i])) throw ir::Error(error);
  Computed computed(*this, error);
  computed.backend = backend;
  for (const Value& v : given.positional) computed.need(v);
  for (const Value& v : given.keyword_values) computed.need(v);
  computed.compute();
  std::vector<Value> positional, keywords;
  for (const Value& v : given.positional) positional.push_back(computed.values(v));
  for (const Value& v : given.keyword_values) keywords.push_back(computed.values(v));
  return computed.recorded(runtime_.call(id, computed.backend, {positional, given.keyword_names, keywords}, nullptr));
}

Value Recorder::item_with_values(const LazyArray& array, const Value& index, const ir::Error& error) {
  const Value of = Ref<LazyArray>::share(&const_cast<LazyArray&>(array));
  Computed computed(*this, error);
  computed.need(of);
  computed.need(index);
  computed.compute();
  const Value value = computed.values(of);
  return computed.recorded(runtime::get_item(runtime_, to_array(runtime_, value), computed.values(index)));
}

}  // namespace autoray::runtime
