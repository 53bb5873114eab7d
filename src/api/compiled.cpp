// Compiled functions for the host: the short way of calls whose kind is known, the general one for the rest.
#include "autoray/compiled.h"

#include "api/program.h"
#include "codegen/autojit.h"
#include "codegen/call_key.h"
#include "codegen/specialisation.h"

namespace autoray {

using codegen::Specialisation;
using detail::ArrayAccess;
using detail::Turn;

namespace detail {

struct CompiledState {
  CompiledState(std::shared_ptr<EngineState> e, Program p, std::string n, runtime::Value f)
      : engine(std::move(e)),
        program(std::move(p)),
        name(std::move(n)),
        function(std::move(f)),
        jit(static_cast<codegen::AutoJit&>(function.as<runtime::Callable>())) {}
  ~CompiledState() {
    Turn turn(*engine);
    function.clear();
  }
  std::shared_ptr<EngineState> engine;
  Program program;
  std::string name;  // by which the program calls it
  runtime::Value function;
  const codegen::AutoJit& jit;
};

}  // namespace detail

CompiledFunction Program::jit(std::string_view function) {
  detail::EngineState& engine = Impl::engine(*this);
  Turn turn(engine);
  std::string name = Impl::compiled(*this, function);
  CompiledFunction f;
  runtime::Value compiled = Impl::interpreter(*this).global(name);
  f.state_ = std::make_shared<detail::CompiledState>(engine_, *this, std::move(name), std::move(compiled));
  engine.shared = true;
  return f;
}

namespace {

const detail::CompiledState& made(const std::shared_ptr<const detail::CompiledState>& state) {
  if (!state) detail::raise(ir::Error(ir::ErrorClass::ValueError, "the function is empty: Program::jit makes one"));
  return *state;
}

// The part of it that is rare, apart from the code of the rest.
template <class Body>
[[gnu::noinline]] bool run_in_turn(const detail::CompiledState& state, codegen::Reading& reading, std::size_t arguments,
                                   Body& body) {
  Turn turn(*state.engine);
  runtime::Runtime& runtime = *state.engine->runtime;
  reading.leaves.cut(arguments);
  const Specialisation* spec =
      state.jit.find_in_turn(runtime, state.engine->script_state.load(std::memory_order_relaxed), reading);
  return spec && body(runtime, *spec, true);
}

// The short way: `body(specialisation)` runs beside other calls or, when it says false or has to, in turn. False: this call
// needs the general way. `reading` has the arguments.
template <class Body>
bool run_shortly(const detail::CompiledState& state, codegen::Reading& reading, Body body) {
  runtime::Runtime& runtime = *state.engine->runtime;
  const std::size_t arguments = reading.leaves.size();
  const Specialisation* spec = state.jit.find(runtime, state.engine->script_state, reading);
  try {
    if (spec && spec->shortly == Specialisation::Short::Beside && body(runtime, *spec, false)) [[likely]]
      return true;
    return run_in_turn(state, reading, arguments, body);
  } catch (const ir::Error& error) {
    // A stop that was asked for has been seen.
    if (error.code() >= 700 && error.code() <= 705) runtime.clear_stop();
    detail::raise(error);
  } catch (const runtime::Raised& raised) {
    Turn turn(*state.engine);
    detail::raise(runtime, raised);
  }
}

codegen::Reading reading_of(Span<const Array> arguments) {
  codegen::Reading reading;
  for (const Array& array : arguments) reading.add(ArrayAccess::unwrap(array));
  return reading;
}

}  // namespace

Array CompiledFunction::call_one(const Array* const* arguments, std::size_t count) const {
  const detail::CompiledState& state = made(state_);
  codegen::Reading reading;
  for (std::size_t i = 0; i < count; ++i) reading.add(ArrayAccess::unwrap(*arguments[i]));
  Array result = ArrayAccess::empty();
  bool done = run_shortly(state, reading, [&](auto& runtime, const auto& spec, bool in_turn) {
    if (spec.leaves.size() != 1 || !spec.tree.is_none()) return false;
    runtime::Array* place = &ArrayAccess::unwrap(result);
    return state.jit.run(runtime, spec, reading, std::span(&place, 1), in_turn);
  });
  if (done) return result;
  Turn turn(*state.engine);
  ArrayAccess::Pointers list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(&ArrayAccess::unwrap(*arguments[i]));
  Value value = Program::Impl::call(state.program, state.name, list);
  const runtime::Value& v = detail::EngineState::unwrap(value);
  if (v.is(runtime::ObjectKind::Tuple) || v.is(runtime::ObjectKind::List))
    detail::raise(ir::Error(ir::ErrorClass::TypeError,
                            "the function gives " + std::to_string(value.items().size()) + " arrays where one is asked for"));
  return value.array();
}

std::vector<Array> CompiledFunction::call(Span<const Array> arguments) const {
  const detail::CompiledState& state = made(state_);
  codegen::Reading reading = reading_of(arguments);
  std::vector<Array> results;
  bool done = run_shortly(state, reading, [&](auto& runtime, const auto& spec, bool in_turn) {
    results.clear();
    ir::SmallVector<runtime::Array*, 8> places;
    for (std::size_t i = 0; i < spec.leaves.size(); ++i) {
      results.push_back(ArrayAccess::empty());
      places.push_back(&ArrayAccess::unwrap(results.back()));
    }
    return state.jit.run(runtime, spec, reading, std::span(places.data(), places.size()), in_turn);
  });
  if (done) return results;
  Turn turn(*state.engine);
  return Program::Impl::arrays_of(Program::Impl::call(state.program, state.name, ArrayAccess::pointers(arguments)));
}

void CompiledFunction::into(Span<const Array> outputs, Span<const Array> arguments) const {
  const detail::CompiledState& state = made(state_);
  codegen::Reading reading = reading_of(arguments);
  bool done = run_shortly(state, reading, [&](auto& runtime, const auto& spec, bool) {
    return state.jit.run_into(runtime, spec, reading, ArrayAccess::pointers(outputs));
  });
  if (!done) Program::Impl::copy_into(*state.engine, call(arguments), outputs);
}

}  // namespace autoray
