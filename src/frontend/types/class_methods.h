// What a type object has beside its name: class methods (int.from_bytes, dict.fromkeys) and the methods of its instances
// unbound (str.upper, list.append), which take the instance as their first argument.
#pragma once

#include "frontend/types/type_object.h"

namespace autoray::frontend {

bool class_attribute(Runtime& runtime, const TypeObject& type, std::string_view attribute, Value& result);

}  // namespace autoray::frontend
