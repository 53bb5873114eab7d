// The rows of linear algebra: Eigen's decompositions behind the kernels that all backends share.
#include <Eigen/Core>

#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/eigen/decompositions.h"
#include "runtime/linalg/linalg.h"

namespace autoray::runtime {
namespace {

template <class T>
constexpr MatrixDrivers<T> matrix_drivers() {
  return {eigen_svd<T>, eigen_qr_factor<T>, eigen_qr_form<T>,  eigen_eig<T>,  eigen_eigh<T>,
          eigen_lu<T>,  eigen_solve<T>,     eigen_cholesky<T>, eigen_lstsq<T>};
}
constexpr Drivers kEigenDrivers = {kEigenLibrary, matrix_drivers<double>(), matrix_drivers<EigenComplex>()};

template <class T>
double squares(const char* items, std::int64_t n, std::int64_t stride) {
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  auto* data = reinterpret_cast<const T*>(items);
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  if (stride == size) return Eigen::Map<const Vector>(data, n).squaredNorm();
  return Eigen::Map<const Vector, Eigen::Unaligned, Eigen::InnerStride<>>(data, n, Eigen::InnerStride<>(stride / size))
      .squaredNorm();
}

double eigen_squared_norm(ir::DType dtype, const char* items, std::int64_t n, std::int64_t stride) {
  ++eigen_expressions();
  switch (dtype) {
    case ir::DType::Float32: return squares<float>(items, n, stride);
    case ir::DType::Float64: return squares<double>(items, n, stride);
    case ir::DType::Complex64: return squares<std::complex<float>>(items, n, stride);
    default: return squares<std::complex<double>>(items, n, stride);
  }
}

}  // namespace

const Drivers& eigen_drivers(Runtime&) { return kEigenDrivers; }

std::span<const KernelRow> eigen_linalg_kernels() {
  static constexpr auto kRows = linalg_rows<eigen_drivers, eigen_squared_norm>(kEigenLibrary, kEigenLibrary);
  return kRows;
}

}  // namespace autoray::runtime
