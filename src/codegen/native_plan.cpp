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

std::vector<Array> run_natively(runtime::Runtime& runtime, Jit& jit, const ir::Plan& plan, std::vector<Array> arguments) {
  const ir::Block& block = plan.block;
  bool random = false, registered = false;
  for (const ir::BlockNode& n : block.nodes) {
    if (n.kind != ir::NodeKind::Call) continue;
    random = random || ir::op(n.op).has(ir::kRandom);
    registered = registered || n.dispatched;
  }
  if (registered) return runtime::run_plan(runtime, plan, arguments);
  std::vector<ArgumentInfo> infos;
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    ArgumentInfo info;
    const ir::Type& type = block.type(block.arguments[a]);
    info.strides = arguments[a].strides;
    if (block.nodes[block.arguments[a]].kind == ir::NodeKind::Constant && type.shape.empty()) info.constant = &arguments[a];
    infos.push_back(std::move(info));
  }
  std::shared_ptr<Program> program = build_program(runtime, &jit, block, infos);
  explain_calls(runtime, *program);
  unsigned events = 0;
  std::vector<Array> results = program->run(runtime, arguments, events);
  // Which operation was it? The plan says so as numpy does; a draw cannot be done twice.
  if (events && !random) {
    runtime.clear_fp();
    runtime::run_plan(runtime, plan, arguments);
  }
  return results;
}

}  // namespace autoray::codegen
