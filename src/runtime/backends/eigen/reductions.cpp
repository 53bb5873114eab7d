// Sums, products, extremes, means and variances of floating arrays by Eigen's partial reductions. Other dtypes, where= and
// initial= are handed to numpy's kernels.
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <complex>

#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"
#include "runtime/backends/eigen/backend.h"
#include "runtime/convert.h"
#include "runtime/reduction/common.h"
#include "runtime/runtime.h"
#include "runtime/scalar/definitions.h"

namespace autoray::runtime {
namespace {

using ir::Dims;
using ir::OpId;

void hand_to_base(KernelCall& call) {
  BackendId base = *call.runtime.find_backend(kEigenBackend.based_on);
  const Entry& entry = call.runtime.entry(base, call.op.id);
  call.provider = entry.provided_by;
  call.library = entry.library;
  entry.kernel(call);
}

bool plain_call(const KernelCall& call) {
  const Operand& x = call.in[0];
  if (!ir::is_inexact(x->dtype) || x->dtype == ir::DType::Float16 || x->size() == 0) return false;
  ir::DType result = call.types[0].dtype;
  bool spread = call.op.id == OpId::Var || call.op.id == OpId::Std;
  if (result != (spread ? ir::real_dtype(x->dtype) : x->dtype)) return false;
  // Of complex items in a real dtype numpy takes the mean of the real parts.
  if (spread && result != x->dtype && !ir::attribute(call.op, call.attrs, "dtype").none()) return false;
  if (masked(call)) return false;
  bool has_initial = call.op.id == OpId::Sum || call.op.id == OpId::Prod || call.op.id == OpId::Max || call.op.id == OpId::Min;
  return !has_initial || ir::attribute(call.op, call.attrs, "initial").get<ir::Ellipsis>() != nullptr;
}

// The operand as a C-ordered matrix whose rows (or columns) are reduced; copied only when the reduced axes stand in its midst.
struct Layout {
  Array data;
  Eigen::Index rows = 1, columns = 1;
  bool along_rows = true;  // each row becomes one item
};
Layout layout_of(KernelCall& call) {
  const Array& x = *call.in[0];
  Dims axes = ir::reduction_axes(ir::attribute(call.op, call.attrs, "axis"), x.ndim());
  std::sort(axes.begin(), axes.end());
  Dims kept;
  for (int i = 0; i < x.ndim(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) kept.push_back(i);
  Layout layout;
  auto count = [&](const Dims& of) {
    Eigen::Index n = 1;
    for (std::int64_t axis : of) n *= x.shape[static_cast<std::size_t>(axis)];
    return n;
  };
  bool leading = !axes.empty() && !kept.empty() && axes.back() < kept.front();
  layout.along_rows = !leading;
  Dims order = leading ? axes : kept;
  for (std::int64_t axis : leading ? kept : axes) order.push_back(axis);
  layout.rows = count(leading ? axes : kept);
  layout.columns = count(leading ? kept : axes);
  layout.data = contiguous(call.runtime, transposed(x, order), x.dtype);
  return layout;
}

template <class T>
using Items = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// f(matrix.rowwise()) or f(matrix.colwise()) as a column of results.
template <class T, class R, class F>
void partial(const Layout& layout, Array& out, F&& f) {
  Eigen::Map<const Items<T>> matrix(layout.data.as<T>(), layout.rows, layout.columns);
  if (layout.along_rows)
    Eigen::Map<Eigen::Array<R, Eigen::Dynamic, 1>>(out.as<R>(), layout.rows) = f(matrix.rowwise());
  else
    Eigen::Map<Eigen::Array<R, 1, Eigen::Dynamic>>(out.as<R>(), layout.columns) = f(matrix.colwise());
}

// Eigen 3.4's partial maxCoeff leaves NaN undefined: the reduction is spelt with the operator that propagates it.
template <class T, class Operator>
void extreme(const Layout& layout, Array& out) {
  Eigen::Map<const Items<T>> matrix(layout.data.as<T>(), layout.rows, layout.columns);
  if (layout.along_rows) {
    for (Eigen::Index i = 0; i < layout.rows; ++i) out.as<T>()[i] = matrix.row(i).redux(Operator());
    return;
  }
  Eigen::Map<Eigen::Array<T, 1, Eigen::Dynamic>> result(out.as<T>(), layout.columns);
  result = matrix.row(0);
  for (Eigen::Index i = 1; i < layout.rows; ++i) result = result.binaryExpr(matrix.row(i), Operator());
}

template <class T>
void reduce_as(KernelCall& call, const Layout& layout, Array& out) {
  using R = typename Eigen::NumTraits<T>::Real;
  const auto n = static_cast<R>(layout.along_rows ? layout.columns : layout.rows);
  switch (call.op.id) {
    case OpId::Sum: partial<T, T>(layout, out, [](auto part) { return part.sum(); }); break;
    case OpId::Prod: partial<T, T>(layout, out, [](auto part) { return part.prod(); }); break;
    case OpId::Mean:
      partial<T, T>(layout, out, [](auto part) { return part.sum(); });
      for (T& total : std::span(out.as<T>(), static_cast<std::size_t>(out.size())))
        total = scalar::Divide::apply(total, T(n));  // what an infinite part does to the other one is numpy's
      break;
    case OpId::Max:
      if constexpr (!Eigen::NumTraits<T>::IsComplex)
        extreme<T, Eigen::internal::scalar_max_op<T, T, Eigen::PropagateNaN>>(layout, out);
      break;
    case OpId::Min:
      if constexpr (!Eigen::NumTraits<T>::IsComplex)
        extreme<T, Eigen::internal::scalar_min_op<T, T, Eigen::PropagateNaN>>(layout, out);
      break;
    default: {
      // Two passes: the mean, then the mean of squared distances.
      const R degrees = n - static_cast<R>(ir::as_double(ir::attribute(call.op, call.attrs, "ddof"), "ddof"));
      Eigen::Map<const Items<T>> matrix(layout.data.as<T>(), layout.rows, layout.columns);
      Eigen::Map<Eigen::Array<R, Eigen::Dynamic, 1>> result(out.as<R>(), out.size());
      if (layout.along_rows) {
        Eigen::Array<T, Eigen::Dynamic, 1> mean = matrix.rowwise().sum() / T(n);
        result = (matrix.colwise() - mean).abs2().rowwise().sum() / degrees;
      } else {
        Eigen::Array<T, 1, Eigen::Dynamic> mean = matrix.colwise().sum() / T(n);
        result = (matrix.rowwise() - mean).abs2().colwise().sum().transpose() / degrees;
      }
      if (call.op.id == OpId::Std) result = result.unaryExpr([](auto v) { return std::sqrt(v); });
    }
  }
}

void reduce(KernelCall& call) {
  bool extreme = call.op.id == OpId::Max || call.op.id == OpId::Min;
  if (!plain_call(call) || (extreme && ir::is_complex(call.in[0]->dtype))) return hand_to_base(call);
  bool spread = call.op.id == OpId::Var || call.op.id == OpId::Std;
  Layout layout = layout_of(call);
  // Too few degrees of freedom: numpy's kernel warns as numpy does.
  if (spread && static_cast<double>(layout.along_rows ? layout.columns : layout.rows) <=
                    ir::as_double(ir::attribute(call.op, call.attrs, "ddof"), "ddof"))
    return hand_to_base(call);
  Array& out = call.allocate();
  switch (call.in[0]->dtype) {
    case ir::DType::Float32: reduce_as<float>(call, layout, out); break;
    case ir::DType::Float64: reduce_as<double>(call, layout, out); break;
    case ir::DType::Complex64: reduce_as<std::complex<float>>(call, layout, out); break;
    default: reduce_as<std::complex<double>>(call, layout, out);
  }
  ++eigen_expressions();
  call.runtime.check_fp("reduce");
}

constexpr KernelRow kRows[] = {
    {OpId::Sum, reduce, kEigenLibrary}, {OpId::Prod, reduce, kEigenLibrary}, {OpId::Mean, reduce, kEigenLibrary},
    {OpId::Max, reduce, kEigenLibrary}, {OpId::Min, reduce, kEigenLibrary},  {OpId::Var, reduce, kEigenLibrary},
    {OpId::Std, reduce, kEigenLibrary},
};

}  // namespace

std::span<const KernelRow> eigen_reduction_kernels() { return kRows; }

}  // namespace autoray::runtime
