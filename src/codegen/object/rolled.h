// Steps as loops: an unrolled trace repeats a few steps thousands of times, with places that move on by the same distance each
// time. Linear in the number of steps, times the longest period that is looked for.
#pragma once

#include "codegen/object/function.h"

namespace autoray::codegen::object {

// Steps `first`, `first + 1`, ... `first + period - 1`, `count` times; in turn n every offset and number is its first value
// plus n times what it grows by from the first turn to the second.
struct Repeated {
  std::uint32_t first, period, count;
};

std::vector<Repeated> roll(const Function& function);

}  // namespace autoray::codegen::object
