#include "codegen/pointwise.h"

#include <array>
#include <cmath>
#include <unordered_map>

#include "codegen/traced.h"
#include "runtime/scalar/real_angle.h"
#include "runtime/vector_math.h"

namespace autoray::codegen {

using ir::DType;
using ir::OpId;
using runtime::VectorFunction;

namespace {

using Operands = std::span<const Parts>;
using Parameters = std::span<const double>;

// ---- definitions ----

template <class T>
struct TracedOf {
  using type = Traced<T>;
  static type from(Body& body, Parts p) { return {body, p.re}; }
};
template <class R>
struct TracedOf<std::complex<R>> {
  using type = TracedComplex<R>;
  static type from(Body& body, Parts p) { return {Traced<R>(body, p.re), Traced<R>(body, p.im)}; }
};
template <class T>
Parts parts(Body& body, Traced<T> value) {
  return {value.in(body)};
}
template <class R>
Parts parts(Body& body, TracedComplex<R> value) {
  return {value.real().in(body), value.imag().in(body)};
}

template <class Definition, class T>
Parts unary(Body& body, DType, Operands x, Parameters) {
  using Number = TracedOf<T>;
  return parts(body, Definition::template apply<typename Number::type>(Number::from(body, x[0])));
}
template <class Definition, class T>
Parts binary(Body& body, DType, Operands x, Parameters) {
  using Number = TracedOf<T>;
  return parts(body, Definition::template apply<typename Number::type>(Number::from(body, x[0]), Number::from(body, x[1])));
}
// Integers: what is divided by zero is zero, and told.
template <class Definition, class T>
Parts division(Body& body, DType t, Operands x, Parameters parameters) {
  Parts quotient = binary<Definition, T>(body, t, x, parameters);
  return {body.emit(Prim::Divided, t, quotient.re, x[1].re)};
}
template <VectorFunction F>
Parts function(Body& body, DType t, Operands x, Parameters) {
  return {body.emit(Prim::Function, t, x[0].re, x.size() > 1 ? x[1].re : kNoValue, kNoValue, static_cast<std::int64_t>(F))};
}

template <OpId Op>
Parts complex_function(Body& body, DType t, Operands x, Parameters) {
  auto part = [&](int number) {
    const Parts second = x.size() > 1 ? x[1] : Parts();
    return body.emit(Prim::Complex, ir::real_dtype(t), x[0].re, x[0].im, second.re, 2 * static_cast<std::int64_t>(Op) + number,
                     second.im);
  };
  ValueId re = part(0);
  return {re, part(1)};
}

// ---- compositions ----

Parts where(Body& b, DType t, Operands x, Parameters) {
  DType part = ir::is_complex(t) ? ir::real_dtype(t) : t;
  auto choice = [&](ValueId yes, ValueId no) { return b.emit(Prim::Select, part, x[0].re, yes, no); };
  return {choice(x[1].re, x[2].re), ir::is_complex(t) ? choice(x[1].im, x[2].im) : kNoValue};
}
Parts complex(Body& b, DType t, Operands x, Parameters) {
  DType part = ir::real_dtype(t);
  return {b.cast(x[0].re, part), b.cast(x[1].re, part)};
}
Parts clip(Body& b, DType t, Operands x, Parameters) {
  // The lower bounds first, in both spellings: a_min, a_max, min=, max=.
  Parts v = x[0];
  Lowering maximum = pointwise(OpId::Maximum, t), minimum = pointwise(OpId::Minimum, t);
  for (std::size_t k : {1, 3, 2, 4}) {
    if (k >= x.size() || !x[k].present()) continue;
    const std::array both = {v, x[k]};
    v = (k % 2 ? maximum : minimum)(b, t, both, {});
  }
  return v;
}
// The parameter is the scale 10**|decimals|, negative for digits before the point; 0: none.
Parts round(Body& b, DType t, Operands x, Parameters parameters) {
  Lowering rint = pointwise(OpId::Rint, t);
  double scale = parameters.empty() ? 0 : parameters[0];
  if (scale == 0) return rint(b, t, x, {});
  DType part = ir::is_complex(t) ? ir::real_dtype(t) : t;
  auto scaled = [&](Lowering op, Parts value) {
    const std::array both = {value, b.cast(Parts{b.real(part, std::fabs(scale))}, t)};
    return op(b, t, both, {});
  };
  Lowering multiply = pointwise(OpId::Multiply, t), divide = pointwise(OpId::Divide, t);
  const std::array inner = {scaled(scale > 0 ? multiply : divide, x[0])};
  return scaled(scale > 0 ? divide : multiply, rint(b, t, inner, {}));
}
// Parameters: whether in degrees, and whether those are float16's, into which every step is rounded.
Parts angle(Body& b, DType t, Operands x, Parameters parameters) {
  DType part = ir::is_complex(t) ? ir::real_dtype(t) : t;
  ValueId v;
  if (x[0].complex())
    v = b.emit(Prim::Function, part, x[0].im, x[0].re, kNoValue, static_cast<std::int64_t>(VectorFunction::Atan2));
  else
    v = (part == DType::Float32 ? unary<runtime::scalar::RealAngle, float> : unary<runtime::scalar::RealAngle, double>)(b, t, x,
                                                                                                                        {})
            .re;
  if (parameters[0] == 0) return {v};
  auto rounded = [&](ValueId y) { return b.cast(parameters[1] == 0 ? y : b.cast(y, DType::Float16), part); };
  return {b.emit(Prim::Multiply, part, rounded(v), rounded(b.real(DType::Float64, 180.0 / M_PI)))};
}
// ---- the rows ----

struct Row {
  Lowering lowering;
  bool function = false;
  bool hosted = false;
};
using Rows = std::unordered_map<int, Row>;
int key(OpId op, DType dtype) { return static_cast<int>(op) * 64 + static_cast<int>(dtype); }

template <class Definition, class... Ts>
void loop1(Rows& rows, OpId id) {
  ((rows[key(id, ir::dtype_of<Ts>)] = {unary<Definition, Ts>}), ...);
}
template <class Definition, class... Ts>
void loop2(Rows& rows, OpId id) {
  ((rows[key(id, ir::dtype_of<Ts>)] = {binary<Definition, Ts>}), ...);
}
template <VectorFunction F>
void functions(Rows& rows, OpId id) {
  for (DType dtype : {DType::Float32, DType::Float64})
    if (runtime::vector_entry(F, dtype == DType::Float32)) rows[key(id, dtype)] = {function<F>, true};
}
template <class Definition, class... Ts>
void divisions(Rows& rows, OpId id) {
  ((rows[key(id, ir::dtype_of<Ts>)] = {division<Definition, Ts>}), ...);
}
template <OpId Op>
void complex_functions(Rows& rows) {
  for (DType dtype : {DType::Complex64, DType::Complex128}) rows[key(Op, dtype)] = {complex_function<Op>, true, true};
}
template <class... Ts>
void composed(Rows& rows, OpId id, Lowering lowering) {
  ((rows[key(id, ir::dtype_of<Ts>)] = {lowering}), ...);
}

const Rows& rows() {
  static const Rows rows = [] {
    using namespace runtime::scalar;
    Rows r;
#define LOOP1(id, definition, ...) loop1<definition, __VA_ARGS__>(r, OpId::id);
#define LOOP2(id, definition, ...) loop2<definition, __VA_ARGS__>(r, OpId::id);
#define LIBRARY1(id, definition, ...) complex_functions<OpId::id>(r);
#define LIBRARY2(id, definition, ...)
#include "runtime/scalar/arithmetic.def"
#include "runtime/scalar/unary.def"
#define LOOP1(id, definition, ...) loop1<definition, __VA_ARGS__>(r, OpId::id);
#define LOOP2(id, definition, ...) loop2<definition, __VA_ARGS__>(r, OpId::id);
#include "runtime/scalar/comparison.def"
#define UNARY(id, expression, ...) loop1<id, __VA_ARGS__>(r, OpId::id);
#define BINARY(id, expression, ...) loop2<id, __VA_ARGS__>(r, OpId::id);
#include "runtime/scalar/one_line.def"
#define FUNCTION1(id, f, complex)            \
  functions<VectorFunction::f>(r, OpId::id); \
  complex_functions<OpId::id>(r);
#define REAL_FUNCTION1(id, f) functions<VectorFunction::f>(r, OpId::id);
#define REAL_FUNCTION2(id, f) functions<VectorFunction::f>(r, OpId::id);
#include "runtime/scalar/functions.def"
    for (OpId id : {OpId::Astype, OpId::Copy})
      composed<bool, AUTORAY_INTEGERS, ir::Half, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(r, id, identity);
    composed<bool, AUTORAY_INTEGERS, ir::Half, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(r, OpId::Where, where);
    composed<bool, AUTORAY_INTEGERS, AUTORAY_FLOATS, AUTORAY_COMPLEXES>(r, OpId::Clip, clip);
    composed<AUTORAY_FLOATS, AUTORAY_COMPLEXES>(r, OpId::Round, round);
    composed<AUTORAY_FLOATS, AUTORAY_COMPLEXES>(r, OpId::Angle, angle);
    composed<AUTORAY_COMPLEXES>(r, OpId::Complex, complex);
    complex_functions<OpId::Power>(r);
    divisions<FloorDivide, AUTORAY_INTEGERS>(r, OpId::FloorDivide);
    divisions<Remainder, AUTORAY_INTEGERS>(r, OpId::Remainder);
    return r;
  }();
  return rows;
}

}  // namespace

bool is_expensive(OpId op, DType dtype) {
  auto found = rows().find(key(op, dtype));
  return found != rows().end() && found->second.function;
}

bool is_hosted(OpId op, DType dtype) {
  auto found = rows().find(key(op, dtype));
  return found != rows().end() && found->second.hosted;
}

Lowering pointwise(OpId op, DType dtype) {
  auto found = rows().find(key(op, dtype));
  return found == rows().end() ? nullptr : found->second.lowering;
}

Parts constant_value(Body& b, DType t, Operands, Parameters parameters) {
  DType part = ir::is_complex(t) ? ir::real_dtype(t) : t;
  auto item = [&](double value) {
    return ir::is_real_floating(part) ? b.real(part, value) : b.integer(part, static_cast<std::int64_t>(value));
  };
  return {item(parameters[0]), ir::is_complex(t) ? item(0) : kNoValue};
}

Parts identity(Body&, DType, Operands x, Parameters) { return x[0]; }
Parts is_zero(Body& b, DType, Operands x, Parameters) {
  return {b.emit(Prim::Equal, DType::Bool, x[0].re, b.integer(b.dtype(x[0].re), 0))};
}
Parts is_at_most_zero(Body& b, DType, Operands x, Parameters) {
  return {b.emit(Prim::LessEqual, DType::Bool, x[0].re, b.integer(b.dtype(x[0].re), 0))};
}

Parts power_by_squaring(Body& b, DType t, Operands x, Parameters) {
  ValueId result = b.integer(t, 1), power = x[0].re, zero = b.integer(t, 0);
  int bits = static_cast<int>(8 * ir::itemsize(t)) - (ir::is_unsigned(t) ? 0 : 1);
  for (int k = 0; k < bits; ++k) {
    if (k > 0) power = b.emit(Prim::Multiply, t, power, power);
    ValueId bit = b.emit(Prim::And, t, x[1].re, b.integer(t, static_cast<std::int64_t>(std::uint64_t{1} << k)));
    ValueId taken = b.emit(Prim::NotEqual, DType::Bool, bit, zero);
    result = b.emit(Prim::Select, t, taken, b.emit(Prim::Multiply, t, result, power), result);
  }
  return {result};
}

Parts integer_power(Body& b, DType t, Operands x, Parameters parameters) {
  // Products wrap around in whatever order they are taken.
  auto n = static_cast<std::uint64_t>(parameters[0]);
  ValueId result = kNoValue, power = x[0].re;
  for (; n; n >>= 1) {
    if (n & 1) result = result == kNoValue ? power : b.emit(Prim::Multiply, t, result, power);
    if (n > 1) power = b.emit(Prim::Multiply, t, power, power);
  }
  return {result == kNoValue ? b.integer(t, 1) : result};
}

}  // namespace autoray::codegen
