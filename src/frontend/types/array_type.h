// Attributes and methods of arrays and numpy scalars.
#pragma once

#include "frontend/protocol.h"

namespace autoray::frontend {

// False when there is no such attribute; methods come bound.
bool array_attribute(Runtime& runtime, const Value& self, std::string_view name, Value& result);
// False when there is no such method.
bool call_array_method(Runtime& runtime, const Value& self, std::string_view name, const Arguments& arguments, Value& result);
// A method of arrays, bound; false when there is none.
bool array_method(Runtime& runtime, const Value& self, std::string_view name, Value& result);
bool set_array_attribute(Runtime& runtime, const Value& self, std::string_view name, const Value& value);
std::vector<std::string_view> array_attribute_names();
// A numpy scalar or one-element array as the Python number it holds.
Value python_scalar(ir::DType dtype, const void* item);

}  // namespace autoray::frontend
