// How libmvec names its functions: for code that is linked with it instead of finding it while it runs.
#pragma once

#include <string>

#include "runtime/vector_math.h"

namespace autoray::runtime {

// For vectors of so many bytes: "_ZGVeN8v_exp".
std::string vector_name(VectorFunction f, bool single, int bytes);

}  // namespace autoray::runtime
