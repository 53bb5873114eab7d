#include "runtime/lazy/executor.h"

#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"

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

}  // namespace

std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, std::vector<Array> arguments, Index* failed) {
  const ir::Block& block = plan.block;
  std::vector<Array> buffers(plan.buffer_count);
  std::vector<ir::Kind> kinds(plan.buffer_count, ir::Kind::Array);
  for (std::size_t a = 0; a < plan.argument_slots.size(); ++a) {
    kinds[plan.argument_slots[a]] = block.type(block.arguments[a]).kind;
    buffers[plan.argument_slots[a]] = std::move(arguments[a]);
  }
  arguments.clear();
  ir::SmallVector<Operand, 8> in;
  ir::SmallVector<std::uint32_t, 4> groups;
  std::vector<Array> out;
  const bool explain = static_cast<bool>(runtime.on_explain);
  for (const ir::Step& step : plan.steps) {
    if (failed) *failed = step.node;
    runtime.poll();
    const ir::BlockNode& node = block.nodes[step.node];
    const ir::Op& op = ir::op(node.op);
    const bool random = op.has(ir::kRandom);
    in.clear();
    std::size_t operands = step.input_count - (random ? 2 : 0);
    for (std::size_t k = 0; k < operands; ++k) {
      Index slot = plan.slots[step.first_input + k];
      if (slot == kNoIndex)
        in.push_back({});
      else
        in.push_back({&buffers[slot], kinds[slot]});
    }
    groups.clear();
    std::size_t others = 0;
    for (char letter : op.operands) others += letter == 'A' || letter == 'B' || letter == 'O';
    std::size_t at = 0;
    for (char letter : op.operands) {
      if (letter == 'S') {
        groups.push_back(static_cast<std::uint32_t>(operands - others));
        at += operands - others;
      } else if (letter == 'A' || letter == 'B' || letter == 'O') {
        groups.push_back(in[at++].present() ? 1 : 0);
      }
    }
    const Entry& entry = runtime.entry(node.backend, node.op);
    std::span<const ir::Type> types = block.types(step.node);
    const std::vector<ir::Attr>& attrs = plan.attr_lists[step.attrs];
    out.clear();
    if (node.dispatched && entry.registered) {
      Ref<Callable> function = entry.registered;
      out = call_registered(runtime, *function, op, in, groups, attrs);
      if (out.size() != types.size())
        throw Error(ErrorClass::ValueError, "the function registered for '" + std::string(op.path) + "' gave " +
                                                std::to_string(out.size()) + " results, the graph expects " +
                                                std::to_string(types.size()));
    } else {
      if (!entry.kernel)
        throw Error(ErrorClass::NotImplementedError, "'" + std::string(op.path) + "' has no kernel on backend '" +
                                                         std::string(runtime.backend_name(node.backend)) + "'")
            .with_code(502);
      out.resize(types.size());
      KernelCall call{.runtime = runtime,
                      .op = op,
                      .backend = node.backend,
                      .in = in,
                      .groups = groups,
                      .attrs = attrs,
                      .types = types,
                      .out = out,
                      .dynamic_out = &out};
      if (random) call.random = reinterpret_cast<BitGenerator*>(buffers[plan.slots[step.first_input + operands]].data);
      call.reuse_first = step.in_place;
      call.provider = entry.provided_by;
      call.library = entry.library;
      entry.kernel(call);
      if (explain) {
        std::string texts;
        for (const Operand& operand : in)
          if (operand.present()) texts += (texts.empty() ? "" : ", ") + ir::to_string(operand->type(operand.kind));
        runtime.on_explain({std::string(op.path), texts, std::string(runtime.backend_name(node.backend)),
                            std::string(runtime.backend_name(call.provider)), std::string(call.library)});
      }
    }
    for (Index k = 0; k < step.output_count; ++k) {
      Index slot = plan.slots[step.first_output + k];
      Array& result = out[k];
      // A view of a scalar borrows memory that ends with the call; eigenvalues may turn out real where the graph says complex.
      if (!result.storage || result.dtype != types[k].dtype) [[unlikely]]
        result = converted(runtime, result, types[k].dtype);
      result.backend = node.backend;
      kinds[slot] = types[k].kind;
      buffers[slot] = std::move(result);
    }
    for (Index k = 0; k < step.freed_count; ++k) buffers[plan.slots[step.first_freed + k]] = Array();
  }
  std::vector<Array> results;
  results.reserve(plan.result_slots.size());
  for (Index slot : plan.result_slots) results.push_back(buffers[slot]);
  return results;
}

ir::PassContext pass_context(std::vector<const Array*> arguments) {
  ir::PassContext context;
  context.scalar = [arguments = std::move(arguments)](Index number, double& real, bool& integer) {
    const Array* array = number < arguments.size() ? arguments[number] : nullptr;
    if (!array || !array->shape.empty() || ir::is_complex(array->dtype)) return false;
    integer = !ir::is_inexact(array->dtype);
    cast_loop(array->dtype, ir::DType::Float64)(array->data, 0, reinterpret_cast<char*>(&real), 0, 1);
    return true;
  };
  return context;
}

namespace {

ir::Layout layout_of(const Array* array) {
  if (!array || array->c_contiguous()) return ir::Layout::C;
  return array->f_contiguous() ? ir::Layout::Fortran : ir::Layout::Other;
}

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

}  // namespace

Prepared prepare(Recorder& recorder, std::span<const NodeId> roots, const ir::PassOptions& options) {
  ir::Graph& graph = recorder.graph();
  std::vector<NodeId> arguments, ids, results(roots.begin(), roots.end());
  ir::Block block = ir::extract(graph, roots, arguments, &ids);
  // A draw happens once: its array is kept for others that need it.
  for (Index i = 0; i < block.nodes.size(); ++i)
    if (block.nodes[i].kind == NodeKind::Call && ir::op(block.nodes[i].op).has(ir::kRandom)) {
      block.results.push_back(i);
      results.push_back(ids[i]);
    }
  std::vector<const Array*> arrays;
  std::vector<ir::Layout> layouts;
  for (NodeId id : arguments) {
    arrays.push_back(Recorder::value(graph.node(id)));
    layouts.push_back(layout_of(arrays.back()));
  }
  ir::run_passes(block, pass_context(std::move(arrays)), options);
  return {ir::make_plan(std::move(block), layouts), std::move(arguments), std::move(results)};
}

void compute(Recorder& recorder, std::span<const NodeId> roots, const ir::PassOptions& options) {
  ir::Graph& graph = recorder.graph();
  std::vector<NodeId> todo;
  for (NodeId id : roots) {
    if (graph.node(id).kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "a Variable has no value to compute").with_code(405).with_hint(
          "get_function((variable,)) gives a function of its value");
    if (graph.node(id).kind != NodeKind::Leaf && graph.node(id).kind != NodeKind::Constant) todo.push_back(id);
  }
  if (todo.empty()) return;
  Prepared prepared = prepare(recorder, todo, options);
  std::vector<Array> arguments;
  for (NodeId id : prepared.arguments) {
    if (graph.node(id).kind == NodeKind::Variable)
      throw Error(ErrorClass::ValueError, "the graph depends on a Variable without a value: " +
                                              ir::to_string(graph.type(id)))
          .with_code(405)
          .with_hint("get_function((variable,)) gives a function of its value");
    arguments.push_back(*Recorder::value(graph.node(id)));
  }
  std::vector<const Storage*> taken;
  std::vector<NodeId> owners;
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    taken.push_back(arguments[a].storage.get());
    owners.push_back(prepared.arguments[a]);
  }
  std::vector<Array> values = run_plan(recorder.runtime(), prepared.plan, std::move(arguments));
  for (std::size_t r = 0; r < values.size(); ++r) {
    // What is eagerly an array of its own does not share memory because passes found it equal to another.
    NodeId owner = memory_of(graph, prepared.results[r]);
    for (std::size_t k = 0; k < taken.size(); ++k)
      if (taken[k] == values[r].storage.get() && owners[k] != owner) {
        values[r] = converted(recorder.runtime(), values[r], values[r].dtype);
        break;
      }
    taken.push_back(values[r].storage.get());
    owners.push_back(owner);
  }
  for (std::size_t r = 0; r < values.size(); ++r)
    if (graph.node(prepared.results[r]).kind == NodeKind::Call || graph.node(prepared.results[r]).kind == NodeKind::Project)
      recorder.set_value(prepared.results[r], std::move(values[r]));
}

Value computed_value(const Recorder& recorder, NodeId node) {
  const ir::Node& n = const_cast<Recorder&>(recorder).graph().node(node);
  const Array& array = *Recorder::value(n);
  return from_kind(array, const_cast<Recorder&>(recorder).graph().type(node).kind);
}

}  // namespace autoray::runtime
