// Calls, functions, comprehensions, generator expressions and imports.
#include <cstddef>
#include <cstring>
#include <fstream>
#include <sstream>

#include "frontend/captured.h"
#include "frontend/parser.h"
#include "ir/suggest.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Cell;
using runtime::Dict;
using runtime::List;
using runtime::make;
using runtime::Range;
using runtime::Tuple;

namespace {
constexpr int kRecursion = 1000;  // CPython's limit
constexpr std::size_t kInlineArguments = 8;

// A variable that inner functions share.
runtime::Ref<Cell> new_cell(Runtime& runtime) {
  auto cell = make<Cell>();
  if (runtime.captures) runtime.captures->own(cell);
  return cell;
}
}  // namespace

// ---- script functions ----

Value ScriptFunction::call(Runtime&, const Arguments& arguments) {
  Value result;
  if (!evaluator.call_script(*this, arguments, result)) evaluator.rethrow_pending();
  return result;
}

void ScriptFunction::clear() {
  closure.clear();
  defaults.clear();
  attributes = nullptr;
}

std::string ScriptFunction::qualified_name() const {
  Value* given = attributes ? attributes->find("__qualname__") : nullptr;
  return given ? runtime::text_of(*given, "__qualname__") : std::string(code.qualified_name);
}

bool ScriptFunction::get_attribute(Runtime& runtime, std::string_view attribute, Value& result) {
  if (attributes)
    if (Value* found = attributes->find(attribute)) {
      result = runtime.captures ? captured_attribute(runtime, *this, attribute, *found) : *found;
      return true;
    }
  if (attribute == "__doc__") {
    result = code.docstring.empty() ? Value::none() : runtime::make_str(std::string(code.docstring));
    return true;
  }
  if (attribute == "__qualname__") {
    result = runtime::make_str(qualified_name());
    return true;
  }
  if (attribute == "__module__") {
    result = runtime::make_str(unit.name);
    return true;
  }
  if (attribute == "__defaults__") {
    std::vector<Value> items;
    for (const Value& d : defaults)
      if (!d.empty()) items.push_back(d);
    result = items.empty() ? Value::none() : runtime::make_tuple(std::move(items));
    return true;
  }
  return false;
}

bool ScriptFunction::set_attribute(Runtime& runtime, std::string_view attribute, const Value& value) {
  if (runtime.captures && !runtime.captures->owns(this))
    runtime.captures->refuse("sets the attribute '" + std::string(attribute) + "' of a function that is not its own");
  if (value.empty()) return attributes && !attributes->pop(runtime::make_str(std::string(attribute))).empty();
  if (attribute == "__name__") name = runtime::text_of(value, "__name__");
  if (!attributes) attributes = make<Dict>();
  attributes->set(attribute, value);
  return true;
}

bool Evaluator::make_function(Function& f, Frame& frame, Value& out) {
  auto function = make<ScriptFunction>(*this, f, *frame.unit);
  function->name = std::string(interpreter_.interner.text(f.name));
  if (runtime().captures) runtime().captures->own(function);
  function->defaults.resize(f.parameters.size());
  for (std::size_t i = 0; i < f.parameters.size(); ++i)
    if (f.parameters[i].default_value && !eval(*f.parameters[i].default_value, frame, function->defaults[i])) return false;
  for (const Capture& c : f.scope->captures)
    function->closure.push_back(c.from_parent_cell ? Ref<Cell>::share(&frame.slots[c.index].as<Cell>())
                                                   : frame.closure[c.index]);
  out = function;
  return true;
}

namespace {

std::string quoted_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i) text += i + 1 < names.size() ? ", " : names.size() > 2 ? ", and " : " and ";
    text += "'" + names[i] + "'";
  }
  return text;
}

}  // namespace

bool Evaluator::bind(ScriptFunction& function, const Arguments& arguments, Value* slots) {
  auto parameters = function.code.parameters;
  auto text = [&](NameId id) { return std::string(interpreter_.interner.text(id)); };
  auto name = [&] { return function.qualified_name() + "()"; };
  std::size_t positional = 0, given = arguments.positional.size(), required_positional = 0;
  Parameter *variadic = nullptr, *keywords = nullptr;
  for (Parameter& p : parameters) {
    if (p.kind == ParameterKind::PositionalOnly || p.kind == ParameterKind::Positional) {
      if (positional < given) slots[p.slot] = arguments.positional[positional];
      if (!p.default_value) ++required_positional;
      ++positional;
    }
    if (p.kind == ParameterKind::Variadic) variadic = &p;
    if (p.kind == ParameterKind::Keywords) keywords = &p;
  }
  if (variadic) {
    std::vector<Value> rest;
    for (std::size_t i = positional; i < given; ++i) rest.push_back(arguments.positional[i]);
    slots[variadic->slot] = runtime::make_tuple(std::move(rest));
  } else if (given > positional) {
    std::string takes = required_positional == positional
                            ? std::to_string(positional)
                            : "from " + std::to_string(required_positional) + " to " + std::to_string(positional);
    std::size_t keyword_only = 0;
    for (const Parameter& p : parameters)
      for (std::string_view keyword : arguments.keyword_names)
        keyword_only += p.kind == ParameterKind::KeywordOnly && interpreter_.interner.text(p.name) == keyword;
    std::string were = std::to_string(given) + (given == 1 && !keyword_only ? " was" : " were");
    if (keyword_only)
      were = std::to_string(given) + " positional argument" + (given == 1 ? "" : "s") + " (and " +
             std::to_string(keyword_only) + " keyword-only argument" + (keyword_only == 1 ? "" : "s") + ") were";
    throw Error(ErrorClass::TypeError,
                name() + " takes " + takes + " positional argument" + (positional == 1 ? "" : "s") + " but " + were + " given");
  }
  Ref<Dict> extra;
  if (keywords) {
    extra = make<Dict>();
    slots[keywords->slot] = extra;
  }
  for (std::size_t k = 0; k < arguments.keyword_names.size(); ++k) {
    std::string_view keyword = arguments.keyword_names[k];
    Parameter* found = nullptr;
    for (Parameter& p : parameters)
      if ((p.kind == ParameterKind::Positional || p.kind == ParameterKind::KeywordOnly) &&
          interpreter_.interner.text(p.name) == keyword)
        found = &p;
    if (found) {
      if (!slots[found->slot].empty())
        throw Error(ErrorClass::TypeError, name() + " got multiple values for argument '" + std::string(keyword) + "'");
      slots[found->slot] = arguments.keyword_values[k];
    } else if (extra) {
      extra->set(keyword, arguments.keyword_values[k]);
    } else {
      std::string by_position;
      for (Parameter& p : parameters)
        if (p.kind == ParameterKind::PositionalOnly)
          for (std::string_view given_name : arguments.keyword_names)
            if (interpreter_.interner.text(p.name) == given_name)
              by_position += (by_position.empty() ? "" : ", ") + std::string(given_name);
      if (!by_position.empty())
        throw Error(ErrorClass::TypeError,
                    name() + " got some positional-only arguments passed as keyword arguments: '" + by_position + "'");
      std::vector<std::string_view> names;
      for (Parameter& p : parameters) names.push_back(interpreter_.interner.text(p.name));
      std::string near = ir::did_you_mean(keyword, names);
      Error error(ErrorClass::TypeError, name() + " got an unexpected keyword argument '" + std::string(keyword) + "'");
      if (!near.empty()) error.with_hint("did you mean '" + near + "'?");
      throw error;
    }
  }
  std::vector<std::string> missing, missing_keywords;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Parameter& p = parameters[i];
    if (!slots[p.slot].empty()) continue;
    if (!function.defaults[i].empty()) {
      slots[p.slot] = runtime().captures ? captured_default(runtime(), function, i, text(p.name)) : function.defaults[i];
    } else {
      (p.kind == ParameterKind::KeywordOnly ? missing_keywords : missing).push_back(text(p.name));
    }
  }
  for (const auto& [list, what] : {std::pair{&missing, "positional"}, std::pair{&missing_keywords, "keyword-only"}})
    if (!list->empty())
      throw Error(ErrorClass::TypeError, name() + " missing " + std::to_string(list->size()) + " required " + what +
                                             " argument" + (list->size() == 1 ? "" : "s") + ": " + quoted_names(*list));
  return true;
}

bool Evaluator::run_function(ScriptFunction& function, Frame& frame, Value& result) {
  for (std::uint32_t slot : function.code.scope->cell_slots) {
    auto cell = new_cell(runtime());
    cell->value = std::move(frame.slots[slot]);
    frame.slots[slot] = cell;
  }
  current_ = &frame;
  bool ok;
  if (function.code.expression) {
    ok = eval(*function.code.expression, frame, result);
  } else {
    Completion c = exec_block(function.code.body, frame);
    ok = c != Completion::Raise;
    if (c == Completion::Return) {
      result = std::move(result_);
    } else if (ok) {
      result = Value::none();
    }
  }
  current_ = frame.caller;
  return ok;
}

bool Evaluator::call_script(ScriptFunction& function, const Arguments& arguments, Value& result) {
  Frame frame;
  frame.unit = &function.unit;
  frame.scope = function.code.scope;
  frame.function = interpreter_.interner.text(function.code.name).data();  // outlives the function
  frame.caller = current_;
  auto raise_in_caller = [&](const Error& error) {
    pending_ = runtime::make_exception(error);
    Frame* where = current_ ? current_ : &frame;
    add_trace(current_ ? current_->call_site : function.code.span, *where);
    return false;
  };
  if (depth_ >= kRecursion || runtime::stack_low())
    return raise_in_caller(Error(ErrorClass::RecursionError, "maximum recursion depth exceeded"));
  std::size_t count = function.code.scope->slot_count;
  Ref<ScriptFunction> held = Ref<ScriptFunction>::share(&function);  // it may unbind its own name
  try {
    runtime().poll();
    frame.slots = push_slots(count);
  } catch (const Error& error) {
    return raise_in_caller(error);
  }
  frame.closure = function.closure.data();
  ++depth_;
  bool ok = true;
  auto parameters = function.code.parameters;
  // Exactly the positional parameters: the common call.
  bool simple = arguments.keyword_names.empty() && arguments.positional.size() == parameters.size();
  for (std::size_t i = 0; simple && i < parameters.size(); ++i) simple = parameters[i].kind <= ParameterKind::Positional;
  if (simple) {
    for (std::size_t i = 0; i < parameters.size(); ++i) frame.slots[parameters[i].slot] = arguments.positional[i];
  } else {
    try {
      bind(function, arguments, frame.slots);
    } catch (const Error& error) {
      ok = raise_in_caller(error);
    }
  }
  if (ok) ok = run_function(function, frame, result);
  --depth_;
  pop_slots(frame.slots, count);
  return ok;
}

bool Evaluator::call(const Value& callable, const Arguments& arguments, Value& result) {
  if (auto* c = callable.get_if<runtime::Callable>())
    if (auto* function = dynamic_cast<ScriptFunction*>(c)) return call_script(*function, arguments, result);
  try {
    result = frontend::call(runtime(), callable, arguments);
    return true;
  } catch (...) {
    Frame top;
    Frame& where = current_ ? *current_ : top;
    if (current_) {
      set_raised(current_->call_site, where);
    } else {
      try {
        throw;
      } catch (const Error& error) {
        pending_ = runtime::make_exception(error);
      } catch (const runtime::Raised& raised) {
        pending_ = raised.exception;
      } catch (const std::bad_alloc&) {
        pending_ = runtime::make_exception(Error(ErrorClass::MemoryError, "out of memory"));
      }
    }
    return false;
  }
}

namespace {

// As CPython names a callee in errors of its arguments: "__main__.f()", "print()".
std::string called_name(const Value& callee, std::string_view method) {
  auto* callable = callee.get_if<runtime::Callable>();
  if (!callable) return std::string(method) + "()";
  if (callable->callable_type() != "function") return callable->callable_name() + "()";
  auto& function = static_cast<ScriptFunction&>(*callable);
  return function.unit.name + "." + function.qualified_name() + "()";
}

}  // namespace

bool Evaluator::invoke(Call& e, runtime::Callable& callable, const Arguments& arguments, Frame& frame, Value& out) {
  if (callable.callable_type() == "function") {
    Value result;
    if (!call_script(static_cast<ScriptFunction&>(callable), arguments, result)) return false;
    out = std::move(result);
    return true;
  }
  try {
    Value result = callable.call(runtime(), arguments);
    out = std::move(result);
    return true;
  } catch (...) {
    set_raised(e.span, frame);
    return false;
  }
}

// Locals and constants as arguments, which are lent: while names alone are looked up, and until the call returns, nothing
// changes a local. False: they are others, or more than there is room for.
bool Evaluator::lend(Call& e, Frame& frame, std::byte* to) {
  if (!e.plain || e.args.size() > kInlineArguments) return false;
  for (Expr* arg : e.args) {
    const Value* v = peek(*arg, frame);
    if (!v) return false;
    std::memcpy(to, v, sizeof(Value));
    to += sizeof(Value);
  }
  return true;
}

// A local function called with locals and constants goes the short way.
bool Evaluator::eval_call(Call& e, Frame& frame, Value& out) {
  const Value* callee = peek(*e.function, frame);
  auto* callable = callee ? callee->get_if<runtime::Callable>() : nullptr;
  alignas(Value) std::byte lent[kInlineArguments * sizeof(Value)];
  if (!callable || !lend(e, frame, lent)) return eval_any_call(e, frame, out);
  frame.call_site = e.span;
  return invoke(e, *callable, {{reinterpret_cast<const Value*>(lent), e.args.size()}, {}, {}}, frame, out);
}

bool Evaluator::eval_any_call(Call& e, Frame& frame, Value& out) {
  Value callee, self;
  std::string_view method;
  const Expr& owner = e.function->kind == ExprKind::Attribute ? *as<Attribute>(*e.function).value : *e.function;
  alignas(Value) std::byte lent[kInlineArguments * sizeof(Value)];
  const bool lends = owner.kind == ExprKind::Name && lend(e, frame, lent);
  if (e.function->kind == ExprKind::Attribute) {
    auto& a = as<Attribute>(*e.function);
    if (!eval(*a.value, frame, self)) return false;
    method = interpreter_.interner.text(a.attr);
    // Modules and functions give their attribute; methods of values are called without being bound first.
    if (self.is(runtime::ObjectKind::Native) || self.is(runtime::ObjectKind::Callable)) {
      try {
        callee = get_attribute(runtime(), self, method);
      } catch (...) {
        set_raised({a.value->span.end, a.span.end}, frame);
        return false;
      }
      self.clear();
    }
  } else if (!eval(*e.function, frame, callee)) {
    return false;
  }
  auto call = [&](const Arguments& arguments) {
    frame.call_site = e.span;
    if (!self.empty()) {
      try {
        Value result = call_method(runtime(), self, method, arguments);
        out = std::move(result);
        return true;
      } catch (const Error& error) {
        // A method that is not there is marked itself, what a method raises on the whole call.
        auto& a = as<Attribute>(*e.function);
        bool missing = error.error_class() == ErrorClass::AttributeError &&
                       error.message().ends_with("has no attribute '" + std::string(method) + "'");
        set_raised(missing ? SourceSpan{a.value->span.end, a.span.end} : e.span, frame);
        return false;
      } catch (...) {
        set_raised(e.span, frame);
        return false;
      }
    }
    if (auto* c = callee.get_if<runtime::Callable>()) return invoke(e, *c, arguments, frame, out);
    return raise(Error(ErrorClass::TypeError, "'" + runtime::type_name(callee) + "' object is not callable"), e.span, frame);
  };
  if (lends) return call({{reinterpret_cast<const Value*>(lent), e.args.size()}, {}, {}});
  if (e.plain && e.args.size() <= kInlineArguments) {
    // Only the places that are filled are made and cleared.
    struct Filled {
      ~Filled() {
        while (count > 0) values()[--count].~Value();
      }
      Value* values() { return reinterpret_cast<Value*>(memory); }
      std::size_t count = 0;
      alignas(Value) unsigned char memory[kInlineArguments * sizeof(Value)];
    } filled;
    for (Expr* arg : e.args)
      if (!eval(*arg, frame, *new (&filled.values()[filled.count++]) Value)) return false;
    return call({{filled.values(), filled.count}, {}, {}});
  }
  std::vector<Value> more;
  std::vector<std::string_view> names;
  std::vector<Value> keyword_values;
  std::vector<Value> kept_names;  // texts of ** keys
  for (Expr* arg : e.args) {
    if (arg->kind != ExprKind::Starred) {
      if (!eval(*arg, frame, more.emplace_back())) return false;
      continue;
    }
    Value iterable;
    if (!eval(*as<Starred>(*arg).value, frame, iterable)) return false;
    try {
      for (Value& item : collect(runtime(), iterable)) more.push_back(std::move(item));
    } catch (const Error& error) {
      if (error.message() != "'" + runtime::type_name(iterable) + "' object is not iterable") {
        set_raised(arg->span, frame);
        return false;
      }
      return raise(Error(ErrorClass::TypeError, called_name(callee, method) + " argument after * must be an iterable, not " +
                                                    runtime::type_name(iterable)),
                   arg->span, frame);
    } catch (...) {
      set_raised(arg->span, frame);
      return false;
    }
  }
  for (Keyword& keyword : e.keywords) {
    Value value;
    if (!eval(*keyword.value, frame, value)) return false;
    if (keyword.name != kNoName) {
      names.push_back(interpreter_.interner.text(keyword.name));
      keyword_values.push_back(std::move(value));
      continue;
    }
    auto* dict = value.get_if<Dict>();
    if (!dict)
      return raise(Error(ErrorClass::TypeError, called_name(callee, method) + " argument after ** must be a mapping, not " +
                                                    runtime::type_name(value)),
                   keyword.span, frame);
    for (auto& entry : dict->entries()) {
      if (entry.key.empty()) continue;
      auto* text = entry.key.get_if<runtime::Str>();
      if (!text) return raise(Error(ErrorClass::TypeError, "keywords must be strings"), keyword.span, frame);
      for (std::string_view n : names)
        if (n == text->text)
          return raise(Error(ErrorClass::TypeError,
                             called_name(callee, method) + " got multiple values for keyword argument '" + text->text + "'"),
                       keyword.span, frame);
      kept_names.push_back(entry.key);
      names.push_back(text->text);
      keyword_values.push_back(entry.value);
    }
  }
  return call({more, names, keyword_values});
}

// ---- comprehensions ----

bool Evaluator::comprehension_level(Comprehension& e, std::size_t level, Value iterable, Frame& frame, Value& target) {
  Generator& g = e.generators[level];
  unsigned counter = 0;
  auto turn = [&](Value item) {
    try {
      if ((++counter & 255) == 0) runtime().poll();
    } catch (...) {
      set_raised(e.span, frame);
      return false;
    }
    if (!assign(*g.target, frame, std::move(item))) return false;
    for (Expr* c : g.conditions) {
      bool holds;
      if (!condition(*c, frame, holds)) return false;
      if (!holds) return true;
    }
    if (level + 1 < e.generators.size()) {
      Value inner;
      return eval(*e.generators[level + 1].iterable, frame, inner) &&
             comprehension_level(e, level + 1, std::move(inner), frame, target);
    }
    Value element;
    if (!eval(*e.element, frame, element)) return false;
    try {
      if (e.what == ComprehensionKind::List) {
        target.as<List>().items.push_back(std::move(element));
      } else if (e.what == ComprehensionKind::Set) {
        target.as<runtime::Set>().items->set(element, Value::none());
      } else {
        Value value;
        if (!eval(*e.value, frame, value)) return false;
        target.as<Dict>().set(element, std::move(value));
      }
      return true;
    } catch (...) {
      set_raised(e.element->span, frame);
      return false;
    }
  };
  if (auto* range = iterable.get_if<Range>()) {
    std::int64_t count = range->size(), value = range->start;
    for (std::int64_t i = 0; i < count; ++i) {
      if (!turn(Value::integer(value))) return false;
      if (i + 1 < count) value += range->step;
    }
    return true;
  }
  if (auto* list = iterable.get_if<List>()) {
    for (std::size_t i = 0; i < list->items.size(); ++i)
      if (!turn(list->items[i])) return false;
    return true;
  }
  try {
    auto iterator = iterate(runtime(), iterable);
    Value item;
    while (iterator->next(runtime(), item))
      if (!turn(std::move(item))) return false;
    return true;
  } catch (...) {
    set_raised(g.iterable->span, frame);
    return false;
  }
}

// A generator expression: its loops' iterators and a frame of its own, resumed at the innermost loop.
class GeneratorIterator final : public runtime::Iterator {
 public:
  GeneratorIterator(Evaluator& evaluator, Comprehension& e, Frame& maker, Value first)
      : evaluator_(evaluator), e_(e), slots_(e.scope->slot_count), iterators_(e.generators.size()), first_(std::move(first)) {
    for (const Capture& c : e.scope->captures)
      closure_.push_back(c.from_parent_cell ? Ref<Cell>::share(&maker.slots[c.index].as<Cell>()) : maker.closure[c.index]);
    for (std::uint32_t slot : e.scope->cell_slots) slots_[slot] = new_cell(evaluator.runtime());
    frame_.unit = maker.unit;
    frame_.scope = e.scope;
    frame_.function = "<genexpr>";
  }
  std::string_view iterator_type() const override { return "generator"; }
  void clear() override {
    slots_.clear();
    closure_.clear();
    iterators_.clear();
    first_.clear();
    done_ = true;
  }
  bool advance(Runtime& runtime, Value& result) override {
    if (done_) return false;
    if (running_) throw Error(ErrorClass::ValueError, "generator already executing");
    running_ = true;
    frame_.slots = slots_.data();
    frame_.closure = closure_.data();
    frame_.caller = evaluator_.current_;
    evaluator_.current_ = &frame_;
    bool found = false;
    try {
      found = resume(runtime, result);
    } catch (...) {
      evaluator_.current_ = frame_.caller;
      running_ = false;
      done_ = true;
      throw;
    }
    evaluator_.current_ = frame_.caller;
    running_ = false;
    if (!found) done_ = true;
    return found;
  }

 private:
  void check(bool ok) {
    if (!ok) evaluator_.rethrow_pending();
  }
  bool resume(Runtime& runtime, Value& result) {
    if (!started_) {
      started_ = true;
      iterators_[0] = iterate(runtime, first_);
      first_.clear();
      level_ = 0;
    }
    for (;;) {
      Value item;
      if (!iterators_[level_]->next(runtime, item)) {
        iterators_[level_] = nullptr;
        if (level_ == 0) return false;
        --level_;
        continue;
      }
      Generator& g = e_.generators[level_];
      check(evaluator_.assign(*g.target, frame_, std::move(item)));
      bool holds = true;
      for (Expr* c : g.conditions) {
        check(evaluator_.condition(*c, frame_, holds));
        if (!holds) break;
      }
      if (!holds) continue;
      if (level_ + 1 < e_.generators.size()) {
        Value inner;
        check(evaluator_.eval(*e_.generators[level_ + 1].iterable, frame_, inner));
        iterators_[++level_] = iterate(runtime, inner);
        continue;
      }
      check(evaluator_.eval(*e_.element, frame_, result));
      return true;
    }
  }

  Evaluator& evaluator_;
  Comprehension& e_;
  std::vector<Value> slots_;
  std::vector<Ref<Cell>> closure_;
  std::vector<Ref<runtime::Iterator>> iterators_;
  Frame frame_;
  Value first_;
  std::size_t level_ = 0;
  bool started_ = false, done_ = false, running_ = false;
};

bool Evaluator::eval_comprehension(Comprehension& e, Frame& frame, Value& out) {
  Value first;
  if (!eval(*e.generators[0].iterable, frame, first)) return false;
  if (e.what == ComprehensionKind::Generator) {
    try {
      // As in Python, what is no iterable is refused when the expression is evaluated.
      Value iterator = iterate(runtime(), first);
      out = make<GeneratorIterator>(*this, e, frame, std::move(iterator));
      return true;
    } catch (...) {
      set_raised(e.generators[0].iterable->span, frame);
      return false;
    }
  }
  for (std::uint32_t slot : e.scope->cell_slots) frame.slots[slot] = new_cell(runtime());
  Value target = e.what == ComprehensionKind::List  ? runtime::make_list()
                 : e.what == ComprehensionKind::Set ? Value(make<runtime::Set>())
                                                    : Value(make<Dict>());
  bool ok = comprehension_level(e, 0, std::move(first), frame, target);
  for (std::uint32_t slot : e.scope->own_slots) frame.slots[slot].clear();
  if (ok) out = std::move(target);
  return ok;
}

// ---- imports ----

namespace {

// A script file as a module object.
class ScriptModule final : public runtime::NativeObject {
 public:
  ScriptModule(Interpreter& interpreter, ModuleUnit& unit) : interpreter_(interpreter), unit_(unit) {}
  std::string native_type() const override { return "module"; }
  std::string repr() const override { return "<module '" + unit_.name + "'>"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override {
    if (name == "__name__") {
      result = runtime::make_str(unit_.name);
      return true;
    }
    auto found = unit_.globals.index.find(interpreter_.interner.intern(name));
    if (found == unit_.globals.index.end() || unit_.globals.values[found->second].empty()) return false;
    result =
        runtime.captures ? captured_global(runtime, unit_.globals, found->second, name) : unit_.globals.values[found->second];
    return true;
  }
  bool set_attribute(Runtime& runtime, std::string_view name, const Value& value) override {
    if (runtime.captures) runtime.captures->refuse("sets '" + std::string(name) + "' of a module");
    std::uint32_t slot = unit_.globals.slot(interpreter_.interner.intern(name));
    unit_.globals.values[slot] = value;
    return true;
  }
  std::vector<std::string> attribute_names() const override {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < unit_.globals.names.size(); ++i)
      if (!unit_.globals.values[i].empty()) names.emplace_back(interpreter_.interner.text(unit_.globals.names[i]));
    return names;
  }

 private:
  Interpreter& interpreter_;
  ModuleUnit& unit_;
};

}  // namespace

bool Evaluator::import_module(std::string_view name, Frame& frame, const SourceSpan& span, Value& module) {
  frame.call_site = span;
  try {
    module = frontend::import_module(runtime(), name);
  } catch (...) {
    set_raised(span, frame);
    return false;
  }
  if (!module.empty()) return true;
  for (auto& unit : interpreter_.units_)
    if (unit->name == name && !unit->object.empty()) {
      module = unit->object;
      return true;
    }
  for (const char* extension : {".ar", ".py"}) {
    if (name.find('.') != std::string_view::npos) break;
    std::string path = (interpreter_.directory_.empty() ? "" : interpreter_.directory_ + "/") + std::string(name) + extension;
    std::ifstream file(path, std::ios::binary);
    if (!file) continue;
    std::stringstream text;
    text << file.rdbuf();
    auto unit = std::make_unique<ModuleUnit>();
    unit->name = std::string(name);
    unit->source = std::make_unique<Source>(path, text.str());
    ParseResult parsed = parse(*unit->source, interpreter_.interner);
    std::optional<Diagnostic> problem = std::move(parsed.error);
    if (!problem) {
      unit->tree = std::move(parsed.module);
      problem = resolve(*unit->tree, unit->globals, interpreter_.interner, *unit->source);
    }
    if (problem) {
      Error error(ErrorClass::SyntaxError, problem->title.substr(problem->title.find(": ") + 2) + " (" + path + ", line " +
                                               std::to_string(problem->line) + ")");
      error.with_code(problem->code).with_hint(problem->hint);
      raise(error, span, frame);
      // The place is the neighbour's own line, under the import on the stack.
      auto& trace = static_cast<Trace&>(pending_.as<runtime::Exception>().place.as<runtime::NativeObject>());
      trace.unit = unit.get();
      trace.labels = problem->labels;
      trace.entries.insert(trace.entries.begin(), {unit.get(), "<module>", problem->labels[0].span.begin});
      interpreter_.units_.push_back(std::move(unit));
      return false;
    }
    unit->globals.values[unit->globals.slot(interpreter_.interner.intern("__name__"))] = runtime::make_str(std::string(name));
    ModuleUnit& made = *unit;
    made.object = make<ScriptModule>(interpreter_, made);
    interpreter_.units_.push_back(std::move(unit));
    module = made.object;
    if (!run_module(made)) {
      made.object.clear();
      return false;
    }
    return true;
  }
  std::vector<std::string_view> known = module_names();
  std::string near = ir::did_you_mean(name, known);
  Error error(ErrorClass::ModuleNotFoundError, "No module named '" + std::string(name) + "'");
  error.with_code(203);
  error.with_hint(near.empty() ? "only the language's own modules and script files beside the script can be imported"
                               : "did you mean '" + near + "'?");
  return raise(error, span, frame);
}

bool Evaluator::exec_import(Import& s, Frame& frame) {
  for (ImportItem& item : s.items) {
    Value module;
    if (!import_module(item.module, frame, item.span, module)) return false;
    if (!item.bind_leaf && item.module.find('.') != std::string_view::npos &&
        !import_module(item.module.substr(0, item.module.find('.')), frame, item.span, module))
      return false;
    assign_name(*item.target, frame, std::move(module));
  }
  return true;
}

bool Evaluator::exec_import_from(ImportFrom& s, Frame& frame) {
  if (s.module == "__future__") return true;
  Value module;
  if (!import_module(s.module, frame, s.span, module)) return false;
  auto& object = module.as<runtime::NativeObject>();
  if (s.star) {
    if (frame.closure) return raise(Error(ErrorClass::SyntaxError, "import * only allowed at module level"), s.span, frame);
    for (const std::string& name : object.attribute_names()) {
      if (name.starts_with("_")) continue;
      Value value;
      if (object.get_attribute(runtime(), name, value))
        frame.unit->globals.values[frame.unit->globals.slot(interpreter_.interner.intern(name))] = std::move(value);
    }
    return true;
  }
  for (ImportItem& item : s.items) {
    std::string_view name = interpreter_.interner.text(item.name);
    Value value;
    bool found = false;
    try {
      found = object.get_attribute(runtime(), name, value);
      if (!found) {
        value = frontend::import_module(runtime(), std::string(s.module) + "." + std::string(name));
        found = !value.empty();
      }
    } catch (...) {
      set_raised(item.span, frame);
      return false;
    }
    if (!found) {
      Error error(ErrorClass::ImportError,
                  "cannot import name '" + std::string(name) + "' from '" + std::string(s.module) + "'");
      try {
        get_attribute(runtime(), module, name);
      } catch (const Error& missing) {
        // What the module's missing attribute would say.
        if (missing.code()) error.with_code(missing.code());
        error.with_hint(missing.hint());
      }
      return raise(error, item.span, frame);
    }
    assign_name(*item.target, frame, std::move(value));
  }
  return true;
}

}  // namespace autoray::frontend
