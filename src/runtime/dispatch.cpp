#include "runtime/dispatch.h"

#include <algorithm>
#include <array>

#include "ir/error.h"
#include "ir/suggest.h"
#include "runtime/bind.h"
#include "runtime/lazy/captures.h"
#include "runtime/lazy/deferral.h"

namespace autoray::runtime {

using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

// The backend's tag of an array or numpy scalar; nullopt for what belongs to no backend (Python scalars, containers).
std::optional<BackendId> tag_of(const Value& value) {
  if (auto* array = value.peek<ArrayObject>()) return array->array.backend;
  if (auto* scalar = value.peek<NumpyScalar>()) return scalar->backend;
  if (value.is(ObjectKind::Lazy)) return kLazy;
  return std::nullopt;
}
// In a trace a graph's array stands for one of its node's backend, a number of it for a number.
std::optional<BackendId> traced_tag_of(const Value& value) {
  auto* lazy = value.get_if<LazyArray>();
  if (!lazy) return tag_of(value);
  if (lazy->type().kind == ir::Kind::Weak) return std::nullopt;
  return static_cast<BackendId>(lazy->recorder->graph().node(lazy->node()).backend);
}

// Priorities: nothing < numpy (0) < other native backends, which is the order of their ids.
template <bool traced = false>
void consider(const Value& value, std::optional<BackendId>& best) {
  auto tag = traced ? traced_tag_of(value) : tag_of(value);
  if (tag && (!best || *tag > *best)) best = tag;
}

template <bool traced = false>
void consider_sequence(const Value& value, std::optional<BackendId>& best) {
  if (!value.is_object()) return;
  if (auto* list = value.get_if<List>()) {
    for (const Value& item : list->items) consider<traced>(item, best);
  } else if (auto* tuple = value.get_if<Tuple>()) {
    for (const Value& item : tuple->items) consider<traced>(item, best);
  } else {
    consider<traced>(value, best);
  }
}
template <bool traced = false>
void consider_all(const Arguments& arguments, std::optional<BackendId>& best) {
  for (const Value& value : arguments.positional) consider_sequence<traced>(value, best);
  for (const Value& value : arguments.keyword_values) consider_sequence<traced>(value, best);
}

// An op of several operands looks at all of them, any other at its first argument: the table's operand letters say which.
bool looks_at_all(OpId id) {
  static const auto kAll = [] {
    std::array<bool, ir::kOpCount + 1> table{};  // by op; a function of a new name is none
    for (const ir::Op& op : ir::all_ops()) {
      std::size_t operands = 0;
      for (char letter : op.operands) operands += letter == 'S' ? 2 : letter == 'A' || letter == 'B' || letter == 'O';
      table[static_cast<std::size_t>(op.id)] = operands > 1;
    }
    return table;
  }();
  return kAll[static_cast<std::size_t>(id)];
}

template <bool traced = false>
BackendId backend_from_arguments(Runtime& runtime, OpId id, const Arguments& arguments) {
  std::optional<BackendId> best;
  if (looks_at_all(id))
    consider_all<traced>(arguments, best);
  else if (!arguments.positional.empty())
    consider_sequence<traced>(arguments.positional[0], best);
  return best.value_or(runtime.native_backend());
}

// register_backend's name for the class of a value; null when it has none.
const std::string* class_backend(const Runtime& runtime, const Value& value) {
  if (runtime.class_backends.empty() || value.is(ObjectKind::Array) || value.is(ObjectKind::Lazy)) return nullptr;
  auto found = runtime.class_backends.find(type_name(value));
  return found == runtime.class_backends.end() ? nullptr : &found->second;
}

// Which backend a call goes to: one of ours, or a name that only registered functions know.
struct Choice {
  std::optional<BackendId> native;
  std::string name;  // when not native
};

Choice choice_of_name(Runtime& runtime, const std::string& name) {
  if (name == "builtins") return {runtime.native_backend(), {}};
  if (auto id = runtime.find_backend(name)) return {id, {}};
  return {std::nullopt, name};
}

int priority(std::string_view backend) {
  static constexpr std::pair<std::string_view, int> kOthers[] = {{"builtins", -2}, {"numpy", -1}, {"autoray.lazy", 1}};
  for (auto [name, rank] : kOthers)
    if (name == backend) return rank;
  return 0;
}

// Where the script has given classes to backends: the same choice by their names.
Choice choice_by_classes(Runtime& runtime, OpId id, const Arguments& arguments) {
  std::vector<Value> considered;
  auto add = [&](const Value& value) {
    if (class_backend(runtime, value)) {
      considered.push_back(value);
    } else if (auto* list = value.get_if<List>()) {
      considered.insert(considered.end(), list->items.begin(), list->items.end());
    } else if (auto* tuple = value.get_if<Tuple>()) {
      considered.insert(considered.end(), tuple->items.begin(), tuple->items.end());
    } else {
      considered.push_back(value);
    }
  };
  if (looks_at_all(id)) {
    for (const Value& value : arguments.positional) add(value);
    for (const Value& value : arguments.keyword_values) add(value);
  } else {
    add(arguments.positional[0]);
  }
  return choice_of_name(runtime, infer_backend_multi(runtime, considered));
}

[[noreturn]] void no_function(Runtime& runtime, std::string_view name, std::string_view backend) {
  Error error(ErrorClass::ImportError,
              "autoray couldn't find function '" + std::string(name) + "' for backend '" + std::string(backend) + "'.");
  std::vector<std::string_view> known;
  if (!runtime.find_backend(backend)) {
    for (std::size_t id = 0; id < runtime.backend_count(); ++id)
      known.push_back(runtime.backend_name(static_cast<BackendId>(id)));
    std::string hint = ir::suggestion(backend, known);
    throw error.with_code(501).with_hint(hint.empty() ? "`autoray backends` lists the backends" : hint);
  }
  for (const ir::Op& op : ir::all_ops()) known.push_back(op.path);
  for (const ir::Alias& alias : ir::aliases()) known.push_back(alias.name);
  throw error.with_code(503).with_hint(ir::suggestion(name, known));
}

// What is registered under a name that is no op: for the backend, or for one that it is based on. Null when nothing is.
Ref<Callable> registered_function(Runtime& runtime, std::string_view backend, std::string_view name) {
  while (!backend.empty()) {
    auto found = runtime.registered.find(std::string(backend) + "/" + std::string(name));
    if (found != runtime.registered.end()) return found->second;
    auto native = runtime.find_backend(backend);
    backend = native ? runtime.backend(*native).based_on : std::string_view();
  }
  return nullptr;
}

// Arguments with some keywords taken out or put in; the spans stay valid as long as this object.
struct EditedArguments {
  std::vector<std::string_view> names;
  std::vector<Value> values;
  Arguments arguments;

  explicit EditedArguments(const Arguments& given, std::string_view without = {}) {
    for (std::size_t i = 0; i < given.keyword_names.size(); ++i) {
      if (given.keyword_names[i] == without) continue;
      names.push_back(given.keyword_names[i]);
      values.push_back(given.keyword_values[i]);
    }
    arguments.positional = given.positional;
    refresh();
  }
  void add(std::string_view name, Value value) {
    names.push_back(name);
    values.push_back(std::move(value));
    refresh();
  }
  bool has(std::string_view name) const {
    for (std::string_view n : names)
      if (n == name) return true;
    return false;
  }
  void refresh() {
    arguments.keyword_names = names;
    arguments.keyword_values = values;
  }
};

// Where the reference's functions differ from numpy's of the same name: linalg.svd is thin.
bool deviates(OpId id) { return ir::op(id).has(ir::kThinByDefault); }

Value call_on(Runtime& runtime, OpId id, BackendId backend, const Arguments& arguments) {
  BackendId own = backend;
  if (runtime.captures) [[unlikely]] {
    // What is registered for the backend that the arrays stand for is traced as other functions are. A call is recorded unless
    // it is for another backend than theirs.
    std::optional<BackendId> recorded;
    consider_all<true>(arguments, recorded);
    if (backend == kLazy)
      own = backend_from_arguments<true>(runtime, id, arguments);
    else if (any_lazy(arguments) && backend == recorded.value_or(runtime.native_backend()))
      backend = kLazy;
  }
  Entry& entry = runtime.entry(own, id);
  if (entry.registered) [[unlikely]] {
    if (runtime.on_explain)
      runtime.on_explain({std::string(ir::op(id).path), "", std::string(runtime.backend_name(own)),
                          std::string(runtime.backend_name(own)), "registered function"});
    Ref<Callable> function = entry.registered;
    return function->call(runtime, arguments);
  }
  return call_library(runtime, id, backend, arguments, true);
}

}  // namespace

bool any_lazy(const Arguments& arguments) {
  std::optional<BackendId> best;
  consider_all(arguments, best);
  return best == kLazy;
}

Value call_library(Runtime& runtime, OpId id, BackendId backend, const Arguments& arguments, bool dispatched) {
  if (deviates(id)) [[unlikely]] {
    EditedArguments edited(arguments);
    if (arguments.positional.size() < 2 && !edited.has("full_matrices")) edited.add("full_matrices", Value::boolean(false));
    return runtime.call(id, backend, edited.arguments, nullptr, dispatched);
  }
  return runtime.call(id, backend, arguments, nullptr, dispatched);
}

Value do_call(Runtime& runtime, OpId id, std::string_view name, const Arguments& arguments) {
  if (runtime.captures) [[unlikely]]
    read_dispatch_state(runtime);
  // The common call: no keywords, no default backend, no dispatcher of the script's.
  if (id != OpId::Count && arguments.keyword_names.empty() && !runtime.default_backend && runtime.dispatchers.empty() &&
      runtime.class_backends.empty()) [[likely]] {
    if (arguments.positional.empty()) throw Error(ErrorClass::TypeError, "No args to infer backend from.").with_code(504);
    return call_on(runtime, id, backend_from_arguments(runtime, id, arguments), arguments);
  }
  const Value* like = nullptr;
  for (std::size_t i = 0; i < arguments.keyword_names.size(); ++i)
    if (arguments.keyword_names[i] == "like" && !arguments.keyword_values[i].is_none()) like = &arguments.keyword_values[i];
  EditedArguments edited(arguments, "like");
  Choice choice;
  if (like) {
    if (auto* text = like->get_if<Str>()) {
      choice = choice_of_name(runtime, text->text);
    } else {
      std::optional<BackendId> tag;
      runtime.captures ? consider_sequence<true>(*like, tag) : consider_sequence(*like, tag);
      if (const std::string* name_of_class = class_backend(runtime, *like))
        choice = choice_of_name(runtime, *name_of_class);
      else
        choice.native = tag.value_or(runtime.native_backend());
      if (id != OpId::Count && ir::op(id).has(ir::kLikeResult) && !edited.has("dtype")) {
        if (auto* array = like->peek<ArrayObject>()) edited.add("dtype", make_dtype(array->array.dtype));
        if (auto* scalar = like->peek<NumpyScalar>()) edited.add("dtype", make_dtype(scalar->dtype));
        if (auto* lazy = like->get_if<LazyArray>(); lazy && runtime.captures)
          edited.add("dtype", make_dtype(lazy->type().dtype));
        if (like->is_float()) edited.add("dtype", make_dtype(ir::DType::Float64));
        if (like->is_int()) edited.add("dtype", make_dtype(ir::DType::Int64));
        if (like->is(ObjectKind::Complex)) edited.add("dtype", make_dtype(ir::DType::Complex128));
      }
    }
  } else if (runtime.default_backend) {
    choice.native = runtime.default_backend;
  } else if (auto dispatcher = runtime.dispatchers.find(std::string(name)); dispatcher != runtime.dispatchers.end()) {
    Ref<Callable> function = dispatcher->second;
    choice =
        choice_of_name(runtime, text_of(function->call(runtime, edited.arguments), "the backend that a dispatcher returns"));
  } else {
    if (arguments.positional.empty()) throw Error(ErrorClass::TypeError, "No args to infer backend from.").with_code(504);
    if (runtime.class_backends.empty())
      choice.native = id == OpId::Count && runtime.captures ? backend_from_arguments<true>(runtime, id, edited.arguments)
                                                            : backend_from_arguments(runtime, id, edited.arguments);
    else
      choice = choice_by_classes(runtime, id, edited.arguments);
  }
  if (choice.native && id != OpId::Count) return call_on(runtime, id, *choice.native, edited.arguments);
  std::string backend = choice.native ? std::string(runtime.backend_name(*choice.native)) : choice.name;
  if (Ref<Callable> function = registered_function(runtime, backend, name)) return function->call(runtime, edited.arguments);
  no_function(runtime, name, backend);
}

Value numpy_call(Runtime& runtime, OpId id, const Arguments& arguments) {
  BackendId backend = runtime.native_backend();
  if (runtime.has_lazy_arrays() && any_lazy(arguments)) backend = kLazy;
  return runtime.call(id, backend, arguments);
}

Value operator_call(Runtime& runtime, OpId id, std::span<const Value> operands) {
  std::optional<BackendId> best;
  for (const Value& operand : operands) consider(operand, best);
  return runtime.call(id, best.value_or(runtime.native_backend()), {operands, {}, {}});
}

Value inplace_call(Runtime& runtime, OpId id, const Value& target, const Value& operand) {
  const Value operands[] = {target, operand};
  if (auto* lazy = target.get_if<LazyArray>()) {
    Value result = operator_call(runtime, id, operands);
    if (result.as<LazyArray>().type().shape.size() > lazy->type().shape.size()) {
      // A product may have axes of length one in front that its place has not.
      static constexpr std::string_view kOut[] = {"out"};
      return runtime.call(id, kLazy, {operands, kOut, std::span(&target, 1)});
    }
    lazy->recorder->check_store(id, *lazy, result.as<LazyArray>().type(), ir::Casting::SameKind, nullptr);
    lazy->recorder->set_item(*lazy, Value::ellipsis(), result);
    return target;
  }
  if (Deferral* deferral = runtime.deferral();
      deferral && deferral->direct == 0 && target.peek<ArrayObject>() && !operand.is(ObjectKind::Lazy)) {
    deferral->inplace(id, target, operand);
    return target;
  }
  // An array cannot take a value that is not there yet: the name is bound to a lazy array instead.
  if (!target.is(ObjectKind::Array) || operand.is(ObjectKind::Lazy)) return operator_call(runtime, id, operands);
  std::optional<BackendId> best;
  for (const Value& value : operands) consider(value, best);
  static constexpr std::string_view kOut[] = {"out"};
  const Value out[] = {target};
  return runtime.call(id, best.value_or(runtime.native_backend()), {operands, kOut, out});
}

void register_backend(Runtime& runtime, const std::string& type_name, const std::string& backend) {
  count_registration(runtime);
  runtime.class_backends[type_name] = backend;
}

std::string infer_backend_multi(Runtime& runtime, std::span<const Value> values) {
  std::string best = "builtins";
  for (const Value& value : values)
    if (std::string name = infer_backend(runtime, value); priority(name) > priority(best)) best = std::move(name);
  return best;
}

std::string infer_backend(Runtime& runtime, const Value& value) {
  if (const std::string* name = class_backend(runtime, value)) return *name;
  auto tag = runtime.captures ? traced_tag_of(value) : tag_of(value);
  return tag ? std::string(runtime.backend_name(*tag)) : "builtins";
}

void register_function(Runtime& runtime, const std::string& backend, const std::string& name, Ref<Callable> function) {
  count_registration(runtime);
  OpId id = ir::find_op(name);
  auto native = runtime.find_backend(backend);
  if (id != OpId::Count && native) {
    runtime.entry(*native, id).registered = std::move(function);
    runtime.ops_registered = true;
  } else {
    runtime.registered[backend + "/" + name] = std::move(function);
  }
}

Ref<Callable> library_function(Runtime& runtime, const std::string& backend, const std::string& name) {
  read_dispatch_state(runtime);
  OpId id = ir::find_op(name);
  Choice choice = choice_of_name(runtime, backend);
  if (id == OpId::Count || !choice.native) {
    Ref<Callable> function = registered_function(runtime, backend, name);
    if (!function) no_function(runtime, name, backend);
    return function;
  }
  if (Entry& entry = runtime.entry(*choice.native, id); entry.registered) return entry.registered;
  BackendId native = *choice.native;
  return make<NativeFunction>(
      std::string(ir::op(id).path.substr(ir::op(id).path.rfind('.') + 1)),
      [id, native](Runtime& r, const Arguments& arguments) { return call_library(r, id, native, arguments); });
}

}  // namespace autoray::runtime
