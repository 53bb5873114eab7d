// Methods of set and frozenset.
#include "frontend/types/methods.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::Dict;
using runtime::make;
using runtime::ObjectKind;

namespace {

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

// What frozenset has too stands first.
constexpr std::size_t kFrozenMethods = 8;
constexpr MethodRow kSet[] = {{"union", set_combine<BinaryOperator::BitOr, false>},
                              {"intersection", set_combine<BinaryOperator::BitAnd, false>},
                              {"difference", set_combine<BinaryOperator::Sub, false>},
                              {"symmetric_difference", set_combine<BinaryOperator::BitXor, false>},
                              {"issubset", set_compare<CompareOperator::LtE>},
                              {"issuperset", set_compare<CompareOperator::GtE>},
                              {"isdisjoint", set_isdisjoint},
                              {"copy", set_copy},
                              {"add", set_add},
                              {"discard", set_discard},
                              {"remove", set_remove},
                              {"pop", set_pop},
                              {"update", set_combine<BinaryOperator::BitOr, true>},
                              {"intersection_update", set_combine<BinaryOperator::BitAnd, true>},
                              {"difference_update", set_combine<BinaryOperator::Sub, true>},
                              {"symmetric_difference_update", set_combine<BinaryOperator::BitXor, true>},
                              {"clear", set_clear}};

}  // namespace

std::span<const MethodRow> set_methods() { return kSet; }
std::span<const MethodRow> frozenset_methods() { return std::span(kSet).first(kFrozenMethods); }

}  // namespace autoray::frontend
