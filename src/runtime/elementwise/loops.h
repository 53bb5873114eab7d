// Inner loops of element-wise ops: one function an op and loop dtype, chosen once a call. The driver (driver.h) broadcasts,
// converts operands to the loop dtype in cache-sized chunks, and calls the loop on one-dimensional runs.
#pragma once

#include <cstdint>
#include <span>

#include "ir/op.h"

namespace autoray::runtime {

// data[0..k) are the operands, data[k] the result; strides in bytes, 0 for a broadcast scalar; n > 0 items.
using Loop = void (*)(char* const* data, const std::int64_t* strides, std::int64_t n);

struct LoopRow {
  ir::OpId op;
  ir::DType dtype;  // of the operands inside the loop (the result's follows from the op's rule)
  Loop loop;
};

}  // namespace autoray::runtime
