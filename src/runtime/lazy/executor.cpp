#include "runtime/lazy/executor.h"

#include <algorithm>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/driver.h"
#include "runtime/elementwise/quick.h"

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
        kinds_(argument_count_, ir::Kind::Array) {
    for (Index a = 0; a < argument_count_; ++a) kinds_[a] = plan.block.type(plan.block.arguments[a]).kind;
  }

  // All steps that the plan has now.
  void steps(Index* failed) {
    buffers_.resize(plan_.buffer_count - argument_count_);
    kinds_.resize(plan_.buffer_count, ir::Kind::Array);
    for (const ir::Step& next : plan_.steps) {
      if (failed) *failed = next.node;
      runtime_.poll();
      try {
        step(next);
      } catch (ir::Error& error) {
        error.with_source(plan_.block.nodes[next.node].source);
        throw;
      }
    }
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

}  // namespace

std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, std::span<const Array> arguments) {
  return run_plan(runtime, plan, ListedArguments(arguments));
}

std::vector<Array> run_plan(Runtime& runtime, const ir::Plan& plan, const PlanArguments& arguments, Index* failed) {
  PlanRun run(runtime, plan, arguments);
  run.steps(failed);
  return run.results();
}

std::vector<Array> run_plan(Runtime& runtime, ir::PlanMaker& maker, const PlanArguments& arguments) {
  constexpr std::size_t kPortion = 64;  // few enough to be in the cache still
  ir::Plan& plan = maker.plan;
  PlanRun run(runtime, plan, arguments);
  while (maker.add_steps(kPortion)) {
    run.steps(nullptr);
    plan.steps.clear();
    plan.slots.clear();
  }
  return run.results();
}

}  // namespace autoray::runtime
