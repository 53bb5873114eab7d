// Eigenvalues of a complex matrix by its Schur form.
#include <Eigen/Eigenvalues>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"

namespace autoray::runtime {

template <>
bool eigen_eig(Workspace&, int n, EigenComplex* a, EigenComplex* w, EigenComplex* v) {
  Eigen::ComplexEigenSolver<Eigen::MatrixXcd> solver(Eigen::Map<const Eigen::MatrixXcd>(a, n, n), v != nullptr);
  ++eigen_expressions();
  if (solver.info() != Eigen::Success) return false;
  Eigen::Map<Eigen::VectorXcd>(w, n) = solver.eigenvalues();
  if (v) Eigen::Map<Eigen::MatrixXcd>(v, n, n) = solver.eigenvectors();
  return true;
}

}  // namespace autoray::runtime
