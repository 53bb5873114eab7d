#include "frontend/captured.h"

namespace autoray::frontend {

using runtime::CapturedPlace;
using runtime::Cell;

namespace {

const Value* read_global(const CapturedPlace& p) { return &static_cast<const GlobalTable*>(p.table)->values[p.index]; }
const Value* read_variable(const CapturedPlace& p) { return &static_cast<const Cell*>(p.table)->value; }
const Value* read_default(const CapturedPlace& p) { return &static_cast<const ScriptFunction*>(p.table)->defaults[p.index]; }
const Value* read_attribute(const CapturedPlace& p) {
  auto* function = static_cast<const ScriptFunction*>(p.table);
  return function->attributes ? function->attributes->find(p.name) : nullptr;
}

}  // namespace

Value captured_global(Runtime& runtime, const GlobalTable& globals, std::uint32_t slot, std::string_view name) {
  return runtime.captures->read({read_global, &globals, slot, std::string(name), {}}, globals.values[slot]);
}
Value captured_variable(Runtime& runtime, const Ref<Cell>& cell, std::string_view name) {
  if (runtime.captures->owns(cell.get())) return cell->value;
  return runtime.captures->read({read_variable, cell.get(), 0, std::string(name), cell}, cell->value);
}
Value captured_default(Runtime& runtime, ScriptFunction& function, std::size_t parameter, std::string_view name) {
  const Value& value = function.defaults[parameter];
  // What cannot change is the function's own.
  if (!value.is_object() || value.is(runtime::ObjectKind::Str) || runtime.captures->owns(&function)) return value;
  return runtime.captures->read({read_default, &function, static_cast<std::uint32_t>(parameter), std::string(name),
                                 Ref<ScriptFunction>::share(&function)},
                                value);
}
Value captured_attribute(Runtime& runtime, ScriptFunction& function, std::string_view name, const Value& value) {
  if (runtime.captures->owns(&function)) return value;
  return runtime.captures->read({read_attribute, &function, 0, std::string(name), Ref<ScriptFunction>::share(&function)},
                                value);
}

Value BoundCallable::self(Runtime& runtime) {
  if (!runtime.captures || runtime.captures->owns(this)) return self_;
  return runtime.captures->read({read_self, this, 0, name_, Ref<BoundCallable>::share(this)}, self_);
}
const Value* BoundCallable::read_self(const CapturedPlace& p) { return &static_cast<const BoundCallable*>(p.table)->self_; }

Value own_in_trace(Runtime& runtime, Ref<runtime::Container> made) {
  if (runtime.captures) runtime.captures->own(made);
  return made;
}

}  // namespace autoray::frontend
