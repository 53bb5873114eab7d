// functools: functions made from functions.
#include "frontend/modules/module_object.h"
#include "frontend/types/named_tuple.h"
#include "frontend/types/native_operand.h"
#include "runtime/lazy/captures.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Dict;
using runtime::make;
using runtime::ObjectKind;
using runtime::Ref;

namespace {

Value reduce(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "reduce", 2, 3);
  auto iterator = iterate(runtime, a.positional[1]);
  Value total;
  if (a.positional.size() > 2)
    total = a.positional[2];
  else if (!iterator->next(runtime, total))
    throw Error(ErrorClass::TypeError, "reduce() of empty iterable with no initial value");
  Value item;
  while (iterator->next(runtime, item)) {
    const Value pair[] = {total, item};
    total = call(runtime, a.positional[0], {pair, {}, {}});
  }
  return total;
}

// ---- partial ----

class Partial final : public runtime::Callable {
 public:
  Partial(Value f, std::vector<Value> p, Ref<Dict> k)
      : function(std::move(f)), positional(std::move(p)), keywords(std::move(k)) {}
  std::string callable_name() const override { return "partial"; }
  std::string_view callable_type() const override { return "partial"; }
  void clear() override {
    function.clear();
    positional.clear();
    keywords = nullptr;
  }
  Value call(Runtime& runtime, const Arguments& a) override {
    std::vector<Value> all = positional, values;
    const bool captured = runtime.captures && !runtime.captures->owns(this);
    auto read = [&](runtime::CapturedPlace::Read place, std::size_t index, const std::string& name, const Value& value) {
      return runtime.captures->read({place, this, static_cast<std::uint32_t>(index), name, Ref<Partial>::share(this)}, value);
    };
    for (std::size_t i = 0; captured && i < all.size(); ++i) all[i] = read(read_positional, i, "partial", all[i]);
    all.insert(all.end(), a.positional.begin(), a.positional.end());
    std::vector<std::string_view> names;
    for (auto& entry : keywords->entries()) {
      if (entry.key.empty()) continue;
      const std::string& name = entry.key.as<runtime::Str>().text;
      if (keyword(a, name)) continue;  // the call's own wins
      names.push_back(name);
      values.push_back(captured ? read(read_keyword, 0, name, entry.value) : entry.value);
    }
    names.insert(names.end(), a.keyword_names.begin(), a.keyword_names.end());
    values.insert(values.end(), a.keyword_values.begin(), a.keyword_values.end());
    return frontend::call(runtime, function, {all, names, values});
  }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    if (name == "func")
      result = function;
    else if (name == "args")
      result = runtime::make_tuple(positional);
    else if (name == "keywords")
      result = keywords;
    else
      return false;
    return true;
  }

  Value function;
  std::vector<Value> positional;
  Ref<Dict> keywords;

 private:
  static const Value* read_positional(const runtime::CapturedPlace& p) {
    return &static_cast<const Partial*>(p.table)->positional[p.index];
  }
  static const Value* read_keyword(const runtime::CapturedPlace& p) {
    return static_cast<const Partial*>(p.table)->keywords->find(p.name);
  }
};

Value partial(Runtime& runtime, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, "type 'partial' takes at least one argument");
  if (!a.positional[0].is(ObjectKind::Callable)) throw Error(ErrorClass::TypeError, "the first argument must be callable");
  Value function = a.positional[0];
  std::vector<Value> positional;
  auto keywords = make<Dict>();
  // A partial of a partial is one partial.
  if (auto* inner = dynamic_cast<Partial*>(function.object())) {
    positional = inner->positional;
    for (auto& entry : inner->keywords->entries())
      if (!entry.key.empty()) keywords->set(entry.key, entry.value);
    function = Value(inner->function);
  }
  positional.insert(positional.end(), a.positional.begin() + 1, a.positional.end());
  for (std::size_t i = 0; i < a.keyword_names.size(); ++i) keywords->set(a.keyword_names[i], a.keyword_values[i]);
  auto made = make<Partial>(std::move(function), std::move(positional), std::move(keywords));
  if (runtime.captures) runtime.captures->own(made);
  return made;
}

// ---- wraps ----

Value take_identity(Runtime& runtime, const Value& wrapper, const Value& wrapped) {
  for (const char* name : {"__module__", "__name__", "__qualname__", "__doc__"}) {
    try {
      set_attribute(runtime, wrapper, name, get_attribute(runtime, wrapped, name));
    } catch (const Error& e) {
      if (e.error_class() != ErrorClass::AttributeError) throw;
    }
  }
  set_attribute(runtime, wrapper, "__wrapped__", wrapped);
  return wrapper;
}
Value update_wrapper(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "update_wrapper", 2, 2);
  return take_identity(runtime, a.positional[0], a.positional[1]);
}
Value wraps(Runtime&, const Arguments& a) {
  check_arguments(a, "wraps", 1, 1);
  return runtime::make_native("wraps", [wrapped = a.positional[0]](Runtime& r, const Arguments& b) {
    check_arguments(b, "wraps", 1, 1);
    return take_identity(r, b.positional[0], wrapped);
  });
}

// ---- lru_cache ----

// A function with its results by arguments, the least recently used first. A hit costs one hash of the arguments; with a
// bound also a removal and an insertion.
class LruCache final : public runtime::Callable {
 public:
  LruCache(Value f, std::int64_t most, bool by_type) : function_(std::move(f)), most_(most), typed_(by_type) {}
  std::string callable_name() const override { return function_.as<runtime::Callable>().callable_name(); }
  std::string_view callable_type() const override { return "_lru_cache_wrapper"; }
  void clear() override {
    function_.clear();
    results_->clear();
  }

  Value call(Runtime& runtime, const Arguments& a) override {
    // What a trace computes is of its graph: it must not stay here.
    if (most_ == 0 || runtime.captures) {
      ++misses_;
      return frontend::call(runtime, function_, a);
    }
    Value key = key_of(runtime, a);
    if (Value* found = results_->find(key)) {
      ++hits_;
      if (most_ < 0) return *found;
      Value result = results_->pop(key);
      results_->set(key, result);
      return result;
    }
    ++misses_;
    Value result = frontend::call(runtime, function_, a);
    if (most_ > 0 && !results_->find(key))
      while (results_->size() >= most_) drop_oldest();
    results_->set(key, result);
    return result;
  }

  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override {
    auto self = Ref<LruCache>::share(this);
    if (name == "cache_info")
      result = runtime::make_native("cache_info", [self](Runtime& r, const Arguments& a) {
        if (r.captures) r.captures->refuse("asks what a cache holds");
        check_arguments(a, "cache_info", 0, 0);
        return self->info(r);
      });
    else if (name == "cache_clear")
      result = runtime::make_native("cache_clear", [self](Runtime& r, const Arguments& a) {
        if (r.captures) r.captures->refuse("clears a cache");
        check_arguments(a, "cache_clear", 0, 0);
        self->results_->clear();
        self->hits_ = self->misses_ = 0;
        return Value::none();
      });
    else if (name == "__wrapped__")
      result = function_;
    else if (name == "__doc__" || name == "__name__" || name == "__qualname__" || name == "__module__")
      result = frontend::get_attribute(runtime, function_, name);
    else
      return false;
    return true;
  }

 private:
  Value key_of(Runtime& runtime, const Arguments& a) const {
    std::vector<Value> parts(a.positional.begin(), a.positional.end());
    for (std::size_t i = 0; i < a.keyword_names.size(); ++i)
      parts.push_back(runtime::make_tuple({runtime::make_str(std::string(a.keyword_names[i])), a.keyword_values[i]}));
    if (typed_) {
      for (const Value& v : a.positional) parts.push_back(type_of(runtime, v));
      for (const Value& v : a.keyword_values) parts.push_back(type_of(runtime, v));
    }
    // How many were positional keeps f(1, ('k', 2)) and f(1, k=2) apart.
    if (!a.keyword_names.empty()) parts.push_back(Value::integer(static_cast<std::int64_t>(a.positional.size())));
    return runtime::make_tuple(std::move(parts));
  }
  void drop_oldest() {
    for (auto& entry : results_->entries())
      if (!entry.key.empty()) {
        Value key = entry.key;
        results_->pop(key);
        return;
      }
  }
  Value info(Runtime& runtime) const {
    Value& type = runtime.language_objects["functools.CacheInfo"];
    if (type.empty()) type = make_named_tuple_type(runtime, "CacheInfo", {"hits", "misses", "maxsize", "currsize"}, {});
    Value most = most_ < 0 ? Value::none() : Value::integer(most_);
    return make_named_tuple(type, {Value::integer(hits_), Value::integer(misses_), most, Value::integer(results_->size())});
  }

  Value function_;
  std::int64_t most_;  // -1: no bound
  bool typed_;
  Ref<Dict> results_ = make<Dict>();
  std::int64_t hits_ = 0, misses_ = 0;
};

Value lru_cache(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "lru_cache", {"maxsize", "typed"});
  if (a.positional.size() == 1 && a.positional[0].is(ObjectKind::Callable)) return make<LruCache>(a.positional[0], 128, false);
  std::int64_t most = 128;
  const Value* size = a.positional.empty() ? keyword(a, "maxsize") : &a.positional[0];
  if (size && size->is_none())
    most = -1;
  else if (size && !is_integer_value(*size))
    throw Error(ErrorClass::TypeError, "Expected first argument to be an integer, a callable, or None");
  else if (size)
    most = std::max<std::int64_t>(0, index_of(*size, "maxsize"));
  const Value* typed = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "typed");
  bool by_type = typed && truth(runtime, *typed);
  return runtime::make_native("lru_cache", [most, by_type](Runtime&, const Arguments& b) {
    check_arguments(b, "lru_cache", 1, 1);
    if (!b.positional[0].is(ObjectKind::Callable)) throw Error(ErrorClass::TypeError, "the first argument must be callable");
    return Value(make<LruCache>(b.positional[0], most, by_type));
  });
}
Value cache(Runtime&, const Arguments& a) {
  check_arguments(a, "cache", 1, 1);
  if (!a.positional[0].is(ObjectKind::Callable)) throw Error(ErrorClass::TypeError, "the first argument must be callable");
  return make<LruCache>(a.positional[0], -1, false);
}

// ---- cmp_to_key ----

class ComparisonKey final : public NativeOperand {
 public:
  ComparisonKey(Value f, Value v) : function_(std::move(f)), value_(std::move(v)) {}
  std::string native_type() const override { return "functools.KeyWrapper"; }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    if (name == "obj") result = value_;
    return name == "obj";
  }
  bool compare(Runtime& runtime, CompareOperator op, const Value& other, bool reflected, Value& result) override {
    auto* key = dynamic_cast<ComparisonKey*>(native_operand(other));
    if (!key) throw Error(ErrorClass::TypeError, "other argument must be K instance");
    const Value pair[] = {reflected ? key->value_ : value_, reflected ? value_ : key->value_};
    Value order = call(runtime, function_, {pair, {}, {}});
    result = frontend::compare(runtime, op, order, Value::integer(0));
    return true;
  }
  void clear() override {
    function_.clear();
    value_.clear();
  }

 private:
  Value function_, value_;
};
Value cmp_to_key(Runtime&, const Arguments& a) {
  check_arguments(a, "cmp_to_key", 1, 1);
  return runtime::make_native("KeyWrapper", [function = a.positional[0]](Runtime&, const Arguments& b) {
    check_arguments(b, "KeyWrapper", 1, 1);
    return Value(make<ComparisonKey>(function, b.positional[0]));
  });
}

constexpr FunctionRow kFunctools[] = {
    {"reduce", reduce},       {"partial", partial}, {"wraps", wraps},          {"update_wrapper", update_wrapper},
    {"lru_cache", lru_cache}, {"cache", cache},     {"cmp_to_key", cmp_to_key}};

}  // namespace

Value make_functools_module(Runtime&) { return make<ModuleObject>("functools", find_rows<kFunctools>, names_of<kFunctools>); }

}  // namespace autoray::frontend
