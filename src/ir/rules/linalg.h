// Rules of linear algebra: matrices stand in the last two axes, stacks of them in the axes before, as numpy has it.
#pragma once

#include <span>

#include "ir/op.h"

namespace autoray::ir {

void shape_norm(Inference& inference);
void dtype_norm(Inference& inference);  // the real dtype of inexact ones (float16 too), float64 for others
void shape_svd(Inference& inference);
void shape_svdvals(Inference& inference);
void shape_qr(Inference& inference);
void shape_eig(Inference& inference);
void shape_eigh(Inference& inference);
void shape_square(Inference& inference);  // one square matrix to one of its shape: inv, cholesky
void shape_pinv(Inference& inference);
void dtype_pinv(Inference& inference);
void shape_solve(Inference& inference);
void check_lstsq(Inference& inference);  // a shape rule that only checks: the residuals' extent depends on the rank
void shape_det(Inference& inference);    // one number a matrix; slogdet: two
void shape_matrix_power(Inference& inference);
void dtype_matrix_power(Inference& inference);
void shape_matrix_rank(Inference& inference);
void dtype_matrix_rank(Inference& inference);
void shape_cond(Inference& inference);
void shape_multi_dot(Inference& inference);
// The cheapest order of multiplying a chain of matrices, of extents[i] rows and extents[i + 1] columns (Cormen, Leiserson,
// Rivest, Stein: Introduction to Algorithms, 15.2): of n matrices, i to j are those up to [i * n + j] times the rest.
std::vector<std::size_t> chain_splits(std::span<const std::int64_t> extents);
void shape_expm(Inference& inference);
void dtype_expm(Inference& inference);

void dtype_linalg(Inference& inference);  // linalg_dtype, real for singular and Hermitian eigenvalues, complex for eig

Cost cost_norm(const Inference& inference);
Cost cost_svd(const Inference& inference);
Cost cost_qr(const Inference& inference);
Cost cost_eig(const Inference& inference);
Cost cost_eigh(const Inference& inference);
Cost cost_cholesky(const Inference& inference);
Cost cost_lu(const Inference& inference);  // det, inv, solve
Cost cost_matrix_power(const Inference& inference);
Cost cost_multi_dot(const Inference& inference);
Cost cost_expm(const Inference& inference);

// numpy's common dtype of linear algebra: float32 and complex64 stay, integers count as float64; float16 is a TypeError.
DType linalg_dtype(std::span<const DType> dtypes);

// Which norm is asked for. `ord` and `axis` are linalg.norm's.
struct NormForm {
  enum class Over { All, Vector, Matrix } over = Over::All;  // All: the 2-norm of everything
  std::size_t axis = 0;                                      // Vector
  std::size_t row_axis = 0, column_axis = 0;                 // Matrix
};
NormForm norm_form(const Attr& ord, const Attr& axis, int ndim);
// A number given as ord (inf too); nullopt for None and names.
std::optional<double> norm_order(const Attr& ord);
// ord of a matrix that singular values answer: 2, -2, 'nuc'.
bool norm_by_singular_values(const Attr& ord);

enum class QrMode { Reduced, Complete, R, Raw, Economic };
QrMode qr_mode(const Attr& mode);
// 'L' or 'U'.
char triangle_of(const Attr& uplo);

// The axes before the last two.
Dims stack_shape(const Dims& shape);
// LinAlgError where the last two axes are missing, or differ.
void require_matrices(const Dims& shape);
void require_square(const Dims& shape);

}  // namespace autoray::ir
