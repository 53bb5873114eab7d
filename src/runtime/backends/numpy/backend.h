// The default backend: our own vectorised loops, products and decompositions by OpenBLAS and LAPACK as numpy has them.
#pragma once

#include "runtime/backend.h"

namespace autoray::runtime {

extern const Backend kNumpyBackend;

}  // namespace autoray::runtime
