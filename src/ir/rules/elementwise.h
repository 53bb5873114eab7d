// Rules of element-wise ops. All operands broadcast; the dtype rules are numpy's ufunc type resolution.
#pragma once

#include "ir/op.h"

namespace autoray::ir {

void shape_broadcast(Inference& inference);

void dtype_promote(Inference& inference);  // NEP 50 promotion of all operands (add, multiply, maximum)
void dtype_inexact(Inference& inference);  // promotion, then the inexact dtype of integers (sqrt, sin, divide)
void dtype_bool(Inference& inference);     // comparisons, predicates

void dtype_number(Inference& inference);     // promotion, where bools count as int8 (power, floor_divide, shifts, square)
void dtype_divide(Inference& inference);     // true division: integers divide in float64, small ones too
void dtype_real_part(Inference& inference);  // abs, real, imag: the real dtype of complex operands
void dtype_part(Inference& inference);       // real, imag: as abs, and of a scalar a scalar
void dtype_angle(Inference& inference);
void dtype_round(Inference& inference);
void dtype_complex(Inference& inference);   // from two real parts
void dtype_where(Inference& inference);     // promotion without the condition
void dtype_argument(Inference& inference);  // the first attribute names it

// True where the loop computes in the operands' promoted dtype and not in the result's (comparisons, abs of complex).
bool loop_in_operand_dtype(const Op& op);

Cost cost_elementwise(const Inference& inference);  // one flop an element
Cost cost_free(const Inference& inference);         // views and metadata: nothing

// NEP 50's promotion over the present operands; the shared start of most dtype rules.
DType promoted_dtype(const Inference& inference);

}  // namespace autoray::ir
