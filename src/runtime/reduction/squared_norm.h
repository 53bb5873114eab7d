// The sum of squared magnitudes: what a 2-norm is the root of.
#pragma once

#include <cstdint>

#include "ir/dtype.h"

namespace autoray::runtime {

// Of n items, `stride` bytes apart, in their real dtype; float32, float64 and their complex dtypes.
using SquaredNorm = double (*)(ir::DType dtype, const char* items, std::int64_t n, std::int64_t stride);
// In the order of order.h, of terms x x or re re + im im.
double ordered_squared_norm(ir::DType dtype, const char* items, std::int64_t n, std::int64_t stride);

}  // namespace autoray::runtime
