#include "codegen/native_plan.h"

#include <algorithm>

#include "codegen/builder.h"
#include "runtime/lazy/executor.h"

namespace autoray::codegen {

using runtime::Array;

void explain_calls(runtime::Runtime& runtime, const Program& program) {
  if (!runtime.on_explain) return;
  for (const RoutineCall& c : program.routines)
    runtime.on_explain(
        {std::string(ir::op(c.op).path), ir::to_string(c.operand), "native", std::string(c.routine.name), "routine"});
  for (const RuntimeCall& c : program.calls) {
    std::string operands;
    for (const Located& in : c.inputs)
      if (in.present) operands += (operands.empty() ? "" : ", ") + ir::to_string(in.type);
    runtime.on_explain({std::string(ir::op(c.op).path), operands, "native", c.reason, c.into ? "routine" : "fallback"});
  }
}

std::shared_ptr<Program> build_native(runtime::Runtime& runtime, Jit* jit, const ir::Plan& plan,
                                      std::span<const Array> arguments) {
  const ir::Block& block = plan.block;
  if (std::ranges::any_of(block.nodes, [](const ir::BlockNode& n) { return n.kind == ir::NodeKind::Call && n.dispatched; }))
    return nullptr;
  std::vector<ArgumentInfo> infos;
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    ArgumentInfo info;
    const ir::BlockNode& n = block.nodes[block.arguments[a]];
    info.strides = arguments[a].strides;
    if (n.kind == ir::NodeKind::Constant && block.type(block.arguments[a]).shape.empty()) info.constant = &arguments[a];
    infos.push_back(std::move(info));
  }
  std::shared_ptr<Program> program = build_program(runtime, jit, block, infos);
  explain_calls(runtime, *program);
  return program;
}

std::vector<Array> run_natively(runtime::Runtime& runtime, Jit& jit, const ir::Plan& plan, std::vector<Array> arguments) {
  std::shared_ptr<Program> program = build_native(runtime, &jit, plan, arguments);
  if (!program) return runtime::run_plan(runtime, plan, arguments);
  unsigned events = 0;
  std::vector<Array> results = program->run(runtime, arguments, events);
  if (EventReport report; events && report.is_due(runtime, plan.block, events)) report.tell(runtime, plan, arguments, events);
  return results;
}

bool raises_events(const runtime::Runtime& runtime) {
  const runtime::FpState& s = runtime.fp_state;
  for (runtime::FpAction action : {s.divide, s.over, s.under, s.invalid})
    if (action == runtime::FpAction::Raise) return true;
  return false;
}

bool EventReport::is_due(const runtime::Runtime& runtime, const ir::Block& block, unsigned events) const {
  const unsigned told = told_.load(std::memory_order_relaxed);
  if (told && !(events & ~told) && !raises_events(runtime)) return false;
  if (!block.draws()) return true;
  told_.fetch_or(events | kSome, std::memory_order_relaxed);  // nobody looks through the block for these again
  return false;
}

void EventReport::tell(runtime::Runtime& runtime, const ir::Plan& plan, std::span<const Array> arguments,
                       unsigned events) const {
  runtime.clear_fp();
  runtime::run_plan(runtime, plan, arguments);
  told_.fetch_or(events | kSome, std::memory_order_relaxed);
}

}  // namespace autoray::codegen
