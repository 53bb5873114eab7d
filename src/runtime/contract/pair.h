// The product of two arrays by axes: some run along (batch), some stay (free), some are summed.
#pragma once

#include "runtime/array.h"
#include "runtime/contract/product.h"

namespace autoray::runtime {

struct Factor {
  const Array* array;
  ir::Dims batch, free, summed;  // axes; batch and summed in the order of the other factor's
};

// Shape: batch, free of a, free of b; C-contiguous. Both factors are converted to `dtype` where they have another one; copies
// a factor only when its groups of axes have no common stride. `library`: who multiplied. `place`: memory for the result, which
// has that many elements of `dtype`; float16 is made elsewhere.
Array multiply_pair(Runtime& runtime, ProductFunction product, const Factor& a, const Factor& b, ir::DType dtype,
                    const char*& library, const Array* place = nullptr);

// 0 ... n - 1, and what of it is not among `axes`.
ir::Dims all_axes(int ndim);
ir::Dims other_axes(int ndim, const ir::Dims& axes);

}  // namespace autoray::runtime
