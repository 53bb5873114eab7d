// Functions of complex numbers for code that is generated: the definitions of the eager loops, a vector of values at a time.
#pragma once

#include <cstdint>

#include "ir/op.h"

namespace autoray::runtime {

// f(re, im, out_re, out_im, n), of two operands f(re, im, re, im, out_re, out_im, n): the parts of n values, each side by
// side; items of float where `single`, else of double. Null where the op is no such function.
void* complex_entry(ir::OpId op, bool single);

}  // namespace autoray::runtime
