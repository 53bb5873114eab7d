// The module autoray: do, its namespace `autoray.numpy`, backends, registration.
#include <cmath>

#include "frontend/modules/module_object.h"
#include "ir/suggest.h"
#include "runtime/dispatch.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;

namespace {

Value do_function(Runtime& runtime, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, "do() missing 1 required positional argument: 'fn'");
  const std::string& name = runtime::text_of(a.positional[0], "the function's name");
  Arguments rest{a.positional.subspan(1), a.keyword_names, a.keyword_values};
  ir::OpId id = ir::find_op(name);
  if (id != ir::OpId::Count) return runtime::do_call(runtime, id, name, rest);
  if (Value meta = find_meta_function(name); !meta.empty()) {
    // like= has nothing to choose between here.
    std::vector<std::string_view> names;
    std::vector<Value> values;
    for (std::size_t i = 0; i < a.keyword_names.size(); ++i)
      if (a.keyword_names[i] != "like") {
        names.push_back(a.keyword_names[i]);
        values.push_back(a.keyword_values[i]);
      }
    return call(runtime, meta, {rest.positional, names, values});
  }
  for (std::string_view own : {"to_numpy", "dag", "astype", "get_dtype_name", "stop_gradient"})
    if (name == own) return call(runtime, get_attribute(runtime, import_module(runtime, "autoray"), own), rest);
  return runtime::do_call(runtime, id, name, rest);
}

// A function of `autoray.numpy`, or of the namespace of one backend.
class DispatchedFunction final : public runtime::Callable {
 public:
  DispatchedFunction(std::string name, Value like) : name_(std::move(name)), like_(std::move(like)) {}
  std::string callable_name() const override { return name_; }
  std::string_view callable_type() const override { return like_.empty() ? "DoFunc" : "builtin_function_or_method"; }
  void clear() override { like_.clear(); }
  Value call(Runtime& runtime, const Arguments& a) override {
    std::vector<Value> positional = {runtime::make_str(name_)};
    positional.insert(positional.end(), a.positional.begin(), a.positional.end());
    if (like_.empty() || keyword(a, "like")) return do_function(runtime, {positional, a.keyword_names, a.keyword_values});
    std::vector<std::string_view> names(a.keyword_names.begin(), a.keyword_names.end());
    std::vector<Value> values(a.keyword_values.begin(), a.keyword_values.end());
    names.push_back("like");
    values.push_back(like_);
    return do_function(runtime, {positional, names, values});
  }

 private:
  std::string name_;
  Value like_;
};

class Namespace final : public runtime::NativeObject {
 public:
  Namespace(std::string prefix, Value like) : prefix_(std::move(prefix)), like_(std::move(like)) {}
  std::string native_type() const override { return "AutoNamespace"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override {
    if (prefix_.empty() && (name == "linalg" || name == "random" || name == "fft")) {
      result = make<Namespace>(std::string(name) + ".", like_);
      return true;
    }
    std::string path = prefix_ + std::string(name);
    if (!like_.empty() && prefix_.empty() && ir::find_op(path) == ir::OpId::Count && find_meta_function(path).empty()) {
      // A backend's own namespace has its constants and dtypes; without one every name is a call to come.
      Value numpy = import_module(runtime, "numpy");
      if (numpy.as<runtime::NativeObject>().get_attribute(runtime, name, result) && !result.is(ObjectKind::Native)) return true;
    }
    result = make<DispatchedFunction>(path, like_);
    return true;
  }
  void clear() override { like_.clear(); }

 private:
  std::string prefix_;
  Value like_;
};

std::optional<runtime::BackendId> backend_of(Runtime& runtime, const Value& like) {
  if (like.is_none()) return std::nullopt;
  std::string name = like.is(ObjectKind::Str) ? like.as<runtime::Str>().text : runtime::infer_backend(runtime, like);
  if (name == "builtins") return runtime.native_backend();
  if (auto id = runtime.find_backend(name)) return id;
  Error error(ErrorClass::ImportError, "unknown backend '" + name + "'");
  std::vector<std::string_view> known;
  for (std::size_t id = 0; id < runtime.backend_count(); ++id)
    known.push_back(runtime.backend_name(static_cast<runtime::BackendId>(id)));
  std::string hint = ir::suggestion(name, known);
  throw error.with_code(501).with_hint(hint.empty() ? "`autoray backends` lists the backends" : hint);
}

class BackendLike final : public runtime::NativeObject {
 public:
  explicit BackendLike(Value like) : like_(std::move(like)) {}
  std::string native_type() const override { return "backend_like"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  bool is_context_manager() const override { return true; }
  // A trace may enter it: what is recorded there goes where the plain call goes.
  Value enter(Runtime& runtime) override {
    saved_ = runtime.default_backend;
    runtime.default_backend = backend_of(runtime, like_);
    return Value::none();
  }
  bool exit(Runtime& runtime, const Value&) override {
    runtime.default_backend = saved_;
    return false;
  }
  void clear() override { like_.clear(); }

 private:
  Value like_;
  std::optional<runtime::BackendId> saved_;
};

Value backend_like(Runtime&, const Arguments& a) {
  check_arguments(a, "backend_like", 1, 2);
  return make<BackendLike>(a.positional[0]);
}
Value set_backend(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "set_backend", 1, 2);
  if (runtime.captures) runtime.captures->refuse("sets the default backend");
  runtime.default_backend = backend_of(runtime, a.positional[0]);
  return Value::none();
}
Value get_backend(Runtime& runtime, const Arguments&) {
  runtime::read_dispatch_state(runtime);
  return runtime.default_backend ? runtime::make_str(std::string(runtime.backend_name(*runtime.default_backend)))
                                 : Value::none();
}
Value infer_backend(Runtime& runtime, const Arguments& a) {
  runtime::read_dispatch_state(runtime);
  check_arguments(a, "infer_backend", 1, 1);
  return runtime::make_str(runtime::infer_backend(runtime, a.positional[0]));
}
Value infer_backend_multi(Runtime& runtime, const Arguments& a) {
  runtime::read_dispatch_state(runtime);
  return runtime::make_str(runtime::infer_backend_multi(runtime, a.positional));
}
Value get_namespace(Runtime& runtime, const Arguments& a) {
  runtime::read_dispatch_state(runtime);
  Value like;
  if (!a.positional.empty())
    like = a.positional[0].is(ObjectKind::Str) ? a.positional[0]
                                               : runtime::make_str(runtime::infer_backend(runtime, a.positional[0]));
  return make<Namespace>("", like);
}
Value get_lib_fn(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "get_lib_fn", 2, 2);
  return runtime::library_function(runtime, runtime::text_of(a.positional[0], "backend"),
                                   runtime::text_of(a.positional[1], "fn"));
}
Value register_function(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "register_function", {"backend", "name", "fn", "wrap"});
  auto argument = [&](std::size_t i, std::string_view name) -> const Value* {
    return a.positional.size() > i ? &a.positional[i] : keyword(a, name);
  };
  const Value *backend = argument(0, "backend"), *name = argument(1, "name"), *fn = argument(2, "fn"),
              *wrap = argument(3, "wrap");
  if (!backend || !name)
    throw Error(ErrorClass::TypeError, "register_function() missing required arguments: 'backend' and 'name'");
  std::string b = runtime::text_of(*backend, "backend"), n = runtime::text_of(*name, "name");
  bool wraps = wrap && truth(runtime, *wrap);
  auto install = [b, n, wraps](Runtime& r, const Value& function) {
    if (!function.is(ObjectKind::Callable)) throw Error(ErrorClass::TypeError, "the registered function must be callable");
    Value target = function;
    if (wraps) {
      Value old = runtime::library_function(r, b, n);
      target = call(r, function, {std::span(&old, 1), {}, {}});
      if (!target.is(ObjectKind::Callable)) throw Error(ErrorClass::TypeError, "a wrapper must return a function");
    }
    runtime::register_function(r, b, n, runtime::Ref<runtime::Callable>::share(&target.as<runtime::Callable>()));
  };
  if (fn && !fn->is_none()) {
    install(runtime, *fn);
    return Value::none();
  }
  return runtime::make_native("decorator", [install](Runtime& r, const Arguments& d) {
    check_arguments(d, "decorator", 1, 1);
    install(r, d.positional[0]);
    return d.positional[0];
  });
}
Value register_backend(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "register_backend", 2, 2);
  auto* type = a.positional[0].get_if<runtime::Callable>();
  if (!type || type->callable_type() != "type")
    throw Error(ErrorClass::TypeError, "The array class itself should be supplied.");
  runtime::register_backend(runtime, type->callable_name(), runtime::text_of(a.positional[1], "name"));
  return Value::none();
}
Value register_dispatch(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "register_dispatch", 2, 2);
  auto* function = a.positional[1].get_if<runtime::Callable>();
  if (!function) throw Error(ErrorClass::TypeError, "the dispatcher must be callable");
  runtime::count_registration(runtime);
  runtime.dispatchers[runtime::text_of(a.positional[0], "fun")] = runtime::Ref<runtime::Callable>::share(function);
  return Value::none();
}
Value get_dtype_name(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "get_dtype_name", 1, 1);
  const Value& v = a.positional[0];
  if (is_array_like(v)) return runtime::make_str(str(runtime, get_attribute(runtime, v, "dtype")));
  return runtime::make_str(std::string(ir::name(runtime::to_array(runtime, v).dtype)));
}
Value to_backend_dtype(Runtime& runtime, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, "to_backend_dtype() missing the dtype's name");
  return scalar_type(runtime, *runtime::to_dtype(a.positional[0]));
}
Value get_common_dtype(Runtime& runtime, const Arguments& a) {
  Value numpy = import_module(runtime, "numpy");
  Value dtype = call_method(runtime, numpy, "result_type", a);
  return runtime::make_str(str(runtime, dtype));
}
Value astype(Runtime& runtime, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::TypeError, "astype() missing the array");
  Value x = a.positional[0];
  if (!is_array_like(x)) x = runtime::make_array(runtime::to_array(runtime, x));
  return call_method(runtime, x, "astype", {a.positional.subspan(1), a.keyword_names, a.keyword_values});
}
Value to_numpy(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "to_numpy", 1, 1);
  auto* array = a.positional[0].get_if<runtime::ArrayObject>();
  if (!array || array->array.backend == 0) return a.positional[0];
  runtime::Array view = array->array;
  view.backend = *runtime.find_backend("numpy");
  return runtime::make_array(std::move(view));
}
Value dag(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "dag", 1, 1);
  return do_function(runtime,
                     {std::vector<Value>{runtime::make_str("conj"), get_attribute(runtime, a.positional[0], "T")}, {}, {}});
}
// Nothing here differentiates: as for numpy in the reference, an array is itself.
Value stop_gradient(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "stop_gradient", {"x"});
  const Value* x = a.positional.empty() ? keyword(a, "x") : &a.positional[0];
  if (!x) throw Error(ErrorClass::TypeError, "stop_gradient() missing 1 required positional argument: 'x'");
  if (runtime::infer_backend(runtime, *x) == "builtins")
    throw Error(ErrorClass::ImportError, "autoray couldn't find function 'stop_gradient' for backend 'builtins'.")
        .with_code(503);
  return *x;
}
Value is_array(Runtime&, const Arguments& a) {
  check_arguments(a, "is_array", 1, 1);
  return Value::boolean(is_array_like(a.positional[0]) && !a.positional[0].is(ObjectKind::NumpyScalar));
}
Value is_scalar(Runtime&, const Arguments& a) {
  check_arguments(a, "is_scalar", 1, 1);
  const Value& v = a.positional[0];
  if (auto* x = v.peek<runtime::ArrayObject>()) return Value::boolean(x->array.ndim() == 0);
  return Value::boolean(v.is_bool() || v.is_float() || is_integer_value(v) || v.is(ObjectKind::Complex) ||
                        v.is(ObjectKind::NumpyScalar));
}
template <int Which>
Value forward(Runtime& runtime, const Arguments& a) {
  static constexpr const char* kNames[] = {"conj", "transpose", "real", "imag", "reshape", "shape", "ndim", "size"};
  std::vector<Value> positional = {runtime::make_str(kNames[Which])};
  positional.insert(positional.end(), a.positional.begin(), a.positional.end());
  return do_function(runtime, {positional, a.keyword_names, a.keyword_values});
}

// ---- compose ----

// A function of `do` calls under a name of its own: the default for every backend, unless one registers another.
class Composed final : public runtime::Callable {
 public:
  Composed(Value f, std::string n) : function_(std::move(f)), name_(std::move(n)) {}
  std::string callable_name() const override { return function_.as<runtime::Callable>().callable_name(); }
  std::string_view callable_type() const override { return "Composed"; }
  void clear() override { function_.clear(); }
  Value call(Runtime& runtime, const Arguments& a) override {
    std::vector<Value> positional = {runtime::make_str(name_)};
    positional.insert(positional.end(), a.positional.begin(), a.positional.end());
    return do_function(runtime, {positional, a.keyword_names, a.keyword_values});
  }
  bool get_attribute(Runtime& runtime, std::string_view attribute, Value& result) override {
    if (attribute == "register") {
      result = runtime::make_native("register", [name = name_](Runtime& r, const Arguments& a) {
        check_keywords(a, "register", {"backend", "fn"});
        check_arguments({a.positional, {}, {}}, "register", 1, 2);
        std::vector<Value> given(a.positional.begin(), a.positional.end());
        given.insert(given.begin() + 1, runtime::make_str(name));
        return register_function(r, {given, a.keyword_names, a.keyword_values});
      });
      return true;
    }
    if (attribute != "__doc__" && attribute != "__wrapped__") return false;
    result = attribute == "__doc__" ? frontend::get_attribute(runtime, function_, "__doc__") : function_;
    return true;
  }

 private:
  Value function_;
  std::string name_;
};
Value compose(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "compose", {"fn", "name"});
  check_arguments({a.positional, {}, {}}, "compose", 0, 1);
  const Value* name = keyword(a, "name");
  std::string given = name && !name->is_none() ? runtime::text_of(*name, "name") : "";
  auto make_composed = [given](Runtime& r, const Value& function) -> Value {
    auto* callable = function.get_if<runtime::Callable>();
    if (!callable) throw Error(ErrorClass::TypeError, "compose() needs a function, not " + runtime::type_name(function));
    std::string registered = given.empty() ? callable->callable_name() : given;
    // What every backend is based on holds the default.
    runtime::register_function(r, "numpy", registered, runtime::Ref<runtime::Callable>::share(callable));
    return make<Composed>(function, registered);
  };
  const Value* function = a.positional.empty() ? keyword(a, "fn") : &a.positional[0];
  if (function && !function->is_none()) return make_composed(runtime, *function);
  return runtime::make_native("compose", [make_composed](Runtime& r, const Arguments& b) {
    check_arguments(b, "compose", 1, 1);
    return make_composed(r, b.positional[0]);
  });
}

constexpr FunctionRow kFunctions[] = {{"do", do_function},
                                      {"compose", compose},
                                      {"backend_like", backend_like},
                                      {"set_backend", set_backend},
                                      {"get_backend", get_backend},
                                      {"infer_backend", infer_backend},
                                      {"infer_backend_multi", infer_backend_multi},
                                      {"get_namespace", get_namespace},
                                      {"get_lib_fn", get_lib_fn},
                                      {"register_function", register_function},
                                      {"register_backend", register_backend},
                                      {"register_dispatch", register_dispatch},
                                      {"get_dtype_name", get_dtype_name},
                                      {"to_backend_dtype", to_backend_dtype},
                                      {"get_common_dtype", get_common_dtype},
                                      {"astype", astype},
                                      {"to_numpy", to_numpy},
                                      {"dag", dag},
                                      {"stop_gradient", stop_gradient},
                                      {"is_array", is_array},
                                      {"is_scalar", is_scalar},
                                      {"conj", forward<0>},
                                      {"transpose", forward<1>},
                                      {"real", forward<2>},
                                      {"imag", forward<3>},
                                      {"reshape", forward<4>},
                                      {"shape", forward<5>},
                                      {"ndim", forward<6>},
                                      {"size", forward<7>}};

Value find_in_autoray(Runtime& runtime, std::string_view name) {
  if (name == "numpy") return make<Namespace>("", Value());
  if (name == "autoray") return import_module(runtime, "autoray");
  if (name == "pi") return Value::real(M_PI);
  if (name == "e") return Value::real(M_E);
  if (name == "inf") return Value::real(INFINITY);
  if (name == "nan") return Value::real(NAN);
  if (name == "__version__") return runtime::make_str("0.11");
  if (name == "lazy") return import_module(runtime, "autoray.lazy");
  // Whoever built the engine brings the compiler.
  if (name == "autojit")
    if (auto found = runtime.language_objects.find("autoray.autojit"); found != runtime.language_objects.end())
      return found->second;
  Value function = find_function(kFunctions, name);
  return function.empty() ? find_function(tree_functions(), name) : function;
}

std::vector<std::string_view> autoray_names() {
  std::vector<std::string_view> names = {"numpy", "autojit"};
  for (const FunctionRow& row : kFunctions) names.push_back(row.name);
  for (const FunctionRow& row : tree_functions()) names.push_back(row.name);
  return names;
}

}  // namespace

Value make_autoray_module(Runtime&) { return make<ModuleObject>("autoray", find_in_autoray, autoray_names); }

}  // namespace autoray::frontend
