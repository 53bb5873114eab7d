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

}  // namespace autoray::frontend
