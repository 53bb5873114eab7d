// Computing nodes of the graph: what they need as a block, its plan, and the values that they get.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/executor.h"
#include "runtime/lazy/plan_memo.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::Index;
using ir::NodeId;
using ir::NodeKind;

ir::ScalarValue scalar_value(const Recorder& recorder, NodeId id) {
  if (id == ir::kNoNode) return ir::ScalarValue::Any;
  Array place;
  const Array& array = recorder.array_in(id, place);
  if (!array.data || !array.shape.empty() || ir::is_complex(array.dtype)) return ir::ScalarValue::Any;
  double value;
  cast_loop(array.dtype, ir::DType::Float64)(array.data, 0, reinterpret_cast<char*>(&value), 0, 1);
  if (value == 0) return std::signbit(value) ? ir::ScalarValue::NegativeZero : ir::ScalarValue::Zero;
  return value == 1 ? ir::ScalarValue::One : ir::ScalarValue::Any;
}

ir::PassContext pass_context(const Recorder& recorder, std::span<const NodeId> arguments) {
  ir::PassContext context;
  context.placements.reserve(arguments.size());
  std::unordered_set<const Storage*> counted;
  for (NodeId id : arguments) {
    Array array = id == ir::kNoNode ? Array() : recorder.array(id);
    if (!array.storage) {
      context.placements.push_back({});
      continue;
    }
    // Memory that several arguments are views of is there once.
    bool first = counted.insert(array.storage.get()).second;
    context.placements.push_back({plan_layout(array), first ? array.storage->charged_bytes() : 0});
  }
  context.scalar = [&recorder, arguments](Index number) {
    return number < arguments.size() ? scalar_value(recorder, arguments[number]) : ir::ScalarValue::Any;
  };
  return context;
}

NodeId memory_of(const ir::Graph& graph, NodeId id) {
  for (;;) {
    const ir::Node& n = graph.node(id);
    if (n.kind == NodeKind::Call && ir::op(n.op).has(ir::kViewResult) && n.count == 1)
      id = n.few[0];
    else
      return id;
  }
}

namespace {

// What is eagerly an array of its own does not share memory because passes found it equal to another: it becomes a copy.
void separate_results(Recorder& recorder, ir::Block& block, const ir::PassContext& context, std::span<const NodeId> arguments,
                      std::span<const NodeId> results) {
  auto makes_its_own = [&](Index i) {
    const ir::BlockNode& n = block.nodes[i];
    return n.kind == NodeKind::Call && !ir::op(n.op).has(ir::kViewResult);
  };
  if (block.results.size() == 1 && makes_its_own(block.results[0])) return;
  if (!context.live) context.live = std::make_unique<ir::Liveness>(ir::liveness(block, context.placements));
  const ir::LargeVector<Index> root = context.live->root;
  std::unordered_map<Index, NodeId> owners;  // by root: the graph's node whose array it is
  for (std::size_t a = 0; a < arguments.size(); ++a) owners.emplace(block.arguments[a], arguments[a]);
  for (std::size_t r = 0; r < results.size(); ++r) {
    Index result = block.results[r];
    if (block.type(result).kind != ir::Kind::Array) continue;
    NodeId owner = memory_of(recorder.graph(), results[r]);
    if (auto [found, first] = owners.emplace(root[result], owner); first || found->second == owner) continue;
    ir::BlockNode copy;
    copy.op = ir::OpId::Copy;
    copy.attrs = recorder.tables().attrs.intern(recorder.runtime().default_attrs(ir::OpId::Copy));
    copy.types = block.nodes[result].types;
    copy.source = block.nodes[result].source;
    copy.backend = block.nodes[result].backend;
    block.results[r] = block.add(copy, std::span(&result, 1));
    context.live = nullptr;
    block.tables->attrs.release(copy.attrs);
  }
}

}  // namespace

Extracted extract(Recorder& recorder, std::span<const NodeId> roots) {
  ir::LargeVector<NodeId> ids;
  Extracted made{ir::Block(recorder.tables()), {}, {roots.begin(), roots.end()}};
  const bool registered = recorder.runtime().ops_registered;
  made.block = ir::extract(recorder.graph(), roots, made.arguments, &ids, registered);
  // A draw has its generator's state among its inputs.
  const bool draws = std::ranges::any_of(made.block.arguments,
                                         [&](Index argument) { return made.block.nodes[argument].kind == NodeKind::State; });
  if (!registered && !draws) return made;
  const std::span<const ir::Op> ops = ir::all_ops();
  for (Index i = 0; i < made.block.nodes.size(); ++i) {
    ir::BlockNode& n = made.block.nodes[i];
    if (n.kind != NodeKind::Call) continue;
    // Passes leave alone what a registered function may do otherwise; the plan runs now, so it is known whether there is one.
    n.dispatched = n.dispatched && recorder.runtime().entry(n.backend, n.op).registered;
    made.calls_back |= n.dispatched;
    // A draw happens once: its array is kept for others that need it.
    if (!ops[static_cast<std::size_t>(n.op)].has(ir::kRandom)) continue;
    made.block.results.push_back(i);
    made.results.push_back(ids[i]);
  }
  return made;
}

Prepared prepare(Recorder& recorder, std::span<const NodeId> roots) { return prepare(recorder, extract(recorder, roots)); }

ir::PlanMaker plan_maker(Recorder& recorder, Extracted& extracted) {
  ir::PassContext context = pass_context(recorder, extracted.arguments);
  ir::run_passes(extracted.block, context, recorder.passes);
  separate_results(recorder, extracted.block, context, extracted.arguments, extracted.results);
  return ir::PlanMaker(std::move(extracted.block), context.placements, std::move(context.live));
}

Prepared prepare(Recorder& recorder, Extracted extracted) {
  ir::Plan plan = ir::make_plan(plan_maker(recorder, extracted));
  return {std::move(plan), std::move(extracted.arguments), std::move(extracted.results), extracted.calls_back};
}

std::vector<NodeId> without_value(const Recorder& recorder, std::span<const NodeId> nodes) {
  const ir::Graph& graph = const_cast<Recorder&>(recorder).graph();
  std::vector<NodeId> todo;
  for (NodeId id : nodes) {
    if (graph.node(id).kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "a Variable has no value to compute")
          .with_code(kValueNeeded)
          .with_hint("get_function((variable,)) gives a function of its value");
    if (graph.node(id).kind != NodeKind::Leaf && graph.node(id).kind != NodeKind::Constant) todo.push_back(id);
  }
  return todo;
}

std::vector<NodeId> with_living(Recorder& recorder, std::span<const NodeId> roots) {
  ir::Graph& graph = recorder.graph();
  std::vector<NodeId> all(roots.begin(), roots.end());
  const ir::LargeVector<NodeId> order = graph.ascend(roots, true);
  std::unordered_map<NodeId, std::uint32_t> uses;
  for (NodeId id : order)
    for (NodeId input : graph.node(id).inputs())
      if (input != ir::kNoNode) ++uses[input];
  for (NodeId id : order) {
    const ir::Node& n = graph.node(id);
    bool call = n.kind == NodeKind::Call || n.kind == NodeKind::Project;
    if (call && n.references > uses[id] && recorder.tables().types.types(n.types).size() == 1 &&
        std::find(roots.begin(), roots.end(), id) == roots.end())
      all.push_back(id);
  }
  return all;
}

void give_values(Recorder& recorder, std::span<const NodeId> nodes, std::vector<Array> values) {
  ir::Graph& graph = recorder.graph();
  // A node that gets its value lets its inputs go, which may be results too.
  for (NodeId id : nodes) graph.retain(id);
  for (std::size_t r = 0; r < values.size(); ++r)
    if (graph.node(nodes[r]).kind == NodeKind::Call || graph.node(nodes[r]).kind == NodeKind::Project)
      recorder.set_value(nodes[r], std::move(values[r]));
  for (NodeId id : nodes) graph.release(id);
}

namespace {

// Those of nodes that stay what they are while the plan runs.
class RecordedArguments : public PlanArguments {
 public:
  RecordedArguments(const Recorder& recorder, std::span<const NodeId> nodes) : recorder_(recorder), nodes_(nodes) {}
  const Array& get(Index argument, Array& place) const override { return recorder_.array_in(nodes_[argument], place); }

 private:
  const Recorder& recorder_;
  std::span<const NodeId> nodes_;
};

}  // namespace

void compute(Recorder& recorder, std::span<const NodeId> roots) {
  ir::Graph& graph = recorder.graph();
  const std::vector<NodeId> todo = without_value(recorder, roots);
  if (todo.empty()) return;
  Extracted extracted = extract(recorder, todo);
  for (NodeId id : extracted.arguments)
    if (graph.node(id).kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "the graph depends on a Variable without a value: " + ir::to_string(graph.type(id)))
          .with_code(kValueNeeded)
          .with_hint("get_function((variable,)) gives a function of its value");
  Runtime& runtime = recorder.runtime();
  std::shared_ptr<const ir::Plan> plan = recorder.plans().plan(recorder, extracted);
  if (!plan && runtime.plan_executor) plan = std::make_shared<const ir::Plan>(ir::make_plan(plan_maker(recorder, extracted)));
  auto run = [&](const PlanArguments& arguments) {
    if (plan) return run_plan(runtime, *plan, arguments);
    ir::PlanMaker maker = plan_maker(recorder, extracted);
    return run_plan(runtime, maker, arguments);
  };
  std::vector<Array> values;
  if (runtime.plan_executor || extracted.calls_back) {
    std::vector<Array> arguments;
    arguments.reserve(extracted.arguments.size());
    for (NodeId id : extracted.arguments) arguments.push_back(recorder.array(id));
    values = runtime.plan_executor ? runtime.plan_executor(*plan, std::move(arguments)) : run(ListedArguments(arguments));
  } else {
    values = run(RecordedArguments(recorder, extracted.arguments));
  }
  give_values(recorder, extracted.results, std::move(values));
}

Value Recorder::known_value(const LazyArray& array) {
  if (tracing == 0) return {};
  const NodeId root[] = {array.node()};
  for (NodeId id : graph_.ascend(root, true)) {
    const ir::Node& n = graph_.node(id);
    bool made_here = n.kind == NodeKind::Constant || ((n.kind == NodeKind::Call || n.kind == NodeKind::Project) &&
                                                      !n.dispatched && !ir::op(n.op).has(ir::kRandom));
    if (!made_here) return {};
  }
  compute(*this, root);
  return computed_value(*this, root[0]);
}

Value computed_value(const Recorder& recorder, NodeId node) {
  return from_kind(recorder.array(node), const_cast<Recorder&>(recorder).graph().type(node).kind);
}

}  // namespace autoray::runtime
