// Casting elements between dtypes: numpy's astype. Integer to integer wraps; float to integer truncates, and out of range
// gives the value of the saturating hardware conversion guarded to be the same on every executor (see ir integer table).
#pragma once

#include <cstdint>

#include "ir/dtype.h"

namespace autoray::runtime {

class Runtime;
struct Array;

// n items, byte strides. The inner loop of every cast.
using CastLoop = void (*)(const char* from, std::int64_t from_stride, char* to, std::int64_t to_stride, std::int64_t n);
CastLoop cast_loop(ir::DType from, ir::DType to);

// numpy's warning of a cast that drops imaginary parts; nothing for other casts.
void warn_of_cast(Runtime& runtime, ir::DType from, ir::DType to);
// Copies `from` (broadcast if needed) into `to`, converting; handles overlap by a temporary. Warns as numpy does.
void copy_into(Runtime& runtime, const Array& from, const Array& to);
// A C-contiguous copy, converted.
Array converted(Runtime& runtime, const Array& from, ir::DType dtype);
// The array itself when it is C-contiguous (and aligned) with that dtype, else a converted copy.
Array contiguous(Runtime& runtime, const Array& from, ir::DType dtype);

}  // namespace autoray::runtime
