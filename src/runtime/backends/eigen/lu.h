// Elimination: LU with partial pivoting, Cholesky.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <numeric>
#include <vector>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"

namespace autoray::runtime {

// Row exchanges, counted from 1, that make a permutation step by step.
inline void set_pivots(const Eigen::VectorXi& destination, int* pivots) {
  const int n = static_cast<int>(destination.size());
  std::vector<int> wanted(static_cast<std::size_t>(n)), row_at(wanted.size()), place_of(wanted.size());
  for (int row = 0; row < n; ++row) wanted[static_cast<std::size_t>(destination[row])] = row;
  std::iota(row_at.begin(), row_at.end(), 0);
  std::iota(place_of.begin(), place_of.end(), 0);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto from = static_cast<std::size_t>(place_of[static_cast<std::size_t>(wanted[i])]);
    std::swap(row_at[i], row_at[from]);
    place_of[static_cast<std::size_t>(row_at[i])] = static_cast<int>(i);
    place_of[static_cast<std::size_t>(row_at[from])] = static_cast<int>(from);
    pivots[i] = static_cast<int>(from) + 1;
  }
}

template <class T>
bool eigen_lu(Workspace&, int n, T* a, int* pivots) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<Matrix> matrix(a, n, n);
  Eigen::PartialPivLU<Eigen::Ref<Matrix>> lu(matrix);
  ++eigen_expressions();
  if (pivots) set_pivots(lu.permutationP().indices(), pivots);
  return (matrix.diagonal().array() != T(0)).all();
}

template <class T>
bool eigen_solve(Workspace&, int n, int right_sides, T* a, T* b) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<Matrix> matrix(a, n, n), x(b, n, right_sides);
  Eigen::PartialPivLU<Eigen::Ref<Matrix>> lu(matrix);
  ++eigen_expressions();
  if (!(matrix.diagonal().array() != T(0)).all()) return false;
  x = lu.solve(Matrix(x));
  return true;
}

template <class T>
bool eigen_cholesky(Workspace&, char triangle, int n, T* a) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  Eigen::Map<Matrix> matrix(a, n, n);
  Matrix lower = triangle == 'L' ? Matrix(matrix) : Matrix(matrix.adjoint());
  Eigen::LLT<Eigen::Ref<Matrix>> llt(lower);
  ++eigen_expressions();
  if (llt.info() != Eigen::Success) return false;
  if (triangle == 'L') {
    matrix = lower;
  } else {
    matrix = lower.adjoint();
    matrix.diagonal() = lower.diagonal();  // real: no negative zeros by conjugation
  }
  return true;
}

}  // namespace autoray::runtime
