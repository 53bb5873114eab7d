// Products by Eigen: every floating dtype, any strides.
#include <Eigen/Core>
#include <complex>

#include "runtime/backends/eigen/backend.h"
#include "runtime/contract/product.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

template <class T>
using Map =
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using MapT =
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using Strided = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                           Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

template <class T, class F>
void with_map(const Matrix& m, F&& f) {
  DenseLayout layout = dense_layout(m, sizeof(T));
  T* data = reinterpret_cast<T*>(m.data);
  if (layout.dense && !layout.transposed) return f(Map<T>(data, m.rows, m.columns, Eigen::OuterStride<>(layout.leading)));
  if (layout.dense) return f(MapT<T>(data, m.rows, m.columns, Eigen::OuterStride<>(layout.leading)));
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> copy(m.rows, m.columns);
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  if (m.row_stride % size == 0 && m.column_stride % size == 0) {
    copy = Strided<T>(data, m.rows, m.columns,
                      Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(m.row_stride / size, m.column_stride / size));
  } else {
    for (std::int64_t i = 0; i < m.rows; ++i)
      for (std::int64_t j = 0; j < m.columns; ++j)
        std::memcpy(&copy(i, j), m.data + i * m.row_stride + j * m.column_stride, sizeof(T));
  }
  f(Map<T>(copy.data(), m.rows, m.columns, Eigen::OuterStride<>(m.columns)));
}

template <class T>
void multiply(const Matrix& a, const Matrix& b, const Matrix& c) {
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  Strided<T> result(reinterpret_cast<T*>(c.data), c.rows, c.columns,
                    Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(c.row_stride / size, c.column_stride / size));
  DenseLayout layout = dense_layout(c, size);
  with_map<T>(a, [&](const auto& x) {
    with_map<T>(b, [&](const auto& y) {
      if (layout.dense && !layout.transposed)
        Map<T>(reinterpret_cast<T*>(c.data), c.rows, c.columns, Eigen::OuterStride<>(layout.leading)).noalias() = x * y;
      else
        result = x * y;
    });
  });
}

}  // namespace

const char* eigen_product(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c) {
  switch (dtype) {
    case ir::DType::Float32: multiply<float>(a, b, c); break;
    case ir::DType::Float64: multiply<double>(a, b, c); break;
    case ir::DType::Complex64: multiply<std::complex<float>>(a, b, c); break;
    case ir::DType::Complex128: multiply<std::complex<double>>(a, b, c); break;
    default: return plain_product(runtime, dtype, a, b, c);
  }
  ++eigen_expressions();
  return kEigenLibrary;
}

}  // namespace autoray::runtime
