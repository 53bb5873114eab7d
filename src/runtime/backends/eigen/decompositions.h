// Eigen's decompositions as drivers of linear algebra (runtime/linalg/drivers.h says what each does). A decomposition of one
// type takes ten seconds and more to compile: each has a file of its own, which instantiates what is declared here.
#pragma once

#include <complex>

#include "runtime/linalg/drivers.h"

namespace autoray::runtime {

using EigenComplex = std::complex<double>;

template <class T>
bool eigen_svd(Workspace&, SvdVectors vectors, int m, int n, T* a, double* s, T* u, T* vh);
template <class T>
bool eigen_qr_factor(Workspace&, int m, int n, T* a, T* tau);
template <class T>
bool eigen_qr_form(Workspace&, int m, int columns, int k, T* q, const T* tau);
template <class T>
bool eigen_eig(Workspace&, int n, T* a, EigenComplex* w, EigenComplex* v);
// Real and complex matrices have two algorithms.
template <>
bool eigen_eig(Workspace&, int n, double* a, EigenComplex* w, EigenComplex* v);
template <>
bool eigen_eig(Workspace&, int n, EigenComplex* a, EigenComplex* w, EigenComplex* v);
template <class T>
bool eigen_eigh(Workspace&, char triangle, bool vectors, int n, T* a, double* w);
template <class T>
bool eigen_lu(Workspace&, int n, T* a, int* pivots);
template <class T>
bool eigen_solve(Workspace&, int n, int right_sides, T* a, T* b);
template <class T>
bool eigen_cholesky(Workspace&, char triangle, int n, T* a);
template <class T>
bool eigen_lstsq(Workspace&, int m, int n, int right_sides, T* a, T* b, double rcond, double* s, int& rank);

}  // namespace autoray::runtime
