// The places of extremes, and extremes of complex numbers.
#include <limits>

#include "codegen/expand/expander.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"

namespace autoray::codegen::expansion {

// The smallest place at which the extreme value stands; the first NaN where there is one.
Index place_of_extreme(Expander& to, const Site& site) {
  Index x = site.inputs[0];
  DType items = to.dtype(x);
  if (ir::is_complex(items)) return complex_extreme(to, site.op, x, site.attr("axis"), site.attr("keepdims"));
  if (items == DType::Float16 || ir::element_count(to.shape(x)) == 0) return kNoIndex;
  const Dims whole = to.shape(x);
  const Attr& axis = site.attr("axis");
  OpId extreme = site.op == OpId::Argmax ? OpId::Max : OpId::Min;
  Index best = to.call(extreme, {x}, {{"axis", axis}, {"keepdims", true}});
  Index is_best = to.call(OpId::Equal, {x, best});
  if (ir::is_inexact(items)) is_best = to.call(OpId::LogicalOr, {is_best, to.call(OpId::NotEqual, {x, x})});
  AffineIndex place{ir::contiguous_strides(whole, 1)};
  if (!axis.none() && !whole.empty()) {
    place.steps = Dims(whole.size(), 0);
    place.steps[static_cast<std::size_t>(ir::normalize_axis(ir::as_int(axis, "axis"), whole.ssize()))] = 1;
  }
  Index far = to.constant(DType::Int64, 9e18);
  Index places = to.call(OpId::Where, {is_best, to.affine(whole, std::move(place)), far});
  Index first = to.call(OpId::Min, {places}, {{"axis", axis}, {"keepdims", site.attr("keepdims")}});
  return together(to, first, Prim::Minimum, Order::Any, axis);
}

namespace {

// The points of x numbered along these axes as they lie in memory.
Index numbered(Expander& to, Index x, Dims axes) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = DType::Int64;
  role.lowering = identity;
  role.index = AffineIndex{Dims(to.shape(x).size(), 0), 0, std::move(axes)};
  return to.given({DType::Int64, Kind::Array, to.shape(x)}, {x}, std::move(role));
}

}  // namespace

// The greatest (smallest) real part, among those the greatest imaginary part, among those the first place; a NaN in either part
// stands before every number. The value is then taken part by part from its place.
Index complex_extreme(Expander& to, OpId id, Index x, const Attr& axis, const Attr& keepdims) {
  if (ir::element_count(to.shape(x)) == 0) return kNoIndex;
  const Dims whole = to.shape(x);
  bool places = id == OpId::Argmax || id == OpId::Argmin;
  OpId extreme = id == OpId::Max || id == OpId::Argmax ? OpId::Max : OpId::Min;
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  Index worst = to.constant(ir::real_dtype(to.dtype(x)), extreme == OpId::Max ? -kInfinite : kInfinite);
  auto fold = [&](OpId op, Index v, const Attr& keep) { return to.call(op, {v}, {{"axis", axis}, {"keepdims", keep}}); };
  auto among = [&](Index taken, Index part, const Attr& keep) {
    return fold(extreme, to.call(OpId::Where, {taken, part, worst}), keep);
  };
  Index re = to.call(OpId::Real, {x}), im = to.call(OpId::Imag, {x});
  Index nan = to.call(OpId::LogicalOr, {to.call(OpId::NotEqual, {re, re}), to.call(OpId::NotEqual, {im, im})});
  Index best = to.call(OpId::LogicalNot, {nan});
  for (Index part : {re, im}) best = to.call(OpId::LogicalAnd, {best, to.call(OpId::Equal, {part, among(best, part, true)})});
  Index chosen = to.call(OpId::Where, {fold(OpId::Any, nan, true), nan, best});
  Dims axes = ir::reduction_axes(axis, whole.ssize());
  AffineIndex order{ir::contiguous_strides(whole, 1)};
  if (places && !axis.none() && !whole.empty()) {
    order.steps = Dims(whole.size(), 0);
    order.steps[static_cast<std::size_t>(ir::normalize_axis(ir::as_int(axis, "axis"), whole.ssize()))] = 1;
  }
  // Of several NaNs the value is the one that the eager kernel, which walks memory, meets first.
  Index number = places ? to.affine(whole, std::move(order)) : numbered(to, x, std::move(axes));
  Index far = to.constant(DType::Int64, 9e18);
  Index at = to.call(OpId::Where, {chosen, number, far});
  if (places) return fold(OpId::Min, at, keepdims);
  Index here = to.call(OpId::Equal, {number, fold(OpId::Min, at, true)});
  return to.call(OpId::Complex, {among(here, re, keepdims), among(here, im, keepdims)});
}

}  // namespace autoray::codegen::expansion
