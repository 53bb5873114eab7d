// Rules of reductions and scans.
#pragma once

#include "ir/op.h"

namespace autoray::ir {

void shape_reduce(Inference& inference);      // axis (None, int, tuple) and keepdims
void shape_arg_reduce(Inference& inference);  // axis (None, int)
void shape_scan(Inference& inference);        // cumsum: flattened without an axis

void dtype_sum(Inference& inference);    // small integers and bool sum in int64 or uint64
void dtype_mean(Inference& inference);   // integers average in float64
void dtype_var(Inference& inference);    // real

}  // namespace autoray::ir
