// Products of two matrices whose elements stand at any strides: what every contraction comes down to.
//
// Order of summation of our own loops: of a result of one row or one column (a dot of two vectors, a matrix times a vector) by
// reduction/order.h; otherwise k = 0, 1, 2, ... into one accumulator an element. No FMA. Complex terms are (ar br - ai bi, ar
// bi + ai br). Integers wrap; booleans are or of and.
#pragma once

#include <cstdint>

#include "ir/dtype.h"

namespace autoray::runtime {

class Runtime;

struct Matrix {
  char* data = nullptr;
  std::int64_t rows = 0, columns = 0;
  std::int64_t row_stride = 0, column_stride = 0;  // bytes
};

// c = a b, all of one dtype (any but float16). `c` overlaps neither factor. Returns the library that computed.
using ProductFunction = const char* (*)(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c);

// Our own loops; allocate a packed copy of b when the result has more than one element.
const char* plain_product(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c);
// Small ones, integers and booleans by our own loops, others by OpenBLAS; by Eigen where OpenBLAS cannot be loaded.
const char* blas_product(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c);
// Floating and complex products that are not tiny by Eigen.
const char* eigen_product(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c);

// A copy-free look at a matrix as libraries take it: one stride is the item size, the other a multiple of it that is at least
// the extent. `leading` is that other stride in elements.
struct DenseLayout {
  bool dense = false;
  bool transposed = false;  // column-major
  std::int64_t leading = 0;
};
DenseLayout dense_layout(const Matrix& m, std::int64_t itemsize);

}  // namespace autoray::runtime
