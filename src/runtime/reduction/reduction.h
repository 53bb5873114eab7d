// Kernels of reductions and scans.
#pragma once

#include "runtime/backend.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

std::span<const KernelRow> reduction_kernels();
// A variance, or its root, in a complex dtype: numpy's last division is then one of complex numbers, which makes NaN beside
// whatever is not finite.
Array complex_spread(Runtime& runtime, const Array& spread, ir::DType dtype);
// The product of n dense complex items in the order of order.h; and all partial products, one after the other.
void complex_product(ir::DType dtype, const char* items, std::int64_t n, char* product);
void complex_product_scan(ir::DType dtype, const char* items, std::int64_t n, char* products);

}  // namespace autoray::runtime
