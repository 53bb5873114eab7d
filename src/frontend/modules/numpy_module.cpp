// The module imported as numpy: every op of the table under its path, dtypes, constants, types.
#include <cmath>
#include <limits>

#include "frontend/modules/module_object.h"
#include "frontend/modules/type_info.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/lazy/deferral.h"

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::ObjectKind;

namespace {

// np.sqrt: the op on the engine's native backend.
class OpFunction final : public runtime::Callable {
 public:
  // `path` is how the script spells it.
  OpFunction(ir::OpId id, std::string_view path) : id_(id), path_(ir::op(id).path) {
    for (const ir::Alias& alias : ir::aliases())
      if (alias.twin && alias.name == path) path_ = alias.name;
  }
  Value call(Runtime& runtime, const Arguments& arguments) override { return runtime::numpy_call(runtime, id_, arguments); }
  std::string callable_name() const override { return std::string(path_.substr(path_.rfind('.') + 1)); }
  std::string_view callable_type() const override {
    return ir::op(id_).has(ir::kUfunc) ? "ufunc" : "builtin_function_or_method";
  }
  bool get_attribute(Runtime&, std::string_view name, Value& result) override {
    const ir::Op& op = ir::op(id_);
    if (name == "__doc__") {
      result = runtime::make_str(std::string(op.path) + "(" + std::string(op.signature) + ")");
      return true;
    }
    return false;
  }

 private:
  ir::OpId id_;
  std::string_view path_;  // of a row or an alias
};

Value dtype_function(Runtime&, const Arguments& a) {
  check_arguments(a, "dtype", 1, 1);
  return runtime::make_dtype(runtime::to_dtype(a.positional[0]).value_or(ir::DType::Float64));
}

// What promotion sees of a value: dtypes and arrays are strong, Python scalars weak.
void add_promotion(ir::Promotion& promotion, const Value& v) {
  if (auto* x = v.peek<runtime::ArrayObject>())
    promotion.add(x->array.dtype, ir::Kind::Array);
  else if (auto* s = v.peek<runtime::NumpyScalar>())
    promotion.add(s->dtype, ir::Kind::Scalar);
  else if (v.is_bool())
    promotion.add(ir::DType::Bool, ir::Kind::Weak);
  else if (v.is_int())
    promotion.add(ir::DType::Int64, ir::Kind::Weak);
  else if (v.is_float())
    promotion.add(ir::DType::Float64, ir::Kind::Weak);
  else if (v.is(ObjectKind::Complex))
    promotion.add(ir::DType::Complex128, ir::Kind::Weak);
  else
    promotion.add(runtime::to_dtype(v).value_or(ir::DType::Float64), ir::Kind::Array);
}
Value result_type(Runtime& runtime, const Arguments& a) {
  if (a.positional.empty()) throw Error(ErrorClass::ValueError, "at least one array or dtype is required");
  ir::Promotion promotion;
  for (const Value& v : a.positional) {
    if (v.is(ObjectKind::List) || v.is(ObjectKind::Tuple))
      promotion.add(runtime::to_array(runtime, v).dtype, ir::Kind::Array);
    else
      add_promotion(promotion, v);
  }
  return runtime::make_dtype(promotion.result());
}
Value promote_types(Runtime&, const Arguments& a) {
  check_arguments(a, "promote_types", 2, 2);
  return runtime::make_dtype(ir::promote(*runtime::to_dtype(a.positional[0]), *runtime::to_dtype(a.positional[1])));
}
Value can_cast(Runtime&, const Arguments& a) {
  check_keywords(a, "can_cast", {"casting"});
  check_arguments({a.positional, {}, {}}, "can_cast", 2, 3);
  const Value* rule = a.positional.size() > 2 ? &a.positional[2] : keyword(a, "casting");
  static constexpr std::string_view kNames[] = {"no", "equiv", "safe", "same_kind", "unsafe"};
  int casting = 2;
  if (rule)
    for (int i = 0; i < 5; ++i)
      if (runtime::text_of(*rule, "casting") == kNames[i]) casting = i;
  return Value::boolean(
      ir::can_cast(info_dtype(a.positional[0]), *runtime::to_dtype(a.positional[1]), static_cast<ir::Casting>(casting)));
}

Value asked_array(Runtime& runtime, const Value& v) {
  return v.is(ObjectKind::Array) || v.is(ObjectKind::Lazy) ? v : runtime::make_array(runtime::to_array(runtime, v));
}
Value shape(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "shape", 1, 1);
  return get_attribute(runtime, asked_array(runtime, a.positional[0]), "shape");
}
Value ndim(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "ndim", 1, 1);
  return get_attribute(runtime, asked_array(runtime, a.positional[0]), "ndim");
}
Value size(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "size", {"axis"});
  check_arguments({a.positional, {}, {}}, "size", 1, 2);
  Value array = asked_array(runtime, a.positional[0]);
  const Value* axis = a.positional.size() > 1 ? &a.positional[1] : keyword(a, "axis");
  if (!axis || axis->is_none()) return get_attribute(runtime, array, "size");
  auto& x = array.peek<runtime::ArrayObject>()->array;
  return Value::integer(x.shape[static_cast<std::size_t>(ir::normalize_axis(index_of(*axis, "axis"), x.ndim()))]);
}
Value iterable(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "iterable", 1, 1);
  try {
    iterate(runtime, a.positional[0]);
    return Value::boolean(true);
  } catch (const Error&) {
    return Value::boolean(false);
  }
}
Value isscalar(Runtime&, const Arguments& a) {
  check_arguments(a, "isscalar", 1, 1);
  const Value& v = a.positional[0];
  return Value::boolean(v.is_bool() || v.is_float() || is_integer_value(v) || v.is(ObjectKind::Complex) ||
                        v.is(ObjectKind::NumpyScalar) || v.is(ObjectKind::Str) || v.is(ObjectKind::Bytes));
}
Value allclose(Runtime& runtime, const Arguments& a) {
  if (runtime::any_lazy(a)) return call_method(runtime, import_module(runtime, "autoray.lazy"), "allclose", a);
  Value close = runtime::numpy_call(runtime, ir::find_op("isclose"), a);
  Value all = runtime::numpy_call(runtime, ir::find_op("all"), {std::span(&close, 1), {}, {}});
  return Value::boolean(truth(runtime, all));
}
Value array_equal(Runtime& runtime, const Arguments& a) {
  check_keywords(a, "array_equal", {"equal_nan"});
  check_arguments({a.positional, {}, {}}, "array_equal", 2, 3);
  const Value* nan = a.positional.size() > 2 ? &a.positional[2] : keyword(a, "equal_nan");
  Value x = asked_array(runtime, a.positional[0]), y = asked_array(runtime, a.positional[1]);
  if (!(x.peek<runtime::ArrayObject>()->array.shape == y.peek<runtime::ArrayObject>()->array.shape))
    return Value::boolean(false);
  auto op = [&](std::string_view name, std::vector<Value> args) {
    return runtime::numpy_call(runtime, ir::find_op(name), {args, {}, {}});
  };
  Value same = op("equal", {x, y});
  if (nan && truth(runtime, *nan)) same = op("logical_or", {same, op("logical_and", {op("isnan", {x}), op("isnan", {y})})});
  return Value::boolean(truth(runtime, op("all", {same})));
}

Value may_share_memory(Runtime& runtime, const Arguments& a) {
  check_arguments(a, "may_share_memory", 2, 2);
  Value x = asked_array(runtime, a.positional[0]), y = asked_array(runtime, a.positional[1]);
  if (runtime.deferral()) return Value::boolean(runtime.deferral()->may_share(x, y));
  return Value::boolean(runtime::may_overlap(x.as<runtime::ArrayObject>().array, y.as<runtime::ArrayObject>().array));
}

// np.errstate(divide='ignore'): a context manager over Runtime::fp_state.
class ErrState final : public runtime::NativeObject {
 public:
  explicit ErrState(runtime::FpState state) : state_(state) {}
  std::string native_type() const override { return "errstate"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  bool is_context_manager() const override { return true; }
  Value enter(Runtime& runtime) override {
    // Which calls it is for is no part of a graph.
    if (runtime.captures) runtime.captures->refuse("enters np.errstate");
    saved_ = runtime.fp_state;
    runtime.fp_state = state_;
    return Value::none();
  }
  bool exit(Runtime& runtime, const Value&) override {
    runtime.fp_state = saved_;
    return false;
  }

 private:
  runtime::FpState state_, saved_;
};
runtime::FpState fp_state_of(Runtime& runtime, const Arguments& a, std::string_view function) {
  check_keywords(a, function, {"all", "divide", "over", "under", "invalid"});
  runtime::FpState state = runtime.fp_state;
  for (std::size_t i = 0; i < a.keyword_names.size(); ++i) {
    const std::string& text = runtime::text_of(a.keyword_values[i], a.keyword_names[i]);
    runtime::FpAction action;
    if (text == "ignore")
      action = runtime::FpAction::Ignore;
    else if (text == "warn" || text == "print" || text == "log")
      action = runtime::FpAction::Warn;
    else if (text == "raise")
      action = runtime::FpAction::Raise;
    else
      throw Error(ErrorClass::ValueError,
                  "'" + text + "' is not a valid action for floating-point events here: ignore, warn or raise");
    std::string_view name = a.keyword_names[i];
    if (name == "all" || name == "divide") state.divide = action;
    if (name == "all" || name == "over") state.over = action;
    if (name == "all" || name == "under") state.under = action;
    if (name == "all" || name == "invalid") state.invalid = action;
  }
  return state;
}
Value errstate(Runtime& runtime, const Arguments& a) { return make<ErrState>(fp_state_of(runtime, a, "errstate")); }
Value seterr(Runtime& runtime, const Arguments& a) {
  if (runtime.captures) runtime.captures->refuse("calls np.seterr");
  runtime::FpState old = runtime.fp_state;
  runtime.fp_state = fp_state_of(runtime, a, "seterr");
  static constexpr const char* kNames[] = {"ignore", "warn", "raise"};
  auto dict = make<runtime::Dict>();
  auto text = [&](runtime::FpAction x) { return runtime::make_str(kNames[static_cast<int>(x)]); };
  dict->set("divide", text(old.divide));
  dict->set("over", text(old.over));
  dict->set("under", text(old.under));
  dict->set("invalid", text(old.invalid));
  return dict;
}

constexpr FunctionRow kFunctions[] = {{"finfo", finfo},
                                      {"iinfo", iinfo},
                                      {"dtype", dtype_function},
                                      {"result_type", result_type},
                                      {"promote_types", promote_types},
                                      {"can_cast", can_cast},
                                      {"shape", shape},
                                      {"ndim", ndim},
                                      {"size", size},
                                      {"iterable", iterable},
                                      {"isscalar", isscalar},
                                      {"allclose", allclose},
                                      {"array_equal", array_equal},
                                      {"may_share_memory", may_share_memory},
                                      {"errstate", errstate},
                                      {"seterr", seterr}};

// np.floating and its kin: abstract types for isinstance.
struct AbstractType {
  std::string_view name;
  const char* kinds;
};
constexpr AbstractType kAbstract[] = {{"generic", "biufc"},   {"number", "iufc"},       {"integer", "iu"},
                                      {"signedinteger", "i"}, {"unsignedinteger", "u"}, {"inexact", "fc"},
                                      {"floating", "f"},      {"complexfloating", "c"}};
bool matches_abstract(const TypeObject& t, const Value& v) {
  auto* s = v.get_if<runtime::NumpyScalar>();
  if (!s) return false;
  for (const AbstractType& row : kAbstract)
    if (row.name == t.name) return std::string_view(row.kinds).find(ir::kind_letter(s->dtype)) != std::string_view::npos;
  return false;
}
Value construct_abstract(Runtime&, const TypeObject& t, const Arguments&) {
  throw Error(ErrorClass::TypeError, "cannot create 'numpy." + t.name + "' instances");
}

Value find_in_numpy(Runtime& runtime, std::string_view name) {
  if (name == "ndarray") return builtin_type(runtime, "ndarray");
  if (name == "pi") return Value::real(M_PI);
  if (name == "e") return Value::real(M_E);
  if (name == "inf") return Value::real(INFINITY);
  if (name == "nan") return Value::real(NAN);
  if (name == "euler_gamma") return Value::real(0.57721566490153286060651209008240243);
  if (name == "newaxis") return Value::none();
  if (name == "linalg" || name == "random") return import_module(runtime, "numpy." + std::string(name));
  if (name == "__version__") return runtime::make_str("2.4");
  if (name == "exceptions")
    return make<ModuleObject>("numpy.exceptions",
                              [](Runtime& r, std::string_view n) { return n == "AxisError" ? builtin_type(r, n) : Value(); });
  if (name == "bool_" || name == "bool") return scalar_type(runtime, ir::DType::Bool);
  // Not 'float', 'int', 'complex': numpy took those names away.
  if (name != "float" && name != "int" && name != "complex" && name.size() > 2)
    if (auto dtype = ir::parse_dtype(name)) return scalar_type(runtime, *dtype);
  for (const AbstractType& row : kAbstract)
    if (row.name == name) {
      auto type = make<TypeObject>(std::string(name), construct_abstract, matches_abstract);
      type->module = "numpy";
      return type;
    }
  Value function = find_function(kFunctions, name);
  if (!function.empty()) return function;
  ir::OpId id = ir::find_op(name);
  if (id == ir::OpId::Count || ir::op(id).has(ir::kNotNumpy) || name.find('.') != std::string_view::npos) return {};
  return make<OpFunction>(id, name);
}

std::vector<std::string_view> numpy_names() {
  std::vector<std::string_view> names = {"ndarray", "pi", "e", "inf", "nan", "newaxis", "linalg", "random"};
  for (const FunctionRow& row : kFunctions) names.push_back(row.name);
  for (const ir::Op& op : ir::all_ops())
    if (op.path.find('.') == std::string_view::npos && !op.has(ir::kNotNumpy)) names.push_back(op.path);
  for (const ir::Alias& alias : ir::aliases()) names.push_back(alias.name);
  for (int d = 0; d < ir::kDTypeCount; ++d) names.push_back(ir::name(static_cast<ir::DType>(d)));
  return names;
}

Value find_with_prefix(Runtime& runtime, std::string_view prefix, std::string_view name) {
  if (prefix == "linalg." && name == "LinAlgError") return builtin_type(runtime, "LinAlgError");
  std::string path = std::string(prefix) + std::string(name);
  ir::OpId id = ir::find_op(path);
  if (id == ir::OpId::Count || ir::op(id).has(ir::kNotNumpy)) return {};
  return make<OpFunction>(id, path);
}

std::vector<std::string_view> prefixed_names(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const ir::Op& op : ir::all_ops())
    if (op.path.starts_with(prefix)) names.push_back(op.path.substr(prefix.size()));
  return names;
}

// scipy.linalg: what of the table's linear algebra is scipy's and not numpy's.
bool is_scipy_linalg(const ir::Op& op) { return op.op_class == ir::OpClass::Linalg && op.has(ir::kNotNumpy); }

Value find_in_scipy_linalg(Runtime& runtime, std::string_view name) {
  if (name == "LinAlgError") return builtin_type(runtime, name);
  ir::OpId id = ir::find_op("linalg." + std::string(name));
  if (id == ir::OpId::Count || !is_scipy_linalg(ir::op(id))) return {};
  return make<OpFunction>(id, ir::op(id).path);
}

std::vector<std::string_view> scipy_linalg_names() {
  std::vector<std::string_view> names = {"LinAlgError"};
  for (const ir::Op& op : ir::all_ops())
    if (is_scipy_linalg(op)) names.push_back(op.path.substr(op.path.rfind('.') + 1));
  return names;
}

}  // namespace

Value find_meta_function(std::string_view name) { return find_function(kFunctions, name); }

Value make_numpy_module(Runtime&) { return make<ModuleObject>("numpy", find_in_numpy, numpy_names); }

Value make_scipy_module(Runtime&) {
  return make<ModuleObject>(
      "scipy", [](Runtime& r, std::string_view n) { return n == "linalg" ? import_module(r, "scipy.linalg") : Value(); },
      [] { return std::vector<std::string_view>{"linalg"}; });
}

Value make_scipy_linalg_module(Runtime&) {
  return make<ModuleObject>("scipy.linalg", find_in_scipy_linalg, scipy_linalg_names);
}

Value make_numpy_submodule(Runtime&, std::string_view name) {
  if (name == "linalg")
    return make<ModuleObject>(
        "numpy.linalg", [](Runtime& r, std::string_view n) { return find_with_prefix(r, "linalg.", n); },
        [] { return prefixed_names("linalg."); });
  return make<ModuleObject>(
      "numpy.random", [](Runtime& r, std::string_view n) { return find_with_prefix(r, "random.", n); },
      [] { return prefixed_names("random."); });
}

}  // namespace autoray::frontend
