// Values of the language for the host program: what they are, and making them.
#include <algorithm>

#include "api/access.h"
#include "frontend/protocol.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"

namespace autoray {

using detail::ArrayAccess;
using detail::EngineState;

bool Value::is_array() const {
  return state_ && (state_->value.is(runtime::ObjectKind::Array) || state_->value.is(runtime::ObjectKind::NumpyScalar));
}
bool Value::is_number() const {
  if (!state_) return false;
  const runtime::Value& v = state_->value;
  return v.is_int() || v.is_float() || v.is_bool() || v.is(runtime::ObjectKind::BigInt) || v.is(runtime::ObjectKind::Complex);
}
bool Value::is_tuple() const { return state_ && state_->value.is(runtime::ObjectKind::Tuple); }
bool Value::is_none() const { return state_ && state_->value.is_none(); }
std::vector<Value> Value::items() const {
  const runtime::Value& v = EngineState::unwrap(*this);
  auto* tuple = v.get_if<runtime::Tuple>();
  auto* sequence = v.get_if<runtime::List>();
  if (!tuple && !sequence)
    detail::raise(ir::Error(ir::ErrorClass::TypeError, "a '" + runtime::type_name(v) + "' has no items"));
  std::vector<Value> list;
  for (const runtime::Value& item : tuple ? tuple->items : sequence->items)
    list.push_back(EngineState::wrap(state_->engine, item));
  return list;
}
Array Value::array() const {
  const runtime::Value& v = EngineState::unwrap(*this);
  return detail::enter(*state_->engine, [&] { return ArrayAccess::wrap(runtime::to_array(*state_->engine->runtime, v)); });
}
std::string Value::repr() const {
  const runtime::Value& v = EngineState::unwrap(*this);
  return detail::enter(*state_->engine, [&] { return frontend::repr(*state_->engine->runtime, v); });
}

// ---- making values ----

Value Engine::value(const Array& array) {
  runtime::Array a = ArrayAccess::unwrap(array);
  a.backend = state_->runtime->native_backend();
  return EngineState::wrap(state_, runtime::make_array(std::move(a)));
}

namespace {

// Functions, types and modules would refer to the text that made them, which is gone.
bool is_data(const runtime::Value& v) {
  using runtime::ObjectKind;
  if (!v.is_object()) return true;
  switch (v.object()->kind()) {
    case ObjectKind::Tuple: return std::ranges::all_of(v.as<runtime::Tuple>().items, is_data);
    case ObjectKind::List: return std::ranges::all_of(v.as<runtime::List>().items, is_data);
    case ObjectKind::Dict:
      return std::ranges::all_of(v.as<runtime::Dict>().entries(), [](auto& e) { return is_data(e.key) && is_data(e.value); });
    case ObjectKind::Set: return true;  // of hashable values
    case ObjectKind::BigInt:
    case ObjectKind::Complex:
    case ObjectKind::Str:
    case ObjectKind::Bytes:
    case ObjectKind::Array:
    case ObjectKind::NumpyScalar: return true;
    default: return false;
  }
}

// What the global `value` of a text of ours holds after it ran; problems are the caller's usage errors.
runtime::Value value_of(EngineState& engine, const char* name, const std::string& text) {
  // The interpreter that runs it is gone afterwards: what asks where the script stands goes back to the one before.
  struct Source {
    explicit Source(runtime::Runtime& r) : runtime(r), function(r.current_source), context(r.source_context) {}
    ~Source() {
      runtime.current_source = function;
      runtime.source_context = context;
    }
    runtime::Runtime& runtime;
    decltype(runtime::Runtime::current_source) function;
    void* context;
  } source(*engine.runtime);
  frontend::Interpreter interpreter(*engine.runtime, engine.interner);
  if (auto problem = interpreter.load(name, text, "")) detail::raise(*problem, 2);
  frontend::Outcome outcome = interpreter.run();
  if (outcome.error) detail::raise(*outcome.error, outcome.interrupted ? 130 : outcome.limit ? 5 : 2);
  return interpreter.global("value");
}

}  // namespace

Value Engine::literal(const std::string& text) {
  return detail::enter(*state_, [&] {
    // Evaluated as the one expression of a module that sees no names but the builtins.
    bool one_line = text.find('\n') == std::string::npos && text.find_first_not_of(" \t") != std::string::npos;
    runtime::Value value;
    if (one_line) value = value_of(*state_, "<literal>", "value = (" + text + "\n)\n");
    if (value.empty() || !is_data(value))
      detail::raise(
          ir::Error(ir::ErrorClass::ValueError, "'" + text + "' is no literal").with_hint("a number, a text, a list ..."), 2);
    return EngineState::wrap(state_, std::move(value));
  });
}

Value Engine::standard_normal(std::uint64_t seed, std::string_view dtype, const std::vector<std::int64_t>& shape) {
  auto parsed = ir::parse_dtype(dtype);
  if (!parsed || !ir::is_inexact(*parsed))
    detail::raise(ir::Error(ir::ErrorClass::TypeError, "no normal numbers of dtype '" + std::string(dtype) + "'")
                      .with_hint("float16, float32, float64, complex64 or complex128"),
                  2);
  std::string dims, name(ir::name(*parsed));
  for (std::int64_t d : shape) dims += std::to_string(d) + ",";
  bool single = name == "float32";
  std::string text = "import numpy as np\nvalue = np.random.default_rng(" + std::to_string(seed) + ").standard_normal((" +
                     dims + ")" + (single ? ", dtype=np.float32" : "") + ")\n" +
                     (single || name == "float64" ? "" : "value = value.astype('" + name + "')\n");
  return detail::enter(*state_, [&] { return EngineState::wrap(state_, value_of(*state_, "<random>", text)); });
}

namespace {

runtime::Value deep_copy(runtime::Runtime& r, const runtime::Value& v) {
  if (auto* a = v.get_if<runtime::ArrayObject>()) return runtime::make_array(runtime::converted(r, a->array, a->array.dtype));
  if (auto* list = v.get_if<runtime::List>()) {
    std::vector<runtime::Value> items;
    for (const runtime::Value& item : list->items) items.push_back(deep_copy(r, item));
    return runtime::make_list(std::move(items));
  }
  if (auto* tuple = v.get_if<runtime::Tuple>()) {
    std::vector<runtime::Value> items;
    for (const runtime::Value& item : tuple->items) items.push_back(deep_copy(r, item));
    return runtime::make_tuple(std::move(items));
  }
  return v;
}

}  // namespace

Value Engine::copy(const Value& value) {
  return detail::enter(*state_,
                       [&] { return EngineState::wrap(state_, deep_copy(*state_->runtime, EngineState::unwrap(value))); });
}

}  // namespace autoray
