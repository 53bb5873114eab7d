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

}  // namespace autoray::codegen
