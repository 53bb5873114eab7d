// Methods of list, tuple, dict, set and numbers.
#include <algorithm>
#include <bit>
#include <cmath>

#include "frontend/types/methods.h"
#include "runtime/bigint.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Dict;
using runtime::List;
using runtime::make;
using runtime::ObjectKind;
using runtime::Tuple;

// sorted() and list.sort(): stable; an exception of the script's leaves the list as it was.
void sort_values(Runtime& runtime, std::vector<Value>& items, const Value* key, bool reverse) {
  struct Keyed {
    Value key, value;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(items.size());
  for (const Value& item : items) {
    Value k = item;
    if (key && !key->is_none()) k = call(runtime, *key, {std::span(&item, 1), {}, {}});
    keyed.push_back({std::move(k), item});
  }
  // Merge sort of our own: std::stable_sort may not see a comparison that throws or contradicts itself.
  std::vector<Keyed> buffer(keyed.size());
  auto before = [&](const Keyed& a, const Keyed& b) {
    return reverse ? less(runtime, a.key, b.key) : less(runtime, b.key, a.key);
  };
  for (std::size_t width = 1; width < keyed.size(); width *= 2) {
    runtime.poll();
    for (std::size_t low = 0; low < keyed.size(); low += 2 * width) {
      std::size_t middle = std::min(low + width, keyed.size()), high = std::min(low + 2 * width, keyed.size());
      std::size_t i = low, j = middle, k = low;
      // Already in order: the common case of nearly sorted input.
      while (i < middle && j < high) buffer[k++] = std::move(before(keyed[i], keyed[j]) ? keyed[j++] : keyed[i++]);
      while (i < middle) buffer[k++] = std::move(keyed[i++]);
      while (j < high) buffer[k++] = std::move(keyed[j++]);
    }
    keyed.swap(buffer);
  }
  for (std::size_t i = 0; i < keyed.size(); ++i) items[i] = std::move(keyed[i].value);
}

namespace {

List& list_of(const Value& v) { return v.as<List>(); }

Value list_append(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.append", 1, 1);
  list_of(self).items.push_back(a.positional[0]);
  return Value::none();
}
Value list_extend(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "list.extend", 1, 1);
  std::vector<Value> items = collect(runtime, a.positional[0]);
  auto& own = list_of(self).items;
  own.insert(own.end(), items.begin(), items.end());
  return Value::none();
}
Value list_insert(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "insert", 2, 2);
  auto& items = list_of(self).items;
  auto n = static_cast<std::int64_t>(items.size());
  std::int64_t i = index_of(a.positional[0], "insert");
  if (i < 0) i = std::max<std::int64_t>(0, i + n);
  items.insert(items.begin() + std::min(i, n), a.positional[1]);
  return Value::none();
}
Value list_pop(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "pop", 0, 1);
  auto& items = list_of(self).items;
  auto n = static_cast<std::int64_t>(items.size());
  if (n == 0) throw Error(ErrorClass::IndexError, "pop from empty list");
  std::int64_t i = a.positional.empty() ? n - 1 : index_of(a.positional[0], "pop");
  if (i < 0) i += n;
  if (i < 0 || i >= n) throw Error(ErrorClass::IndexError, "pop index out of range");
  Value item = std::move(items[static_cast<std::size_t>(i)]);
  items.erase(items.begin() + i);
  return item;
}
std::size_t find_in(Runtime& runtime, const std::vector<Value>& items, const Value& x) {
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].identical(x) || equal(runtime, items[i], x)) return i;
  return items.size();
}
Value list_remove(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "list.remove", 1, 1);
  auto& items = list_of(self).items;
  std::size_t i = find_in(runtime, items, a.positional[0]);
  if (i == items.size()) throw Error(ErrorClass::ValueError, "list.remove(x): x not in list");
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
  return Value::none();
}
Value sequence_index(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "index", 1, 3);
  bool list = self.is(ObjectKind::List);
  auto& items = list ? list_of(self).items : self.as<Tuple>().items;
  auto n = static_cast<std::int64_t>(items.size());
  std::int64_t from = a.positional.size() > 1 ? index_of(a.positional[1], "index") : 0,
               to = a.positional.size() > 2 ? index_of(a.positional[2], "index") : n;
  if (from < 0) from = std::max<std::int64_t>(0, from + n);
  if (to < 0) to += n;
  for (std::int64_t i = from; i < std::min(to, n); ++i)
    if (items[static_cast<std::size_t>(i)].identical(a.positional[0]) ||
        equal(runtime, items[static_cast<std::size_t>(i)], a.positional[0]))
      return Value::integer(i);
  throw Error(ErrorClass::ValueError,
              list ? repr(runtime, a.positional[0]) + " is not in list" : "tuple.index(x): x not in tuple");
}
Value sequence_count(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "count", 1, 1);
  auto& items = self.is(ObjectKind::List) ? list_of(self).items : self.as<Tuple>().items;
  std::int64_t n = 0;
  for (const Value& item : items) n += item.identical(a.positional[0]) || equal(runtime, item, a.positional[0]);
  return Value::integer(n);
}
Value list_sort(Runtime& runtime, const Value& self, const Arguments& a) {
  if (!a.positional.empty()) throw Error(ErrorClass::TypeError, "sort() takes no positional arguments");
  check_keywords(a, "sort", {"key", "reverse"});
  const Value* reverse = keyword(a, "reverse");
  std::vector<Value> items = list_of(self).items;
  sort_values(runtime, items, keyword(a, "key"), reverse && truth(runtime, *reverse));
  list_of(self).items = std::move(items);
  return Value::none();
}
Value list_reverse(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.reverse", 0, 0);
  std::reverse(list_of(self).items.begin(), list_of(self).items.end());
  return Value::none();
}
Value list_clear(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.clear", 0, 0);
  list_of(self).clear();
  return Value::none();
}
Value list_copy(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "list.copy", 0, 0);
  return runtime::make_list(list_of(self).items);
}

// ---- dict ----

enum class View { Keys, Values, Items };
// A live view: iterates what the dictionary holds when it is asked.
class DictView final : public runtime::NativeObject {
 public:
  DictView(runtime::Ref<Dict> d, View v) : dict_(std::move(d)), view_(v) {}
  std::string native_type() const override {
    return view_ == View::Keys ? "dict_keys" : view_ == View::Values ? "dict_values" : "dict_items";
  }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
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
  std::string repr() const override { return native_type(); }
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

Dict& dict_of(const Value& v) { return v.as<Dict>(); }
template <View V>
Value dict_view(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "dict view", 0, 0);
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
Value dict_popitem(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "popitem", 0, 0);
  auto& entries = dict_of(self).entries();
  for (std::size_t i = entries.size(); i-- > 0;)
    if (!entries[i].key.empty()) {
      Value key = entries[i].key;
      Value value = dict_of(self).pop(key);
      return runtime::make_tuple({key, value});
    }
  throw Error(ErrorClass::KeyError, "popitem(): dictionary is empty");
}
Value dict_setdefault(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "setdefault", 1, 2);
  if (Value* found = dict_of(self).find(a.positional[0])) return *found;
  Value value = a.positional.size() > 1 ? a.positional[1] : Value::none();
  dict_of(self).set(a.positional[0], value);
  return value;
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
  check_arguments(a, "subtract", 1, 1);
  count_into(runtime, dict_of(self), a.positional[0], BinaryOperator::Sub);
  return Value::none();
}
Value counter_total(Runtime& runtime, const Value& self, const Arguments&) {
  Value sum = Value::integer(0);
  for (auto& e : dict_of(self).entries())
    if (!e.key.empty()) sum = binary(runtime, BinaryOperator::Add, sum, e.value);
  return sum;
}

// ---- set ----

Dict& keys_of(const Value& v) { return *v.as<runtime::Set>().items; }
Value set_of(Runtime& runtime, const Value& iterable) {
  if (iterable.is(ObjectKind::Set)) return iterable;
  auto set = make<runtime::Set>();
  for (const Value& x : collect(runtime, iterable)) set->items->set(x, Value::none());
  return set;
}
Value set_add(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "set.add", 1, 1);
  keys_of(self).set(a.positional[0], Value::none());
  return Value::none();
}
Value set_discard(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "set.discard", 1, 1);
  keys_of(self).pop(a.positional[0]);
  return Value::none();
}
Value set_remove(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "set.remove", 1, 1);
  if (keys_of(self).pop(a.positional[0]).empty())
    throw runtime::Raised{make<runtime::Exception>(ErrorClass::KeyError, std::vector<Value>{a.positional[0]})};
  return Value::none();
}
Value set_pop(Runtime&, const Value& self, const Arguments& a) {
  check_arguments(a, "set.pop", 0, 0);
  for (auto& e : keys_of(self).entries())
    if (!e.key.empty()) {
      Value key = e.key;
      keys_of(self).pop(key);
      return key;
    }
  throw Error(ErrorClass::KeyError, "pop from an empty set");
}
template <BinaryOperator Op, bool InPlace>
Value set_combine(Runtime& runtime, const Value& self, const Arguments& a) {
  Value result = InPlace ? self : binary(runtime, BinaryOperator::BitOr, self, Value(make<runtime::Set>()));
  for (const Value& other : a.positional) {
    Value right = set_of(runtime, other);
    if (InPlace)
      inplace_binary(runtime, Op, result, right);
    else
      result = binary(runtime, Op, result, right);
  }
  return InPlace ? Value::none() : result;
}
template <CompareOperator Op>
Value set_compare(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "set comparison", 1, 1);
  return compare(runtime, Op, self, set_of(runtime, a.positional[0]));
}
Value set_isdisjoint(Runtime& runtime, const Value& self, const Arguments& a) {
  check_arguments(a, "isdisjoint", 1, 1);
  Value other = set_of(runtime, a.positional[0]);
  for (auto& e : keys_of(self).entries())
    if (!e.key.empty() && keys_of(other).find(e.key)) return Value::boolean(false);
  return Value::boolean(true);
}
Value set_clear(Runtime&, const Value& self, const Arguments&) {
  keys_of(self).clear();
  return Value::none();
}
Value set_copy(Runtime& runtime, const Value& self, const Arguments&) {
  return binary(runtime, BinaryOperator::BitOr, self, Value(make<runtime::Set>()));
}

// ---- numbers ----

Value number_conjugate(Runtime&, const Value& self, const Arguments&) {
  if (auto* c = self.get_if<runtime::Complex>()) return runtime::make_complex(std::conj(c->value));
  return self;
}
Value int_bit_length(Runtime&, const Value& self, const Arguments&) {
  runtime::BigInteger v = boost::multiprecision::abs(runtime::big_value(self));
  return Value::integer(v == 0 ? 0 : static_cast<std::int64_t>(boost::multiprecision::msb(v)) + 1);
}
Value int_bit_count(Runtime&, const Value& self, const Arguments&) {
  runtime::BigInteger v = boost::multiprecision::abs(runtime::big_value(self));
  std::int64_t n = 0;
  for (; v > 0; v >>= 1) n += static_cast<int>(v & 1);
  return Value::integer(n);
}
Value float_is_integer(Runtime&, const Value& self, const Arguments&) {
  if (!self.is_float()) return Value::boolean(true);
  return Value::boolean(std::isfinite(self.as_float()) && self.as_float() == std::floor(self.as_float()));
}
Value float_hex(Runtime&, const Value& self, const Arguments&) {
  double v = real_of(self);
  if (!std::isfinite(v)) return runtime::make_str(float_repr(v));
  if (v == 0) return runtime::make_str(std::signbit(v) ? "-0x0.0p+0" : "0x0.0p+0");
  std::uint64_t bits = std::bit_cast<std::uint64_t>(v);
  auto exponent = static_cast<int>(bits >> 52 & 0x7ff);
  char text[64];
  std::snprintf(text, sizeof text, "%s0x%d.%013llxp%+d", std::signbit(v) ? "-" : "", exponent != 0,
                static_cast<unsigned long long>(bits & 0xfffffffffffffULL), exponent ? exponent - 1023 : -1022);
  return runtime::make_str(text);
}
Value float_ratio(Runtime&, const Value& self, const Arguments&) {
  double v = real_of(self);
  if (std::isnan(v)) throw Error(ErrorClass::ValueError, "cannot convert NaN to integer ratio");
  if (std::isinf(v)) throw Error(ErrorClass::OverflowError, "cannot convert Infinity to integer ratio");
  int exponent;
  double m = std::frexp(v, &exponent);
  for (int k = 0; k < 300 && m != std::floor(m); ++k) {
    m *= 2;
    --exponent;
  }
  runtime::BigInteger n(m), d = 1;
  if (exponent > 0)
    n <<= static_cast<unsigned>(exponent);
  else
    d <<= static_cast<unsigned>(-exponent);
  return runtime::make_tuple({runtime::make_int(n), runtime::make_int(d)});
}

constexpr MethodRow kList[] = {{"append", list_append},   {"extend", list_extend}, {"insert", list_insert},
                               {"pop", list_pop},         {"remove", list_remove}, {"index", sequence_index},
                               {"count", sequence_count}, {"sort", list_sort},     {"reverse", list_reverse},
                               {"clear", list_clear},     {"copy", list_copy}};
constexpr MethodRow kTuple[] = {{"index", sequence_index}, {"count", sequence_count}};
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
                               {"total", counter_total}};
constexpr MethodRow kSet[] = {{"add", set_add},
                              {"discard", set_discard},
                              {"remove", set_remove},
                              {"pop", set_pop},
                              {"union", set_combine<BinaryOperator::BitOr, false>},
                              {"intersection", set_combine<BinaryOperator::BitAnd, false>},
                              {"difference", set_combine<BinaryOperator::Sub, false>},
                              {"symmetric_difference", set_combine<BinaryOperator::BitXor, false>},
                              {"update", set_combine<BinaryOperator::BitOr, true>},
                              {"intersection_update", set_combine<BinaryOperator::BitAnd, true>},
                              {"difference_update", set_combine<BinaryOperator::Sub, true>},
                              {"issubset", set_compare<CompareOperator::LtE>},
                              {"issuperset", set_compare<CompareOperator::GtE>},
                              {"isdisjoint", set_isdisjoint},
                              {"clear", set_clear},
                              {"copy", set_copy}};
constexpr MethodRow kNumber[] = {{"conjugate", number_conjugate},
                                 {"bit_length", int_bit_length},
                                 {"bit_count", int_bit_count},
                                 {"is_integer", float_is_integer},
                                 {"hex", float_hex},
                                 {"as_integer_ratio", float_ratio}};

}  // namespace

std::span<const MethodRow> list_methods() { return kList; }
std::span<const MethodRow> tuple_methods() { return kTuple; }
std::span<const MethodRow> dict_methods() { return kDict; }
std::span<const MethodRow> set_methods() { return kSet; }
std::span<const MethodRow> number_methods() { return kNumber; }

}  // namespace autoray::frontend
