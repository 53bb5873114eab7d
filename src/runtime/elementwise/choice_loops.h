// Loops of the element-wise ops that choose between operands of their own kind, where one pass over memory is the whole cost:
// where, clip, isclose. All operands are dense; a stride of 0 repeats one item.
#pragma once

#include <cstdint>

#include "ir/dtype.h"

namespace autoray::runtime {

// out[i] = condition[i] ? x[i] : y[i], items of `size` bytes; x and y dense or one item (stride 0).
void choose(const char* condition, const char* x, std::int64_t xs, const char* y, std::int64_t ys, char* out, std::int64_t size,
            std::int64_t n);

// out[i] = minimum(maximum(x[i], *low), *high), bounds of x's dtype, or null for none. False for dtypes it has no loop for.
bool clip_dense(ir::DType dtype, const char* x, const char* low, const char* high, char* out, std::int64_t n);

// |x - y| <= atol + rtol * |y| for finite y, or x == y (or both NaN), on dense float64.
void isclose_dense(const double* x, const double* y, double rtol, double atol, bool equal_nan, bool* out, std::int64_t n);

}  // namespace autoray::runtime
