#include "frontend/interpreter.h"

#include "frontend/evaluator.h"
#include "frontend/parser.h"

namespace autoray::frontend {

Interpreter::Interpreter(runtime::Runtime& r, ir::Interner& i)
    : runtime(r), interner(i), evaluator_(std::make_unique<Evaluator>(*this)) {}

Interpreter::~Interpreter() {
  // Values first: functions refer to trees.
  for (auto& unit : units_) {
    unit->object.clear();
    for (Value& value : unit->globals.values) value.clear();
    for (Value& value : unit->globals.builtins) value.clear();
  }
}

std::optional<Diagnostic> Interpreter::load(std::string name, std::string text, std::string directory) {
  auto unit = std::make_unique<ModuleUnit>();
  unit->name = "__main__";
  unit->source = std::make_unique<Source>(std::move(name), std::move(text));
  directory_ = std::move(directory);
  ParseResult parsed = parse(*unit->source, interner);
  if (parsed.error) return std::move(parsed.error);
  unit->tree = std::move(parsed.module);
  if (auto problem = resolve(*unit->tree, unit->globals, interner, *unit->source)) return problem;
  unit->globals.values[unit->globals.slot(interner.intern("__name__"))] = runtime::make_str("__main__");
  unit->globals.values[unit->globals.slot(interner.intern("__file__"))] = runtime::make_str(unit->source->name());
  if (!unit->tree->docstring.empty())
    unit->globals.values[unit->globals.slot(interner.intern("__doc__"))] =
        runtime::make_str(std::string(unit->tree->docstring));
  main_ = unit.get();
  units_.push_back(std::move(unit));
  return std::nullopt;
}

namespace {

Outcome outcome_of(Evaluator& evaluator, bool ok) {
  Outcome outcome;
  outcome.ok = ok;
  if (ok) return outcome;
  Value exception = evaluator.take_exception();
  auto& e = exception.as<runtime::Exception>();
  if (e.error_class == ir::ErrorClass::SystemExit) {
    outcome.exited = true;
    if (e.args.empty() || e.args[0].is_none()) {
      outcome.exit_status = 0;
    } else if (e.args[0].is_int() || e.args[0].is_bool()) {
      outcome.exit_status = static_cast<int>((e.args[0].is_int() ? e.args[0].as_int() : e.args[0].as_bool()) & 0xff);
    } else {
      evaluator.runtime().write_stderr(str(evaluator.runtime(), e.args[0]) + "\n");
      outcome.exit_status = 1;
    }
    outcome.ok = outcome.exit_status == 0;
    return outcome;
  }
  outcome.exit_status = 1;
  outcome.error = evaluator.diagnose(exception);
  outcome.limit = outcome.error->code >= 700 && outcome.error->code < 705;
  outcome.interrupted = outcome.error->code == 705;
  return outcome;
}

}  // namespace

// While a script runs, what is recorded comes from it; interpreters come and go within the runtime's life.
class Interpreter::Recording {
 public:
  explicit Recording(Interpreter& i)
      : runtime_(i.runtime), source_(runtime_.current_source), context_(runtime_.source_context) {
    runtime_.current_source = [](void* evaluator) { return static_cast<Evaluator*>(evaluator)->source(); };
    runtime_.source_context = i.evaluator_.get();
  }
  ~Recording() {
    runtime_.current_source = source_;
    runtime_.source_context = context_;
  }
  Recording(const Recording&) = delete;

 private:
  runtime::Runtime& runtime_;
  std::uint32_t (*source_)(void*);
  void* context_;
};

Outcome Interpreter::run() {
  Recording recording(*this);
  return outcome_of(*evaluator_, evaluator_->run_module(*main_));
}

Outcome Interpreter::call(std::string_view function, std::span<const Value> positional,
                          std::span<const std::string_view> keyword_names, std::span<const Value> keyword_values) {
  Recording recording(*this);
  Value callable = global(function), result;
  bool ok = evaluator_->call(callable, {positional, keyword_names, keyword_values}, result);
  Outcome outcome = outcome_of(*evaluator_, ok);
  outcome.value = std::move(result);
  return outcome;
}

Value Interpreter::global(std::string_view name) const {
  if (!main_) return {};
  auto found = main_->globals.index.find(interner.intern(name));
  return found == main_->globals.index.end() ? Value() : main_->globals.values[found->second];
}

void Interpreter::set_global(std::string_view name, Value value) {
  main_->globals.values[main_->globals.slot(interner.intern(name))] = std::move(value);
}

void Interpreter::for_each_global(const std::function<void(const Value&)>& visit) const {
  if (!main_) return;
  for (const Value& value : main_->globals.values)
    if (!value.empty()) visit(value);
}

const ModuleUnit* Interpreter::unit_named(std::string_view file) const {
  for (const auto& unit : units_)
    if (unit->source->name() == file) return unit.get();
  return nullptr;
}

std::vector<FunctionInfo> Interpreter::functions() const {
  std::vector<FunctionInfo> list;
  for (std::size_t i = 0; main_ && i < main_->globals.values.size(); ++i) {
    auto* callable = main_->globals.values[i].get_if<runtime::Callable>();
    auto* function = callable ? dynamic_cast<ScriptFunction*>(callable) : nullptr;
    // A decorated one has the parameters of what it wraps.
    Value wrapped;
    if (callable && !function && callable->get_attribute(runtime, "__wrapped__", wrapped))
      if (auto* inner = wrapped.get_if<runtime::Callable>()) function = dynamic_cast<ScriptFunction*>(inner);
    if (!function) continue;
    FunctionInfo info;
    info.name = std::string(interner.text(main_->globals.names[i]));
    for (const Parameter& p : function->code.parameters) {
      info.parameters.emplace_back(interner.text(p.name));
      info.has_default.push_back(p.default_value || p.kind == ParameterKind::Variadic || p.kind == ParameterKind::Keywords);
    }
    list.push_back(std::move(info));
  }
  return list;
}

}  // namespace autoray::frontend
