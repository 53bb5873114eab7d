// The composition root: builds an Engine from the parts and translates between the public types and the inner ones.
#include "autoray/engine.h"

#include <cstdio>

#include "api/access.h"
#include "frontend/parser.h"
#include "frontend/protocol.h"
#include "ir/suggest.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/quick.h"
#include "runtime/files/npy.h"

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

void raise(const ir::Error& error) {
  frontend::Diagnostic d;
  d.code = error.code() ? error.code() : frontend::default_code(error.error_class());
  d.title = std::string(ir::name(error.error_class())) + ": " + error.message();
  d.hint = error.hint();
  d.file = "autoray";
  raise(d, d.code >= 700 && d.code < 705 ? 5 : 1);
}

EngineState::EngineState(const EngineOptions& options) : scope(heap) {
  runtime::RuntimeOptions r;
  r.backend = options.backend;
  r.max_memory = options.max_memory;
  runtime = std::make_unique<runtime::Runtime>(r);
  runtime->write_stdout = options.write_stdout ? options.write_stdout : [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  };
  runtime->write_stderr = options.write_stderr ? options.write_stderr : [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
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
  for (auto& program : programs) program.reset();
  runtime.reset();
}

Value EngineState::wrap(std::shared_ptr<EngineState> engine, runtime::Value value) {
  Value result;
  result.state_ = std::make_shared<ValueState>();
  result.state_->engine = std::move(engine);
  result.state_->value = std::move(value);
  return result;
}
const runtime::Value& EngineState::unwrap(const Value& value) { return value.state_->value; }

}  // namespace detail

using detail::ArrayAccess;
using detail::EngineState;

// ---- values ----

bool Value::is_array() const {
  const runtime::Value& v = state_->value;
  return v.is(runtime::ObjectKind::Array) || v.is(runtime::ObjectKind::NumpyScalar) || v.is_int() || v.is_float() ||
         v.is_bool() || v.is(runtime::ObjectKind::Complex);
}
bool Value::is_tuple() const {
  return state_->value.is(runtime::ObjectKind::Tuple) || state_->value.is(runtime::ObjectKind::List);
}
std::vector<Value> Value::items() const {
  std::vector<Value> list;
  const runtime::Value& v = state_->value;
  const auto& inner = v.is(runtime::ObjectKind::Tuple) ? v.as<runtime::Tuple>().items : v.as<runtime::List>().items;
  for (const runtime::Value& item : inner) list.push_back(EngineState::wrap(state_->engine, item));
  return list;
}
Array Value::array() const {
  try {
    return ArrayAccess::wrap(runtime::to_array(*state_->engine->runtime, state_->value));
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}
std::string Value::repr() const { return frontend::repr(*state_->engine->runtime, state_->value); }

// ---- programs ----

namespace {

frontend::Interpreter& interpreter_of(EngineState& engine) { return *engine.programs.back(); }

int finish(const frontend::Outcome& outcome) {
  if (outcome.error) detail::raise(*outcome.error, outcome.interrupted ? 130 : outcome.limit ? 5 : 1);
  return outcome.exit_status;
}

}  // namespace

int Program::run() { return finish(interpreter_of(*engine_).run()); }

Value Program::call(std::string_view function, std::span<const Array> arguments) {
  std::vector<runtime::Value> values;
  for (const Array& a : arguments) values.push_back(runtime::make_array(ArrayAccess::unwrap(a)));
  frontend::Outcome outcome = interpreter_of(*engine_).call(function, values, {}, {});
  finish(outcome);
  return EngineState::wrap(engine_, outcome.value);
}

Value Program::call(std::string_view function, const std::vector<Named>& keywords) {
  std::vector<std::string_view> names;
  std::vector<runtime::Value> values;
  for (const Named& k : keywords) {
    names.push_back(k.name);
    values.push_back(EngineState::unwrap(k.value));
  }
  if (interpreter_of(*engine_).global(function).empty())
    detail::raise(ir::Error(ir::ErrorClass::NameError, "the script has no function '" + std::string(function) + "'"));
  frontend::Outcome outcome = interpreter_of(*engine_).call(function, {}, names, values);
  finish(outcome);
  return EngineState::wrap(engine_, outcome.value);
}

std::vector<FunctionDescription> Program::functions() const {
  std::vector<FunctionDescription> list;
  for (frontend::FunctionInfo& f : interpreter_of(*engine_).functions()) list.push_back({f.name, f.parameters, f.has_default});
  return list;
}

void Program::set_arguments(const std::vector<std::string>& arguments) {
  std::vector<runtime::Value> items = {runtime::make_str(name_)};
  for (const std::string& a : arguments) items.push_back(runtime::make_str(a));
  engine_->runtime->language_objects["sys.argv"] = runtime::make_list(std::move(items));
}

// ---- the engine ----

Engine::Engine(EngineOptions options) {
  try {
    state_ = std::make_shared<EngineState>(options);
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

Program Engine::load(std::string text, std::string name, std::string directory) {
  auto interpreter = std::make_unique<frontend::Interpreter>(*state_->runtime, state_->interner);
  if (auto problem = interpreter->load(name, std::move(text), std::move(directory))) detail::raise(*problem, 3);
  state_->programs.push_back(std::move(interpreter));
  Program program;
  program.engine_ = state_;
  program.name_ = std::move(name);
  return program;
}

Array Engine::call(std::string_view op, std::span<const Array> operands) {
  ir::OpId id = ir::find_op(op);
  try {
    if (id == ir::OpId::Count)
      throw ir::Error(ir::ErrorClass::ImportError, "autoray couldn't find function '" + std::string(op) + "'");
    ir::SmallVector<runtime::Operand, 4> list;
    for (const Array& a : operands) list.push_back({&ArrayAccess::unwrap(a), ir::Kind::Array});
    Array result = ArrayAccess::empty();
    if (runtime::quick_elementwise(*state_->runtime, id, state_->runtime->native_backend(), list, ArrayAccess::unwrap(result)))
      return result;
    ir::SmallVector<std::uint32_t, 4> groups(list.size(), 1);
    auto results =
        state_->runtime->run(id, state_->runtime->native_backend(), list, groups, state_->runtime->default_attrs(id));
    return ArrayAccess::wrap(std::move(results.at(0)));
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

namespace {

std::vector<Array> arrays_of(runtime::Runtime& r, const runtime::Arguments& a) {
  std::vector<Array> list;
  for (const runtime::Value& v : a.positional) list.push_back(ArrayAccess::wrap(runtime::to_array(r, v)));
  return list;
}
runtime::Value array_value(const Array& array) { return runtime::make_array(ArrayAccess::unwrap(array)); }
runtime::Ref<runtime::Callable> native(const std::string& name, runtime::NativeFunction::Function f) {
  return runtime::make<runtime::NativeFunction>(name, std::move(f));
}

}  // namespace

void Engine::register_function(const std::string& backend, const std::string& name, Function function) {
  runtime::register_function(*state_->runtime, backend, name,
                             native(name, [function](runtime::Runtime& r, const runtime::Arguments& a) {
                               std::vector<Array> operands = arrays_of(r, a);
                               return array_value(function(operands));
                             }));
}

void Engine::register_wrapper(const std::string& backend, const std::string& name,
                              std::function<Array(const Function&, std::span<const Array>)> wrapper) {
  try {
    auto old = runtime::library_function(*state_->runtime, backend, name);
    auto* r = state_->runtime.get();
    Function call_old = [old, r](std::span<const Array> operands) {
      std::vector<runtime::Value> values;
      for (const Array& a : operands) values.push_back(array_value(a));
      return ArrayAccess::wrap(runtime::to_array(*r, old->call(*r, {values, {}, {}})));
    };
    register_function(backend, name,
                      [wrapper, call_old](std::span<const Array> operands) { return wrapper(call_old, operands); });
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

Value Engine::value(const Array& array) {
  runtime::Array a = ArrayAccess::unwrap(array);
  a.backend = state_->runtime->native_backend();
  return EngineState::wrap(state_, runtime::make_array(std::move(a)));
}

Value Engine::literal(const std::string& text) {
  // Evaluated as the one expression of a module that sees no names.
  auto interpreter = std::make_unique<frontend::Interpreter>(*state_->runtime, state_->interner);
  if (auto problem = interpreter->load("<literal>", "value = " + text + "\n", "")) detail::raise(*problem, 2);
  frontend::Outcome outcome = interpreter->run();
  if (outcome.error) detail::raise(*outcome.error, 2);
  return EngineState::wrap(state_, interpreter->global("value"));
}

Value Engine::load_npy(const std::string& path) {
  try {
    runtime::Array a = runtime::read_npy(*state_->runtime, path);
    a.backend = state_->runtime->native_backend();
    return EngineState::wrap(state_, runtime::make_array(std::move(a)));
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

std::vector<Named> Engine::load_npz(const std::string& path) {
  try {
    std::vector<Named> list;
    for (auto& [name, array] : runtime::read_npz(*state_->runtime, path)) {
      runtime::Array a = array;
      a.backend = state_->runtime->native_backend();
      list.push_back({name, EngineState::wrap(state_, runtime::make_array(std::move(a)))});
    }
    return list;
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

Value Engine::standard_normal(std::uint64_t seed, std::string_view dtype, const std::vector<std::int64_t>& shape) {
  std::string dims;
  for (std::int64_t d : shape) dims += std::to_string(d) + ",";
  std::string name(dtype);
  bool single = name == "float32";
  auto interpreter = std::make_unique<frontend::Interpreter>(*state_->runtime, state_->interner);
  std::string text = "import numpy as np\nvalue = np.random.default_rng(" + std::to_string(seed) + ").standard_normal((" +
                     dims + ")" + (single ? ", dtype=np.float32" : "") + ")\n" +
                     (single || name == "float64" ? "" : "value = value.astype('" + name + "')\n");
  if (auto problem = interpreter->load("<random>", text, "")) detail::raise(*problem, 2);
  frontend::Outcome outcome = interpreter->run();
  if (outcome.error) detail::raise(*outcome.error, 2);
  return EngineState::wrap(state_, interpreter->global("value"));
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
  return EngineState::wrap(state_, deep_copy(*state_->runtime, EngineState::unwrap(value)));
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
  state_->runtime->on_explain = [listener](const runtime::ExplainEntry& e) {
    listener({e.op, e.operands, e.backend, e.provider, e.library});
  };
}

std::int64_t Engine::peak_memory() const { return state_->runtime->budget().peak(); }

void Engine::request_stop(Stop reason) {
  state_->runtime->request_stop(reason == Stop::Timeout ? runtime::Runtime::Stop::Timeout : runtime::Runtime::Stop::Interrupt);
}

// ---- tables ----

std::vector<OpDescription> operations() {
  static constexpr const char* kClasses[] = {"elementwise", "reduction", "view",   "join",   "index",
                                             "create",      "contract",  "linalg", "random", "host"};
  std::vector<OpDescription> list;
  for (const ir::Op& op : ir::all_ops()) {
    OpDescription d{
        std::string(op.path), std::string(op.signature), kClasses[static_cast<int>(op.op_class)], std::string(op.operands), {}};
    for (const ir::Alias& alias : ir::aliases())
      if (alias.id == op.id) d.aliases.emplace_back(alias.name);
    list.push_back(std::move(d));
  }
  return list;
}

std::optional<std::string> explain_error(std::string_view code) {
  if (!code.empty() && (code[0] == 'E' || code[0] == 'e')) code.remove_prefix(1);
  int number = 0;
  for (char c : code) {
    if (c < '0' || c > '9' || number > 9999) return std::nullopt;
    number = 10 * number + (c - '0');
  }
  const frontend::ErrorCode* row = frontend::find_error_code(number);
  if (!row) return std::nullopt;
  return frontend::code_text(number) + ": " + std::string(row->title) + "\n\n" + std::string(row->explanation) + "\n";
}

void Engine::save_npz(const std::string& path, const std::vector<std::pair<std::string, Array>>& arrays) {
  try {
    runtime::NamedArrays list;
    for (const auto& [name, array] : arrays) list.push_back({name, ArrayAccess::unwrap(array)});
    runtime::write_npz(*state_->runtime, path, list);
  } catch (const ir::Error& error) {
    detail::raise(error);
  }
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const runtime::Backend* b : runtime::native_backends()) names.emplace_back(b->name);
  return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return ir::did_you_mean(word, views);
}

}  // namespace autoray
