#include "frontend/types/named_tuple.h"

#include <algorithm>

namespace autoray::frontend {

using ir::Error;
using ir::ErrorClass;
using runtime::make;
using runtime::Tuple;

namespace {

class NamedTupleType final : public TypeObject {
 public:
  NamedTupleType(std::string n, std::vector<std::string> f, std::vector<Value> d);
  bool get_attribute(Runtime& runtime, std::string_view attribute, Value& result) override;
  void clear() override { defaults.clear(); }
  Value make_tuple(std::vector<Value> items) const {
    auto tuple = make<Tuple>(std::move(items));
    tuple->field_names = pointers.data();
    tuple->type_name = name.c_str();
    return tuple;
  }

  std::vector<std::string> fields;
  std::vector<const char*> pointers;
  std::vector<Value> defaults;
};

bool matches_named_tuple(const TypeObject& type, const Value& v) {
  auto* tuple = v.get_if<Tuple>();
  return tuple && tuple->field_names == static_cast<const NamedTupleType&>(type).pointers.data();
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i) text += i + 1 < names.size() ? ", " : names.size() > 2 ? ", and " : " and ";
    text += "'" + names[i] + "'";
  }
  return text;
}

Value construct_named_tuple(Runtime&, const TypeObject& t, const Arguments& a) {
  auto& type = static_cast<const NamedTupleType&>(t);
  const std::string function = type.name + ".__new__()";
  const std::size_t count = type.fields.size(), optional = type.defaults.size();
  if (a.positional.size() > count) {
    std::string takes = optional ? "from " + std::to_string(count + 1 - optional) + " to " + std::to_string(count + 1)
                                 : std::to_string(count + 1);
    throw Error(ErrorClass::TypeError, function + " takes " + takes + " positional arguments but " +
                                           std::to_string(a.positional.size() + 1) + " were given");
  }
  std::vector<Value> items(a.positional.begin(), a.positional.end());
  items.resize(count);
  for (std::size_t k = 0; k < a.keyword_names.size(); ++k) {
    auto found = std::find(type.fields.begin(), type.fields.end(), a.keyword_names[k]);
    std::string keyword(a.keyword_names[k]);
    if (found == type.fields.end())
      throw Error(ErrorClass::TypeError, function + " got an unexpected keyword argument '" + keyword + "'");
    Value& item = items[static_cast<std::size_t>(found - type.fields.begin())];
    if (!item.empty()) throw Error(ErrorClass::TypeError, function + " got multiple values for argument '" + keyword + "'");
    item = a.keyword_values[k];
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < count; ++i) {
    if (!items[i].empty()) continue;
    if (i + optional >= count)
      items[i] = type.defaults[i + optional - count];
    else
      missing.push_back(type.fields[i]);
  }
  if (!missing.empty())
    throw Error(ErrorClass::TypeError, function + " missing " + std::to_string(missing.size()) +
                                           " required positional argument" + (missing.size() == 1 ? "" : "s") + ": " +
                                           quoted_list(missing));
  return type.make_tuple(std::move(items));
}

NamedTupleType::NamedTupleType(std::string n, std::vector<std::string> f, std::vector<Value> d)
    : TypeObject(std::move(n), construct_named_tuple, matches_named_tuple), fields(std::move(f)), defaults(std::move(d)) {
  module = "__main__";
  for (const std::string& field : fields) pointers.push_back(field.c_str());
}

Value names_tuple(const char* const* names, std::size_t count) {
  std::vector<Value> items;
  for (std::size_t i = 0; i < count; ++i) items.push_back(runtime::make_str(names[i]));
  return runtime::make_tuple(std::move(items));
}

bool NamedTupleType::get_attribute(Runtime& runtime, std::string_view attribute, Value& result) {
  if (attribute == "_fields") {
    result = names_tuple(pointers.data(), pointers.size());
    return true;
  }
  if (attribute == "_field_defaults") {
    auto dict = make<runtime::Dict>();
    for (std::size_t i = 0; i < defaults.size(); ++i) dict->set(fields[fields.size() - defaults.size() + i], defaults[i]);
    result = dict;
    return true;
  }
  if (attribute == "_make") {
    auto self = runtime::Ref<NamedTupleType>::share(this);
    result = runtime::make_native("_make", [self](Runtime& r, const Arguments& a) {
      check_arguments(a, "_make", 1, 1);
      std::vector<Value> items = collect(r, a.positional[0]);
      if (items.size() != self->fields.size())
        throw Error(ErrorClass::TypeError,
                    "Expected " + std::to_string(self->fields.size()) + " arguments, got " + std::to_string(items.size()));
      return self->make_tuple(std::move(items));
    });
    return true;
  }
  if (attribute == "__doc__") {
    std::string text = name + "(";
    for (std::size_t i = 0; i < fields.size(); ++i) text += (i ? ", " : "") + fields[i];
    result = runtime::make_str(text + ")");
    return true;
  }
  return TypeObject::get_attribute(runtime, attribute, result);
}

std::string registry_key(const char* const* field_names) {
  return "named tuple " + std::to_string(reinterpret_cast<std::uintptr_t>(field_names));
}

}  // namespace

Value make_named_tuple_type(Runtime& runtime, std::string name, std::vector<std::string> fields, std::vector<Value> defaults) {
  auto type = make<NamedTupleType>(std::move(name), std::move(fields), std::move(defaults));
  return runtime.language_objects[registry_key(type->pointers.data())] = type;
}

Value make_named_tuple(const Value& type, std::vector<Value> items) {
  return static_cast<NamedTupleType&>(type.as<runtime::Callable>()).make_tuple(std::move(items));
}

Value named_tuple_type(Runtime& runtime, const Tuple& tuple) {
  auto found = runtime.language_objects.find(registry_key(tuple.field_names));
  return found == runtime.language_objects.end() ? Value() : found->second;
}

bool named_tuple_attribute(Runtime&, const Value& v, std::string_view name, Value& result) {
  auto& tuple = v.as<Tuple>();
  for (std::size_t i = 0; i < tuple.items.size(); ++i)
    if (name == tuple.field_names[i]) {
      result = tuple.items[i];
      return true;
    }
  if (name == "_fields") {
    result = names_tuple(tuple.field_names, tuple.items.size());
    return true;
  }
  if (name != "_asdict" && name != "_replace") return false;
  result = runtime::make_native(std::string(name), [v, replace = name == "_replace"](Runtime& r, const Arguments& a) -> Value {
    auto& own = v.as<Tuple>();
    if (!replace) {
      check_arguments(a, "_asdict", 0, 0);
      auto dict = make<runtime::Dict>();
      for (std::size_t i = 0; i < own.items.size(); ++i) dict->set(own.field_names[i], own.items[i]);
      return dict;
    }
    auto copy = make<Tuple>(own.items);
    copy->field_names = own.field_names;
    copy->type_name = own.type_name;
    std::vector<Value> unexpected;
    for (std::size_t k = 0; k < a.keyword_names.size(); ++k) {
      std::size_t i = 0;
      while (i < copy->items.size() && a.keyword_names[k] != own.field_names[i]) ++i;
      if (i < copy->items.size())
        copy->items[i] = a.keyword_values[k];
      else
        unexpected.push_back(runtime::make_str(std::string(a.keyword_names[k])));
    }
    if (!unexpected.empty())
      throw Error(ErrorClass::ValueError, "Got unexpected field names: " + repr(r, runtime::make_list(std::move(unexpected))));
    return copy;
  });
  return true;
}

}  // namespace autoray::frontend
