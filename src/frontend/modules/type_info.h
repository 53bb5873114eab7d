// numpy.finfo and numpy.iinfo: the limits of a dtype, computed from its width when they are asked for.
#pragma once

#include "frontend/types/type_object.h"

namespace autoray::frontend {

Value finfo(Runtime& runtime, const Arguments& arguments);
Value iinfo(Runtime& runtime, const Arguments& arguments);
// The dtype that a dtype, a type, an array or a number stands for.
ir::DType info_dtype(const Value& value);

}  // namespace autoray::frontend
