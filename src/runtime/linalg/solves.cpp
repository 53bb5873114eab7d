// What elimination and least squares answer: solve, inv, det, slogdet, cholesky, lstsq.
#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/linalg/linalg.h"
#include "runtime/linalg/stack.h"
#include "runtime/scalar/definitions.h"

namespace autoray::runtime {

using ir::Dims;
using ir::OpId;

namespace {

// The stack's axes stretched; a vector counts as a matrix of one column.
Array stretched(const Array& a, const Dims& stacked, bool vector) {
  Array matrix = a;
  if (vector) {
    matrix.shape.push_back(1);
    matrix.strides.push_back(0);
  }
  Dims shape = stacked;
  for (std::size_t i = matrix.shape.size() - 2; i < matrix.shape.size(); ++i) shape.push_back(matrix.shape[i]);
  return shape == matrix.shape ? matrix : broadcast_view(matrix, shape);
}

template <class T>
void solve_of(KernelCall& call, const Drivers& drivers) {
  const Array &left = *call.in[0].array, &right = *call.in[1].array;
  bool vector = right.ndim() == 1;
  const Dims& result = call.types[0].shape;
  Dims stacked(result.begin(), result.end() - (vector ? 1 : 2));
  Stack a = stack_of<T>(call, stretched(left, stacked, false)), b = stack_of<T>(call, stretched(right, stacked, vector));
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < a.count && !a.empty() && !b.empty(); ++i) {
    call.runtime.poll();
    if (!drivers.of<T>().solve(space, a.n, b.n, a.matrix<T>(i), b.matrix<T>(i))) linalg_failure("Singular matrix");
  }
  Array x = rows_of(call, b, call.types[0].dtype);
  if (vector) {
    x.shape.pop_back();
    x.strides.pop_back();
  }
  call.out[0] = x;
}

// `singular(i)` is told of matrices without an inverse.
template <class T, class Singular>
Stack inverse_of(KernelCall& call, const Drivers& drivers, const Array& array, const Singular& singular) {
  Stack a = stack_of<T>(call, array);
  Stack b = new_stack<T>(call, ir::stack_shape(array.shape), a.n, a.n);
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < a.count && !a.empty(); ++i) {
    call.runtime.poll();
    set_identity(b.matrix<T>(i), a.n, a.n);
    if (!drivers.of<T>().solve(space, a.n, a.n, a.matrix<T>(i), b.matrix<T>(i))) singular(b.matrix<T>(i));
  }
  return b;
}

// The sign (a unit number) and the logarithm of the magnitude: the diagonal of U, and the parity of the exchanges.
template <class T>
void det_of(KernelCall& call, const Drivers& drivers) {
  Stack a = stack_of<T>(call, *call.in[0].array);
  bool log = call.op.id == OpId::LinalgSlogdet;
  Array signs = call.runtime.allocate(ir::dtype_of<T>, call.types[0].shape);
  Array logs = call.runtime.allocate(ir::DType::Float64, call.types[0].shape);
  std::vector<int> pivots(static_cast<std::size_t>(a.n));
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < a.count; ++i) {
    T sign = 1;
    double magnitude = 0;
    if (a.n > 0) {
      call.runtime.poll();
      if (drivers.of<T>().lu(space, a.n, a.matrix<T>(i), pivots.data())) {
        for (std::int64_t j = 0; j < a.n; ++j) {
          if (pivots[static_cast<std::size_t>(j)] != j + 1) sign = -sign;
          T item = a.matrix<T>(i)[j * a.n + j];
          double size = std::abs(item);
          sign = scalar::Multiply::apply(sign, T(item / size));
          magnitude += std::log(size);
        }
      } else {
        sign = 0;
        magnitude = -std::numeric_limits<double>::infinity();
      }
    }
    signs.as<T>()[i] = sign;
    logs.as<double>()[i] = magnitude;
  }
  clear_fp();
  for (std::int64_t i = 0; !log && i < a.count; ++i) signs.as<T>()[i] *= std::exp(logs.as<double>()[i]);
  call.runtime.check_fp(log ? "slogdet" : "det");
  call.out[0] = as_dtype(call, signs, call.types[0].dtype);
  if (log) call.out[1] = as_dtype(call, logs, call.types[1].dtype);
}

template <class T>
void cholesky_of(KernelCall& call, const Drivers& drivers) {
  bool upper = ir::as_bool(call.attrs[0], "upper");
  Stack a = stack_of<T>(call, *call.in[0].array);
  Workspace space(call.runtime);
  const std::int64_t n = a.n;
  for (std::int64_t i = 0; i < a.count && !a.empty(); ++i) {
    call.runtime.poll();
    T* matrix = a.matrix<T>(i);
    if (!drivers.of<T>().cholesky(space, upper ? 'U' : 'L', a.n, matrix)) linalg_failure("Matrix is not positive definite");
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t k = 0; k < n; ++k)
        if (upper ? k > j : k < j) matrix[j * n + k] = 0;
  }
  call.out[0] = rows_of(call, a, call.types[0].dtype);
}

// What least squares answer: solutions, the squared residuals, the rank, singular values.
template <class T>
void lstsq_of(KernelCall& call, const Drivers& drivers) {
  const Array& left = *call.in[0].array;
  bool vector = call.in[1]->ndim() == 1;
  Array right = stretched(*call.in[1].array, {}, vector);
  ir::DType dtypes[] = {left.dtype, right.dtype};
  ir::DType dtype = ir::linalg_dtype(dtypes), real = ir::real_dtype(dtype);
  Stack a = stack_of<T>(call, left), b = stack_of<T>(call, right);
  const std::int64_t m = a.m, n = a.n, right_sides = b.n, k = std::min(m, n), rows = std::max(m, n);
  double rcond = call.attrs[0].none() ? std::numeric_limits<double>::epsilon() * static_cast<double>(rows)
                                      : ir::as_double(call.attrs[0], "rcond");
  // Without a right-hand side the rank and the singular values are still asked for.
  const std::int64_t columns = std::max<std::int64_t>(1, right_sides);
  Stack x = new_stack<T>(call, {}, rows, columns);
  std::fill_n(x.matrix<T>(0), rows * columns, T(0));
  for (std::int64_t j = 0; j < right_sides; ++j) std::copy_n(b.matrix<T>(0) + j * m, m, x.matrix<T>(0) + j * rows);
  Array s = call.runtime.allocate(ir::DType::Float64, Dims{k});
  int rank = 0;
  if (!a.empty()) {
    const T* items = a.matrix<T>(0);
    bool finite = std::all_of(items, items + m * n,
                              [](T item) { return std::isfinite(std::real(item)) && std::isfinite(std::imag(item)); });
    Workspace space(call.runtime);
    // LAPACK would print a complaint about a NaN.
    if (!finite || !drivers.of<T>().lstsq(space, a.m, a.n, static_cast<int>(columns), a.matrix<T>(0), x.matrix<T>(0), rcond,
                                          s.as<double>(), rank))
      linalg_failure("SVD did not converge in Linear Least Squares");
  }
  Array solution = call.runtime.allocate(ir::dtype_of<T>, Dims{n, right_sides});
  for (std::int64_t j = 0; j < right_sides; ++j)
    for (std::int64_t i = 0; i < n; ++i) solution.as<T>()[i * right_sides + j] = m == 0 ? T(0) : x.matrix<T>(0)[j * rows + i];
  if (vector) {
    solution.shape.pop_back();
    solution.strides.pop_back();
  }
  bool determined = rank == n && m > n;
  Array residuals = call.runtime.allocate(ir::DType::Float64, Dims{determined ? right_sides : 0});
  for (std::int64_t j = 0; determined && j < right_sides; ++j) {
    double total = 0;
    for (std::int64_t i = n; i < m; ++i) total += std::norm(x.matrix<T>(0)[j * rows + i]);
    residuals.as<double>()[j] = total;
  }
  Array rank_array = call.runtime.allocate(ir::DType::Int32, {});
  *rank_array.as<std::int32_t>() = rank;
  call.dynamic_out->push_back(as_dtype(call, solution, dtype));
  call.dynamic_out->push_back(as_dtype(call, residuals, real));
  call.dynamic_out->push_back(rank_array);
  call.dynamic_out->push_back(as_dtype(call, s, real));
}

bool complex_call(const KernelCall& call) {
  for (const Operand& operand : call.in)
    if (operand.present() && ir::is_complex(operand->dtype)) return true;
  return false;
}

}  // namespace

void solve(KernelCall& call, const Drivers& drivers) {
  visit_computed(complex_call(call), [&]<class T>() { solve_of<T>(call, drivers); });
}
void inv(KernelCall& call, const Drivers& drivers) {
  visit_computed(complex_call(call), [&]<class T>() {
    Stack inverse = inverse_of<T>(call, drivers, *call.in[0].array, [](T*) { linalg_failure("Singular matrix"); });
    call.out[0] = rows_of(call, inverse, call.types[0].dtype);
  });
}
Array inverse_or_nan(KernelCall& call, const Drivers& drivers, const Array& a) {
  Array result;
  visit_computed(ir::is_complex(a.dtype), [&]<class T>() {
    const std::int64_t size = a.shape.back() * a.shape.back();
    Stack inverse = inverse_of<T>(
        call, drivers, a, [size](T* matrix) { std::fill_n(matrix, size, T(std::numeric_limits<double>::quiet_NaN())); });
    result = exchanged(inverse.columns);
  });
  return result;
}
void det(KernelCall& call, const Drivers& drivers) {
  visit_computed(complex_call(call), [&]<class T>() { det_of<T>(call, drivers); });
}
void cholesky(KernelCall& call, const Drivers& drivers) {
  visit_computed(complex_call(call), [&]<class T>() { cholesky_of<T>(call, drivers); });
}
void lstsq(KernelCall& call, const Drivers& drivers) {
  visit_computed(complex_call(call), [&]<class T>() { lstsq_of<T>(call, drivers); });
}

}  // namespace autoray::runtime
