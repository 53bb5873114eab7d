// Norms and element-wise functions that are made of other calls.
#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "codegen/expand/expander.h"
#include "ir/rules/linalg.h"

namespace autoray::codegen::expansion {

namespace {

// ---- norms: runtime/linalg/norms.cpp does the same with arrays ----

class Norm {
 public:
  Norm(Expander& to, const Site& site) : to_(to), site_(site), ord_(ir::norm_order(site.attr("ord"))), x_(site.inputs[0]) {
    if (!ir::is_inexact(to.dtype(x_))) x_ = to.cast(x_, DType::Float64);
  }

  Index of_vectors(std::size_t axis) {
    Attr along = static_cast<std::int64_t>(axis);
    bool keepdims = ir::as_bool(site_.attr("keepdims"), "keepdims");
    if (!ord_ || *ord_ == 2) return root_of_squares(along, keepdims);
    double p = *ord_;
    // The runtime's maximum starts from zero, which no magnitude is below.
    if (std::isinf(p))
      return to_.call(p > 0 ? OpId::Max : OpId::Min, {magnitudes()}, {{"axis", along}, {"keepdims", keepdims}});
    if (p == 0) {
      Index present = to_.call(OpId::NotEqual, {x_, to_.constant(to_.dtype(x_), 0)});
      return sum(to_.cast(present, site_.type.dtype), along, keepdims);
    }
    Index size = magnitudes();
    if (p == 1) return sum(size, along, keepdims);
    DType dtype = to_.dtype(size);
    Index total = sum(to_.call(OpId::Power, {size, to_.constant(dtype, p)}), along, keepdims);
    return to_.call(OpId::Power, {total, to_.constant(dtype, 1 / p)});
  }

  Index of_matrices(std::size_t row_axis, std::size_t column_axis) {
    auto row = static_cast<std::int64_t>(row_axis), column = static_cast<std::int64_t>(column_axis);
    if (!ord_) return to_.reshape(root_of_squares(Dims{row, column}, false), site_.type.shape);
    // Sums of columns (1) or of rows (inf); the axis that is left has moved up where the summed one stood before it.
    bool by_columns = std::abs(*ord_) == 1;
    std::int64_t summed = by_columns ? row : column, left = by_columns ? column : row;
    if (left > summed) --left;
    Index sums = sum(magnitudes(), summed, false);
    return to_.reshape(to_.call(*ord_ > 0 ? OpId::Max : OpId::Min, {sums}, {{"axis", left}}), site_.type.shape);
  }

 private:
  Index magnitudes() { return to_.call(OpId::Abs, {x_}); }
  Index sum(Index a, Attr axis, bool keepdims) {
    return to_.call(OpId::Sum, {a}, {{"axis", std::move(axis)}, {"dtype", to_.dtype(a)}, {"keepdims", keepdims}});
  }
  Index root_of_squares(Attr axes, bool keepdims) {
    Index squares = ir::is_complex(to_.dtype(x_))
                        ? to_.call(OpId::Real, {to_.call(OpId::Multiply, {to_.call(OpId::Conjugate, {x_}), x_})})
                        : to_.call(OpId::Multiply, {x_, x_});
    return to_.call(OpId::Sqrt, {sum(squares, std::move(axes), keepdims)});
  }

  Expander& to_;
  const Site& site_;
  std::optional<double> ord_;
  Index x_;
};

}  // namespace

Index norm(Expander& to, const Site& site) {
  const Dims& shape = to.shape(site.inputs[0]);
  const Attr& ord = site.attr("ord");
  ir::NormForm form = ir::norm_form(ord, site.attr("axis"), shape.ssize());
  if (ir::element_count(shape) == 0) {
    // Sums of nothing are zero; of nothing there is no smallest, nor a power below the first.
    auto order = ir::norm_order(ord);
    bool zero = (!order || *order >= 0) && !ir::norm_by_singular_values(ord);
    return zero ? to.call(OpId::Zeros, {}, {{"shape", site.type.shape}, {"dtype", site.type.dtype}}) : kNoIndex;
  }
  if (form.over == ir::NormForm::Over::All) {
    // A fold of its own; of what is converted over the copy, which is in C's order.
    DType dtype = to.dtype(site.inputs[0]);
    bool half = dtype == DType::Float16;
    if (ir::is_inexact(dtype) && !half) return kNoIndex;
    Index x = to.cast(site.inputs[0], half ? DType::Float32 : DType::Float64);
    x = to.call(OpId::Copy, {x}, {{"order", std::string("C")}});
    if (!half) return to.again(site, {&x, 1});
    // numpy's dot gives the sum in float16.
    Dims axes;
    for (int axis = 0; axis < shape.ssize(); ++axis) axes.push_back(axis);
    Index total = to.call(OpId::Sum, {to.call(OpId::Multiply, {x, x})},
                          {{"axis", axes}, {"dtype", DType::Float32}, {"keepdims", site.attr("keepdims")}});
    return to.call(OpId::Sqrt, {to.cast(total, dtype)});
  }
  // Singular values are LAPACK's.
  if (form.over == ir::NormForm::Over::Vector) return Norm(to, site).of_vectors(form.axis);
  if (ir::norm_by_singular_values(ord)) return kNoIndex;
  return Norm(to, site).of_matrices(form.row_axis, form.column_axis);
}

// ---- element-wise ----

Index is_close(Expander& to, const Site& site) {
  // Python numbers stay weak, the tolerances among them: what they are compared with says in which dtype.
  auto term = [&](OpId id, std::initializer_list<Index> inputs) {
    bool weak = true;
    for (Index x : inputs) weak = weak && to.type(x).kind == Kind::Weak;
    return to.with_kind(to.call(id, inputs), weak ? Kind::Weak : Kind::Array);
  };
  Index x = site.inputs[0], y = site.inputs[1];
  if (!ir::is_inexact(to.dtype(y))) y = to.with_kind(to.cast(y, DType::Float64), to.type(y).kind);
  Index rtol = to.constant(DType::Float64, ir::as_double(site.attr("rtol"), "rtol"), {}, Kind::Weak),
        atol = to.constant(DType::Float64, ir::as_double(site.attr("atol"), "atol"), {}, Kind::Weak);
  Index distance = term(OpId::Abs, {term(OpId::Subtract, {x, y})});
  Index bound = term(OpId::Add, {atol, term(OpId::Multiply, {rtol, term(OpId::Abs, {y})})});
  Index near = term(OpId::LessEqual, {distance, bound}), finite = term(OpId::IsFinite, {y}), same = term(OpId::Equal, {x, y});
  Index result = to.call(OpId::LogicalOr, {to.call(OpId::LogicalAnd, {near, finite}), same});
  if (ir::as_bool(site.attr("equal_nan"), "equal_nan"))
    result =
        to.call(OpId::LogicalOr, {result, to.call(OpId::LogicalAnd, {to.call(OpId::IsNan, {x}), to.call(OpId::IsNan, {y})})});
  return result;
}

// Integers to tens, hundreds ... in float64, and halves, which are rounded after every step.
Index round(Expander& to, const Site& site) {
  DType dtype = to.dtype(site.inputs[0]);
  std::int64_t decimals = ir::as_int(site.attr("decimals"), "decimals");
  if (dtype == DType::Float16 ? decimals == 0 : !ir::is_integer(dtype) || decimals >= 0) return kNoIndex;
  double power = std::pow(10.0, static_cast<double>(std::llabs(decimals)));
  Index scale = to.constant(dtype == DType::Float16 ? dtype : DType::Float64, power);
  auto scaled = [&](bool up, Index x) { return to.call(up ? OpId::Multiply : OpId::Divide, {x, scale}); };
  Index whole = to.call(OpId::Rint, {scaled(decimals > 0, site.inputs[0])});
  return to.cast(scaled(decimals < 0, whole), site.type.dtype);
}

// A Python integer at or beyond the end of an integer array's range bounds nothing; beyond the other end it is an error.
Index clip(Expander& to, const Site& site) {
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
  return changed ? to.again(site, bounds) : kNoIndex;
}

// A Python integer outside the other operand's range is compared in a dtype that holds both.
Index comparison(Expander& to, const Site& site) {
  for (int k = 0; k < 2; ++k) {
    Index weak = site.inputs[static_cast<std::size_t>(k)], other = site.inputs[static_cast<std::size_t>(1 - k)];
    DType dtype = to.dtype(other);
    const runtime::Array* value = to.type(other).kind == Kind::Weak ? nullptr : to.out_of_range(weak, dtype);
    if (!value) continue;
    bool unsigned_value = value->dtype == DType::UInt64 || dtype == DType::UInt64;
    DType both = unsigned_value ? DType::Float64 : DType::Int64;
    Index x = to.call(OpId::Astype, {weak}, {{"dtype", both}}), y = to.cast(other, both);
    return k == 0 ? to.call(site.op, {x, y}) : to.call(site.op, {y, x});
  }
  return kNoIndex;
}

// A Python integer that the result does not hold keeps its last bits.
Index selection(Expander& to, const Site& site) {
  Inputs inputs(site.inputs.begin(), site.inputs.end());
  bool changed = false;
  for (std::size_t k = 1; k < inputs.size(); ++k) {
    const runtime::Array* value = to.out_of_range(inputs[k], site.type.dtype);
    if (!value) continue;
    inputs[k] = to.cast(to.call(OpId::Astype, {inputs[k]}, {{"dtype", value->dtype}}), site.type.dtype);
    changed = true;
  }
  return changed ? to.again(site, inputs) : kNoIndex;
}

Index imaginary_part(Expander& to, const Site& site) {
  if (ir::is_complex(to.dtype(site.inputs[0]))) return kNoIndex;
  return to.constant(site.type.dtype, 0, site.type.shape);
}

// Integers to powers that are integers of an array.
Index integer_power(Expander& to, const Site& site) {
  DType result = site.type.dtype;
  if (!ir::is_integer(result)) return kNoIndex;
  Index x = site.inputs[0], n = site.inputs[1];
  if (to.out_of_range(x, result) || to.out_of_range(n, result)) return kNoIndex;
  // A small one has a code of its own, and a negative one is known to be refused.
  constexpr double kSmall = 64;
  if (to.constant_scalar(n) && to.real_number(n) <= kSmall) return kNoIndex;
  if (ir::is_signed_integer(to.dtype(n))) {
    if (to.standalone()) return kNoIndex;
    to.refuse_if(to.call(OpId::Less, {n, to.constant(to.dtype(n), 0)}),
                 ir::Error(ir::ErrorClass::ValueError, "Integers to negative integer powers are not allowed."));
  }
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = result;
  role.lowering = power_by_squaring;
  role.operands = 2;
  return to.given(site.type, {x, n}, std::move(role));
}

// The imaginary part is thrown away.
Index made_real(Expander& to, const Site& site) {
  Index x = site.inputs[0];
  DType result = site.type.dtype;
  bool thrown = ir::is_complex(to.dtype(x)) && !ir::is_complex(result) && !ir::is_bool(result);
  return thrown && to.tell(_MM_EXCEPT_INVALID) ? to.cast(to.call(OpId::Real, {x}), result) : kNoIndex;
}

}  // namespace autoray::codegen::expansion
