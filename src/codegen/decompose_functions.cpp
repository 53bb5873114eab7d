// Norms and element-wise functions that are made of other calls.
#include <cmath>
#include <cstring>

#include "codegen/decompose.h"
#include "ir/attributes.h"
#include "ir/rules/linalg.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::OpId;

namespace {

// ---- norms: runtime/linalg/norms.cpp does the same with arrays ----

class Norm {
 public:
  Norm(Decomposer& to, const Site& site) : to_(to), site_(site), ord_(ir::norm_order(site.attrs[0])), x_(site.inputs[0]) {
    if (!ir::is_inexact(to.dtype(x_))) x_ = to.cast(x_, DType::Float64);
  }

  Index of_vectors(std::size_t axis) {
    Attr along = static_cast<std::int64_t>(axis);
    bool keepdims = ir::as_bool(site_.attrs[2], "keepdims");
    if (!ord_ || *ord_ == 2) return root_of_squares(along, keepdims);
    double p = *ord_;
    // The runtime's maximum starts from zero, which no magnitude is below.
    if (std::isinf(p)) return to_.call(p > 0 ? OpId::Max : OpId::Min, {magnitudes()}, {along, {}, keepdims});
    if (p == 0) {
      Index present = to_.call(OpId::NotEqual, {x_, to_.number(0, to_.dtype(x_))});
      return sum(to_.cast(present, site_.type.dtype), along, keepdims);
    }
    Index size = magnitudes();
    if (p == 1) return sum(size, along, keepdims);
    DType dtype = to_.dtype(size);
    Index total = sum(to_.call(OpId::Power, {size, to_.number(p, dtype)}), along, keepdims);
    return to_.call(OpId::Power, {total, to_.number(1 / p, dtype)});
  }

  Index of_matrices(std::size_t row_axis, std::size_t column_axis) {
    auto row = static_cast<std::int64_t>(row_axis), column = static_cast<std::int64_t>(column_axis);
    if (!ord_) return to_.reshaped(root_of_squares(Dims{row, column}, false), site_.type.shape);
    // Sums of columns (1) or of rows (inf); the axis that is left has moved up where the summed one stood before it.
    bool by_columns = std::abs(*ord_) == 1;
    std::int64_t summed = by_columns ? row : column, left = by_columns ? column : row;
    if (left > summed) --left;
    Index sums = sum(magnitudes(), summed, false);
    return to_.reshaped(to_.call(*ord_ > 0 ? OpId::Max : OpId::Min, {sums}, {left}), site_.type.shape);
  }

 private:
  Index magnitudes() { return to_.call(OpId::Abs, {x_}); }
  Index sum(Index a, Attr axis, bool keepdims) {
    return to_.call(OpId::Sum, {a}, {std::move(axis), to_.dtype(a), {}, keepdims});
  }
  Index root_of_squares(Attr axes, bool keepdims) {
    Index squares = ir::is_complex(to_.dtype(x_))
                        ? to_.call(OpId::Real, {to_.call(OpId::Multiply, {to_.call(OpId::Conjugate, {x_}), x_})})
                        : to_.call(OpId::Multiply, {x_, x_});
    return to_.call(OpId::Sqrt, {sum(squares, std::move(axes), keepdims)});
  }

  Decomposer& to_;
  const Site& site_;
  std::optional<double> ord_;
  Index x_;
};

Index norm(Decomposer& to, const Site& site) {
  const Dims& shape = to.shape(site.inputs[0]);
  ir::NormForm form = ir::norm_form(site.attrs[0], site.attrs[1], shape.ssize());
  if (ir::element_count(shape) == 0) {
    // Sums of nothing are zero; of nothing there is no smallest, nor a power below the first.
    auto ord = ir::norm_order(site.attrs[0]);
    bool zero = (!ord || *ord >= 0) && !ir::norm_by_singular_values(site.attrs[0]);
    return zero ? to.call(OpId::Zeros, {}, {site.type.shape, site.type.dtype}) : kNoIndex;
  }
  if (form.over == ir::NormForm::Over::All) {
    // A fold of its own; of what is converted over the copy, which is in C's order.
    DType dtype = to.dtype(site.inputs[0]);
    bool half = dtype == DType::Float16;
    if (ir::is_inexact(dtype) && !half) return kNoIndex;
    const Index x[] = {
        to.call(OpId::Copy, {to.cast(site.inputs[0], half ? DType::Float32 : DType::Float64)}, {std::string("C")})};
    if (!half) return to.plain(OpId::LinalgNorm, x, site.attrs);
    // numpy's dot gives the sum in float16.
    Dims axes;
    for (int axis = 0; axis < shape.ssize(); ++axis) axes.push_back(axis);
    Index total = to.call(OpId::Sum, {to.call(OpId::Multiply, {x[0], x[0]})}, {axes, DType::Float32, {}, site.attrs[2]});
    return to.call(OpId::Sqrt, {to.cast(total, dtype)});
  }
  // Singular values are LAPACK's.
  if (form.over == ir::NormForm::Over::Vector) return Norm(to, site).of_vectors(form.axis);
  if (ir::norm_by_singular_values(site.attrs[0])) return kNoIndex;
  return Norm(to, site).of_matrices(form.row_axis, form.column_axis);
}

// ---- element-wise ----

Index is_close(Decomposer& to, const Site& site) {
  // Python numbers stay weak, the tolerances among them: what they are compared with says in which dtype.
  auto term = [&](OpId id, std::initializer_list<Index> inputs) {
    bool weak = true;
    for (Index x : inputs) weak = weak && to.type(x).kind == Kind::Weak;
    return to.with_kind(to.call(id, inputs), weak ? Kind::Weak : Kind::Array);
  };
  Index x = site.inputs[0], y = site.inputs[1];
  if (!ir::is_inexact(to.dtype(y))) y = to.with_kind(to.cast(y, DType::Float64), to.type(y).kind);
  Index rtol = to.number(ir::as_double(site.attrs[0], "rtol"), DType::Float64, Kind::Weak),
        atol = to.number(ir::as_double(site.attrs[1], "atol"), DType::Float64, Kind::Weak);
  Index distance = term(OpId::Abs, {term(OpId::Subtract, {x, y})});
  Index bound = term(OpId::Add, {atol, term(OpId::Multiply, {rtol, term(OpId::Abs, {y})})});
  Index near = term(OpId::LessEqual, {distance, bound}), finite = term(OpId::IsFinite, {y}), same = term(OpId::Equal, {x, y});
  Index result = to.call(OpId::LogicalOr, {to.call(OpId::LogicalAnd, {near, finite}), same});
  if (ir::as_bool(site.attrs[2], "equal_nan"))
    result =
        to.call(OpId::LogicalOr, {result, to.call(OpId::LogicalAnd, {to.call(OpId::IsNan, {x}), to.call(OpId::IsNan, {y})})});
  return result;
}

// Integers to tens, hundreds ... in float64, and halves, which are rounded after every step.
Index round(Decomposer& to, const Site& site) {
  DType dtype = to.dtype(site.inputs[0]);
  std::int64_t decimals = ir::as_int(site.attrs[0], "decimals");
  if (dtype == DType::Float16 ? decimals == 0 : !ir::is_integer(dtype) || decimals >= 0) return kNoIndex;
  double power = std::pow(10.0, static_cast<double>(std::llabs(decimals)));
  Index scale = to.number(power, dtype == DType::Float16 ? dtype : DType::Float64);
  auto scaled = [&](bool up, Index x) { return to.call(up ? OpId::Multiply : OpId::Divide, {x, scale}); };
  Index whole = to.call(OpId::Rint, {scaled(decimals > 0, site.inputs[0])});
  return to.cast(scaled(decimals < 0, whole), site.type.dtype);
}

// A Python integer at or beyond the end of an integer array's range bounds nothing; beyond the other end it is an error.
Index clip(Decomposer& to, const Site& site) {
  DType dtype = to.dtype(site.inputs[0]);
  std::vector<Index> bounds(site.inputs.begin(), site.inputs.end());
  bool changed = false;
  if (!ir::is_integer(dtype)) return kNoIndex;
  for (std::size_t k = 1; k < bounds.size(); ++k) {
    const runtime::Array* value = to.out_of_range(bounds[k], dtype);
    if (!value) continue;
    std::int64_t number = 0;
    if (value->dtype == DType::Int64) std::memcpy(&number, value->data, sizeof number);
    bool lower = k % 2 == 1;
    if ((number < 0) != lower) return kNoIndex;
    bounds[k] = kNoIndex;
    changed = true;
  }
  return changed ? to.plain(OpId::Clip, bounds, site.attrs) : kNoIndex;
}

// A Python integer outside the other operand's range is compared in a dtype that holds both.
Index comparison(Decomposer& to, const Site& site) {
  for (int k = 0; k < 2; ++k) {
    Index weak = site.inputs[static_cast<std::size_t>(k)], other = site.inputs[static_cast<std::size_t>(1 - k)];
    DType dtype = to.dtype(other);
    const runtime::Array* value = to.type(other).kind == Kind::Weak ? nullptr : to.out_of_range(weak, dtype);
    if (!value) continue;
    bool unsigned_value = value->dtype == DType::UInt64 || dtype == DType::UInt64;
    DType both = unsigned_value ? DType::Float64 : DType::Int64;
    Index x = to.call(OpId::Astype, {weak}, {both}), y = to.cast(other, both);
    return k == 0 ? to.call(site.node.op, {x, y}) : to.call(site.node.op, {y, x});
  }
  return kNoIndex;
}

Index imaginary_part(Decomposer& to, const Site& site) {
  if (ir::is_complex(to.dtype(site.inputs[0]))) return kNoIndex;
  return to.call(OpId::Zeros, {}, {site.type.shape, site.type.dtype});
}

}  // namespace

Decomposition composition(OpId op) {
  if (op >= OpId::Equal && op <= OpId::LogicalXor) return comparison;
  switch (op) {
    case OpId::LinalgNorm: return norm;
    case OpId::IsClose: return is_close;
    case OpId::Round: return round;
    case OpId::Clip: return clip;
    case OpId::Imag: return imaginary_part;
    default: return nullptr;
  }
}

}  // namespace autoray::codegen
