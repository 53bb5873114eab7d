// The module autoray.lazy: making, sharing, computing and looking at lazy arrays. Every operation of the table is a function of
// it too, as in the reference.
#include "frontend/modules/module_object.h"
#include "frontend/types/lazy_type.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/function.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;

namespace {

const Value* argument(const Arguments& a, std::size_t i, std::string_view name) {
  return a.positional.size() > i ? &a.positional[i] : keyword(a, name);
}

Value array(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "array", 1, 1);
  return runtime.recorder().leaf(a.positional[0]);
}
Value variable(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "Variable", {"shape", "backend", "dtype"});
  const Value *shape = argument(a, 0, "shape"), *backend = argument(a, 1, "backend"), *dtype = keyword(a, "dtype");
  if (!shape) throw Error(ErrorClass::TypeError, "Variable() missing 1 required positional argument: 'shape'");
  runtime::BackendId id = runtime.native_backend();
  if (backend && !backend->is_none()) {
    const std::string& name = runtime::text_of(*backend, "backend");
    auto found = runtime.find_backend(name);
    if (!found || *found == runtime::kLazy)
      throw Error(ErrorClass::ValueError, "unknown backend '" + name + "'").with_code(501);
    id = *found;
  }
  ir::DType type = dtype && !dtype->is_none() ? *runtime::to_dtype(*dtype) : ir::DType::Float64;
  return runtime.recorder().variable(type, ir::as_shape(runtime::to_attr(runtime, *shape), "shape"), id);
}

// with lazy.shared_intermediates(cache=None) as cache:
class Sharing final : public runtime::NativeObject {
 public:
  explicit Sharing(runtime::Ref<runtime::SharingCache> cache) : cache_(std::move(cache)) {}
  std::string native_type() const override { return "shared_intermediates"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  bool is_context_manager() const override { return true; }
  Value enter(Runtime& runtime) override {
    runtime.recorder().sharing.push_back(cache_);
    return cache_;
  }
  bool exit(Runtime& runtime, const Value&) override {
    runtime.recorder().sharing.pop_back();
    return false;
  }
  void clear() override { cache_ = nullptr; }

 private:
  runtime::Ref<runtime::SharingCache> cache_;
};
Value shared_intermediates(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "shared_intermediates", {"cache"});
  const Value* given = argument(a, 0, "cache");
  if (!given || given->is_none()) return make<Sharing>(make<runtime::SharingCache>(runtime.recorder().graph()));
  if (auto* native = given->get_if<runtime::NativeObject>())
    if (auto* cache = dynamic_cast<runtime::SharingCache*>(native))
      return make<Sharing>(runtime::Ref<runtime::SharingCache>::share(cache));
  // A plain dictionary, as the reference takes: the cache lives in it.
  if (auto* dict = given->get_if<runtime::Dict>()) {
    Value& place = (*dict)[runtime::make_str("shared intermediates")];
    if (place.empty()) place = make<runtime::SharingCache>(runtime.recorder().graph());
    return make<Sharing>(
        runtime::Ref<runtime::SharingCache>::share(&static_cast<runtime::SharingCache&>(place.as<runtime::NativeObject>())));
  }
  throw Error(ErrorClass::TypeError, "cache must be a dictionary or what shared_intermediates() gave");
}

Value compute(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "compute", 1, 1);
  return lazy_compute(runtime, a.positional[0]);
}
Value compute_constants(Runtime& runtime, const Arguments& a) {
  const Value *tree = argument(a, 0, "lz"), *variables = argument(a, 1, "variables");
  if (!tree || !variables) throw Error(ErrorClass::TypeError, "compute_constants() takes the lazy arrays and 'variables'");
  return lazy_compute_constants(runtime, *tree, *variables);
}
Value ascend(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "ascend", 1, 1);
  return lazy_ascend(runtime, a.positional[0]);
}
Value descend(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "descend", 1, 1);
  return lazy_descend(runtime, a.positional[0]);
}
Value get_source(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "get_source", 1, 1);
  return lazy_source(runtime, a.positional[0]);
}
Value function(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "Function", {"inputs", "outputs", "fold_constants"});
  const Value *inputs = argument(a, 0, "inputs"), *outputs = argument(a, 1, "outputs"),
              *fold = argument(a, 2, "fold_constants");
  if (!inputs || !outputs) throw Error(ErrorClass::TypeError, "Function() takes 'inputs' and 'outputs'");
  return make<runtime::LazyFunction>(runtime.recorder(), lazy_nodes(*inputs), *outputs, !fold || truth(runtime, *fold));
}
// Recorded as a node: a lazy boolean.
Value allclose(Runtime& runtime, const Arguments& a) {
  Value close = runtime.call(ir::OpId::IsClose, runtime::kLazy, a);
  return runtime.call(ir::OpId::All, runtime::kLazy, {std::span(&close, 1), {}, {}});
}

Value construct_lazy(Runtime&, const TypeObject&, const Arguments&) {
  throw Error(ErrorClass::TypeError, "a LazyArray is made by lazy.array(x) or lazy.Variable(shape)");
}

constexpr FunctionRow kFunctions[] = {{"array", array},
                                      {"Variable", variable},
                                      {"shared_intermediates", shared_intermediates},
                                      {"compute", compute},
                                      {"compute_constants", compute_constants},
                                      {"ascend", ascend},
                                      {"descend", descend},
                                      {"get_source", get_source},
                                      {"Function", function},
                                      {"allclose", allclose}};

Value op_function(ir::OpId id) {
  std::string name(ir::op(id).path.substr(ir::op(id).path.rfind('.') + 1));
  return runtime::make_native(name,
                              [id](Runtime& r, const Arguments& a) { return r.call(id, runtime::kLazy, a, nullptr, true); });
}

Value find_with_prefix(std::string_view prefix, std::string_view name) {
  ir::OpId id = ir::find_op(std::string(prefix) + std::string(name));
  return id == ir::OpId::Count ? Value() : op_function(id);
}

Value find_in_lazy(Runtime& runtime, std::string_view name) {
  if (name == "LazyArray") {
    auto type =
        make<TypeObject>("LazyArray", construct_lazy, [](const TypeObject&, const Value& v) { return v.is(ObjectKind::Lazy); });
    type->module = "autoray.lazy";
    return type;
  }
  Value found = find_function(kFunctions, name);
  if (!found.empty()) return found;
  if (name == "linalg" || name == "random" || name == "fft") return import_module(runtime, "autoray.lazy." + std::string(name));
  return find_with_prefix("", name);
}

std::vector<std::string_view> lazy_names() {
  std::vector<std::string_view> names = {"LazyArray", "linalg", "random"};
  for (const FunctionRow& row : kFunctions) names.push_back(row.name);
  for (const ir::Op& op : ir::all_ops())
    if (op.path.find('.') == std::string_view::npos) names.push_back(op.path);
  return names;
}

}  // namespace

Value make_lazy_module(Runtime&, std::string_view part) {
  if (part == "linalg")
    return make<ModuleObject>("autoray.lazy.linalg",
                              [](Runtime&, std::string_view n) { return find_with_prefix("linalg.", n); });
  if (part == "random")
    return make<ModuleObject>("autoray.lazy.random",
                              [](Runtime&, std::string_view n) { return find_with_prefix("random.", n); });
  if (part == "fft")
    return make<ModuleObject>("autoray.lazy.fft", [](Runtime&, std::string_view n) { return find_with_prefix("fft.", n); });
  return make<ModuleObject>("autoray.lazy", find_in_lazy, lazy_names);
}

}  // namespace autoray::frontend
