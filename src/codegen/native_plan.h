// A plan by native code: for what is computed once (`run --defer=native`), and for segments of traced functions.
#pragma once

#include <atomic>

#include "codegen/jit.h"
#include "codegen/program.h"
#include "ir/plan/plan.h"

namespace autoray::codegen {

// As runtime::run_plan. What the compiler has no code for is called in the runtime; a registered function that takes part makes
// the plan run instead.
std::vector<runtime::Array> run_natively(runtime::Runtime& runtime, Jit& jit, const ir::Plan& plan,
                                         std::vector<runtime::Array> arguments);

// The program of a plan with arguments that lie in memory as these, and have these values where they are scalar constants.
// Null: a registered function takes part.
std::shared_ptr<Program> build_native(runtime::Runtime& runtime, Jit* jit, const ir::Plan& plan,
                                      std::span<const runtime::Array> arguments);

// Which operations caused the floating-point events of a run? The plan says so, call by call, as numpy does; draws cannot be
// made twice. Events are told when they are new or raise exceptions. From any thread.
class EventReport {
 public:
  bool is_due(const runtime::Runtime& runtime, const ir::Block& block, unsigned events) const;
  void tell(runtime::Runtime& runtime, const ir::Plan& plan, std::span<const runtime::Array> arguments, unsigned events) const;

 private:
  static constexpr unsigned kSome = 0x8000;  // no event's bit
  mutable std::atomic<unsigned> told_{0};
};
bool raises_events(const runtime::Runtime& runtime);

// Every call of the runtime that a program makes, and why, to whoever asks for explanations.
void explain_calls(runtime::Runtime& runtime, const Program& program);

}  // namespace autoray::codegen
