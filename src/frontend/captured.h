// The places outside of a traced function that a script reads, told to runtime::Captures. Each gives what the trace sees of
// `value`, which stands at the place; they throw Captures' refusals.
#pragma once

#include "frontend/evaluator.h"
#include "runtime/lazy/captures.h"

namespace autoray::frontend {

Value captured_global(Runtime& runtime, const GlobalTable& globals, std::uint32_t slot, std::string_view name);
Value captured_variable(Runtime& runtime, const Ref<runtime::Cell>& cell, std::string_view name);
Value captured_default(Runtime& runtime, ScriptFunction& function, std::size_t parameter, std::string_view name);
Value captured_attribute(Runtime& runtime, ScriptFunction& function, std::string_view name, const Value& value);

// A method that is bound to an object. A trace reads the object from outside unless it bound the method itself: whoever makes
// one says so to `own_in_trace`.
class BoundCallable : public runtime::Callable {
 public:
  std::string callable_name() const override { return name_; }
  void clear() override { self_.clear(); }

 protected:
  BoundCallable(Value self, std::string name) : self_(std::move(self)), name_(std::move(name)) {}
  Value self(Runtime& runtime);

 private:
  static const Value* read_self(const runtime::CapturedPlace& place);

  Value self_;
  std::string name_;
};
Value own_in_trace(Runtime& runtime, Ref<runtime::Container> made);

}  // namespace autoray::frontend
