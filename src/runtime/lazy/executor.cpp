#include "runtime/lazy/executor.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/quick.h"
#include "runtime/memory_order.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::Index;
using ir::kNoIndex;
using ir::NodeId;
using ir::NodeKind;

namespace {

// A registered function takes the place of the kernel: it is called with values, as `do` calls it.
std::vector<Array> call_registered(Runtime& runtime, Callable& function, const ir::Op& op, std::span<const Operand> in,
                                   std::span<const std::uint32_t> groups, std::span<const ir::Attr> attrs) {
  const ir::Signature& signature = runtime.signature(op.id);
  std::vector<Value> positional, keyword_values;
  std::vector<std::string_view> names;
  std::size_t at = 0, group = 0, attr = 0;
  auto value = [](const Operand& operand) {
    if (!operand.present()) return Value::none();
    return from_array(*operand, operand.kind != ir::Kind::Array);
  };
  for (std::size_t p = 0; p < signature.parameters.size(); ++p) {
    const ir::Parameter& parameter = signature.parameters[p];
    char letter = op.operands[p];
    if (letter == 'S') {
      std::vector<Value> items;
      for (std::uint32_t k = 0; k < groups[group]; ++k) items.push_back(value(in[at++]));
      ++group;
      if (parameter.kind == ir::ParameterKind::VarPositional)
        positional.insert(positional.end(), items.begin(), items.end());
      else
        positional.push_back(make_tuple(std::move(items)));
    } else if (letter == 'A' || letter == 'B' || letter == 'O') {
      ++group;
      const Operand& operand = in[at++];
      if (!operand.present()) continue;
      if (names.empty() && positional.size() == p) {
        positional.push_back(value(operand));
      } else {
        names.push_back(parameter.name);
        keyword_values.push_back(value(operand));
      }
    } else {
      const ir::Attr& a = attrs[attr++];
      if (!parameter.required && a == parameter.default_value) continue;
      if (parameter.required && positional.size() == p) {
        positional.push_back(from_attr(a));
      } else {
        names.push_back(parameter.name);
        keyword_values.push_back(from_attr(a));
      }
    }
  }
  Value result = function.call(runtime, {positional, names, keyword_values});
  std::vector<Array> arrays;
  if (auto* tuple = result.get_if<Tuple>()) {
    for (const Value& item : tuple->items) arrays.push_back(to_array(runtime, item));
  } else {
    arrays.push_back(to_array(runtime, result));
  }
  return arrays;
}

// One run of a plan: what each buffer holds, and the step that is running.
class PlanRun {
 public:
  // Arguments have the first buffers; here stand those of the others.
  PlanRun(Runtime& runtime, const ir::Plan& plan, const PlanArguments& arguments)
      : runtime_(runtime),
        plan_(plan),
        arguments_(arguments),
        argument_count_(static_cast<Index>(plan.argument_slots.size())),
        buffers_(plan.buffer_count - argument_count_),
        kinds_(plan.buffer_count, ir::Kind::Array) {
    for (Index a = 0; a < argument_count_; ++a) kinds_[a] = plan.block.type(plan.block.arguments[a]).kind;
  }

  void step(const ir::Step& step) {
    const ir::BlockNode& node = plan_.block.nodes[step.node];
    const ir::Op& op = ops_[static_cast<std::size_t>(node.op)];
    const bool random = op.has(ir::kRandom);
    const std::size_t operands = step.input_count - (random ? 2 : 0);
    const Index* slots = plan_.inputs(step).data();
    std::span<const Index> outputs = plan_.outputs(step);
    in_.clear();
    if (places_.size() < operands) places_.resize(operands);
    for (std::size_t k = 0; k < operands; ++k)
      in_.push_back(slots[k] == kNoIndex ? Operand{} : Operand{&value(slots[k], places_[k]), kinds_[slots[k]]});
    const Entry& entry = runtime_.entry(node.backend, node.op);
    std::span<const ir::Type> types = plan_.block.types(step.node);
    bool registered = node.dispatched && entry.registered;
    Index first_output = outputs[0];
    if (!registered && !runtime_.on_explain && short_way(step, node, op, entry, first_output)) {
      kinds_[first_output] = types[0].kind;
    } else {
      out_.clear();
      if (registered) {
        Ref<Callable> function = entry.registered;
        out_ = call_registered(runtime_, *function, op, in_, plan_.group_lists[step.groups], plan_.attr_lists[step.attrs]);
        if (out_.size() != types.size())
          throw Error(ErrorClass::ValueError, "the function registered for '" + std::string(op.path) + "' gave " +
                                                  std::to_string(out_.size()) + " results, the graph expects " +
                                                  std::to_string(types.size()));
      } else {
        if (!step.in_place && !step.view) runtime_.budget().check(plan_.block.tables->types.bytes(node.types));
        BitGenerator* stream = random ? reinterpret_cast<BitGenerator*>(value(slots[operands], state_).data) : nullptr;
        kernel(step, op, entry, types, stream);
      }
      // What an operand in place had passes to the result.
      if (step.in_place && out_[0].storage != buffer(first_output).storage) drop(buffer(first_output));
      for (Index k = 0; k < step.output_count; ++k) {
        Index slot = outputs[k];
        bool stays = step.in_place && buffer(slot).storage;
        settle(out_[k], types[k].dtype, step.view || stays);
        out_[k].backend = node.backend;
        kinds_[slot] = types[k].kind;
        buffer(slot) = std::move(out_[k]);
      }
    }
    for (Index slot : plan_.freed(step)) drop(buffer(slot));
  }

  std::vector<Array> results() {
    std::vector<Array> results;
    results.reserve(plan_.result_slots.size());
    for (Index slot : plan_.result_slots) {
      Array place;
      results.push_back(value(slot, place));
    }
    return results;
  }

 private:
  Array& buffer(Index slot) { return buffers_[slot - argument_count_]; }
  const Array& value(Index slot, Array& place) { return slot < argument_count_ ? arguments_.get(slot, place) : buffer(slot); }

  static void drop(Array& array) {
    array.storage = StoragePtr();
    array.shape.clear();
    array.strides.clear();
    array.writable = true;
  }

  // Small calls (elementwise/quick.h) make their result in its buffer.
  bool short_way(const ir::Step& step, const ir::BlockNode& node, const ir::Op& op, const Entry& entry, Index output) {
    if (op.op_class == ir::OpClass::Contract)
      return quick_product(runtime_, node.op, node.backend, in_, plan_.attr_lists[step.attrs], buffer(output));
    if (op.op_class != ir::OpClass::Elementwise || entry.kernel != elementwise_kernel) return false;
    return step.in_place ? quick_elementwise_in_place(runtime_, node.op, node.backend, in_)
                         : quick_elementwise(runtime_, node.op, node.backend, in_, buffer(output));
  }

  void kernel(const ir::Step& step, const ir::Op& op, const Entry& entry, std::span<const ir::Type> types,
              BitGenerator* stream) {
    const ir::BlockNode& node = plan_.block.nodes[step.node];
    if (!entry.kernel)
      throw Error(ErrorClass::NotImplementedError, "'" + std::string(op.path) + "' has no kernel on backend '" +
                                                       std::string(runtime_.backend_name(node.backend)) + "'")
          .with_code(502);
    out_.resize(types.size());
    KernelCall call{.runtime = runtime_,
                    .op = op,
                    .backend = node.backend,
                    .in = in_,
                    .groups = plan_.group_lists[step.groups],
                    .attrs = plan_.attr_lists[step.attrs],
                    .types = types,
                    .out = out_,
                    .dynamic_out = &out_,
                    .random = stream,
                    .reuse_first = step.in_place,
                    .provider = entry.provided_by,
                    .library = entry.library};
    {
      Runtime::WorkArrays work(runtime_);
      entry.kernel(call);
    }
    tell_of_conversions(runtime_, op);
    if (!runtime_.on_explain) return;
    std::string texts;
    for (const Operand& operand : in_)
      if (operand.present()) texts += (texts.empty() ? "" : ", ") + ir::to_string(operand->type(operand.kind));
    runtime_.on_explain({std::string(op.path), texts, std::string(runtime_.backend_name(node.backend)),
                         std::string(runtime_.backend_name(call.provider)), std::string(call.library)});
  }

  // A value has exactly its bytes of the run's memory, and shares none of it with what the plan does not know: a view that a
  // kernel or a registered function gives where the plan has a value is copied. `shares`: the plan knows it for a view.
  void settle(Array& result, ir::DType dtype, bool shares) {
    Storage* storage = result.storage.get();
    bool own = storage && storage->unique() && static_cast<std::int64_t>(storage->bytes()) == result.nbytes();
    // Eigenvalues may turn out real where the graph says complex.
    if (result.dtype != dtype || !storage || !(own || shares)) {
      Runtime::WorkArrays work(runtime_);
      result = converted(runtime_, result, dtype);
      storage = result.storage.get();
    }
    // A view of a scalar, which is part of the program, is outside the limit as that is.
    if (!shares && storage->charged_to(runtime_.work_budget())) storage->charge_to(runtime_.budget());
  }

  Runtime& runtime_;
  const ir::Plan& plan_;
  const std::span<const ir::Op> ops_ = ir::all_ops();
  const PlanArguments& arguments_;
  const Index argument_count_;
  ir::LargeVector<Array> buffers_;
  ir::LargeVector<ir::Kind> kinds_;  // of arguments too
  ir::SmallVector<Operand, 8> in_;
  std::vector<Array> places_;  // by operand: an argument that is an array nowhere
  Array state_;
  std::vector<Array> out_;
};

class ListedArguments : public PlanArguments {
 public:
  explicit ListedArguments(std::span<const Array> arrays) : arrays_(arrays) {}
  const Array& get(Index argument, Array&) const override { return arrays_[argument]; }

 private:
  std::span<const Array> arrays_;
};

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

std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, std::span<const Array> arguments) {
  return run_plan(runtime, plan, ListedArguments(arguments));
}

std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, const PlanArguments& arguments, Index* failed) {
  PlanRun run(runtime, plan, arguments);
  for (const ir::Step& step : plan.steps) {
    if (failed) *failed = step.node;
    runtime.poll();
    try {
      run.step(step);
    } catch (ir::Error& error) {
      error.with_source(plan.block.nodes[step.node].source);
      throw;
    }
  }
  return run.results();
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
  context.scalar = [&recorder, arguments](Index number, double& real, bool& integer) {
    if (number >= arguments.size() || arguments[number] == ir::kNoNode) return false;
    Array array = recorder.array(arguments[number]);
    if (!array.data || !array.shape.empty() || ir::is_complex(array.dtype)) return false;
    integer = !ir::is_inexact(array.dtype);
    cast_loop(array.dtype, ir::DType::Float64)(array.data, 0, reinterpret_cast<char*>(&real), 0, 1);
    return true;
  };
  return context;
}

namespace {

// The node whose memory this one has eagerly: the end of its chain of views.
NodeId memory_of(const ir::Graph& graph, NodeId id) {
  for (;;) {
    const ir::Node& n = graph.node(id);
    if (n.kind == NodeKind::Call && ir::op(n.op).has(ir::kViewResult) && n.count == 1)
      id = n.few[0];
    else
      return id;
  }
}

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
  made.block = ir::extract(recorder.graph(), roots, made.arguments, &ids);
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

Prepared prepare(Recorder& recorder, Extracted made) {
  ir::PassContext context = pass_context(recorder, made.arguments);
  ir::run_passes(made.block, context, recorder.passes);
  separate_results(recorder, made.block, context, made.arguments, made.results);
  ir::Plan plan = ir::make_plan(std::move(made.block), context.placements, std::move(context.live));
  return {std::move(plan), std::move(made.arguments), std::move(made.results), made.calls_back};
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

void compute(Recorder& recorder, std::span<const NodeId> roots) {
  ir::Graph& graph = recorder.graph();
  const std::vector<NodeId> todo = without_value(recorder, roots);
  if (todo.empty()) return;
  Prepared prepared = prepare(recorder, todo);
  for (NodeId id : prepared.arguments)
    if (graph.node(id).kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "the graph depends on a Variable without a value: " + ir::to_string(graph.type(id)))
          .with_code(kValueNeeded)
          .with_hint("get_function((variable,)) gives a function of its value");
  Runtime& runtime = recorder.runtime();
  std::vector<Array> values;
  if (runtime.plan_executor || prepared.calls_back) {
    std::vector<Array> arguments;
    arguments.reserve(prepared.arguments.size());
    for (NodeId id : prepared.arguments) arguments.push_back(recorder.array(id));
    values = runtime.plan_executor ? runtime.plan_executor(prepared.plan, std::move(arguments))
                                   : run_plan(runtime, prepared.plan, arguments);
  } else {
    values = run_plan(runtime, prepared.plan, RecordedArguments(recorder, prepared.arguments));
  }
  give_values(recorder, prepared.results, std::move(values));
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
