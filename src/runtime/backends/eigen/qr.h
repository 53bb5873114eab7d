// Householder reflections, stored as LAPACK stores them; Eigen's coefficients are the conjugates of LAPACK's.
#pragma once

#include <Eigen/QR>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"

namespace autoray::runtime {

template <class T>
bool eigen_qr_factor(Workspace&, int m, int n, T* a, T* tau) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<Matrix> matrix(a, m, n);
  Eigen::HouseholderQR<Eigen::Ref<Matrix>> qr(matrix);
  ++eigen_expressions();
  Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(tau, std::min(m, n)) = qr.hCoeffs().conjugate();
  return true;
}

template <class T>
bool eigen_qr_form(Workspace&, int m, int columns, int k, T* q, const T* tau) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<Matrix> result(q, m, columns);
  Matrix vectors = result.leftCols(k);
  Eigen::Matrix<T, Eigen::Dynamic, 1> coefficients = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(tau, k);
  result.setIdentity();
  result.applyOnTheLeft(Eigen::householderSequence(vectors, coefficients));
  ++eigen_expressions();
  return true;
}

}  // namespace autoray::runtime
