// Compiling ahead of time for the host program: a call is traced, lowered, and kept until somebody writes it.
#include "autoray/object.h"

#include <algorithm>

#include "api/access.h"
#include "autoray/engine.h"
#include "codegen/autojit.h"
#include "codegen/object/formats.h"
#include "ir/op.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/function.h"

namespace autoray {

namespace object = codegen::object;
using detail::EngineState;

namespace detail {

struct ObjectState {
  object::Function function;
  object::Machine machine;
  object::About about;
};

namespace {

constexpr int kRefused = 3;  // found before anything ran

// The inner layers' errors with the status of what is wrong with a request.
template <class Function>
decltype(auto) with_status(int status, Function&& function) {
  try {
    return function();
  } catch (const ir::Error& error) {
    raise(error, status);
  }
}

constexpr std::size_t kMostNotes = 5;

// Operations that only the runtime computes: the first at its place in the script, the others as notes.
[[noreturn]] void refuse(const ir::GraphTables& tables, std::span<const codegen::RuntimeCall> calls) {
  const codegen::RuntimeCall& call = calls.front();
  frontend::Diagnostic d;
  for (const codegen::RuntimeCall& other : calls.subspan(1)) {
    const ir::SourcePlace& at = tables.sources.place(other.source);
    std::string note = "'" + std::string(ir::op(other.op).path) + "' neither";
    if (other.source != ir::kNoSource) note += ", in line " + std::to_string(at.line);
    if (!other.reason.empty()) note += ": " + other.reason;
    if (std::find(d.notes.begin(), d.notes.end(), note) == d.notes.end()) d.notes.push_back(std::move(note));
    if (d.notes.size() == kMostNotes) break;
  }
  std::string operands;
  for (const codegen::Located& in : call.inputs)
    if (in.present && !call.random) operands += (operands.empty() ? "" : ", ") + ir::to_string(in.type);
  d.code = 505;
  d.title = "NotImplementedError: '" + std::string(ir::op(call.op).path) + "' cannot be compiled into an object" +
            (call.reason.empty() ? "" : ": " + call.reason);
  d.hint = "an object has no runtime behind it: compile the parts around this call, or embed libautoray and use autojit";
  d.file = "autoray";
  if (call.source == ir::kNoSource) raise(d, kRefused);
  const ir::SourcePlace& place = tables.sources.place(call.source);
  frontend::Source source(std::string(tables.names.text(place.file)), std::string(tables.sources.text(place.file)));
  d.file = source.name();
  if (place.line >= 1 && static_cast<int>(place.line) <= source.line_count()) {
    // A column counts code points.
    std::string_view line = source.line(static_cast<int>(place.line));
    std::size_t at = 0;
    for (std::uint32_t column = 1; column < place.column && at < line.size(); ++column) do
        ++at;
      while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80);
    std::uint32_t begin = source.line_start(static_cast<int>(place.line)) + static_cast<std::uint32_t>(at);
    d.labels.push_back({{begin, begin + 1}, operands.empty() ? std::string() : "of " + operands});
    frontend::locate(d, source);
  }
  for (ir::SourceId id = call.source; id != ir::kNoSource; id = tables.sources.place(id).caller) {
    const ir::SourcePlace& at = tables.sources.place(id);
    d.stack.insert(d.stack.begin(), {std::string(tables.names.text(at.function)), std::string(tables.names.text(at.file)),
                                     static_cast<int>(at.line), 0});
  }
  raise(d, kRefused);
}

// Arrays in the place of variables: of their type and layout, each with storage of its own, whose elements nobody reads.
runtime::Value without_elements(runtime::Runtime& runtime, const runtime::Value& given) {
  return runtime::map_leaves(given, [&](const runtime::Value& leaf) -> runtime::Value {
    auto* lazy = leaf.get_if<runtime::LazyArray>();
    if (!lazy) return leaf;
    const ir::Type& type = lazy->type();
    runtime::Array array;
    array.storage = runtime::StoragePtr(runtime::Storage::allocate(16, &runtime.budget()));
    array.data = array.storage->data();
    array.dtype = type.dtype;
    array.backend = runtime.native_backend();
    array.shape = type.shape;
    array.strides = ir::contiguous_strides(type.shape, static_cast<std::int64_t>(ir::itemsize(type.dtype)));
    return runtime::make_array(std::move(array));
  });
}

}  // namespace
}  // namespace detail

ObjectCode Program::compile(std::string_view function, const std::vector<Named>& arguments, const ObjectOptions& options) {
  check(options);
  ObjectCode compiled;
  if (!engine_) detail::raise(ir::Error(ir::ErrorClass::ValueError, "the program is empty: Engine::load makes one"));
  frontend::Interpreter& program = *engine_->programs[index_];
  detail::enter(*engine_, [&] {
    runtime::Runtime& runtime = *engine_->runtime;
    runtime::Value plain = program.global(function);
    if (!plain.is(runtime::ObjectKind::Callable))
      throw ir::Error(ir::ErrorClass::NameError, "the script has no function '" + std::string(function) + "'");
    std::vector<std::string_view> names;
    std::vector<runtime::Value> values;
    for (const Named& a : arguments) {
      names.push_back(a.name);
      values.push_back(detail::without_elements(runtime, EngineState::unwrap(a.value)));
    }
    auto traced = runtime::make<codegen::AutoJit>(nullptr, plain, codegen::JitBackend::Object);
    // Traced within the interpreter, so that errors have the script's places.
    std::shared_ptr<const codegen::Specialisation> spec;
    std::string name = "compile " + std::string(function);  // no script can write it
    program.set_global(name, runtime::make_native(name, [&](runtime::Runtime& r, const runtime::Arguments& given) {
                         spec = traced->specialise(r, given);
                         return runtime::Value::none();
                       }));
    frontend::Outcome outcome = program.call(name, {}, names, values);
    program.set_global(name, {});
    runtime.clear_stop();
    if (outcome.error) detail::raise(*outcome.error, outcome.interrupted ? 130 : outcome.limit ? 5 : detail::kRefused);
    if (!spec) throw ir::Error(ir::ErrorClass::SystemExit, "the traced function ended the script");
    if (!spec->plain.empty() || !spec->program)
      detail::raise(ir::Error(ir::ErrorClass::NotImplementedError,
                              "'" + std::string(function) + "' cannot be compiled: " +
                                  (spec->plain.empty() ? "a registered function takes part" : spec->plain))
                        .with_code(505),
                    detail::kRefused);
    if (!spec->program->calls.empty()) detail::refuse(runtime.recorder().tables(), spec->program->calls);
    auto state = std::make_shared<detail::ObjectState>();
    detail::with_status(detail::kRefused, [&] {
      state->function = object::make_function(runtime, std::string(function), names, values, *spec);
      state->machine = object::find_machine(options.cpu, options.triple);
    });
    if (!options.symbol.empty()) state->function.name = options.symbol;
    if (object::is_library_function(state->function.name))
      detail::raise(ir::Error(ir::ErrorClass::ValueError,
                              "'" + state->function.name + "' is a function of libc or libm, which the object would replace")
                        .with_hint("give the entry another name (--name)"),
                    2);
    state->about = {name_, version()};
    compiled.state_ = std::move(state);
  });
  return compiled;
}

std::vector<ObjectFormat> object_formats() {
  std::vector<ObjectFormat> list;
  for (const object::Format& f : object::formats()) list.push_back({std::string(f.ending), std::string(f.summary), f.binary});
  return list;
}
std::vector<std::string> object_cpus() { return object::cpu_names(); }

void check(const ObjectOptions& options) {
  detail::with_status(2, [&] {
    object::find_machine(options.cpu, options.triple);
    if (!options.symbol.empty() && object::c_identifier(options.symbol) != options.symbol)
      throw ir::Error(ir::ErrorClass::ValueError, "'" + options.symbol + "' cannot be a function's name in C");
  });
}

namespace {

const detail::ObjectState& compiled(const std::shared_ptr<const detail::ObjectState>& state) {
  if (!state) detail::raise(ir::Error(ir::ErrorClass::ValueError, "the function is empty: Program::compile makes one"));
  return *state;
}

}  // namespace

std::string ObjectCode::write(std::string_view ending) const {
  const detail::ObjectState& s = compiled(state_);
  const object::Format* format = object::find_format(ending);
  if (!format) detail::raise(ir::Error(ir::ErrorClass::ValueError, "no format ends in '" + std::string(ending) + "'"), 2);
  return detail::with_status(1, [&] { return format->write(s.function, s.machine); });
}
std::string ObjectCode::header() const {
  const detail::ObjectState& s = compiled(state_);
  return object::c_header(s.function, s.machine, s.about);
}
std::string ObjectCode::manifest() const {
  const detail::ObjectState& s = compiled(state_);
  return detail::with_status(1, [&] { return object::manifest(s.function, s.machine, s.about); });
}
std::int64_t ObjectCode::workspace_bytes() const { return compiled(state_).function.workspace_bytes; }

std::vector<std::string> ObjectCode::notes() const {
  const object::Function& f = compiled(state_).function;
  if (!f.floats_compiled_in) return {};
  std::string names;
  for (const object::Static& s : f.statics) names += (names.empty() ? "" : ", ") + s.name + " = " + s.value;
  return {"the trace needs the value of a float: all of them are compiled in (" + names + ")"};
}

}  // namespace autoray
