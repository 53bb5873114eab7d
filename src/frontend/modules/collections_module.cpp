// collections: Counter, defaultdict and OrderedDict are dictionaries with a name of their own; deque and namedtuple's types.
#include <algorithm>
#include <deque>
#include <set>

#include "frontend/captured.h"
#include "frontend/modules/module_object.h"
#include "frontend/types/named_tuple.h"
#include "frontend/types/native_operand.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;
using runtime::Ref;

namespace {

// ---- dictionaries ----

Value make_counter(Runtime& runtime, const TypeObject&, const Arguments& a) {
  auto counter = make<runtime::Dict>();
  counter->subclass = "Counter";
  Value value = counter;
  call_method(runtime, value, "update", a);
  return value;
}
Value make_defaultdict(Runtime& runtime, const TypeObject&, const Arguments& a) {
  auto dict = make<runtime::Dict>();
  dict->subclass = "defaultdict";
  Arguments rest = a;
  if (!a.positional.empty()) {
    const Value& factory = a.positional[0];
    if (!factory.is_none() && !factory.is(ObjectKind::Callable))
      throw Error(ErrorClass::TypeError, "first argument must be callable or None");
    dict->default_factory = factory;
    rest.positional = a.positional.subspan(1);
  }
  Value value = dict;
  call_method(runtime, value, "update", rest);
  return value;
}
Value make_ordered(Runtime& runtime, const TypeObject&, const Arguments& a) {
  auto dict = make<runtime::Dict>();
  dict->subclass = "OrderedDict";
  Value value = dict;
  call_method(runtime, value, "update", a);
  return value;
}

// ---- deque ----

class Deque final : public NativeOperand {
 public:
  std::deque<Value> items;
  std::int64_t most = -1;     // -1: no bound
  std::uint64_t changes = 0;  // an iterator refuses to go on after one

  std::string native_type() const override { return "deque"; }
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(items.size()); }
  bool iterate(Runtime& runtime, Value& iterable) override;
  bool contains(Runtime& runtime, const Value& item, bool& result) override {
    result = find(runtime, item) < items.size();
    return true;
  }
  bool get_item(Runtime&, const Value& key, Value& result) override {
    result = items[checked(key)];
    return true;
  }
  bool set_item(Runtime&, const Value& key, const Value& value) override {
    items[checked(key)] = value;
    return true;
  }
  bool delete_item(Runtime&, const Value& key) override {
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(checked(key)));
    ++changes;
    return true;
  }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  std::vector<std::string> attribute_names() const override;
  void clear() override {
    items.clear();
    ++changes;
  }
  std::string text(Runtime& runtime) const override {
    return "deque(" + frontend::repr(runtime, as_list()) + (most < 0 ? ")" : ", maxlen=" + std::to_string(most) + ")");
  }

  bool compare(Runtime& runtime, CompareOperator op, const Value& other, bool reflected, Value& result) override {
    auto* right = dynamic_cast<Deque*>(native_operand(other));
    if (!right) return false;
    Value a = as_list(), b = right->as_list();
    result = frontend::compare(runtime, op, reflected ? b : a, reflected ? a : b);
    return true;
  }
  bool binary(Runtime& runtime, BinaryOperator op, const Value& other, bool reflected, Value& result) override {
    if (op == BinaryOperator::Add && !reflected) {
      auto* right = dynamic_cast<Deque*>(native_operand(other));
      if (!right)
        throw Error(ErrorClass::TypeError, "can only concatenate deque (not \"" + runtime::type_name(other) + "\") to deque");
      auto sum = copy();
      for (const Value& v : right->items) sum->push_back(v);
      result = sum;
      return true;
    }
    if (op == BinaryOperator::Mult && is_integer_value(other)) {
      Value list = frontend::binary(runtime, op, as_list(), other);
      auto product = make<Deque>();
      product->most = most;
      for (const Value& v : collect(runtime, list)) product->push_back(v);
      result = product;
      return true;
    }
    return false;
  }
  bool inplace_binary(Runtime& runtime, BinaryOperator op, const Value& other) override {
    if (op != BinaryOperator::Add) return false;
    for (const Value& v : collect(runtime, other)) push_back(v);
    return true;
  }

  void push_back(Value v) {
    items.push_back(std::move(v));
    if (most >= 0 && static_cast<std::int64_t>(items.size()) > most) items.pop_front();
    ++changes;
  }
  void push_front(Value v) {
    items.push_front(std::move(v));
    if (most >= 0 && static_cast<std::int64_t>(items.size()) > most) items.pop_back();
    ++changes;
  }
  std::size_t find(Runtime& runtime, const Value& x) const {
    std::size_t i = 0;
    while (i < items.size() && !items[i].identical(x) && !equal(runtime, items[i], x)) ++i;
    return i;
  }
  Ref<Deque> copy() const {
    auto other = make<Deque>();
    other->items = items;
    other->most = most;
    return other;
  }
  Value as_list() const { return runtime::make_list({items.begin(), items.end()}); }

 private:
  std::size_t checked(const Value& key) const {
    if (!is_integer_value(key) && !key.is(ObjectKind::NumpyScalar))
      throw Error(ErrorClass::TypeError, "sequence index must be integer, not '" + runtime::type_name(key) + "'");
    auto n = static_cast<std::int64_t>(items.size());
    std::int64_t i = index_of(key, "index");
    if (i < 0) i += n;
    if (i < 0 || i >= n) throw Error(ErrorClass::IndexError, "deque index out of range");
    return static_cast<std::size_t>(i);
  }
};

class DequeIterator final : public runtime::Iterator {
 public:
  explicit DequeIterator(Ref<Deque> d) : deque_(std::move(d)), changes_(deque_->changes) {}
  std::string_view iterator_type() const override { return "_collections._deque_iterator"; }
  bool advance(Runtime&, Value& result) override {
    if (!deque_) return false;
    if (deque_->changes != changes_) throw Error(ErrorClass::RuntimeError, "deque mutated during iteration");
    if (at_ >= deque_->items.size()) return false;
    result = deque_->items[at_++];
    return true;
  }
  void clear() override { deque_ = nullptr; }

 private:
  Ref<Deque> deque_;
  std::uint64_t changes_;
  std::size_t at_ = 0;
};
bool Deque::iterate(Runtime&, Value& iterable) {
  iterable = make<DequeIterator>(Ref<Deque>::share(this));
  return true;
}

Value deque_append(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "deque.append", 1, 1);
  d.push_back(a.positional[0]);
  return Value::none();
}
Value deque_appendleft(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "deque.appendleft", 1, 1);
  d.push_front(a.positional[0]);
  return Value::none();
}
Value deque_extend(Deque& d, Runtime& runtime, const Arguments& a) {
  check_arguments(a, "deque.extend", 1, 1);
  for (Value& v : collect(runtime, a.positional[0])) d.push_back(std::move(v));
  return Value::none();
}
Value deque_extendleft(Deque& d, Runtime& runtime, const Arguments& a) {
  check_arguments(a, "deque.extendleft", 1, 1);
  for (Value& v : collect(runtime, a.positional[0])) d.push_front(std::move(v));
  return Value::none();
}
template <bool Left>
Value deque_pop(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, Left ? "deque.popleft" : "deque.pop", 0, 0);
  if (d.items.empty()) throw Error(ErrorClass::IndexError, "pop from an empty deque");
  Value v = Left ? d.items.front() : d.items.back();
  Left ? d.items.pop_front() : d.items.pop_back();
  ++d.changes;
  return v;
}
Value deque_clear(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "deque.clear", 0, 0);
  d.clear();
  return Value::none();
}
Value deque_copy(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "deque.copy", 0, 0);
  return d.copy();
}
Value deque_count(Deque& d, Runtime& runtime, const Arguments& a) {
  check_arguments(a, "deque.count", 1, 1);
  std::int64_t n = 0;
  for (const Value& v : d.items) n += v.identical(a.positional[0]) || equal(runtime, v, a.positional[0]);
  return Value::integer(n);
}
Value deque_index(Deque& d, Runtime& runtime, const Arguments& a) {
  check_arguments(a, "index", 1, 1);
  std::size_t i = d.find(runtime, a.positional[0]);
  if (i == d.items.size()) throw Error(ErrorClass::ValueError, repr(runtime, a.positional[0]) + " is not in deque");
  return Value::integer(static_cast<std::int64_t>(i));
}
Value deque_insert(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "insert", 2, 2);
  auto n = static_cast<std::int64_t>(d.items.size());
  if (n == d.most) throw Error(ErrorClass::IndexError, "deque already at its maximum size");
  std::int64_t i = index_of(a.positional[0], "insert");
  if (i < 0) i = std::max<std::int64_t>(0, i + n);
  d.items.insert(d.items.begin() + std::min(i, n), a.positional[1]);
  ++d.changes;
  return Value::none();
}
Value deque_remove(Deque& d, Runtime& runtime, const Arguments& a) {
  check_arguments(a, "deque.remove", 1, 1);
  std::size_t i = d.find(runtime, a.positional[0]);
  if (i == d.items.size()) throw Error(ErrorClass::ValueError, repr(runtime, a.positional[0]) + " is not in deque");
  d.items.erase(d.items.begin() + static_cast<std::ptrdiff_t>(i));
  ++d.changes;
  return Value::none();
}
Value deque_reverse(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "deque.reverse", 0, 0);
  std::reverse(d.items.begin(), d.items.end());
  return Value::none();
}
Value deque_rotate(Deque& d, Runtime&, const Arguments& a) {
  check_arguments(a, "rotate", 0, 1);
  auto n = static_cast<std::int64_t>(d.items.size());
  std::int64_t turns = a.positional.empty() ? 1 : index_of(a.positional[0], "n");
  if (n == 0) return Value::none();
  std::int64_t k = (turns % n + n) % n;
  std::rotate(d.items.begin(), d.items.end() - k, d.items.end());
  return Value::none();
}

struct DequeMethod {
  std::string_view name;
  Value (*method)(Deque&, Runtime&, const Arguments&);
};
constexpr DequeMethod kDequeMethods[] = {
    {"append", deque_append},   {"appendleft", deque_appendleft}, {"extend", deque_extend}, {"extendleft", deque_extendleft},
    {"pop", deque_pop<false>},  {"popleft", deque_pop<true>},     {"clear", deque_clear},   {"copy", deque_copy},
    {"count", deque_count},     {"index", deque_index},           {"insert", deque_insert}, {"remove", deque_remove},
    {"reverse", deque_reverse}, {"rotate", deque_rotate}};

class BoundDequeMethod final : public BoundCallable {
 public:
  BoundDequeMethod(Value deque, const DequeMethod& row)
      : BoundCallable(std::move(deque), std::string(row.name)), method_(row.method) {}
  Value call(Runtime& runtime, const Arguments& arguments) override {
    Value deque = self(runtime);
    return method_(static_cast<Deque&>(*deque.object()), runtime, arguments);
  }

 private:
  Value (*method_)(Deque&, Runtime&, const Arguments&);
};

bool Deque::get_attribute(Runtime& runtime, std::string_view name, Value& result) {
  if (name == "maxlen") {
    result = most < 0 ? Value::none() : Value::integer(most);
    return true;
  }
  for (const DequeMethod& row : kDequeMethods)
    if (row.name == name) {
      result = own_in_trace(runtime, make<BoundDequeMethod>(Ref<Deque>::share(this), row));
      return true;
    }
  return false;
}
std::vector<std::string> Deque::attribute_names() const {
  std::vector<std::string> names = {"maxlen"};
  for (const DequeMethod& row : kDequeMethods) names.emplace_back(row.name);
  return names;
}

Value make_deque(Runtime& runtime, const TypeObject&, const Arguments& a) {
  check_keywords(a, "deque", {"iterable", "maxlen"});
  check_arguments({a.positional, {}, {}}, "deque", 0, 2);
  auto deque = make<Deque>();
  const Value* most = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "maxlen");
  if (most && !most->is_none()) {
    deque->most = index_of(*most, "maxlen");
    if (deque->most < 0) throw Error(ErrorClass::ValueError, "maxlen must be non-negative");
  }
  const Value* source = a.positional.empty() ? keyword(a, "iterable") : &a.positional[0];
  if (source)
    for (Value& v : collect(runtime, *source)) deque->push_back(std::move(v));
  return deque;
}

// ---- namedtuple ----

bool is_identifier(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}
bool is_keyword(std::string_view name) {
  static constexpr std::string_view kKeywords[] = {
      "False",  "None",     "True", "and",    "as",      "assert", "async",  "await",  "break", "class",  "continue", "def",
      "del",    "elif",     "else", "except", "finally", "for",    "from",   "global", "if",    "import", "in",       "is",
      "lambda", "nonlocal", "not",  "or",     "pass",    "raise",  "return", "try",    "while", "with",   "yield"};
  return std::find(std::begin(kKeywords), std::end(kKeywords), name) != std::end(kKeywords);
}

Value namedtuple(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "namedtuple", {"rename", "defaults", "module"});
  check_arguments({a.positional, {}, {}}, "namedtuple", 2, 2);
  std::string type_name = runtime::text_of(a.positional[0], "typename");
  std::vector<std::string> fields;
  if (auto* text = a.positional[1].get_if<runtime::Str>()) {
    std::string word;
    for (char c : text->text + " ") {
      if (c != ' ' && c != ',' && c != '\t' && c != '\n') {
        word += c;
      } else if (!word.empty()) {
        fields.push_back(std::move(word));
        word.clear();
      }
    }
  } else {
    for (const Value& v : collect(runtime, a.positional[1])) fields.push_back(str(runtime, v));
  }
  const Value* rename = keyword(a, "rename");
  if (rename && truth(runtime, *rename)) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      std::string& f = fields[i];
      if (!is_identifier(f) || is_keyword(f) || f[0] == '_' || seen.count(f)) f = "_" + std::to_string(i);
      seen.insert(f);
    }
  }
  std::vector<std::string> names = fields;
  names.insert(names.begin(), type_name);
  for (const std::string& name : names) {
    if (!is_identifier(name))
      throw Error(ErrorClass::ValueError,
                  "Type names and field names must be valid identifiers: " + repr(runtime, runtime::make_str(name)));
    if (is_keyword(name))
      throw Error(ErrorClass::ValueError,
                  "Type names and field names cannot be a keyword: " + repr(runtime, runtime::make_str(name)));
  }
  std::set<std::string> seen;
  for (const std::string& f : fields) {
    if (f[0] == '_' && !(rename && truth(runtime, *rename)))
      throw Error(ErrorClass::ValueError,
                  "Field names cannot start with an underscore: " + repr(runtime, runtime::make_str(f)));
    if (!seen.insert(f).second)
      throw Error(ErrorClass::ValueError, "Encountered duplicate field name: " + repr(runtime, runtime::make_str(f)));
  }
  std::vector<Value> defaults;
  if (const Value* given = keyword(a, "defaults"); given && !given->is_none()) defaults = collect(runtime, *given);
  if (defaults.size() > fields.size()) throw Error(ErrorClass::TypeError, "Got more default values than field names");
  return make_named_tuple_type(runtime, std::move(type_name), std::move(fields), std::move(defaults));
}

// ---- the module ----

struct TypeRow {
  std::string_view name;
  TypeObject::Construct construct;
};
constexpr TypeRow kTypes[] = {
    {"Counter", make_counter}, {"defaultdict", make_defaultdict}, {"OrderedDict", make_ordered}, {"deque", make_deque}};

Value find_collections(Runtime& runtime, std::string_view name) {
  if (name == "namedtuple") return function_value({"namedtuple", namedtuple});
  for (const TypeRow& row : kTypes)
    if (row.name == name) return named_type(runtime, name, "collections", row.construct);
  return {};
}
std::vector<std::string_view> collections_names() {
  std::vector<std::string_view> names = {"namedtuple"};
  for (const TypeRow& row : kTypes) names.push_back(row.name);
  return names;
}

}  // namespace

Value make_collections_module(Runtime&) { return make<ModuleObject>("collections", find_collections, collections_names); }

}  // namespace autoray::frontend
