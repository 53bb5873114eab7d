#include "runtime/lazy/captures.h"

#include "ir/error.h"
#include "runtime/backend.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

constexpr int kDeepest = 200;         // containers in containers; a cycle ends here
constexpr std::size_t kMost = 10000;  // items of all containers: each call compares them

std::vector<Value> items_of(const Value& container) {
  if (auto* list = container.peek<List>()) return list->items;
  if (auto* tuple = container.peek<Tuple>()) return tuple->items;
  std::vector<Value> items;
  auto* set = container.peek<Set>();
  auto* dict = set ? set->items.get() : container.peek<Dict>();
  if (!dict) return items;
  for (auto& entry : dict->entries()) {
    if (entry.key.empty()) continue;
    items.push_back(entry.key);
    items.push_back(entry.value);
  }
  return items;
}

}  // namespace

void refuse_in_trace(HostCall& call) {
  if (call.runtime.captures) call.runtime.captures->refuse("calls " + std::string(call.op.path));
}

void read_dispatch_state(Runtime& runtime) {
  if (!runtime.captures) return;
  Value& names = runtime.language_objects["names of the backends"];
  if (names.empty()) {
    std::vector<Value> list;
    for (std::size_t id = 0; id < runtime.backend_count(); ++id)
      list.push_back(make_str(std::string(runtime.backend_name(static_cast<BackendId>(id)))));
    names = make_tuple(std::move(list));
  }
  CapturedPlace::Read default_backend = [](const CapturedPlace& p) -> const Value* {
    auto& id = static_cast<const Runtime*>(p.table)->default_backend;
    return id ? &p.owner.as<Tuple>().items[*id] : nullptr;
  };
  CapturedPlace::Read registrations = [](const CapturedPlace& p) { return static_cast<const Value*>(p.table); };
  runtime.captures->read({default_backend, &runtime, 0, "the default backend", names}, Value());
  Value& count = runtime.language_objects["registrations"];
  runtime.captures->read({registrations, &count, 0, "registrations", {}}, count);
}

void count_registration(Runtime& runtime) {
  if (runtime.captures) runtime.captures->refuse("registers what dispatch finds");
  Value& count = runtime.language_objects["registrations"];
  count = Value::integer(count.empty() ? 1 : count.as_int() + 1);
}

Value Captures::read(CapturedPlace place, const Value& value) {
  if (!substitute_) return value;
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (places_[i].is_at(place)) return seen_[i];
  place.varies = value.is_float() && varies_ && varies_(place);
  const bool varies = place.varies;
  const std::string name = place.name;
  places_.push_back(std::move(place));
  seen_.emplace_back();
  std::size_t at = seen_.size() - 1;
  return seen_[at] = varies ? substitute_(value) : copy(value, "'" + name + "'", 0);
}

void Captures::refuse(const std::string& what) {
  refused_ = what;
  throw ir::Error(ir::ErrorClass::NotImplementedError, "a traced function " + what).with_code(202);
}

void Captures::check() {
  if (!refused_.empty()) refuse(refused_);
  for (const Watched& w : watched_) {
    std::vector<Value> now = items_of(w.container);
    bool same = now.size() == w.items.size();
    for (std::size_t i = 0; same && i < now.size(); ++i) same = now[i].identical(w.items[i]);
    if (!same) refuse("changes " + w.name);
  }
  for (const WatchedArray& w : arrays_) {
    const Array& now = w.array.as<ArrayObject>().array;
    if (now.storage->version() != w.version || now.shape != w.shape) refuse("changes an array that it reads from outside");
  }
}

Value Captures::substitute(const Value& array) {
  any_array_ = true;
  Value made = substitute_(array);
  if (auto* elements = made.get_if<ArrayObject>(); elements && elements->array.storage)
    arrays_.push_back({made, elements->array.storage->version(), elements->array.shape});
  return made;
}

void Captures::watch(const Value& container, const std::string& name) {
  watched_.push_back({container, items_of(container), name});
}

void Captures::watch(const Value& argument) {
  bool list = argument.is(ObjectKind::List) || argument.is(ObjectKind::Dict);
  if (!list && !argument.is(ObjectKind::Tuple)) return;
  if (list) watch(argument, "a container that it was given");
  for (const Value& item : items_of(argument)) watch(item);
}

Value Captures::copy(const Value& value, const std::string& name, int depth) {
  if (!value.is_object()) return value;
  const Object* object = value.object();
  if (auto found = copies_.find(object); found != copies_.end()) return found->second;
  if (depth > kDeepest) refuse("reads " + name + ", which is nested too deeply");
  auto done = [&](Value made) {
    kept_.push_back(value);
    copies_.emplace(object, made);
    return made;
  };
  auto all = [&](std::vector<Value> items) {
    if ((items_ += items.size()) > kMost) refuse("reads " + name + ", which has more items than each call could compare");
    for (Value& item : items) item = copy(item, name, depth + 1);
    return items;
  };
  switch (object->kind()) {
    case ObjectKind::Array: return done(substitute(value));
    case ObjectKind::List: {
      Value made = make_list(all(value.as<List>().items));
      watch(made, name);
      return done(made);
    }
    case ObjectKind::Tuple: {
      const auto& tuple = value.as<Tuple>();
      auto made = make<Tuple>(all(tuple.items));
      made->field_names = tuple.field_names;
      made->type_name = tuple.type_name;
      return done(made);
    }
    case ObjectKind::Dict: {
      auto& dict = value.as<Dict>();
      auto made = make<Dict>();
      made->subclass = dict.subclass;
      made->default_factory = dict.default_factory;
      std::vector<Value> items = items_of(value);
      if ((items_ += items.size()) > kMost) refuse("reads " + name + ", which has more items than each call could compare");
      for (std::size_t i = 0; i + 1 < items.size(); i += 2) made->set(items[i], copy(items[i + 1], name, depth + 1));
      Value result = made;
      watch(result, name);
      return done(result);
    }
    case ObjectKind::Set: {
      auto& set = value.as<Set>();
      auto made = make<Set>(set.frozen);
      std::vector<Value> items = items_of(value);
      if ((items_ += items.size()) > kMost) refuse("reads " + name + ", which has more items than each call could compare");
      for (std::size_t i = 0; i + 1 < items.size(); i += 2) made->items->set(items[i], items[i + 1]);
      Value result = made;
      watch(result, name);
      return done(result);
    }
    case ObjectKind::Iterator: refuse("reads from the iterator " + name);
    case ObjectKind::Native:
      for (std::string_view type : {"deque", "dict_keys", "dict_values", "dict_items"})
        if (type_name(value) == type) refuse("reads the " + std::string(type) + " " + name);
      return value;
    default: return value;
  }
}

}  // namespace autoray::runtime
