// svd, qr, eig, eigh over stacks.
#include <algorithm>

#include "runtime/linalg/linalg.h"
#include "runtime/linalg/stack.h"

namespace autoray::runtime {

using ir::Dims;
using ir::OpId;

namespace {

// Singular values are the magnitudes of eigenvalues, descending; U has their vectors, Vh carries their signs.
template <class T>
void svd_hermitian(KernelCall& call, const Drivers& drivers, const Array& a, bool vectors) {
  const Dims stacked = ir::stack_shape(a.shape);
  Stack v = stack_of<T>(call, a);
  const std::int64_t n = v.n;
  Dims shape = stacked;
  shape.push_back(n);
  Array s = call.runtime.allocate(ir::DType::Float64, shape);
  Stack u = new_stack<T>(call, stacked, n, n), vt = new_stack<T>(call, stacked, n, n);
  std::vector<double> w(static_cast<std::size_t>(n));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < v.count && !v.empty(); ++i) {
    call.runtime.poll();
    if (!drivers.of<T>().eigh(space, 'L', vectors, v.n, v.matrix<T>(i), w.data()))
      linalg_failure("Eigenvalues did not converge");
    for (std::int64_t j = 0; j < n; ++j) order[static_cast<std::size_t>(j)] = n - 1 - j;
    auto magnitude = [&](std::int64_t j) { return std::abs(w[static_cast<std::size_t>(j)]); };
    std::stable_sort(order.begin(), order.end(), [&](auto x, auto y) { return magnitude(x) > magnitude(y); });
    for (std::int64_t j = 0; j < n; ++j) {
      std::int64_t from = order[static_cast<std::size_t>(j)];
      s.as<double>()[i * n + j] = magnitude(from);
      double sign = std::signbit(w[static_cast<std::size_t>(from)]) ? -1 : 1;
      const T* x = v.matrix<T>(i) + from * n;
      for (std::int64_t k = 0; vectors && k < n; ++k) {
        u.matrix<T>(i)[j * n + k] = x[k];
        if constexpr (std::is_same_v<T, double>)
          vt.matrix<T>(i)[k * n + j] = x[k] * sign;
        else
          vt.matrix<T>(i)[k * n + j] = std::conj(x[k] * sign);
      }
    }
  }
  if (!vectors) {
    call.out[0] = as_dtype(call, s, call.types[0].dtype);
    return;
  }
  call.out[0] = rows_of(call, u, call.types[0].dtype);
  call.out[1] = as_dtype(call, s, call.types[1].dtype);
  call.out[2] = rows_of(call, vt, call.types[2].dtype);
}

template <class T>
void svd_of(KernelCall& call, const Drivers& drivers, const Array& array, SvdVectors vectors) {
  const Dims stacked = ir::stack_shape(array.shape);
  Stack a = stack_of<T>(call, array);
  const std::int64_t m = a.m, n = a.n, k = std::min(m, n);
  bool none = vectors == SvdVectors::None, full = vectors == SvdVectors::Full;
  Dims shape = stacked;
  shape.push_back(k);
  Array s = call.runtime.allocate(ir::DType::Float64, shape);
  Stack u = new_stack<T>(call, stacked, none ? 0 : m, full ? m : k),
        vh = new_stack<T>(call, stacked, full ? n : k, none ? 0 : n);
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < a.count; ++i) {
    if (a.empty()) {
      if (!full) continue;
      set_identity(u.matrix<T>(i), m, m);
      set_identity(vh.matrix<T>(i), n, n);
      continue;
    }
    call.runtime.poll();
    if (!drivers.of<T>().svd(space, vectors, a.m, a.n, a.matrix<T>(i), s.as<double>() + i * k, none ? nullptr : u.matrix<T>(i),
                             none ? nullptr : vh.matrix<T>(i)))
      linalg_failure("SVD did not converge");
  }
  if (none) {
    call.out[0] = as_dtype(call, s, call.types[0].dtype);
    return;
  }
  call.out[0] = rows_of(call, u, call.types[0].dtype);
  call.out[1] = as_dtype(call, s, call.types[1].dtype);
  call.out[2] = rows_of(call, vh, call.types[2].dtype);
}

}  // namespace

void svd(KernelCall& call, const Drivers& drivers) {
  const Array& a = *call.in[0].array;
  bool only_values = call.op.id == OpId::LinalgSvdvals;
  bool full = !only_values && ir::as_bool(call.attrs[0], "full_matrices");
  bool vectors = !only_values && ir::as_bool(call.attrs[1], "compute_uv");
  bool hermitian = !only_values && ir::as_bool(call.attrs[2], "hermitian");
  visit_computed(ir::is_complex(a.dtype), [&]<class T>() {
    if (hermitian)
      svd_hermitian<T>(call, drivers, a, vectors);
    else
      svd_of<T>(call, drivers, a, !vectors ? SvdVectors::None : full ? SvdVectors::Full : SvdVectors::Thin);
  });
}

namespace {

void warn_deprecated_mode(KernelCall& call) {
  const std::string& mode = *call.attrs[0].get<std::string>();
  if (mode == "full" || mode == "f")
    call.runtime.warn(ir::ErrorClass::DeprecationWarning,
                      "The 'full' option is deprecated in favor of 'reduced'.\nFor backward compatibility let mode default.");
  if (mode == "economic" || mode == "e")
    call.runtime.warn(ir::ErrorClass::DeprecationWarning, "The 'economic' option is deprecated.");
}

// R: the first `rows` rows on and above the diagonal.
template <class T>
Stack upper_triangle(KernelCall& call, const Dims& stacked, const Stack& factored, std::int64_t rows) {
  Stack r = new_stack<T>(call, stacked, rows, factored.n);
  for (std::int64_t i = 0; i < r.count; ++i)
    for (std::int64_t j = 0; j < r.n; ++j)
      for (std::int64_t k = 0; k < rows; ++k)
        r.matrix<T>(i)[j * rows + k] = k <= j ? factored.matrix<T>(i)[j * factored.m + k] : T(0);
  return r;
}

template <class T>
void qr_of(KernelCall& call, const Drivers& drivers) {
  constexpr const char* kFailure = "Incorrect argument found while performing QR factorization";
  ir::QrMode mode = ir::qr_mode(call.attrs[0]);
  const Array& array = *call.in[0].array;
  const Dims stacked = ir::stack_shape(array.shape);
  Stack a = stack_of<T>(call, array);
  const std::int64_t m = a.m, n = a.n, k = std::min(m, n);
  Dims shape = stacked;
  shape.push_back(k);
  Array tau = call.runtime.allocate(ir::dtype_of<T>, shape);
  Workspace factor_space(call.runtime), form_space(call.runtime);
  for (std::int64_t i = 0; i < a.count && !a.empty(); ++i) {
    call.runtime.poll();
    if (!drivers.of<T>().qr_factor(factor_space, a.m, a.n, a.matrix<T>(i), tau.as<T>() + i * k)) linalg_failure(kFailure);
  }
  ir::DType dtype = call.types[0].dtype;
  switch (mode) {
    case ir::QrMode::R: call.out[0] = rows_of(call, upper_triangle<T>(call, stacked, a, k), dtype); return;
    case ir::QrMode::Raw:
      // As LAPACK left it: its columns are numpy's rows.
      call.out[0] = as_dtype(call, a.columns, dtype);
      call.out[1] = as_dtype(call, tau, dtype);
      return;
    case ir::QrMode::Economic: call.out[0] = rows_of(call, a, dtype); return;
    default: break;
  }
  const std::int64_t columns = mode == ir::QrMode::Complete ? m : k;
  Stack q = new_stack<T>(call, stacked, m, columns);
  for (std::int64_t i = 0; i < q.count; ++i) {
    if (a.empty()) {
      set_identity(q.matrix<T>(i), m, columns);
      continue;
    }
    call.runtime.poll();
    std::copy_n(a.matrix<T>(i), m * std::min(columns, n), q.matrix<T>(i));
    if (!drivers.of<T>().qr_form(form_space, q.m, q.n, static_cast<int>(k), q.matrix<T>(i), tau.as<T>() + i * k))
      linalg_failure(kFailure);
  }
  call.out[0] = rows_of(call, q, dtype);
  call.out[1] = rows_of(call, upper_triangle<T>(call, stacked, a, columns), dtype);
}

}  // namespace

void qr(KernelCall& call, const Drivers& drivers) {
  warn_deprecated_mode(call);
  visit_computed(ir::is_complex(call.in[0]->dtype), [&]<class T>() { qr_of<T>(call, drivers); });
}

// ---- eigenvalues ----

namespace {

template <class T>
bool all_finite(const Stack& a) {
  const T* items = a.columns.as<T>();
  for (std::int64_t i = 0, size = a.columns.size(); i < size; ++i)
    if (!std::isfinite(std::real(items[i])) || !std::isfinite(std::imag(items[i]))) return false;
  return true;
}

template <class T>
void eig_of(KernelCall& call, const Drivers& drivers) {
  using Complex = std::complex<double>;
  const Array& array = *call.in[0].array;
  const Dims stacked = ir::stack_shape(array.shape);
  Stack a = stack_of<T>(call, array);
  if (!all_finite<T>(a)) linalg_failure("Array must not contain infs or NaNs");
  const std::int64_t n = a.n;
  bool vectors = call.op.id == OpId::LinalgEig;
  Array w = call.runtime.allocate(ir::DType::Complex128, call.types[0].shape);
  Stack v = new_stack<Complex>(call, stacked, vectors ? n : 0, n);
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < a.count && !a.empty(); ++i) {
    call.runtime.poll();
    if (!drivers.of<T>().eig(space, a.n, a.matrix<T>(i), w.as<Complex>() + i * n, vectors ? v.matrix<Complex>(i) : nullptr))
      linalg_failure("Eigenvalues did not converge");
  }
  ir::DType dtype = call.types[0].dtype;
  // Of a real stack all of whose eigenvalues are real, numpy gives real arrays.
  const Complex* items = w.as<Complex>();
  if (std::is_same_v<T, double> && std::all_of(items, items + w.size(), [](Complex x) { return x.imag() == 0; })) {
    dtype = ir::real_dtype(dtype);
    w.dtype = v.columns.dtype = ir::DType::Float64;  // views on the real parts
  }
  call.out[0] = as_dtype(call, w, dtype);
  if (vectors) call.out[1] = rows_of(call, v, dtype);
}

template <class T>
void eigh_of(KernelCall& call, const Drivers& drivers) {
  const char triangle = ir::triangle_of(call.attrs[0]);
  Stack a = stack_of<T>(call, *call.in[0].array);
  const std::int64_t n = a.n;
  bool vectors = call.op.id == OpId::LinalgEigh;
  Array w = call.runtime.allocate(ir::DType::Float64, call.types[0].shape);
  Workspace space(call.runtime);
  for (std::int64_t i = 0; i < a.count && !a.empty(); ++i) {
    call.runtime.poll();
    if (!drivers.of<T>().eigh(space, triangle, vectors, a.n, a.matrix<T>(i), w.as<double>() + i * n))
      linalg_failure("Eigenvalues did not converge");
  }
  call.out[0] = as_dtype(call, w, call.types[0].dtype);
  if (vectors) call.out[1] = rows_of(call, a, call.types[1].dtype);
}

}  // namespace

void eig(KernelCall& call, const Drivers& drivers) {
  visit_computed(ir::is_complex(call.in[0]->dtype), [&]<class T>() { eig_of<T>(call, drivers); });
}
void eigh(KernelCall& call, const Drivers& drivers) {
  visit_computed(ir::is_complex(call.in[0]->dtype), [&]<class T>() { eigh_of<T>(call, drivers); });
}

}  // namespace autoray::runtime
