// operator: the operators as functions.
#include "frontend/modules/module_object.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;

namespace {

template <BinaryOperator Op>
Value op2(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 2, 2);
  return binary(runtime, Op, a.positional[0], a.positional[1]);
}
template <CompareOperator Op>
Value op_compare(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 2, 2);
  return compare(runtime, Op, a.positional[0], a.positional[1]);
}
template <UnaryOperator Op>
Value op1(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 1, 1);
  return unary(runtime, Op, a.positional[0]);
}
Value op_getitem(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "getitem", 2, 2);
  return get_item(runtime, a.positional[0], a.positional[1]);
}
Value op_itemgetter(Runtime&, const Arguments& a) {
  std::vector<Value> keys(a.positional.begin(), a.positional.end());
  return runtime::make_native("itemgetter", [keys](Runtime& r, const Arguments& b) {
    check_arguments(b, "itemgetter", 1, 1);
    if (keys.size() == 1) return get_item(r, b.positional[0], keys[0]);
    std::vector<Value> items;
    for (const Value& k : keys) items.push_back(get_item(r, b.positional[0], k));
    return runtime::make_tuple(std::move(items));
  });
}
// "a.b" descends.
Value attribute_path(Runtime& runtime, Value object, std::string_view path) {
  while (true) {
    std::size_t dot = path.find('.');
    object = get_attribute(runtime, object, path.substr(0, dot));
    if (dot == std::string_view::npos) return object;
    path.remove_prefix(dot + 1);
  }
}
Value op_attrgetter(Runtime&, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, "attrgetter expected 1 argument, got 0");
  std::vector<std::string> names;
  for (const Value& v : a.positional) {
    if (!v.is(runtime::ObjectKind::Str)) throw Error(ErrorClass::TypeError, "attribute name must be a string");
    names.push_back(runtime::text_of(v, "attribute name"));
  }
  return runtime::make_native("attrgetter", [names](Runtime& r, const Arguments& b) {
    check_arguments(b, "attrgetter", 1, 1);
    if (names.size() == 1) return attribute_path(r, b.positional[0], names[0]);
    std::vector<Value> items;
    for (const std::string& name : names) items.push_back(attribute_path(r, b.positional[0], name));
    return runtime::make_tuple(std::move(items));
  });
}
Value op_methodcaller(Runtime&, const Arguments& a) {
  if (a.positional.empty() || !a.positional[0].is(runtime::ObjectKind::Str))
    throw Error(ErrorClass::TypeError, a.positional.empty() ? "methodcaller needs at least one argument, the method name"
                                                            : "method name must be a string");
  std::vector<Value> given(a.positional.begin(), a.positional.end()), values(a.keyword_values.begin(), a.keyword_values.end());
  std::vector<std::string> names(a.keyword_names.begin(), a.keyword_names.end());
  return runtime::make_native("methodcaller", [given, names, values](Runtime& r, const Arguments& b) {
    check_arguments(b, "methodcaller", 1, 1);
    std::vector<std::string_view> views(names.begin(), names.end());
    return call_method(r, b.positional[0], runtime::text_of(given[0], "method name"),
                       {std::span(given).subspan(1), views, values});
  });
}
template <BinaryOperator Op>
Value op_inplace(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator", 2, 2);
  return inplace_binary(runtime, Op, a.positional[0], a.positional[1]);
}
Value op_setitem(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "setitem", 3, 3);
  set_item(runtime, a.positional[0], a.positional[1], a.positional[2]);
  return Value::none();
}
Value op_delitem(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "delitem", 2, 2);
  delete_item(runtime, a.positional[0], a.positional[1]);
  return Value::none();
}
Value op_contains(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "contains", 2, 2);
  return Value::boolean(contains(runtime, a.positional[0], a.positional[1]));
}
Value op_abs(Runtime& runtime, const Arguments& a) { return call(runtime, builtin(runtime, "abs"), a); }
Value op_truth(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "operator.truth", 1, 1);
  return Value::boolean(truth(runtime, a.positional[0]));
}
Value op_index(Runtime&, const Arguments& a) {
  check_arguments(a, "operator.index", 1, 1);
  const Value& v = a.positional[0];
  return v.is(runtime::ObjectKind::BigInt) ? v : Value::integer(index_of(v, "index"));
}
Value op_concat(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "concat", 2, 2);
  const Value& left = a.positional[0];
  using runtime::ObjectKind;
  bool sequence =
      left.is(ObjectKind::Str) || left.is(ObjectKind::List) || left.is(ObjectKind::Tuple) || left.is(ObjectKind::Bytes);
  if (!sequence) throw Error(ErrorClass::TypeError, "'" + runtime::type_name(left) + "' object can't be concatenated");
  return binary(runtime, BinaryOperator::Add, left, a.positional[1]);
}
Value op_count_of(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "countOf", 2, 2);
  std::int64_t count = 0;
  for (const Value& item : collect(runtime, a.positional[0]))
    count += item.identical(a.positional[1]) || equal(runtime, item, a.positional[1]);
  return Value::integer(count);
}
Value op_index_of(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "indexOf", 2, 2);
  std::vector<Value> items = collect(runtime, a.positional[0]);
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].identical(a.positional[1]) || equal(runtime, items[i], a.positional[1]))
      return Value::integer(static_cast<std::int64_t>(i));
  throw Error(ErrorClass::ValueError, "sequence.index(x): x not in sequence");
}
constexpr FunctionRow kOperator[] = {{"add", op2<BinaryOperator::Add>},
                                     {"sub", op2<BinaryOperator::Sub>},
                                     {"mul", op2<BinaryOperator::Mult>},
                                     {"truediv", op2<BinaryOperator::Div>},
                                     {"floordiv", op2<BinaryOperator::FloorDiv>},
                                     {"mod", op2<BinaryOperator::Mod>},
                                     {"pow", op2<BinaryOperator::Pow>},
                                     {"matmul", op2<BinaryOperator::MatMult>},
                                     {"and_", op2<BinaryOperator::BitAnd>},
                                     {"or_", op2<BinaryOperator::BitOr>},
                                     {"xor", op2<BinaryOperator::BitXor>},
                                     {"lshift", op2<BinaryOperator::LShift>},
                                     {"rshift", op2<BinaryOperator::RShift>},
                                     {"eq", op_compare<CompareOperator::Eq>},
                                     {"ne", op_compare<CompareOperator::NotEq>},
                                     {"lt", op_compare<CompareOperator::Lt>},
                                     {"le", op_compare<CompareOperator::LtE>},
                                     {"gt", op_compare<CompareOperator::Gt>},
                                     {"ge", op_compare<CompareOperator::GtE>},
                                     {"neg", op1<UnaryOperator::USub>},
                                     {"pos", op1<UnaryOperator::UAdd>},
                                     {"invert", op1<UnaryOperator::Invert>},
                                     {"not_", op1<UnaryOperator::Not>},
                                     {"getitem", op_getitem},
                                     {"itemgetter", op_itemgetter},
                                     {"attrgetter", op_attrgetter},
                                     {"methodcaller", op_methodcaller},
                                     {"inv", op1<UnaryOperator::Invert>},
                                     {"abs", op_abs},
                                     {"index", op_index},
                                     {"truth", op_truth},
                                     {"is_", op_compare<CompareOperator::Is>},
                                     {"is_not", op_compare<CompareOperator::IsNot>},
                                     {"contains", op_contains},
                                     {"concat", op_concat},
                                     {"countOf", op_count_of},
                                     {"indexOf", op_index_of},
                                     {"setitem", op_setitem},
                                     {"delitem", op_delitem},
                                     {"iadd", op_inplace<BinaryOperator::Add>},
                                     {"isub", op_inplace<BinaryOperator::Sub>},
                                     {"imul", op_inplace<BinaryOperator::Mult>},
                                     {"imatmul", op_inplace<BinaryOperator::MatMult>},
                                     {"itruediv", op_inplace<BinaryOperator::Div>},
                                     {"ifloordiv", op_inplace<BinaryOperator::FloorDiv>},
                                     {"imod", op_inplace<BinaryOperator::Mod>},
                                     {"ipow", op_inplace<BinaryOperator::Pow>},
                                     {"ilshift", op_inplace<BinaryOperator::LShift>},
                                     {"irshift", op_inplace<BinaryOperator::RShift>},
                                     {"iand", op_inplace<BinaryOperator::BitAnd>},
                                     {"ior", op_inplace<BinaryOperator::BitOr>},
                                     {"ixor", op_inplace<BinaryOperator::BitXor>}};

}  // namespace

Value make_operator_module(Runtime&) { return make<ModuleObject>("operator", find_rows<kOperator>, names_of<kOperator>); }

}  // namespace autoray::frontend
