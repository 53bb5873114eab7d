// Calls whose values may be refused, or warned of, when they are seen: checks beside the arithmetic.
#include <immintrin.h>

#include <cmath>
#include <limits>

#include "codegen/expander.h"
#include "codegen/routines.h"
#include "ir/rules/reduction.h"
#include "runtime/convert.h"

namespace autoray::codegen {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::Index;
using ir::Kind;
using ir::kNoIndex;
using ir::OpId;

void Expander::refuse_if(Index condition, ir::Error error) {
  NodeRole role;
  role.role = Role::Routine;
  role.routine = refuse_if_routine();
  role.error = std::make_shared<const ir::Error>(std::move(error));
  Index any = shape(condition).empty() ? condition : call(OpId::Any, {condition, kNoIndex});
  given({DType::Bool, Kind::Array, {}}, {any}, std::move(role));
}

// Integers to powers that are integers of an array.
Index Expander::integer_power(Index i) {
  DType result = dtype(i);
  Index base = from_.inputs(i)[0], exponent = from_.inputs(i)[1];
  if (!ir::is_integer(result) || weak_out_of_range(base, result) || weak_out_of_range(exponent, result)) return kNoIndex;
  if (const runtime::Array* value = constant_scalar(exponent)) {
    // A small one has a code of its own, and a negative one is known to be refused.
    constexpr double kSmall = 64;
    double number;
    runtime::cast_loop(value->dtype, DType::Float64)(value->data, 0, reinterpret_cast<char*>(&number), 0, 1);
    if (number <= kSmall) return kNoIndex;
  }
  Index x = input(i, 0), n = input(i, 1);
  if (standalone_ && ir::is_signed_integer(made(n).dtype)) return kNoIndex;
  if (ir::is_signed_integer(made(n).dtype))
    refuse_if(call(OpId::Less, {n, constant(made(n).dtype, 0)}),
              ir::Error(ir::ErrorClass::ValueError, "Integers to negative integer powers are not allowed."));
  NodeRole role;
  role.role = Role::Pointwise;
  role.compute = result;
  role.lowering = power_by_squaring;
  role.operands = 2;
  return given(type(i), {x, n}, std::move(role));
}

// var(where=): runtime/reduction/sums.cpp does the same with arrays. Where no degree of freedom is left the division by zero
// tells of itself.
Index Expander::masked_spread(Index i) {
  if (draws_) return kNoIndex;
  DType result = dtype(i), items = dtype(from_.inputs(i)[0]);
  bool complex = ir::is_complex(items);
  DType computed = complex ? ir::complex_dtype(result) : result;
  Index x = cast(input(i, 0), computed), mask = cast(input(i, 1), DType::Bool);
  auto fits = ir::broadcast(shape(mask), shape(x));
  if (!fits || !(*fits == shape(x)) || ir::element_count(shape(x)) == 0) return kNoIndex;
  const Attr &axis = attr(i, "axis"), &keepdims = attr(i, "keepdims");
  auto sum = [&](Index v, DType dtype, const Attr& keep) {
    return call(OpId::Sum, {v, kNoIndex}, {{"axis", axis}, {"dtype", dtype}, {"keepdims", keep}});
  };
  auto taken = [&](Index v) { return call(OpId::Where, {mask, v, constant(made(v).dtype, 0)}); };
  Index all = call(OpId::BroadcastTo, {mask}, {{"shape", shape(x)}});
  Index mean = call(OpId::Divide, {sum(taken(x), computed, true), cast(sum(all, DType::Float64, true), result)});
  Index distance = call(OpId::Subtract, {x, mean});
  Index square = complex ? call(OpId::Real, {call(OpId::Multiply, {distance, call(OpId::Conjugate, {distance})})})
                         : call(OpId::Square, {distance});
  Index squares = sum(taken(square), result, keepdims);
  Index freedom = call(OpId::Subtract,
                       {sum(all, DType::Float64, keepdims), constant(DType::Float64, ir::as_double(attr(i, "ddof"), "ddof"))});
  Index divisor = cast(call(OpId::Maximum, {freedom, constant(DType::Float64, 0)}), result);
  Index inverse = call(OpId::Divide, {constant(result, 1), divisor}), none = call(OpId::Equal, {divisor, constant(result, 0)});
  Index variance = call(OpId::Where, {none, call(OpId::Multiply, {squares, inverse}), call(OpId::Divide, {squares, divisor})});
  return from_.nodes[i].op == OpId::Std ? call(OpId::Sqrt, {variance}) : variance;
}

// cov(fweights=, aweights=), or of too few: runtime/contract/contract.cpp does the same with arrays; decompose_products.cpp,
// where there is nothing to tell.
Index Expander::covariance(Index i) {
  DType dtype = ir::as_dtype(attr(i, "dtype")).value_or(this->dtype(i));
  bool rowvar = ir::as_bool(attr(i, "rowvar"), "rowvar"), bias = ir::as_bool(attr(i, "bias"), "bias");
  for (std::size_t k = 0; k < inputs(i); ++k)
    if (from_.inputs(i)[k] != kNoIndex && ir::element_count(type(from_.inputs(i)[k]).shape) == 0) return kNoIndex;
  if (!ir::is_inexact(dtype) || standalone_ || draws_) return kNoIndex;
  auto transposed = [&](Index m) { return call(OpId::Transpose, {m}); };
  auto variables = [&](Index m) {
    m = cast(m, dtype);
    if (shape(m).size() < 2) return reshape(m, {1, ir::element_count(shape(m))});
    return rowvar ? m : transposed(m);
  };
  Index x = variables(input(i, 0));
  if (Index y = input(i, 1); y != kNoIndex) {
    bool row = shape(y).size() == 2 && shape(y)[0] == 1;
    x = concatenate({x, row ? cast(y, dtype) : variables(y)}, 0);
  }
  Index weights = kNoIndex, zero = constant(DType::Float64, 0);
  for (std::size_t k : {2, 3}) {
    Index w = input(i, k);
    if (w == kNoIndex) continue;
    // What has another length, or is no integer where it has to be one, is refused by the runtime.
    bool counts = k == 2;
    if (shape(w).size() != 1 || shape(w)[0] != shape(x)[1] || (counts && ir::is_inexact(made(w).dtype))) return kNoIndex;
    w = cast(w, DType::Float64);
    refuse_if(call(OpId::Less, {w, zero}),
              ir::Error(ir::ErrorClass::ValueError, std::string(counts ? "fweights" : "aweights") + " cannot be negative"));
    weights = weights == kNoIndex ? w : call(OpId::Multiply, {weights, w});
  }
  bool weighted = weights != kNoIndex;
  Index total = weighted ? call(OpId::Sum, {weights, kNoIndex}) : constant(DType::Float64, static_cast<double>(shape(x)[1]));
  if (weighted)
    refuse_if(call(OpId::Equal, {total, zero}),
              ir::Error(ir::ErrorClass::ZeroDivisionError, "Weights sum to zero, can't be normalized"));
  const Attr& asked = attr(i, "ddof");
  double ddof = asked.none() ? (bias ? 0 : 1) : static_cast<double>(ir::as_int(asked, "ddof"));
  Index lost = constant(DType::Float64, ddof);
  if (ddof != 0 && input(i, 3) != kNoIndex) {
    Index both = call(OpId::Sum, {call(OpId::Multiply, {weights, cast(input(i, 3), DType::Float64)}), kNoIndex});
    lost = call(OpId::Divide, {call(OpId::Multiply, {lost, both}), total});
  }
  // Of none a division by zero tells.
  Index norm = call(OpId::Maximum, {call(OpId::Subtract, {total, lost}), zero});
  auto with_weights = [&](Index v) { return weighted ? call(OpId::Multiply, {v, weights}) : v; };
  Index mean = call(OpId::Sum, {with_weights(x), kNoIndex}, {{"axis", std::int64_t{1}}, {"keepdims", true}});
  mean = call(OpId::Divide, {mean, total});
  Index centred = cast(call(OpId::Subtract, {x, mean}), dtype);
  Index other = transposed(with_weights(centred));
  if (ir::is_complex(dtype)) other = call(OpId::Conjugate, {other});
  Index product = call(OpId::Matmul, {centred, other});
  Index inverse = call(OpId::Divide, {constant(DType::Float64, 1), norm});
  return cast(reshape(call(OpId::Multiply, {product, inverse}), type(i).shape), this->dtype(i));
}

bool Expander::overflows_half(Index i) const {
  const ir::BlockNode& n = from_.nodes[i];
  if (ir::op(n.op).op_class != ir::OpClass::Elementwise || standalone_) return false;
  bool half = false, infinite = false;
  for (Index x : from_.inputs(n)) {
    if (x == kNoIndex) continue;
    half = half || type(x).dtype == DType::Float16;
    const runtime::Array* value = type(x).kind == Kind::Weak ? constant_scalar(x) : nullptr;
    if (!value || ir::is_complex(value->dtype)) continue;
    double number;
    runtime::cast_loop(value->dtype, DType::Float64)(value->data, 0, reinterpret_cast<char*>(&number), 0, 1);
    infinite = infinite || (std::isfinite(number) && std::fabs(number) >= 65520);
  }
  if (!half || !infinite) return false;
  // What only moves values rounds them without telling.
  ir::Promotion promotion;
  for (Index x : from_.inputs(n))
    if (x != kNoIndex) promotion.add(type(x).dtype, type(x).kind);
  return promotion.result() == DType::Float16 && !pointwise(n.op, DType::Float16);
}

// A finite Python number that is infinite in float16: told of, as the eager kernel does; the arithmetic goes on with infinity.
Index Expander::overflowing_half(Index i) {
  bool told = tell(_MM_EXCEPT_OVERFLOW);
  Inputs mapped;
  for (std::size_t k = 0; k < inputs(i); ++k) mapped.push_back(input(i, k));
  Index r = to_.block.add(from_.nodes[i], mapped);
  if (!told) to_.roles[r].reason = "a warning beside draws";
  return r;
}

bool Expander::tell(unsigned flags) {
  if (draws_ || standalone_) return false;
  NodeRole role;
  role.role = Role::Routine;
  role.routine = event_routine();
  role.numbers = {static_cast<std::int64_t>(flags)};
  given({DType::Bool, Kind::Array, {}}, {}, std::move(role));
  return true;
}

Index Expander::mean_of_nothing(Index i) {
  DType result = dtype(i), part = ir::is_complex(result) ? ir::real_dtype(result) : result;
  if (!ir::is_inexact(result) || !tell(_MM_EXCEPT_INVALID)) return kNoIndex;
  Index nan = constant(part, std::numeric_limits<double>::quiet_NaN(), type(i).shape);
  return part == result ? nan : call(OpId::Complex, {nan, nan});
}

// The imaginary part is thrown away.
Index Expander::made_real(Index i) {
  return tell(_MM_EXCEPT_INVALID) ? cast(call(OpId::Real, {input(i, 0)}), dtype(i)) : kNoIndex;
}

}  // namespace autoray::codegen
