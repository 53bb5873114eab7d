// Programs for the host: running them, calling their functions.
#include "api/program.h"

#include "autoray/engine.h"
#include "codegen/autojit.h"
#include "frontend/parser.h"
#include "frontend/protocol.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"

namespace autoray {

using detail::ArrayAccess;
using detail::EngineState;

detail::EngineState& Program::Impl::engine(const Program& p) {
  if (!p.engine_) detail::raise(ir::Error(ir::ErrorClass::ValueError, "the program is empty: Engine::load makes one"));
  return *p.engine_;
}
frontend::Interpreter& Program::Impl::interpreter(const Program& p) { return *engine(p).programs[p.index_]; }

namespace {

// What the whole run came to: Error, or sys.exit's status.
int finish(EngineState& engine, const frontend::Outcome& outcome) {
  engine.runtime->clear_stop();
  if (outcome.error) detail::raise(*outcome.error, outcome.interrupted ? 130 : outcome.limit ? 5 : 1);
  return outcome.exit_status;
}

}  // namespace

int Program::run() {
  frontend::Interpreter& program = Impl::interpreter(*this);
  return detail::enter(*engine_, [&] { return finish(*engine_, program.run()); });
}

Value Program::Impl::call(const Program& p, std::string_view function, std::span<const runtime::Array* const> arguments) {
  detail::Turn turn(engine(p));
  std::vector<runtime::Value> values;
  for (const runtime::Array* a : arguments) {
    runtime::Array array = *a;
    array.backend = p.engine_->runtime->native_backend();
    values.push_back(runtime::make_array(std::move(array)));
  }
  return call(p, function, values, {}, {});
}

Value Program::call(std::string_view function, Span<const Array> arguments) {
  return Impl::call(*this, function, ArrayAccess::pointers(arguments));
}

Value Program::call(std::string_view function, const std::vector<Named>& keywords) {
  std::vector<std::string_view> names;
  std::vector<runtime::Value> values;
  for (const Named& k : keywords) {
    names.push_back(k.name);
    values.push_back(EngineState::unwrap(k.value));
  }
  return Impl::call(*this, function, {}, names, values);
}

std::vector<Array> Program::Impl::arrays_of(const Value& result) {
  const runtime::Value& v = EngineState::unwrap(result);
  std::vector<Array> arrays;
  if (v.is(runtime::ObjectKind::Tuple) || v.is(runtime::ObjectKind::List)) {
    for (const Value& item : result.items()) arrays.push_back(item.array());
  } else {
    arrays.push_back(result.array());
  }
  return arrays;
}

void Program::Impl::copy_into(EngineState& engine, Span<const Array> results, Span<const Array> outputs) {
  detail::enter(engine, [&] {
    if (results.size() != outputs.size())
      throw ir::Error(ir::ErrorClass::ValueError, "the function gives " + std::to_string(results.size()) + " arrays, not " +
                                                      std::to_string(outputs.size()));
    for (std::size_t i = 0; i < results.size(); ++i) {
      const runtime::Array &from = ArrayAccess::unwrap(results[i]), &to = ArrayAccess::unwrap(outputs[i]);
      if (from.dtype != to.dtype || !(from.shape == to.shape))
        throw ir::Error(from.dtype != to.dtype ? ir::ErrorClass::TypeError : ir::ErrorClass::ValueError,
                        "output " + std::to_string(i) + " is " + ir::to_string(to.type()) + " where the function gives " +
                            ir::to_string(from.type()));
      if (!to.can_write()) throw ir::Error(ir::ErrorClass::ValueError, "output " + std::to_string(i) + " is read-only");
    }
    for (std::size_t i = 0; i < results.size(); ++i)
      runtime::copy_into(*engine.runtime, ArrayAccess::unwrap(results[i]), ArrayAccess::unwrap(outputs[i]));
  });
}

std::vector<Array> Program::call_arrays(std::string_view function, Span<const Array> arguments) {
  return Impl::arrays_of(call(function, arguments));
}

void Program::call_into(std::string_view function, Span<const Array> arguments, Span<const Array> outputs) {
  Impl::copy_into(Impl::engine(*this), call_arrays(function, arguments), outputs);
}

std::string Program::Impl::compiled(const Program& p, std::string_view function) {
  // Under a name that no script can write.
  std::string name = "autojit " + std::string(function);
  frontend::Interpreter& program = interpreter(p);
  detail::enter(*p.engine_, [&] {
    if (!program.global(name).empty()) return;
    runtime::Value plain = program.global(function);
    if (!plain.is(runtime::ObjectKind::Callable))
      throw ir::Error(ir::ErrorClass::NameError, "the script has no function '" + std::string(function) + "'");
    runtime::Value autojit = p.engine_->runtime->language_objects.at("autoray.autojit");
    runtime::Value made = plain.as<runtime::Callable>().callable_type() == "AutoCompiled"
                              ? plain
                              : autojit.as<runtime::Callable>().call(*p.engine_->runtime, {std::span(&plain, 1), {}, {}});
    program.set_global(name, std::move(made));
  });
  return name;
}

Value Program::call_compiled(std::string_view function, const std::vector<Named>& keywords) {
  return call(Impl::compiled(*this, function), keywords);
}

double Program::compile_seconds(std::string_view function) const {
  runtime::Value compiled = Impl::interpreter(*this).global("autojit " + std::string(function));
  if (compiled.empty()) return 0;
  return static_cast<codegen::AutoJit&>(compiled.as<runtime::Callable>()).compile_seconds();
}

Value Program::Impl::call(const Program& p, std::string_view function, std::span<const runtime::Value> positional,
                          std::span<const std::string_view> names, std::span<const runtime::Value> values) {
  frontend::Interpreter& program = interpreter(p);
  return detail::enter(*p.engine_, [&] {
    if (program.global(function).empty())
      throw ir::Error(ir::ErrorClass::NameError, "the script has no function '" + std::string(function) + "'");
    frontend::Outcome outcome = program.call(function, positional, names, values);
    int status = finish(*p.engine_, outcome);
    if (outcome.exited) {
      Diagnostic exit;
      exit.message = "SystemExit: " + std::to_string(status);
      exit.status = status;
      throw Error(std::move(exit));
    }
    return EngineState::wrap(p.engine_, outcome.value);
  });
}

std::vector<FunctionDescription> Program::functions() const {
  std::vector<FunctionDescription> list;
  for (frontend::FunctionInfo& f : Impl::interpreter(*this).functions()) list.push_back({f.name, f.parameters, f.has_default});
  return list;
}

void Program::set_arguments(const std::vector<std::string>& arguments) {
  detail::enter(Impl::engine(*this), [&] {
    std::vector<runtime::Value> items = {runtime::make_str(name_)};
    for (const std::string& a : arguments) items.push_back(runtime::make_str(a));
    engine_->runtime->language_objects["sys.argv"] = runtime::make_list(std::move(items));
  });
}

}  // namespace autoray
