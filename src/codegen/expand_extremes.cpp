// The places of extremes, and extremes of complex numbers.
#include <limits>

#include "codegen/expander.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::OpId;

// The smallest place at which the extreme value stands; the first NaN where there is one.
Index Expander::place_of_extreme(Index i) {
  Index x = input(i, 0);
  DType items = made(x).dtype;
  if (ir::is_complex(items)) return complex_extreme(from_.nodes[i].op, x, attr(i, "axis"), attr(i, "keepdims"));
  if (items == DType::Float16 || ir::element_count(shape(x)) == 0) return kNoIndex;
  const Dims whole = shape(x);
  const Attr& axis = attr(i, "axis");
  OpId extreme = from_.nodes[i].op == OpId::Argmax ? OpId::Max : OpId::Min;
  Index best = call(extreme, {x, kNoIndex}, {{"axis", axis}, {"keepdims", true}});
  Index is_best = call(OpId::Equal, {x, best});
  if (ir::is_inexact(items)) is_best = call(OpId::LogicalOr, {is_best, call(OpId::NotEqual, {x, x})});
  AffineIndex place{ir::contiguous_strides(whole, 1)};
  if (!axis.none() && !whole.empty()) {
    place.steps = Dims(whole.size(), 0);
    place.steps[static_cast<std::size_t>(ir::normalize_axis(ir::as_int(axis, "axis"), whole.ssize()))] = 1;
  }
  Index far = constant(DType::Int64, 9e18);
  Index places = call(OpId::Where, {is_best, affine(whole, std::move(place)), far});
  Index first = call(OpId::Min, {places, kNoIndex}, {{"axis", axis}, {"keepdims", attr(i, "keepdims")}});
  return together(first, Prim::Minimum, Order::Any, axis);
}

// The greatest (smallest) real part, among those the greatest imaginary part, among those the first place; a NaN in either part
// stands before every number. The value is then taken part by part from its place.
Index Expander::complex_extreme(OpId id, Index x, const Attr& axis, const Attr& keepdims) {
  if (ir::element_count(shape(x)) == 0) return kNoIndex;
  const Dims whole = shape(x);
  bool places = id == OpId::Argmax || id == OpId::Argmin;
  OpId extreme = id == OpId::Max || id == OpId::Argmax ? OpId::Max : OpId::Min;
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  Index worst = constant(ir::real_dtype(made(x).dtype), extreme == OpId::Max ? -kInfinite : kInfinite);
  auto fold = [&](OpId op, Index v, const Attr& keep) { return call(op, {v, kNoIndex}, {{"axis", axis}, {"keepdims", keep}}); };
  auto among = [&](Index taken, Index part, const Attr& keep) {
    return fold(extreme, call(OpId::Where, {taken, part, worst}), keep);
  };
  Index re = call(OpId::Real, {x}), im = call(OpId::Imag, {x});
  Index nan = call(OpId::LogicalOr, {call(OpId::NotEqual, {re, re}), call(OpId::NotEqual, {im, im})});
  Index best = call(OpId::LogicalNot, {nan});
  for (Index part : {re, im}) best = call(OpId::LogicalAnd, {best, call(OpId::Equal, {part, among(best, part, true)})});
  Index chosen = call(OpId::Where, {fold(OpId::Any, nan, true), nan, best});
  Dims axes = ir::reduction_axes(axis, whole.ssize());
  AffineIndex order{ir::contiguous_strides(whole, 1)};
  if (places && !axis.none() && !whole.empty()) {
    order.steps = Dims(whole.size(), 0);
    order.steps[static_cast<std::size_t>(ir::normalize_axis(ir::as_int(axis, "axis"), whole.ssize()))] = 1;
  }
  // Of several NaNs the value is the one that the eager kernel, which walks memory, meets first.
  Index number = places ? affine(whole, std::move(order)) : numbered(x, std::move(axes));
  Index far = constant(DType::Int64, 9e18);
  Index at = call(OpId::Where, {chosen, number, far});
  if (places) return fold(OpId::Min, at, keepdims);
  Index here = call(OpId::Equal, {number, fold(OpId::Min, at, true)});
  return call(OpId::Complex, {among(here, re, keepdims), among(here, im, keepdims)});
}

// The points of x numbered along these axes as they lie in memory.
Index Expander::numbered(Index x, Dims axes) {
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = DType::Int64;
  role.lowering = identity;
  role.index = AffineIndex{Dims(shape(x).size(), 0), 0, std::move(axes)};
  return given({DType::Int64, Kind::Array, shape(x)}, {x}, std::move(role));
}

}  // namespace autoray::codegen
