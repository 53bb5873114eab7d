// What the kernels of linear algebra need of a library: decompositions of one matrix, in real or complex double, column-major
// without gaps. Stacks, dtypes, shapes and errors are the kernels' (linalg.h); a backend fills this table with its library.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "runtime/array.h"

namespace autoray::runtime {

class Runtime;

// Memory that a driver keeps from one matrix of a stack to the next, charged to the runtime's budget. All matrices of a stack
// have the same extents, so a library is asked once how much it wants.
class Workspace {
 public:
  explicit Workspace(Runtime& runtime) : runtime_(runtime) {}

  // The array number `slot` with at least `count` items; its content lasts until the slot is asked for more.
  template <class T>
  T* array(std::size_t slot, std::int64_t count) {
    return static_cast<T*>(bytes(slot, count * static_cast<std::int64_t>(sizeof(T))));
  }
  // What the library asked for: 0 until it was.
  std::int64_t wanted[2] = {};

 private:
  void* bytes(std::size_t slot, std::int64_t count);
  Runtime& runtime_;
  std::vector<Array> arrays_;
};

enum class SvdVectors : char { None = 'N', Thin = 'S', Full = 'A' };

// Extents are positive: kernels answer for empty matrices. `a` is overwritten. False: the algorithm failed (a zero pivot, a
// minor that is not positive definite, no convergence), as LAPACK's info > 0 says.
template <class T>
struct MatrixDrivers {
  using Complex = std::complex<double>;
  // a = u diag(s) vh; u is m x m or m x k, vh n x n or k x n.
  bool (*svd)(Workspace&, SvdVectors, int m, int n, T* a, double* s, T* u, T* vh);
  // R on and above the diagonal, Householder vectors below it: Q = H1 ... Hk, Hi = 1 - tau[i] v v^H.
  bool (*qr_factor)(Workspace&, int m, int n, T* a, T* tau);
  // The first `columns` (at most m) columns of Q over the k vectors in q, in place.
  bool (*qr_form)(Workspace&, int m, int columns, int k, T* q, const T* tau);
  // Eigenvalues, and unit right eigenvectors unless v is null.
  bool (*eig)(Workspace&, int n, T* a, Complex* w, Complex* v);
  // Ascending eigenvalues by one triangle; eigenvectors take a's place.
  bool (*eigh)(Workspace&, char triangle, bool vectors, int n, T* a, double* w);
  // Rows exchanged with pivots[i] (from 1); false: U is singular, and complete all the same.
  bool (*lu)(Workspace&, int n, T* a, int* pivots);
  // b becomes the solution.
  bool (*solve)(Workspace&, int n, int right_sides, T* a, T* b);
  // The factor takes one triangle; the other is untouched.
  bool (*cholesky)(Workspace&, char triangle, int n, T* a);
  // Minimum-norm least squares; b has max(m, n) rows. Where the rank is n the squares of what is left below row n add up to
  // the squared residual.
  bool (*lstsq)(Workspace&, int m, int n, int right_sides, T* a, T* b, double rcond, double* s, int& rank);
};

struct Drivers {
  const char* library;
  MatrixDrivers<double> real;
  MatrixDrivers<std::complex<double>> complex;

  template <class T>
  const MatrixDrivers<T>& of() const {
    if constexpr (std::is_same_v<T, double>)
      return real;
    else
      return complex;
  }
};

// LAPACK's, of the OpenBLAS that is loaded at first use; where there is none, Eigen's, with a warning.
const Drivers& lapack_drivers(Runtime& runtime);
const Drivers& eigen_drivers(Runtime& runtime);

}  // namespace autoray::runtime
