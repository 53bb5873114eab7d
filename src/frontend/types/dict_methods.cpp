// Methods of dict and of the dictionaries of collections; the views keys(), values() and items().
#include <algorithm>

#include "frontend/types/methods.h"
#include "frontend/types/native_operand.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Dict;
using runtime::make;
using runtime::ObjectKind;

namespace {

// ---- views ----

enum class View { Keys, Values, Items };
// A live view: iterates what the dictionary holds when it is asked.
class DictView final : public NativeOperand {
 public:
  DictView(runtime::Ref<Dict> d, View v) : dict_(std::move(d)), view_(v) {}
  std::string native_type() const override {
    return view_ == View::Keys ? "dict_keys" : view_ == View::Values ? "dict_values" : "dict_items";
  }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override {
    if (name != "isdisjoint" || view_ == View::Values) return false;
    result = frontend::get_attribute(runtime, as_set(), name);
    return true;
  }
  std::optional<std::int64_t> length() const override { return dict_ ? dict_->size() : 0; }
  bool contains(Runtime& runtime, const Value& item, bool& result) override {
    if (view_ == View::Keys) {
      result = dict_->find(item) != nullptr;
    } else {
      result = false;
      for (const Value& x : items()) result = result || x.identical(item) || equal(runtime, x, item);
    }
    return true;
  }
  bool iterate(Runtime& runtime, Value& iterable) override;
  std::string text(Runtime& runtime) const override {
    return native_type() + "(" + frontend::repr(runtime, runtime::make_list(items())) + ")";
  }
  bool compare(Runtime& runtime, CompareOperator op, const Value& other, bool reflected, Value& result) override {
    // Keys and items are compared as sets; a view of values is only itself.
    auto* view = dynamic_cast<DictView*>(native_operand(other));
    bool set_like = view_ != View::Values && (other.is(ObjectKind::Set) || (view && view->view_ != View::Values));
    if (!set_like) return false;
    Value own = as_set(), theirs = view ? view->as_set() : other;
    result = frontend::compare(runtime, op, reflected ? theirs : own, reflected ? own : theirs);
    return true;
  }
  Value as_set() const {
    auto set = make<runtime::Set>();
    for (const Value& item : items()) set->items->set(item, Value::none());
    return set;
  }
  void clear() override { dict_ = nullptr; }
  std::vector<Value> items() const {
    std::vector<Value> list;
    for (auto& e : dict_->entries()) {
      if (e.key.empty()) continue;
      list.push_back(view_ == View::Keys ? e.key : view_ == View::Values ? e.value : runtime::make_tuple({e.key, e.value}));
    }
    return list;
  }
  runtime::Ref<Dict> dict_;
  View view_;
};

class ViewIterator final : public runtime::Iterator {
 public:
  explicit ViewIterator(const DictView& view) : dict_(view.dict_), view_(view.view_), size_(dict_->size()) {}
  bool advance(Runtime&, Value& result) override {
    if (!dict_) return false;
    if (dict_->size() != size_) throw Error(ErrorClass::RuntimeError, "dictionary changed size during iteration");
    auto& entries = dict_->entries();
    while (at_ < entries.size() && entries[at_].key.empty()) ++at_;
    if (at_ >= entries.size()) return false;
    auto& e = entries[at_++];
    result = view_ == View::Keys ? e.key : view_ == View::Values ? e.value : runtime::make_tuple({e.key, e.value});
    return true;
  }
  void clear() override { dict_ = nullptr; }

 private:
  runtime::Ref<Dict> dict_;
  View view_;
  std::int64_t size_;
  std::size_t at_ = 0;
};
bool DictView::iterate(Runtime&, Value& iterable) {
  iterable = make<ViewIterator>(*this);
  return true;
}

// ---- methods ----

Dict& dict_of(const Value& v) { return v.as<Dict>(); }
template <View V>
Value dict_view(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, V == View::Keys ? "dict.keys" : V == View::Values ? "dict.values" : "dict.items", 0, 0);
  return make<DictView>(runtime::Ref<Dict>::share(&dict_of(self)), V);
}
Value dict_get(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "get", 1, 2);
  Value* found = dict_of(self).find(a.positional[0]);
  return found ? *found : a.positional.size() > 1 ? a.positional[1] : Value::none();
}
Value dict_pop(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "pop", 1, 2);
  Value found = dict_of(self).pop(a.positional[0]);
  if (!found.empty()) return found;
  if (a.positional.size() > 1) return a.positional[1];
  throw runtime::Raised{make<runtime::Exception>(ErrorClass::KeyError, std::vector<Value>{a.positional[0]})};
}
bool is_ordered(const Dict& d) { return d.subclass && std::string_view(d.subclass) == "OrderedDict"; }
Value dict_popitem(Runtime& runtime, const Value& self, const Arguments& a) {
  Dict& d = dict_of(self);
  const Value* last = nullptr;
  if (is_ordered(d)) {
    check_keywords(a, "popitem", {"last"});
    check_arguments({a.positional, {}, {}}, "popitem", 0, 1);
    last = a.positional.empty() ? keyword(a, "last") : &a.positional[0];
  } else {
    check_arguments(a, "dict.popitem", 0, 0);
  }
  bool from_end = !last || truth(runtime, *last);
  auto& entries = d.entries();
  for (std::size_t k = 0; k < entries.size(); ++k) {
    auto& entry = entries[from_end ? entries.size() - 1 - k : k];
    if (entry.key.empty()) continue;
    Value key = entry.key;
    Value value = d.pop(key);
    return runtime::make_tuple({key, value});
  }
  if (is_ordered(d)) throw Error(ErrorClass::KeyError, "dictionary is empty");
  throw Error(ErrorClass::KeyError, "popitem(): dictionary is empty");
}
Value dict_setdefault(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "setdefault", 1, 2);
  if (Value* found = dict_of(self).find(a.positional[0])) return *found;
  Value value = a.positional.size() > 1 ? a.positional[1] : Value::none();
  dict_of(self).set(a.positional[0], value);
  return value;
}
Value ordered_move_to_end(Runtime& runtime, const Value& self, const Arguments& a) {
  check_keywords(a, "move_to_end", {"last"});
  check_arguments({a.positional, {}, {}}, "move_to_end", 1, 2);
  Dict& d = dict_of(self);
  const Value* last = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "last");
  Value key = a.positional[0], value = d.pop(key);
  if (value.empty()) throw runtime::Raised{make<runtime::Exception>(ErrorClass::KeyError, std::vector<Value>{key})};
  if (!last || truth(runtime, *last)) {
    d.set(key, value);
    return Value::none();
  }
  std::vector<std::pair<Value, Value>> rest;
  for (auto& e : d.entries())
    if (!e.key.empty()) rest.emplace_back(e.key, e.value);
  d.clear();
  d.set(key, value);
  for (auto& [k, v] : rest) d.set(k, std::move(v));
  return Value::none();
}
bool is_counter(const Dict& d) { return d.subclass && std::string_view(d.subclass) == "Counter"; }
void count_into(Runtime& runtime, Dict& d, const Value& source, BinaryOperator op) {
  auto add = [&](const Value& key, const Value& n) {
    Value* found = d.find(key);
    d.set(key, binary(runtime, op, found ? *found : Value::integer(0), n));
  };
  if (auto* other = source.get_if<Dict>()) {
    for (auto& e : other->entries())
      if (!e.key.empty()) add(e.key, e.value);
  } else {
    auto iterator = iterate(runtime, source);
    Value item;
    while (iterator->next(runtime, item)) add(item, Value::integer(1));
  }
}
Value keyword_dict(const Arguments& a) {
  auto dict = make<Dict>();
  for (std::size_t i = 0; i < a.keyword_names.size(); ++i) dict->set(a.keyword_names[i], a.keyword_values[i]);
  return dict;
}
Value dict_update(Runtime& runtime, const Value& self, const Arguments& a) {
  if (a.positional.size() > 1)
    throw Error(ErrorClass::TypeError, "update expected at most 1 argument, got " + std::to_string(a.positional.size()));
  Dict& d = dict_of(self);
  if (!a.positional.empty()) {
    if (is_counter(d)) {
      count_into(runtime, d, a.positional[0], BinaryOperator::Add);
    } else {
      Value other = call(runtime, builtin_type(runtime, "dict"), {a.positional, {}, {}});
      for (auto& e : other.as<Dict>().entries())
        if (!e.key.empty()) d.set(e.key, e.value);
    }
  }
  if (is_counter(d)) {
    if (!a.keyword_names.empty()) count_into(runtime, d, keyword_dict(a), BinaryOperator::Add);
    return Value::none();
  }
  for (std::size_t i = 0; i < a.keyword_names.size(); ++i) d.set(a.keyword_names[i], a.keyword_values[i]);
  return Value::none();
}
Value dict_clear(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "dict.clear", 0, 0);
  dict_of(self).clear();
  return Value::none();
}
Value dict_copy(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "dict.copy", 0, 0);
  auto copy = make<Dict>();
  copy->subclass = dict_of(self).subclass;
  copy->default_factory = dict_of(self).default_factory;
  for (auto& e : dict_of(self).entries())
    if (!e.key.empty()) copy->set(e.key, e.value);
  return copy;
}
Value counter_most_common(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "most_common", 0, 1);
  std::vector<std::pair<Value, Value>> pairs;
  for (auto& e : dict_of(self).entries())
    if (!e.key.empty()) pairs.emplace_back(e.key, e.value);
  std::stable_sort(pairs.begin(), pairs.end(), [&](auto& x, auto& y) { return less(runtime, y.second, x.second); });
  std::size_t n = pairs.size();
  if (!a.positional.empty() && !a.positional[0].is_none())
    n = std::min(n, static_cast<std::size_t>(std::max<std::int64_t>(0, index_of(a.positional[0], "n"))));
  std::vector<Value> items;
  for (std::size_t i = 0; i < n; ++i) items.push_back(runtime::make_tuple({pairs[i].first, pairs[i].second}));
  return runtime::make_list(std::move(items));
}
Value counter_elements(Runtime&, const Value& self, const Arguments&) {
  std::vector<Value> items;
  for (auto& e : dict_of(self).entries())
    if (!e.key.empty())
      for (std::int64_t k = 0; k < index_of(e.value, "count"); ++k) items.push_back(e.key);
  return runtime::make_list(std::move(items));
}
Value counter_subtract(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "subtract", 0, 1);
  if (!a.positional.empty()) count_into(runtime, dict_of(self), a.positional[0], BinaryOperator::Sub);
  if (!a.keyword_names.empty()) count_into(runtime, dict_of(self), keyword_dict(a), BinaryOperator::Sub);
  return Value::none();
}
Value counter_total(Runtime& runtime, const Value& self, const Arguments&) {
  Value sum = Value::integer(0);
  for (auto& e : dict_of(self).entries())
    if (!e.key.empty()) sum = binary(runtime, BinaryOperator::Add, sum, e.value);
  return sum;
}

constexpr MethodRow kDict[] = {{"keys", dict_view<View::Keys>},
                               {"values", dict_view<View::Values>},
                               {"items", dict_view<View::Items>},
                               {"get", dict_get},
                               {"pop", dict_pop},
                               {"popitem", dict_popitem},
                               {"setdefault", dict_setdefault},
                               {"update", dict_update},
                               {"clear", dict_clear},
                               {"copy", dict_copy},
                               {"most_common", counter_most_common},
                               {"elements", counter_elements},
                               {"subtract", counter_subtract},
                               {"total", counter_total},
                               {"move_to_end", ordered_move_to_end}};

}  // namespace

std::span<const MethodRow> dict_methods() { return kDict; }

}  // namespace autoray::frontend
