// Rules of element-wise ops. All operands broadcast; the dtype rules are numpy's ufunc type resolution.
#pragma once

#include "ir/op.h"

namespace autoray::ir {

void shape_broadcast(Inference& inference);

void dtype_promote(Inference& inference);  // NEP 50 promotion of all operands (add, multiply, maximum)
void dtype_inexact(Inference& inference);  // promotion, then the inexact dtype of integers (sqrt, sin, divide)
void dtype_bool(Inference& inference);     // comparisons, predicates

Cost cost_elementwise(const Inference& inference);  // one flop an element
Cost cost_free(const Inference& inference);         // views and metadata: nothing

// NEP 50's promotion over the present operands; the shared start of most dtype rules.
DType promoted_dtype(const Inference& inference);

}  // namespace autoray::ir
