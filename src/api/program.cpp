// Programs for the host: running them, calling their functions.
#include "api/access.h"
#include "autoray/engine.h"
#include "codegen/autojit.h"
#include "frontend/parser.h"
#include "frontend/protocol.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"

namespace autoray {

using detail::ArrayAccess;
using detail::EngineState;

namespace {

// What the whole run came to: Error, or sys.exit's status.
int finish(EngineState& engine, const frontend::Outcome& outcome) {
  engine.runtime->clear_stop();
  if (outcome.error) detail::raise(*outcome.error, outcome.interrupted ? 130 : outcome.limit ? 5 : 1);
  return outcome.exit_status;
}

EngineState& loaded(const std::shared_ptr<EngineState>& engine) {
  if (!engine) detail::raise(ir::Error(ir::ErrorClass::ValueError, "the program is empty: Engine::load makes one"));
  return *engine;
}

}  // namespace

struct Program::Impl {
  static frontend::Interpreter& interpreter(const Program& p) { return *loaded(p.engine_).programs[p.index_]; }
  static Value call(const Program& program, std::string_view function, std::span<const runtime::Value> positional,
                    std::span<const std::string_view> names, std::span<const runtime::Value> values);
};

int Program::run() {
  frontend::Interpreter& program = Impl::interpreter(*this);
  return detail::enter(*engine_, [&] { return finish(*engine_, program.run()); });
}

Value Program::call(std::string_view function, Span<const Array> arguments) {
  std::vector<runtime::Value> values;
  for (const Array& a : arguments) {
    runtime::Array array = ArrayAccess::unwrap(a);
    array.backend = loaded(engine_).runtime->native_backend();
    values.push_back(runtime::make_array(std::move(array)));
  }
  return Impl::call(*this, function, values, {}, {});
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

std::vector<Array> Program::call_arrays(std::string_view function, Span<const Array> arguments) {
  Value result = call(function, arguments);
  const runtime::Value& v = EngineState::unwrap(result);
  std::vector<Array> arrays;
  if (v.is(runtime::ObjectKind::Tuple) || v.is(runtime::ObjectKind::List)) {
    for (const Value& item : result.items()) arrays.push_back(item.array());
  } else {
    arrays.push_back(result.array());
  }
  return arrays;
}

void Program::call_into(std::string_view function, Span<const Array> arguments, Span<const Array> outputs) {
  std::vector<Array> results = call_arrays(function, arguments);
  detail::enter(*engine_, [&] {
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
    for (std::size_t i = 0; i < results.size(); ++i) {
      runtime::Array to = ArrayAccess::unwrap(outputs[i]);
      runtime::copy_into(*engine_->runtime, ArrayAccess::unwrap(results[i]), to);
    }
  });
}

Value Program::call_compiled(std::string_view function, const std::vector<Named>& keywords) {
  // Under a name that no script can write.
  std::string name = "autojit " + std::string(function);
  frontend::Interpreter& program = Impl::interpreter(*this);
  if (program.global(name).empty())
    detail::enter(*engine_, [&] {
      runtime::Value plain = program.global(function);
      if (!plain.is(runtime::ObjectKind::Callable))
        throw ir::Error(ir::ErrorClass::NameError, "the script has no function '" + std::string(function) + "'");
      runtime::Value autojit = engine_->runtime->language_objects.at("autoray.autojit");
      runtime::Value compiled = plain.as<runtime::Callable>().callable_type() == "AutoCompiled"
                                    ? plain
                                    : autojit.as<runtime::Callable>().call(*engine_->runtime, {std::span(&plain, 1), {}, {}});
      program.set_global(name, std::move(compiled));
    });
  return call(name, keywords);
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
  detail::enter(loaded(engine_), [&] {
    std::vector<runtime::Value> items = {runtime::make_str(name_)};
    for (const std::string& a : arguments) items.push_back(runtime::make_str(a));
    engine_->runtime->language_objects["sys.argv"] = runtime::make_list(std::move(items));
  });
}

}  // namespace autoray
