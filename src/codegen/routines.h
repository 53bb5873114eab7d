// What compiled programs call of the runtime directly, on their own memory, where a kernel of ours would be no better.
#pragma once

#include "codegen/program.h"

namespace autoray::codegen {

// Rows of a contiguous array, sorted, and the places of their items in numpy's order. Buffers: the array, the result. Numbers:
// rows, their length, the dtype.
Routine sort_routine();
Routine argsort_routine();
// Where values stand in a sorted row. Buffers: the row, the values, the result. Numbers: the row's length, how many values, the
// dtype of both, whether behind equal items.
Routine searchsorted_routine();
// Products of the rows of a contiguous complex array, in the eager order; and all partial products. Buffers and numbers: as
// sorts.
Routine product_routine();
Routine product_scan_routine();
// Ends the program with the error of its role; where its operand, one truth value, is true.
Routine refuse_routine();
Routine refuse_if_routine();
// Sets flags of the processor, whose mask is the number: floating-point events, after which the plan tells what is to be told.
Routine event_routine();

}  // namespace autoray::codegen
