// A plan by native code, for what is computed once: `run --defer=native`.
#pragma once

#include "codegen/jit.h"
#include "codegen/program.h"
#include "ir/plan/plan.h"

namespace autoray::codegen {

// As runtime::run_plan. What the compiler has no code for is called in the runtime; a registered function that takes part makes
// the plan run instead.
std::vector<runtime::Array> run_natively(runtime::Runtime& runtime, Jit& jit, const ir::Plan& plan,
                                         std::vector<runtime::Array> arguments);

// Every call of the runtime that a program makes, and why, to whoever asks for explanations.
void explain_calls(runtime::Runtime& runtime, const Program& program);

}  // namespace autoray::codegen
