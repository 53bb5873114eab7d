// Costs of linear algebra: real operations, by Golub and Van Loan, Matrix Computations, section by section.
#include <algorithm>
#include <cmath>

#include "ir/rules/linalg.h"

namespace autoray::ir {
namespace {

double as_number(std::int64_t n) { return static_cast<double>(n); }

struct MatrixExtents {
  double count = 1, m = 1, n = 1;  // matrices, rows, columns; m >= n
};
MatrixExtents extents(const Inference& inference) {
  const Dims& shape = inference.type(0).shape;
  if (shape.size() < 2) return {};
  MatrixExtents e{as_number(element_count(stack_shape(shape))), as_number(shape[shape.size() - 2]), as_number(shape.back())};
  if (e.m < e.n) std::swap(e.m, e.n);
  return e;
}

// A complex multiplication and addition are eight real operations, a real pair two.
Cost cost_of(const Inference& inference, double flops) {
  Cost cost;
  bool complex = false;
  auto touch = [&](const Type& type) {
    cost.bytes += as_number(element_count(type.shape)) * static_cast<double>(itemsize(type.dtype));
    complex |= is_complex(type.dtype);
  };
  for (const OperandType& operand : inference.in)
    if (operand.present()) touch(*operand.type);
  for (const Type& result : inference.results) touch(result);
  cost.flops = complex ? 4 * flops : flops;
  return cost;
}

}  // namespace

Cost cost_norm(const Inference& inference) {
  const Dims& shape = inference.type(0).shape;
  double size = as_number(element_count(shape));
  if (!norm_by_singular_values(inference.attrs[0])) return cost_of(inference, 2 * size);
  NormForm form = norm_form(inference.attrs[0], inference.attrs[1], shape.ssize());
  if (form.over != NormForm::Over::Matrix) return cost_of(inference, 2 * size);
  return cost_of(inference, 4 * size * as_number(std::min(shape[form.row_axis], shape[form.column_axis])));
}
Cost cost_svd(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  bool vectors = inference.results.size() > 1;
  return cost_of(inference, count * (vectors ? 14 * m * n * n + 8 * n * n * n : 4 * m * n * n - 4 * n * n * n / 3));
}
Cost cost_qr(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  double factor = 2 * m * n * n - 2 * n * n * n / 3;
  return cost_of(inference, count * (inference.names ? 2 * factor : factor));
}
Cost cost_eig(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  return cost_of(inference, count * n * n * n * (inference.results.size() > 1 ? 25 : 10));
}
Cost cost_eigh(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  return cost_of(inference, count * n * n * n * (inference.results.size() > 1 ? 9 : 4.0 / 3));
}
Cost cost_cholesky(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  return cost_of(inference, count * n * n * n / 3);
}
Cost cost_lu(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  double flops = count * 2 * n * n * n / 3;
  // Two triangular solves for every column of the result.
  bool solves = inference.op.id == OpId::LinalgInv || inference.op.id == OpId::LinalgSolve;
  if (solves) flops += 2 * n * as_number(element_count(inference.results[0].shape));
  return cost_of(inference, flops);
}
Cost cost_matrix_power(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  std::int64_t power = as_int(inference.attrs[0], "n");
  double exponent = std::abs(as_number(power)), products = 0;
  for (double left = exponent; left > 1; left = std::floor(left / 2)) products += 1 + std::fmod(left, 2);
  return cost_of(inference, count * n * n * n * (2 * products + (power < 0 ? 8.0 / 3 : 0)));
}
Cost cost_multi_dot(const Inference& inference) {
  // From the left: the order that is chosen costs at most that.
  double flops = 0, rows = 1;
  for (std::size_t i = 0; i < inference.in.size(); ++i) {
    const Dims& shape = inference.type(i).shape;
    if (i == 0)
      rows = shape.size() == 2 ? as_number(shape[0]) : 1;
    else
      flops += 2 * rows * as_number(element_count(shape));
  }
  return cost_of(inference, flops);
}
Cost cost_expm(const Inference& inference) {
  auto [count, m, n] = extents(inference);
  // Six products and a solve; squarings depend on the norm.
  return cost_of(inference, count * n * n * n * (12 + 8.0 / 3));
}

}  // namespace autoray::ir
