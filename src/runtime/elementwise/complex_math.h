// Functions of complex numbers for code that is generated: the definitions of the eager loops, a vector of values at a time.
#pragma once

#include <cstdint>

#include "ir/op.h"

namespace autoray::runtime {

// The parts of n values and of their results, each side by side; items of float where `single`, else of double.
using ComplexEntry = void (*)(const void* re, const void* im, void* out_re, void* out_im, std::int64_t n);
// Null where the op is no such function.
ComplexEntry complex_entry(ir::OpId op, bool single);

}  // namespace autoray::runtime
