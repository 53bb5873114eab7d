// The composition root: builds an Engine from the parts and translates between the public types and the inner ones.
#include "autoray/engine.h"

#include <algorithm>
#include <cstdio>

#include "api/access.h"
#include "codegen/autojit.h"
#include "codegen/native_plan.h"
#include "frontend/parser.h"
#include "frontend/protocol.h"
#include "ir/graph/text.h"
#include "ir/passes/passes.h"
#include "ir/suggest.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/quick.h"
#include "runtime/files/npy.h"
#include "runtime/lazy/captures.h"
#include "runtime/lazy/deferral.h"
#include "runtime/lazy/recorder.h"

namespace autoray {

namespace detail {

void raise(const frontend::Diagnostic& diagnostic, int status) {
  Diagnostic d;
  d.code = frontend::code_text(diagnostic.code);
  d.message = diagnostic.title;
  d.file = diagnostic.file;
  d.line = diagnostic.line;
  d.column = diagnostic.column;
  d.hint = diagnostic.hint;
  d.rendered = frontend::render(diagnostic, false);
  d.rendered_colour = frontend::render(diagnostic, true);
  d.json = frontend::to_json(diagnostic);
  d.status = status;
  throw Error(std::move(d));
}

void raise(const ir::Error& error, int status) {
  frontend::Diagnostic d;
  d.code = error.code() ? error.code() : frontend::default_code(error.error_class());
  d.title = std::string(ir::name(error.error_class())) + ": " + error.message();
  d.hint = error.hint();
  d.file = "autoray";
  raise(d, d.code == 705 ? 130 : d.code >= 700 && d.code < 705 ? 5 : status);
}

void raise(runtime::Runtime& runtime, const runtime::Raised& raised) {
  const auto& exception = raised.exception.as<runtime::Exception>();
  ir::Error error(exception.error_class, frontend::str(runtime, raised.exception));
  if (exception.code) error.with_code(exception.code);
  raise(error.with_hint(exception.hint));
}

namespace {

void set_passes(runtime::Runtime& runtime, const PassOptions& given) {
  if (given.without.empty() && given.print_after.empty() && !given.time && !given.verify) return;
  ir::PassOptions& passes = runtime.recorder().passes;
  passes.without = given.without;
  passes.print_after = given.print_after;
  passes.check = given.verify;
  ir::check_names(passes);
  auto* rt = &runtime;
  passes.print = [rt](std::string_view pass, const ir::Block& block) {
    rt->write_stderr("# after " + std::string(pass) + "\n" + ir::to_text(block));
  };
  if (given.time)
    passes.timed = [rt](std::string_view pass, double seconds) {
      char text[64];
      std::snprintf(text, sizeof text, "pass %-14s %9.3f ms\n", std::string(pass).c_str(), seconds * 1e3);
      rt->write_stderr(text);
    };
}

}  // namespace

EngineState::EngineState(const EngineOptions& options) {
  runtime::HeapScope scope(*heap);
  runtime::RuntimeOptions r;
  r.backend = options.backend;
  r.max_memory = options.max_memory;
  static constexpr std::pair<std::string_view, runtime::Defer> kModes[] = {
      {"", runtime::Defer::Off},          {"plain", runtime::Defer::Plain},   {"shared", runtime::Defer::Shared},
      {"folded", runtime::Defer::Folded}, {"native", runtime::Defer::Native}, {"passes", runtime::Defer::Passes}};
  bool one_pass = false;
  const auto* mode =
      std::find_if(std::begin(kModes), std::end(kModes), [&](const auto& m) { return m.first == options.defer; });
  if (mode == std::end(kModes)) {
    std::string names = "passes, plain, shared, folded, native";
    for (const ir::Pass& pass : ir::all_passes()) {
      one_pass |= pass.name == options.defer;
      names += ", " + std::string(pass.name);
    }
    if (!one_pass)
      raise(ir::Error(ir::ErrorClass::ValueError, "there is no way to defer '" + options.defer + "': " + names), 2);
    mode = std::end(kModes) - 1;
  }
  r.defer = mode->second;
  runtime = std::make_unique<runtime::Runtime>(r);
  if (options.max_nodes >= 0) runtime->recorder().graph().set_limit(static_cast<std::size_t>(options.max_nodes));
  if (one_pass) runtime->deferral()->set_pass(options.defer);
  runtime->write_stdout = options.write_stdout ? options.write_stdout : [](std::string_view text) {
    if (text.empty())
      std::fflush(stdout);
    else
      std::fwrite(text.data(), 1, text.size(), stdout);
  };
  runtime->write_stderr = options.write_stderr ? options.write_stderr : [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  };
  set_passes(*runtime, options.passes);
  codegen::JitOptions jit;
  jit.check_bounds = options.check_bounds;
  jit.cache = options.kernel_cache;
  auto compiler = std::make_shared<codegen::Jit>(jit);
  runtime->language_objects["autoray.autojit"] = codegen::make_autojit_function(compiler);
  if (r.defer == runtime::Defer::Native)
    runtime->plan_executor = [r = runtime.get(), compiler](const ir::Plan& plan, std::vector<runtime::Array> arguments) {
      return codegen::run_natively(*r, *compiler, plan, std::move(arguments));
    };
  // numpy's warnings: once a message.
  auto seen = std::make_shared<std::vector<std::string>>();
  auto* rt = runtime.get();
  runtime->on_warning = [rt, seen](ir::ErrorClass category, const std::string& message) {
    std::string line = std::string(ir::name(category)) + ": " + message;
    for (const std::string& s : *seen)
      if (s == line) return;
    seen->push_back(line);
    std::fflush(stdout);
    rt->write_stderr(line + "\n");
  };
}

EngineState::~EngineState() {
  {
    runtime::HeapScope scope(*heap);
    for (auto& program : programs) program.reset();
  }
  // Cycles that are left may hold lazy arrays, which need the runtime when they go.
  heap.emplace();
  runtime::HeapScope scope(*heap);
  runtime.reset();
}

Value EngineState::wrap(std::shared_ptr<EngineState> engine, runtime::Value value) {
  Value result;
  result.state_ = std::make_shared<ValueState>();
  result.state_->engine = std::move(engine);
  result.state_->value = std::move(value);
  return result;
}
const runtime::Value& EngineState::unwrap(const Value& value) {
  if (!value.state_) raise(ir::Error(ir::ErrorClass::TypeError, "the value is empty"));
  return value.state_->value;
}

}  // namespace detail

using detail::ArrayAccess;
using detail::EngineState;

// ---- the engine ----

Engine::Engine(EngineOptions options) {
  try {
    state_ = std::make_shared<EngineState>(options);
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

Program Engine::load(std::string text, std::string name, std::string directory) {
  detail::Turn turn(*state_);
  auto interpreter = std::make_unique<frontend::Interpreter>(*state_->runtime, state_->interner);
  if (auto problem = interpreter->load(name, std::move(text), std::move(directory))) detail::raise(*problem, 3);
  state_->programs.push_back(std::move(interpreter));
  Program program;
  program.engine_ = state_;
  program.index_ = state_->programs.size() - 1;
  program.name_ = std::move(name);
  return program;
}

Array Engine::call(std::string_view op_name, Span<const Array> operands) {
  return detail::enter(*state_, [&] {
    ir::OpId id = ir::find_op(op_name);
    if (id == ir::OpId::Count)
      throw ir::Error(ir::ErrorClass::ImportError, "autoray couldn't find function '" + std::string(op_name) + "'");
    const ir::Op& op = ir::op(id);
    auto refuse = [&](const std::string& why) {
      throw ir::Error(ir::ErrorClass::TypeError, std::string(op.path) + "() " + why);
    };
    if (op.op_class == ir::OpClass::Host || op.has(ir::kRandom)) refuse("cannot be called with arrays alone");
    ir::SmallVector<runtime::Operand, 4> list;
    ir::SmallVector<std::uint32_t, 4> groups;
    std::size_t given = 0;
    for (char letter : op.operands) {
      std::uint32_t count = letter == 'S' ? static_cast<std::uint32_t>(operands.size() - given) : given < operands.size();
      if (letter != 'S' && letter != 'A' && letter != 'O' && letter != 'B') continue;
      if (count == 0 && letter != 'O') refuse("needs more operands than " + std::to_string(operands.size()));
      for (std::uint32_t i = 0; i < count; ++i) list.push_back({&ArrayAccess::unwrap(operands[given++]), ir::Kind::Array});
      if (count == 0) list.push_back({});
      groups.push_back(count);
    }
    if (given < operands.size()) refuse("takes " + std::to_string(given) + " operands, not " + std::to_string(operands.size()));
    Array result = ArrayAccess::empty();
    if (runtime::quick_elementwise(*state_->runtime, id, state_->runtime->native_backend(), list, ArrayAccess::unwrap(result)))
      return result;
    auto results =
        state_->runtime->run(id, state_->runtime->native_backend(), list, groups, state_->runtime->default_attrs(id));
    if (results.size() != 1) refuse("gives " + std::to_string(results.size()) + " arrays");
    return ArrayAccess::wrap(std::move(results[0]));
  });
}

namespace {

std::vector<Array> arrays_of(runtime::Runtime& r, const runtime::Arguments& a) {
  std::vector<Array> list;
  for (const runtime::Value& v : a.positional) list.push_back(ArrayAccess::wrap(runtime::to_array(r, v)));
  return list;
}
runtime::Value array_value(const Array& array, runtime::BackendId backend) {
  runtime::Array tagged = ArrayAccess::unwrap(array);
  tagged.backend = backend;
  return runtime::make_array(std::move(tagged));
}

// An exception of the embedder's function as the script's.
ir::Error script_error(const Diagnostic& d) {
  std::size_t colon = d.message.find(": ");
  if (colon != std::string::npos)
    if (auto error_class = ir::find_error_class(std::string_view(d.message).substr(0, colon)))
      return ir::Error(*error_class, d.message.substr(colon + 2)).with_hint(d.hint);
  return ir::Error(ir::ErrorClass::RuntimeError, d.message).with_hint(d.hint);
}

runtime::Ref<runtime::Callable> native(const std::string& name, runtime::BackendId backend, Engine::Function function) {
  auto call = [name, backend, function](runtime::Runtime& r, const runtime::Arguments& a) {
    if (r.captures) r.captures->refuse("calls '" + name + "', which is a function of the host program");
    if (!a.keyword_names.empty())
      throw ir::Error(ir::ErrorClass::TypeError, name + "() takes no keyword arguments: it is registered for arrays alone");
    std::vector<Array> operands = arrays_of(r, a);
    try {
      return array_value(function(operands), backend);
    } catch (const Error& error) {
      throw script_error(error.diagnostic());
    } catch (const ir::Error&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      throw ir::Error(ir::ErrorClass::RuntimeError, error.what());
    }
  };
  return runtime::make<runtime::NativeFunction>(name, std::move(call));
}

}  // namespace

void Engine::register_function(const std::string& backend, const std::string& name, Function function) {
  detail::enter(*state_, [&] {
    runtime::Runtime& r = *state_->runtime;
    auto id = r.find_backend(backend).value_or(r.native_backend());
    runtime::register_function(r, backend, name, native(name, id, std::move(function)));
  });
}

void Engine::register_wrapper(const std::string& backend, const std::string& name,
                              std::function<Array(const Function&, Span<const Array>)> wrapper) {
  detail::enter(*state_, [&] {
    runtime::Runtime& r = *state_->runtime;
    auto id = r.find_backend(backend).value_or(r.native_backend());
    Function call_old = [old = runtime::library_function(r, backend, name), &r, id](Span<const Array> operands) {
      std::vector<runtime::Value> values;
      for (const Array& a : operands) values.push_back(array_value(a, id));
      return ArrayAccess::wrap(runtime::to_array(r, old->call(r, {values, {}, {}})));
    };
    register_function(backend, name, [wrapper, call_old](Span<const Array> operands) { return wrapper(call_old, operands); });
  });
}

Value Engine::load_npy(const std::string& path) {
  return detail::enter(*state_, [&] {
    runtime::Array a = runtime::read_npy(*state_->runtime, path);
    a.backend = state_->runtime->native_backend();
    return EngineState::wrap(state_, runtime::make_array(std::move(a)));
  });
}

std::vector<Named> Engine::load_npz(const std::string& path) {
  return detail::enter(*state_, [&] {
    std::vector<Named> list;
    for (auto& [name, array] : runtime::read_npz(*state_->runtime, path)) {
      runtime::Array a = array;
      a.backend = state_->runtime->native_backend();
      list.push_back({name, EngineState::wrap(state_, runtime::make_array(std::move(a)))});
    }
    return list;
  });
}

std::vector<BackendDescription> Engine::backends() const {
  std::vector<BackendDescription> list;
  runtime::Runtime& r = *state_->runtime;
  for (std::size_t b = 0; b < r.backend_count(); ++b) {
    auto id = static_cast<runtime::BackendId>(b);
    const runtime::Backend& backend = r.backend(id);
    BackendDescription d{
        std::string(backend.name), std::string(backend.based_on), std::string(backend.library), std::string(backend.note), {}};
    for (const ir::Op& op : ir::all_ops()) {
      if (op.has(ir::kGraphOnly)) continue;
      if (id == runtime::kLazy) {
        // Every op is recorded by the one recorder.
        d.kernels.emplace_back(op.path, backend.name);
        continue;
      }
      runtime::Entry& entry = r.entry(id, op.id);
      runtime::BackendId provider = entry.provided_by;
      // Element-wise ops run one driver; who provides the float64 loop is what counts.
      if (op.op_class == ir::OpClass::Elementwise && r.loop(id, op.id, ir::DType::Float64))
        provider = r.loop_provider(id, op.id, ir::DType::Float64);
      d.kernels.emplace_back(op.path, r.backend_name(provider));
    }
    list.push_back(std::move(d));
  }
  return list;
}

void Engine::on_call(std::function<void(const ExplainedCall&)> listener) {
  state_->runtime->on_explain = nullptr;
  if (!listener) return;
  state_->runtime->on_explain = [listener](const runtime::ExplainEntry& e) {
    listener({e.op, e.operands, e.backend, e.provider, e.library});
  };
}

std::int64_t Engine::peak_memory() const { return state_->runtime->budget().peak(); }

Engine::Deferred Engine::deferred() const {
  runtime::Deferral* deferral = state_->runtime->deferral();
  if (!deferral) return {};
  const auto& s = deferral->statistics;
  return {s.recorded, s.eager, s.computed, s.demands};
}

void Engine::request_stop(Stop reason) {
  state_->runtime->request_stop(reason == Stop::Timeout ? runtime::Runtime::Stop::Timeout : runtime::Runtime::Stop::Interrupt);
}

bool Engine::stop_requested() const { return state_->runtime->stop_requested(); }

// ---- files ----

void Engine::save_npz(const std::string& path, const std::vector<std::pair<std::string, Array>>& arrays) {
  detail::enter(*state_, [&] {
    runtime::NamedArrays list;
    for (const auto& [name, array] : arrays) list.push_back({name, ArrayAccess::unwrap(array)});
    runtime::write_npz(*state_->runtime, path, list);
  });
}

}  // namespace autoray
