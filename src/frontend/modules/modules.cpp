// The table of modules that scripts can import.
#include "frontend/modules/module_object.h"

namespace autoray::frontend {

using runtime::CapturedPlace;

namespace {

struct ModuleRow {
  std::string_view name;
  Value (*make)(Runtime&);
};

constexpr ModuleRow kModules[] = {
    {"numpy", make_numpy_module},
    {"numpy.linalg", [](Runtime& r) { return make_numpy_submodule(r, "linalg"); }},
    {"numpy.random", [](Runtime& r) { return make_numpy_submodule(r, "random"); }},
    {"scipy", make_scipy_module},
    {"scipy.linalg", make_scipy_linalg_module},
    {"autoray", make_autoray_module},
    {"autoray.autoray", make_autoray_module},
    {"autoray.lazy", [](Runtime& r) { return make_lazy_module(r, ""); }},
    {"autoray.lazy.linalg", [](Runtime& r) { return make_lazy_module(r, "linalg"); }},
    {"autoray.lazy.random", [](Runtime& r) { return make_lazy_module(r, "random"); }},
    {"autoray.lazy.fft", [](Runtime& r) { return make_lazy_module(r, "fft"); }},
    {"math", make_math_module},
    {"cmath", make_cmath_module},
    {"time", make_time_module},
    {"sys", make_sys_module},
    {"operator", make_operator_module},
    {"collections", make_collections_module},
    {"functools", make_functools_module},
    {"itertools", make_itertools_module},
    {"typing", make_typing_module},
};

}  // namespace

Value import_module(Runtime& runtime, std::string_view name) {
  std::string key = "module " + std::string(name);
  if (auto found = runtime.language_objects.find(key); found != runtime.language_objects.end()) return found->second;
  for (const ModuleRow& row : kModules)
    if (row.name == name) return runtime.language_objects[key] = row.make(runtime);
  return {};
}

std::vector<std::string_view> module_names() {
  std::vector<std::string_view> names;
  for (const ModuleRow& row : kModules) names.push_back(row.name);
  return names;
}

Value ModuleObject::captured(Runtime& runtime, runtime::CapturedPlace::Read read, std::string name, const Value& value) {
  if (!runtime.captures) return value;
  return runtime.captures->read({read, this, 0, std::move(name), runtime::Ref<ModuleObject>::share(this)}, value);
}

bool ModuleObject::get_attribute(Runtime& runtime, std::string_view name, Value& result) {
  // A module's own functions and constants stay what they are, until the script sets one: one place tells that for all.
  if (runtime.captures)
    captured(
        runtime, [](const CapturedPlace& p) { return &static_cast<const ModuleObject*>(p.table)->assigned_count_; },
        "members that are set of " + name_, assigned_count_);
  if (Value* member = assigned_->find(name)) {
    result = captured(
        runtime,
        [](const CapturedPlace& p) -> const Value* {
          return static_cast<const ModuleObject*>(p.table)->assigned_->find(p.name);
        },
        std::string(name), *member);
    return true;
  }
  if (Value* member = members_->find(name)) {
    result = *member;
    // sys.argv is a list like others.
    if (result.is(runtime::ObjectKind::List))
      result = captured(
          runtime,
          [](const CapturedPlace& p) -> const Value* {
            return static_cast<const ModuleObject*>(p.table)->members_->find(p.name);
          },
          std::string(name), result);
    return true;
  }
  if (name == "__name__") {
    result = runtime::make_str(name_);
    return true;
  }
  result = find_(runtime, name);
  if (result.empty()) return false;
  members_->set(name, result);
  return get_attribute(runtime, name, result);
}

bool ModuleObject::set_attribute(Runtime& runtime, std::string_view name, const Value& value) {
  if (runtime.captures) runtime.captures->refuse("sets '" + std::string(name) + "' of a module");
  assigned_->set(name, value);
  assigned_count_ = Value::integer(static_cast<std::int64_t>(assigned_->size()));
  return true;
}

std::vector<std::string> ModuleObject::attribute_names() const {
  std::vector<std::string> names;
  if (names_)
    for (std::string_view name : names_()) names.emplace_back(name);
  return names;
}

namespace {

class PlainFunction final : public runtime::Callable {
 public:
  explicit PlainFunction(const FunctionRow& row) : row_(row) {}
  Value call(Runtime& runtime, const Arguments& arguments) override { return row_.function(runtime, arguments); }
  std::string callable_name() const override { return std::string(row_.name); }

 private:
  FunctionRow row_;
};

}  // namespace

Value function_value(const FunctionRow& row) { return runtime::make<PlainFunction>(row); }

Value find_function(std::span<const FunctionRow> rows, std::string_view name) {
  for (const FunctionRow& row : rows)
    if (row.name == name) return function_value(row);
  return {};
}

}  // namespace autoray::frontend
