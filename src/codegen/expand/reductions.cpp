// Reductions and scans.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "codegen/expand/expander.h"
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"
#include "runtime/convert.h"
#include "runtime/elementwise/driver.h"

namespace autoray::codegen::expansion {

namespace {

// The dtype that adds up: halves in float32, small integers in 64 bits.
DType accumulator(DType dtype) {
  if (dtype == DType::Float16) return DType::Float32;
  if (ir::is_inexact(dtype)) return dtype;
  return ir::is_unsigned(dtype) ? DType::UInt64 : DType::Int64;
}

// var(where=): runtime/reduction/sums.cpp does the same with arrays. Where no degree of freedom is left the division by zero
// tells of itself.
Index masked_spread(Expander& to, const Site& site) {
  if (to.draws()) return kNoIndex;
  DType result = site.type.dtype, items = to.dtype(site.inputs[0]);
  bool complex = ir::is_complex(items);
  DType computed = complex ? ir::complex_dtype(result) : result;
  Index x = to.cast(site.inputs[0], computed), mask = to.cast(site.inputs[1], DType::Bool);
  auto fits = ir::broadcast(to.shape(mask), to.shape(x));
  if (!fits || !(*fits == to.shape(x)) || ir::element_count(to.shape(x)) == 0) return kNoIndex;
  const Attr &axis = site.attr("axis"), &keepdims = site.attr("keepdims");
  auto sum = [&](Index v, DType dtype, const Attr& keep) {
    return to.call(OpId::Sum, {v}, {{"axis", axis}, {"dtype", dtype}, {"keepdims", keep}});
  };
  auto taken = [&](Index v) { return to.call(OpId::Where, {mask, v, to.constant(to.dtype(v), 0)}); };
  Index all = to.call(OpId::BroadcastTo, {mask}, {{"shape", to.shape(x)}});
  Index mean = to.call(OpId::Divide, {sum(taken(x), computed, true), to.cast(sum(all, DType::Float64, true), result)});
  Index distance = to.call(OpId::Subtract, {x, mean});
  Index square = complex ? to.call(OpId::Real, {to.call(OpId::Multiply, {distance, to.call(OpId::Conjugate, {distance})})})
                         : to.call(OpId::Square, {distance});
  Index squares = sum(taken(square), result, keepdims);
  Index freedom = to.call(OpId::Subtract, {sum(all, DType::Float64, keepdims),
                                           to.constant(DType::Float64, ir::as_double(site.attr("ddof"), "ddof"))});
  Index divisor = to.cast(to.call(OpId::Maximum, {freedom, to.constant(DType::Float64, 0)}), result);
  Index inverse = to.call(OpId::Divide, {to.constant(result, 1), divisor}),
        none = to.call(OpId::Equal, {divisor, to.constant(result, 0)});
  Index variance =
      to.call(OpId::Where, {none, to.call(OpId::Multiply, {squares, inverse}), to.call(OpId::Divide, {squares, divisor})});
  return site.op == OpId::Std ? to.call(OpId::Sqrt, {variance}) : variance;
}

}  // namespace

Index together(Expander& to, Index fold, Prim prim, Order order, const Attr& axis) {
  NodeRole role;
  role.role = Role::Fold;
  role.fold = prim;
  role.order = order;
  role.accumulate = to.dtype(fold);
  role.axes = ir::reduction_axes(axis, to.shape(to.input(fold, 0)).ssize());
  role.together = true;
  to.role(fold) = std::move(role);
  return fold;
}

Index invalid(Expander& to, const ir::Type& type) {
  if (!ir::is_inexact(type.dtype) || !to.tell(_MM_EXCEPT_INVALID)) return kNoIndex;
  bool complex = ir::is_complex(type.dtype);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  Index nan = to.constant(complex ? ir::real_dtype(type.dtype) : type.dtype, std::copysign(kNaN, -1.0), type.shape);
  return complex ? to.call(OpId::Complex, {nan, nan}) : nan;
}

// Two passes: the mean, then the mean of squared distances.
Index spread(Expander& to, const Site& site) {
  DType result = site.type.dtype, items = to.dtype(site.inputs[0]);
  const Attr& asked = site.attr("dtype");
  bool complex = ir::is_complex(items);
  bool mask = site.has(1);
  // Integer results, and the mean of real parts, are truncated and composed in ways of their own.
  bool generated = result == DType::Float32 || result == DType::Float64;
  if (!generated || items == DType::Float16) return kNoIndex;
  if (complex && !asked.none() && !ir::is_complex(*ir::as_dtype(asked))) return kNoIndex;
  if (mask) return masked_spread(to, site);
  Dims axes = ir::reduction_axes(site.attr("axis"), to.shape(site.inputs[0]).ssize());
  double n = 1;
  for (std::int64_t axis : axes) n *= static_cast<double>(to.shape(site.inputs[0])[static_cast<std::size_t>(axis)]);
  double divisor = n - ir::as_double(site.attr("ddof"), "ddof");
  // numpy warns of too few, and divides by zero.
  if (n == 0 && divisor > 0) return to.tell(_MM_EXCEPT_INVALID) ? to.constant(result, 0, site.type.shape) : kNoIndex;
  if (n == 0) return invalid(to, site.type);
  if (divisor <= 0 && !to.tell(_MM_EXCEPT_DIV_ZERO)) return kNoIndex;
  divisor = std::max(divisor, 0.0);
  DType computed = complex ? ir::complex_dtype(result) : result;
  Index x = to.cast(site.inputs[0], computed);
  Index mean = to.call(OpId::Mean, {x}, {{"axis", site.attr("axis")}, {"dtype", computed}, {"keepdims", true}});
  Index d = to.call(OpId::Subtract, {x, mean}), square;
  if (complex) {
    Index re = to.call(OpId::Real, {d}), im = to.call(OpId::Imag, {d});
    square = to.call(OpId::Add, {to.call(OpId::Multiply, {re, re}), to.call(OpId::Multiply, {im, im})});
  } else {
    square = to.call(OpId::Multiply, {d, d});
  }
  Index total =
      to.call(OpId::Sum, {square}, {{"axis", site.attr("axis")}, {"dtype", result}, {"keepdims", site.attr("keepdims")}});
  together(to, total, Prim::Add, Order::Pairwise, site.attr("axis"));
  Index variance = to.call(OpId::Divide, {total, to.constant(result, divisor)});
  return site.op == OpId::Std ? to.call(OpId::Sqrt, {variance}) : variance;
}

Index scanned(Expander& to, const Site& site) {
  DType result = site.type.dtype, computed = accumulator(result);
  Index x = site.inputs[0];
  Attr axis = site.attr("axis");
  bool flattened = axis.none() || to.shape(x).empty(), complex = ir::is_complex(result) && site.op == OpId::Cumprod;
  if (!flattened && computed == result && !complex) return kNoIndex;
  if (ir::is_bool(result)) x = to.cast(x, DType::Bool);
  if (flattened) {
    x = to.flat(x);
    axis = std::int64_t{0};
  }
  if (complex) return complex_product_scan(to, to.cast(x, result), ir::scan_axis(axis, to.shape(x).ssize()));
  return to.cast(to.call(site.op, {x}, {{"axis", axis}, {"dtype", computed}}), result);
}

namespace {

// initial=: one more term, in front; with where= what a maximum takes for those that are left out.
Index started(Expander& to, const Site& site) {
  OpId id = site.op;
  DType result = site.type.dtype, items = to.dtype(site.inputs[0]);
  const Attr& initial = site.attr("initial");
  bool mask = site.has(1), given = !initial.get<ir::Ellipsis>() && !initial.none();
  bool complex = ir::is_complex(result);
  if (!given && !mask && complex && id != OpId::Sum)
    return id == OpId::Prod ? complex_product(to, to.cast(site.inputs[0], result), site.attr("axis"), site.type.shape)
                            : complex_extreme(to, id, site.inputs[0], site.attr("axis"), site.attr("keepdims"));
  if (complex && (id == OpId::Max || id == OpId::Min)) return kNoIndex;
  if (!given && !mask && !initial.none()) return kNoIndex;
  if (result == DType::Float16 || items == DType::Float16) return kNoIndex;
  bool product = id == OpId::Prod, sum = id == OpId::Sum || product;
  DType computed = sum ? accumulator(result) : result;
  double first = 0;
  if (given) {
    auto* integer = initial.get<std::int64_t>();
    if (!integer && !initial.get<double>() && !initial.get<bool>()) return kNoIndex;
    first = ir::as_double(initial, "initial");
    // What is rounded on its way, or does not fit, is the eager kernel's.
    if (ir::is_integer(computed) && (first != std::trunc(first) || std::fabs(first) > 1 << 30)) return kNoIndex;
    if (ir::is_integer(result)) {
      runtime::Array value = to.runtime().allocate(DType::Int64, {});
      *value.as<std::int64_t>() = static_cast<std::int64_t>(first);
      if (runtime::out_of_range({&value, Kind::Weak}, result)) return kNoIndex;
    }
    if (ir::is_bool(result) && sum) return kNoIndex;
    if (ir::is_bool(result)) first = first != 0;
  }
  Index x = site.inputs[0];
  if (ir::element_count(to.shape(x)) == 0) {
    if (!given) return kNoIndex;
    return to.constant(result, first, site.type.shape);
  }
  if (sum && ir::is_bool(result)) x = to.cast(x, DType::Bool);
  if (mask)
    x = to.call(OpId::Where,
                {to.cast(site.inputs[1], DType::Bool), to.cast(x, computed), to.constant(computed, sum ? product : first)});
  const Attr &axis = site.attr("axis"), &keepdims = site.attr("keepdims");
  Index r = product && complex ? complex_product(to, to.cast(x, computed), axis, site.type.shape)
            : sum ? to.call(id, {x}, {{"axis", axis}, {"dtype", given ? computed : result}, {"keepdims", keepdims}})
                  : to.call(id, {x}, {{"axis", axis}, {"keepdims", keepdims}});
  if (!given) return r;
  OpId op = id == OpId::Max ? OpId::Maximum : id == OpId::Min ? OpId::Minimum : product ? OpId::Multiply : OpId::Add;
  return to.cast(to.call(op, {to.constant(computed, first), r}), result);
}

// where=: what does not take part becomes the identity.
Index masked(Expander& to, const Site& site) {
  OpId id = site.op;
  DType result = site.type.dtype, items = to.dtype(site.inputs[0]);
  if (result == DType::Float16 || items == DType::Float16) return kNoIndex;
  if (auto* value = to.constant_scalar(site.inputs[1]); value && ir::is_bool(value->dtype) && *value->data) return kNoIndex;
  Index x = site.inputs[0], mask = to.cast(site.inputs[1], DType::Bool);
  auto fits = ir::broadcast(to.shape(mask), to.shape(x));
  if (!fits || !(*fits == to.shape(x))) return kNoIndex;
  const Attr &axis = site.attr("axis"), &keepdims = site.attr("keepdims");
  if (id == OpId::All || id == OpId::Any) {
    Index truth = to.cast(x, DType::Bool);
    truth = id == OpId::All ? to.call(OpId::LogicalOr, {truth, to.call(OpId::LogicalNot, {mask})})
                            : to.call(OpId::LogicalAnd, {truth, mask});
    return to.call(id, {truth}, {{"axis", axis}, {"keepdims", keepdims}});
  }
  if (id == OpId::Mean) {
    if (!ir::is_inexact(result) || ir::element_count(to.shape(x)) == 0) return kNoIndex;
    Index taken = to.call(OpId::Where, {mask, to.cast(x, result), to.constant(result, 0)});
    Index total = to.call(OpId::Sum, {taken}, {{"axis", axis}, {"dtype", result}, {"keepdims", keepdims}});
    Index all = to.call(OpId::BroadcastTo, {mask}, {{"shape", to.shape(x)}});
    Index count = to.call(OpId::Sum, {all}, {{"axis", axis}, {"dtype", DType::Float64}, {"keepdims", keepdims}});
    return to.call(OpId::Divide, {total, to.cast(count, result)});
  }
  const Attr& initial = site.attr("initial");
  bool extreme = id == OpId::Max || id == OpId::Min;
  // An extreme has no identity but the initial value, and a sum none that initial=None took away.
  if (initial.none() || (extreme && initial.get<ir::Ellipsis>())) return kNoIndex;
  return started(to, site);
}

}  // namespace

Index reduced(Expander& to, const Site& site) {
  if (site.op == OpId::Mean && ir::element_count(to.shape(site.inputs[0])) == 0) return invalid(to, site.type);
  if (site.has(1)) return masked(to, site);
  bool starts = site.op != OpId::Mean && site.op != OpId::All && site.op != OpId::Any;
  return starts ? started(to, site) : kNoIndex;
}

Index traced(Expander& to, const Site& site) {
  Index diagonal = to.call(OpId::Diagonal, {site.inputs[0]},
                           {{"offset", site.attr("offset")}, {"axis1", site.attr("axis1")}, {"axis2", site.attr("axis2")}});
  return to.call(OpId::Sum, {diagonal}, {{"axis", std::int64_t{-1}}, {"dtype", site.attr("dtype")}});
}

}  // namespace autoray::codegen::expansion
