// Divide and conquer over a bidiagonal form; Jacobi rotations for small matrices (Eigen chooses).
#pragma once

#include <Eigen/SVD>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"

namespace autoray::runtime {

template <class T>
bool eigen_svd(Workspace&, SvdVectors vectors, int m, int n, T* a, double* s, T* u, T* vh) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const bool full = vectors == SvdVectors::Full;
  unsigned options = vectors == SvdVectors::None ? 0
                     : full                      ? unsigned{Eigen::ComputeFullU | Eigen::ComputeFullV}
                                                 : unsigned{Eigen::ComputeThinU | Eigen::ComputeThinV};
  Eigen::BDCSVD<Matrix> svd(Eigen::Map<const Matrix>(a, m, n), options);
  ++eigen_expressions();
  if (svd.info() != Eigen::Success) return false;
  const Eigen::Index k = std::min(m, n);
  Eigen::Map<Eigen::VectorXd>(s, k) = svd.singularValues();
  if (options == 0) return true;
  Eigen::Map<Matrix>(u, m, full ? m : k) = svd.matrixU();
  Eigen::Map<Matrix>(vh, full ? n : k, n) = svd.matrixV().adjoint();
  return true;
}

}  // namespace autoray::runtime
