// Tuples with named fields: what collections.namedtuple makes, and the attributes that every such tuple has (numpy's results
// included). The type owns the field names; it lives as long as the Runtime, because its tuples point at them.
#pragma once

#include "frontend/types/type_object.h"

namespace autoray::frontend {

// Fields as given; defaults belong to the last of them.
Value make_named_tuple_type(Runtime& runtime, std::string name, std::vector<std::string> fields, std::vector<Value> defaults);
// One tuple of such a type, a value for each field.
Value make_named_tuple(const Value& type, std::vector<Value> items);
// The type that made it; Empty for numpy's.
Value named_tuple_type(Runtime& runtime, const runtime::Tuple& tuple);
// A field, _fields, _asdict, _replace; false for anything else.
bool named_tuple_attribute(Runtime& runtime, const Value& tuple, std::string_view name, Value& result);

}  // namespace autoray::frontend
