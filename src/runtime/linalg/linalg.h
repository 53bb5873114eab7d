// Kernels of linear algebra. Decompositions and solves are written once over a table of drivers (drivers.h); a backend makes
// its rows with its own. What is composed of other ops (pinv, expm, ...) calls them on the backend of the call.
#pragma once

#include <array>

#include "runtime/backend.h"
#include "runtime/linalg/drivers.h"
#include "runtime/reduction/squared_norm.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

void svd(KernelCall& call, const Drivers& drivers);
void qr(KernelCall& call, const Drivers& drivers);
void eig(KernelCall& call, const Drivers& drivers);   // eigvals too
void eigh(KernelCall& call, const Drivers& drivers);  // eigvalsh too
void inv(KernelCall& call, const Drivers& drivers);
void solve(KernelCall& call, const Drivers& drivers);
void det(KernelCall& call, const Drivers& drivers);  // slogdet too
void cholesky(KernelCall& call, const Drivers& drivers);
void lstsq(KernelCall& call, const Drivers& drivers);
void cond(KernelCall& call, const Drivers& drivers);
// In complex or real double, NaN where a matrix of the stack is singular.
Array inverse_or_nan(KernelCall& call, const Drivers& drivers, const Array& a);

void norm(KernelCall& call, SquaredNorm squared);
void expm_kernel(KernelCall& call);

std::span<const KernelRow> linalg_kernels();
std::span<const KernelRow> linalg_composition_kernels();

template <void (*body)(KernelCall&, const Drivers&), const Drivers& (*source)(Runtime&)>
void driver_kernel(KernelCall& call) {
  // Libraries leave floating-point events behind that are nobody's errors.
  struct Forget {
    ~Forget() { clear_fp(); }
  } forget;
  const Drivers& drivers = source(call.runtime);
  call.library = drivers.library;
  body(call, drivers);
}
template <SquaredNorm squared>
void norm_kernel(KernelCall& call) {
  norm(call, squared);
}

// The rows of a backend whose decompositions `source` computes.
template <const Drivers& (*source)(Runtime&), SquaredNorm squared>
constexpr auto linalg_rows(const char* library, const char* norm_library) {
  return std::to_array<KernelRow>({
      {ir::OpId::LinalgSvd, driver_kernel<svd, source>, library},
      {ir::OpId::LinalgSvdvals, driver_kernel<svd, source>, library},
      {ir::OpId::LinalgQr, driver_kernel<qr, source>, library},
      {ir::OpId::LinalgEig, driver_kernel<eig, source>, library},
      {ir::OpId::LinalgEigvals, driver_kernel<eig, source>, library},
      {ir::OpId::LinalgEigh, driver_kernel<eigh, source>, library},
      {ir::OpId::LinalgEigvalsh, driver_kernel<eigh, source>, library},
      {ir::OpId::LinalgInv, driver_kernel<inv, source>, library},
      {ir::OpId::LinalgSolve, driver_kernel<solve, source>, library},
      {ir::OpId::LinalgDet, driver_kernel<det, source>, library},
      {ir::OpId::LinalgSlogdet, driver_kernel<det, source>, library},
      {ir::OpId::LinalgCholesky, driver_kernel<cholesky, source>, library},
      {ir::OpId::LinalgLstsq, driver_kernel<lstsq, source>, library},
      {ir::OpId::LinalgCond, driver_kernel<cond, source>, library},
      {ir::OpId::LinalgNorm, norm_kernel<squared>, norm_library},
  });
}

}  // namespace autoray::runtime
