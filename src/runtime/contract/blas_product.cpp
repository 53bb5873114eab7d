#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>

#include "runtime/contract/blas.h"
#include "runtime/contract/product.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

// Below this many multiply-adds our own loops win, and OpenBLAS need not be loaded for them.
constexpr std::int64_t kSmallProduct = 32 * 32 * 32;
// Multiply-adds between two looks at the clock and the keyboard: a quarter of a second.
constexpr double kPanelWork = 6e9;
constexpr std::int64_t kLeastPanelRows = 64;
constexpr int kRowMajor = 101, kAsIs = 111, kTransposed = 112;

// A dense copy of a matrix that BLAS cannot take as it stands.
Matrix dense_copy(Runtime& runtime, ir::DType dtype, const Matrix& m, Array& owner) {
  Array view;
  view.data = m.data;
  view.dtype = dtype;
  view.shape = {m.rows, m.columns};
  view.strides = {m.row_stride, m.column_stride};
  owner = converted(runtime, view, dtype);
  return {owner.data, m.rows, m.columns, owner.strides[0], owner.strides[1]};
}

}  // namespace

const char* blas_product(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c) {
  const std::int64_t m = c.rows, n = c.columns, k = a.columns;
  bool floating = ir::is_inexact(dtype);
  if (!floating || m * n == 1 || static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) <= kSmallProduct ||
      std::max({m, n, k}) > INT_MAX)
    return plain_product(runtime, dtype, a, b, c);
  const Blas* blas = Blas::get();
  if (!blas) {
    runtime.warn(ir::ErrorClass::RuntimeWarning,
                 "OpenBLAS cannot be loaded (" + Blas::why() + "); products are computed by Eigen");
    return eigen_product(runtime, dtype, a, b, c);
  }
  const std::int64_t size = static_cast<std::int64_t>(ir::itemsize(dtype));
  Array owners[3];
  Matrix x = a, y = b, z = c;
  DenseLayout lx = dense_layout(x, size), ly = dense_layout(y, size), lz = dense_layout(z, size);
  if (!lx.dense) lx = dense_layout(x = dense_copy(runtime, dtype, a, owners[0]), size);
  if (!ly.dense) ly = dense_layout(y = dense_copy(runtime, dtype, b, owners[1]), size);
  bool copied = !lz.dense || lz.transposed;
  if (copied) {
    owners[2] = runtime.allocate(dtype, ir::Dims{m, n});
    z = {owners[2].data, m, n, n * size, size};
    lz = dense_layout(z, size);
  }
  int ta = lx.transposed ? kTransposed : kAsIs, tb = ly.transposed ? kTransposed : kAsIs;
  int columns = static_cast<int>(n), inner = static_cast<int>(k);
  int lda = static_cast<int>(lx.leading), ldb = static_cast<int>(ly.leading), ldc = static_cast<int>(lz.leading);
  auto panel = [&](std::int64_t row, int rows) {
    char* xp = x.data + row * size * (lx.transposed ? 1 : lx.leading);
    char* zp = z.data + row * size * lz.leading;
    switch (dtype) {
      case ir::DType::Float32:
        blas->sgemm(kRowMajor, ta, tb, rows, columns, inner, 1, reinterpret_cast<float*>(xp), lda,
                    reinterpret_cast<float*>(y.data), ldb, 0, reinterpret_cast<float*>(zp), ldc);
        break;
      case ir::DType::Float64:
        blas->dgemm(kRowMajor, ta, tb, rows, columns, inner, 1, reinterpret_cast<double*>(xp), lda,
                    reinterpret_cast<double*>(y.data), ldb, 0, reinterpret_cast<double*>(zp), ldc);
        break;
      case ir::DType::Complex64: {
        const float one[2] = {1, 0}, zero[2] = {};
        blas->cgemm(kRowMajor, ta, tb, rows, columns, inner, one, xp, lda, y.data, ldb, zero, zp, ldc);
        break;
      }
      default: {
        const double one[2] = {1, 0}, zero[2] = {};
        blas->zgemm(kRowMajor, ta, tb, rows, columns, inner, one, xp, lda, y.data, ldb, zero, zp, ldc);
      }
    }
  };
  // A long product is cut by rows, so that Ctrl-C and the time limit are seen.
  auto panel_rows = static_cast<std::int64_t>(kPanelWork / (static_cast<double>(n) * static_cast<double>(k)));
  panel_rows = std::clamp(panel_rows, kLeastPanelRows, std::max(m, kLeastPanelRows));
  for (std::int64_t row = 0; row < m; row += panel_rows) {
    runtime.poll();
    panel(row, static_cast<int>(std::min(panel_rows, m - row)));
  }
  if (copied) {
    Array target = owners[2];
    target.storage = {};
    target.data = c.data;
    target.strides = {c.row_stride, c.column_stride};
    copy_into(runtime, owners[2], target);
  }
  return "OpenBLAS";
}

}  // namespace autoray::runtime
