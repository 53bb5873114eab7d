// autoray's trees: nested tuples, lists and dicts.
#include "frontend/modules/module_object.h"
#include "runtime/dispatch.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;

namespace {

bool is_container(const Value& v) { return v.is(ObjectKind::Tuple) || v.is(ObjectKind::List) || v.is(ObjectKind::Dict); }
struct Tree {
  Runtime& runtime;
  const Value* is_leaf;
  int depth = 0;
  bool leaf(const Value& v) {
    if (depth > 900) throw Error(ErrorClass::RecursionError, "maximum recursion depth exceeded in a tree");
    if (is_leaf && !is_leaf->is_none()) return truth(runtime, call(runtime, *is_leaf, {std::span(&v, 1), {}, {}}));
    return !is_container(v);
  }
  template <class F>
  Value map(const Value& v, F& f) {
    if (leaf(v)) return f(v);
    ++depth;
    Value result;
    if (auto* dict = v.get_if<runtime::Dict>()) {
      auto mapped = make<runtime::Dict>();
      for (auto& e : dict->entries())
        if (!e.key.empty()) mapped->set(e.key, map(e.value, f));
      result = mapped;
    } else if (is_container(v)) {
      bool list = v.is(ObjectKind::List);
      std::vector<Value> items;
      for (const Value& item : list ? v.as<runtime::List>().items : v.as<runtime::Tuple>().items) items.push_back(map(item, f));
      result = list ? runtime::make_list(std::move(items)) : runtime::make_tuple(std::move(items));
    } else {
      result = v;
    }
    --depth;
    return result;
  }
};
const Value* leaf_test(const Arguments& a, std::size_t i) {
  return a.positional.size() > i ? &a.positional[i] : keyword(a, "is_leaf");
}
Value tree_map(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "tree_map", 2, 3);
  Tree tree{runtime, leaf_test(a, 2)};
  auto f = [&](const Value& v) { return call(runtime, a.positional[0], {std::span(&v, 1), {}, {}}); };
  return tree.map(a.positional[1], f);
}
std::vector<Value> leaves(Runtime& runtime, const Value& tree_value, const Value* test) {
  std::vector<Value> list;
  Tree tree{runtime, test};
  auto f = [&](const Value& v) {
    list.push_back(v);
    return v;
  };
  tree.map(tree_value, f);
  return list;
}
Value tree_iter(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "tree_iter", 1, 2);
  return iterate(runtime, runtime::make_list(leaves(runtime, a.positional[0], leaf_test(a, 1))));
}
Value tree_apply(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "tree_apply", 2, 3);
  for (const Value& v : leaves(runtime, a.positional[1], leaf_test(a, 2)))
    call(runtime, a.positional[0], {std::span(&v, 1), {}, {}});
  return Value::none();
}
// The place of a leaf in a flattened tree.
class LeafMark final : public runtime::NativeObject {
 public:
  std::string native_type() const override { return "Leaf"; }
  std::string repr() const override { return "Leaf"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
};
Value tree_flatten(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "tree_flatten", {"is_leaf", "get_ref"});
  check_arguments({a.positional, {}, {}}, "tree_flatten", 1, 3);
  const Value* get_ref = a.positional.size() > 2 ? &a.positional[2] : keyword(a, "get_ref");
  Value list = runtime::make_list(leaves(runtime, a.positional[0], leaf_test(a, 1)));
  if (!get_ref || !truth(runtime, *get_ref)) return list;
  Tree tree{runtime, leaf_test(a, 1)};
  auto f = [&](const Value&) { return Value(make<LeafMark>()); };
  return runtime::make_tuple({list, tree.map(a.positional[0], f)});
}
Value tree_unflatten(Runtime& runtime, const Arguments& a) {
  check_arguments({a.positional, {}, {}}, "tree_unflatten", 2, 3);
  std::vector<Value> items = collect(runtime, a.positional[0]);
  std::size_t next = 0;
  Tree tree{runtime, nullptr};
  auto f = [&](const Value& v) {
    auto* native = v.get_if<runtime::NativeObject>();
    bool mark = native && dynamic_cast<LeafMark*>(native);
    if (!mark && native) return v;
    if (next >= items.size()) throw Error(ErrorClass::ValueError, "there are fewer leaves than the tree has places");
    return items[next++];
  };
  return tree.map(a.positional[1], f);
}

constexpr FunctionRow kFunctions[] = {{"tree_map", tree_map},
                                      {"tree_iter", tree_iter},
                                      {"tree_apply", tree_apply},
                                      {"tree_flatten", tree_flatten},
                                      {"tree_unflatten", tree_unflatten}};

}  // namespace

std::span<const FunctionRow> tree_functions() { return kFunctions; }

}  // namespace autoray::frontend
