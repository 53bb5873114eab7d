// Rules of reductions and scans.
#pragma once

#include "ir/op.h"

namespace autoray::ir {

// The axes that `axis` names, normalised. 0 and -1 are accepted of a 0-d operand, which has none.
Dims reduction_axes(const Attr& axis, int ndim);
// One axis, of an operand seen as 1-d when it is 0-d.
int scan_axis(const Attr& axis, int ndim);

void shape_reduce(Inference& inference);      // axis (None, int, tuple) and keepdims
void shape_arg_reduce(Inference& inference);  // axis (None, int)
void shape_scan(Inference& inference);        // cumsum: flattened without an axis

void dtype_sum(Inference& inference);   // small integers and bool sum in int64 or uint64
void dtype_mean(Inference& inference);  // integers average in float64
void dtype_var(Inference& inference);   // real

}  // namespace autoray::ir
