// Methods of the language's own types: plain functions found by kind and name, so that a call needs no bound method.
#pragma once

#include "frontend/types/type_object.h"

namespace autoray::frontend {

using Method = Value (*)(Runtime&, const Value& self, const Arguments&);
struct MethodRow {
  std::string_view name;
  Method method;
};

std::span<const MethodRow> str_methods();
std::span<const MethodRow> bytes_methods();
std::span<const MethodRow> list_methods();
std::span<const MethodRow> tuple_methods();
std::span<const MethodRow> dict_methods();
std::span<const MethodRow> set_methods();
std::span<const MethodRow> frozenset_methods();
std::span<const MethodRow> range_methods();
std::span<const MethodRow> number_methods();  // int, float, complex, bool

// The rows of a value's type.
std::span<const MethodRow> methods_of(const Value& value);
// str.encode's and bytes.decode's arguments: encoding= and errors=.
Value encode_text(const std::string& text, const Arguments& arguments);
Value decode_bytes(const std::string& data, const Arguments& arguments);
// sorted() and list.sort(): stable; null key: the items themselves.
void sort_values(Runtime& runtime, std::vector<Value>& items, const Value* key, bool reverse);
Method find_method(const Value& value, std::string_view name);

}  // namespace autoray::frontend
