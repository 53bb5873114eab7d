// Stacks of matrices as drivers take them: column-major copies in double or complex double, one after the other.
#pragma once

#include <climits>
#include <complex>

#include "ir/error.h"
#include "ir/rules/linalg.h"
#include "runtime/convert.h"
#include "runtime/kernel.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

struct Stack {
  Array columns;  // the stack's axes, columns, rows
  std::int64_t count = 1;
  int m = 0, n = 0;  // rows, columns of each

  bool empty() const { return count == 0 || m == 0 || n == 0; }
  template <class T>
  T* matrix(std::int64_t i) const {
    return columns.as<T>() + i * m * n;
  }
};

// The last two axes exchanged.
inline Array exchanged(const Array& a) {
  Array view = a;
  std::size_t last = a.shape.size() - 1;
  std::swap(view.shape[last], view.shape[last - 1]);
  std::swap(view.strides[last], view.strides[last - 1]);
  return view;
}

inline int library_extent(std::int64_t extent) {
  if (extent > INT_MAX)
    throw ir::Error(ir::ErrorClass::ValueError, "linear algebra libraries take at most 2147483647 rows and columns");
  return static_cast<int>(extent);
}

inline Stack describe(Array columns) {
  Stack stack;
  std::size_t rank = columns.shape.size();
  stack.m = library_extent(columns.shape[rank - 1]);
  stack.n = library_extent(columns.shape[rank - 2]);
  stack.count = ir::element_count(ir::stack_shape(columns.shape));
  stack.columns = std::move(columns);
  return stack;
}

// Uninitialised columns with room for one more behind the last: OpenBLAS's zgemv reads there (and drops what it read), which
// must not be the end of a mapping.
inline Array allocate_columns(Runtime& runtime, ir::DType dtype, const ir::Dims& shape) {
  Array items = runtime.allocate(dtype, ir::Dims{ir::element_count(shape) + shape[shape.size() - 1]});
  return with_shape_and_strides(items, shape, ir::contiguous_strides(shape, items.itemsize()));
}
// A writable copy of the matrices in the last two axes of `a`.
template <class T>
Stack stack_of(KernelCall& call, const Array& a) {
  Array from = exchanged(a), to = allocate_columns(call.runtime, ir::dtype_of<T>, from.shape);
  copy_into(call.runtime, from, to);
  return describe(to);
}
// An uninitialised one, m x n each.
template <class T>
Stack new_stack(KernelCall& call, const ir::Dims& stacked, std::int64_t m, std::int64_t n) {
  ir::Dims shape = stacked;
  shape.push_back(n);
  shape.push_back(m);
  return describe(allocate_columns(call.runtime, ir::dtype_of<T>, shape));
}

// The stack as a C-ordered result.
inline Array rows_of(KernelCall& call, const Stack& stack, ir::DType dtype) {
  return converted(call.runtime, exchanged(stack.columns), dtype);
}
inline Array as_dtype(KernelCall& call, Array array, ir::DType dtype) {
  return array.dtype == dtype ? array : converted(call.runtime, array, dtype);
}

inline void set_identity(auto* a, std::int64_t m, std::int64_t n) {
  for (std::int64_t i = 0; i < m * n; ++i) a[i] = 0;
  for (std::int64_t i = 0; i < std::min(m, n); ++i) a[i * m + i] = 1;
}

// f<T>() with the type that computes operands of these dtypes.
template <class F>
void visit_computed(bool complex, F&& f) {
  if (complex)
    f.template operator()<std::complex<double>>();
  else
    f.template operator()<double>();
}

// Floating-point events are not reported while it lives.
class Quiet {
 public:
  explicit Quiet(Runtime& runtime) : runtime_(runtime), saved_(runtime.fp_state) {
    runtime.fp_state = {FpAction::Ignore, FpAction::Ignore, FpAction::Ignore, FpAction::Ignore};
  }
  ~Quiet() { runtime_.fp_state = saved_; }
  Quiet(const Quiet&) = delete;

 private:
  Runtime& runtime_;
  FpState saved_;
};

[[noreturn]] inline void linalg_failure(const char* what) { throw ir::Error(ir::ErrorClass::LinAlgError, what).with_code(404); }

}  // namespace autoray::runtime
