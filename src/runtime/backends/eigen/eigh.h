// Implicit QR iterations of the tridiagonal form.
#pragma once

#include <Eigen/Eigenvalues>
#include <limits>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"

namespace autoray::runtime {

template <class T>
bool eigen_eigh(Workspace&, char triangle, bool vectors, int n, T* a, double* w) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<Matrix> matrix(a, n, n);
  // Eigen reads the lower triangle.
  Matrix lower = triangle == 'L' ? Matrix(matrix) : Matrix(matrix.adjoint());
  ++eigen_expressions();
  if (!lower.template triangularView<Eigen::Lower>().toDenseMatrix().allFinite()) {
    // As LAPACK answers.
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Eigen::Map<Eigen::VectorXd>(w, n).setConstant(nan);
    matrix.setConstant(T(nan));
    return true;
  }
  Eigen::SelfAdjointEigenSolver<Matrix> solver(lower, vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success) return false;
  Eigen::Map<Eigen::VectorXd>(w, n) = solver.eigenvalues();
  if (vectors) matrix = solver.eigenvectors();
  return true;
}

}  // namespace autoray::runtime
