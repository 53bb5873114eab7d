// Least squares by singular values: x = V diag(1/s) U^H b over those that count.
#include <Eigen/Core>
#include <limits>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"

namespace autoray::runtime {

template <class T>
bool eigen_lstsq(Workspace& space, int m, int n, int right_sides, T* a, T* b, double rcond, double* s, int& rank) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::Index k = std::min(m, n);
  Eigen::Map<Matrix> matrix(a, m, n), x(b, std::max(m, n), right_sides);
  Matrix u(m, k), vh(k, n), given = x.topRows(m);
  if (!eigen_svd<T>(space, SvdVectors::Thin, m, n, a, s, u.data(), vh.data())) return false;
  // As LAPACK: a negative rcond means the machine's precision.
  const double cutoff = s[0] * (rcond < 0 ? std::numeric_limits<double>::epsilon() : rcond);
  rank = 0;
  while (rank < k && s[rank] > cutoff) ++rank;
  Matrix parts = u.leftCols(rank).adjoint() * given;
  parts.array().colwise() /= Eigen::Map<const Eigen::VectorXd>(s, rank).array().template cast<T>();
  x.topRows(n).noalias() = vh.topRows(rank).adjoint() * parts;
  ++eigen_expressions();
  if (m > n) {
    Matrix residual = given - matrix * x.topRows(n);
    x.bottomRows(m - n).setZero();
    x.row(n) = residual.colwise().norm().template cast<T>();
  }
  return true;
}

template bool eigen_lstsq(Workspace&, int, int, int, double*, double*, double, double*, int&);
template bool eigen_lstsq(Workspace&, int, int, int, EigenComplex*, EigenComplex*, double, double*, int&);

}  // namespace autoray::runtime
