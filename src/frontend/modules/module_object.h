// Modules of the language: a name and a table of members, made when first asked for.
#pragma once

#include "frontend/types/type_object.h"
#include "runtime/lazy/captures.h"

namespace autoray::frontend {

class ModuleObject : public runtime::NativeObject {
 public:
  // Makes members that are not in the table yet; Empty when there is none of that name.
  using Find = Value (*)(Runtime&, std::string_view name);

  ModuleObject(std::string name, Find find, std::vector<std::string_view> (*names)() = nullptr)
      : name_(std::move(name)),
        find_(find),
        names_(names),
        members_(runtime::make<runtime::Dict>()),
        assigned_(runtime::make<runtime::Dict>()) {}
  std::string native_type() const override { return "module"; }
  std::string repr() const override { return "<module '" + name_ + "'>"; }
  bool get_attribute(Runtime& runtime, std::string_view name, Value& result) override;
  bool set_attribute(Runtime& runtime, std::string_view name, const Value& value) override;
  std::vector<std::string> attribute_names() const override;
  void clear() override {
    members_->clear();
    assigned_->clear();
  }

 private:
  // What stands at a place of the module, of which a traced function is told.
  Value captured(Runtime& runtime, runtime::CapturedPlace::Read read, std::string name, const Value& value);

  std::string name_;
  Find find_;
  std::vector<std::string_view> (*names_)();
  runtime::Ref<runtime::Dict> members_;   // that were found
  runtime::Ref<runtime::Dict> assigned_;  // that the script has set
  Value assigned_count_ = Value::integer(0);
};

// A table of functions and constants: the members of most modules.
using NativeCall = Value (*)(Runtime&, const Arguments&);
struct FunctionRow {
  std::string_view name;
  NativeCall function;
};
Value function_value(const FunctionRow& row);
// The row's function as a value, or Empty.
Value find_function(std::span<const FunctionRow> rows, std::string_view name);
// A module that is its table, and the table's names.
template <auto& Rows>
Value find_rows(Runtime&, std::string_view name) {
  return find_function(Rows, name);
}
template <auto& Rows>
std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  for (const FunctionRow& row : Rows) names.push_back(row.name);
  return names;
}

Value make_math_module(Runtime& runtime);
Value make_cmath_module(Runtime& runtime);
Value make_time_module(Runtime& runtime);
Value make_sys_module(Runtime& runtime);
Value make_operator_module(Runtime& runtime);
Value make_collections_module(Runtime& runtime);
Value make_functools_module(Runtime& runtime);
Value make_itertools_module(Runtime& runtime);
Value make_typing_module(Runtime& runtime);
// numpy, numpy.linalg, numpy.random: `prefix` is "", "linalg.", "random.".
Value make_numpy_module(Runtime& runtime);
Value make_numpy_submodule(Runtime& runtime, std::string_view name);
// What scripts take from scipy beside numpy's own: the linalg ops of the table that numpy lacks.
Value make_scipy_module(Runtime& runtime);
Value make_scipy_linalg_module(Runtime& runtime);
Value make_autoray_module(Runtime& runtime);
// autoray's tree_map and its relatives.
std::span<const FunctionRow> tree_functions();
// autoray.lazy, and its parts "linalg", "random", "fft".
Value make_lazy_module(Runtime& runtime, std::string_view part);
// shape, ndim, size, allclose, finfo ...: functions that answer with no array; Empty when there is none.
Value find_meta_function(std::string_view name);

}  // namespace autoray::frontend
