// Element-wise ops without a loop of their own: choices, views, and compositions of other ops.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/elementwise/choice_loops.h"
#include "runtime/elementwise/driver.h"
#include "runtime/memory_order.h"
#include "runtime/runtime.h"
#include "runtime/scalar/real_angle.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::Kind;
using ir::OpId;

namespace {

constexpr std::int64_t kChunk = 1 << 15;  // items between two looks at the interrupt flag

// where(c, x, y): a choice, no arithmetic.
void where_kernel(KernelCall& call) {
  const ir::Dims axes = kept_axes(call.in, call.types[0].shape.ssize());
  // All in the order of the result's memory.
  auto ordered = [&](const Array& array) { return axes.empty() ? array : transposed(array, axes); };
  const Array out = ordered(allocate_ordered(call));
  if (out.size() == 0) return;
  // Dense over the result's shape, or one item.
  auto dense = [&](const Array& operand, DType dtype) {
    Array a = operand.dtype == dtype ? operand : converted_like(call.runtime, operand, dtype);
    return a.size() == 1 ? a : contiguous(call.runtime, ordered(broadcast_view(a, call.types[0].shape)), dtype);
  };
  Array x = dense(*call.in[1], out.dtype), y = dense(*call.in[2], out.dtype);
  Array condition = dense(*call.in[0], DType::Bool);
  if (condition.size() == 1) condition = contiguous(call.runtime, broadcast_view(condition, out.shape), DType::Bool);
  std::int64_t size = out.itemsize(), n = out.size();
  std::int64_t xs = x.size() == 1 ? 0 : size, ys = y.size() == 1 ? 0 : size;
  for (std::int64_t at = 0; at < n; at += kChunk) {
    choose(condition.data + at, x.data + at * xs, xs, y.data + at * ys, ys, out.data + at * size, size,
           std::min(kChunk, n - at));
    call.runtime.poll();
  }
}

// A Python int at or beyond the end of the clipped dtype's range bounds nothing; beyond the other end it is an error.
bool bounds_nothing(const Operand& bound, DType clipped, bool lower) {
  if (bound.kind != Kind::Weak || !ir::is_integer(clipped) || !ir::is_integer(bound->dtype)) return false;
  bool outside = out_of_range(bound, clipped), negative = false;
  if (bound->dtype == DType::Int64) {
    std::int64_t v;
    std::memcpy(&v, bound->data, sizeof v);
    negative = v < 0;
  }
  if (outside && negative != lower)
    throw Error(ErrorClass::OverflowError, "Python integer out of bounds for " + std::string(ir::name(clipped)));
  return outside;
}

// One pass where the array is dense and of the result's dtype and the bounds are numbers. False: the general way.
bool clip_by_numbers(KernelCall& call) {
  const Array& x = *call.in[0];
  DType dtype = call.types[0].dtype;
  if (x.dtype != dtype || x.ndim() == 0 || !(x.c_contiguous() || x.f_contiguous())) return false;
  alignas(16) char items[2][16];
  const char* bounds[2] = {};
  for (std::size_t i = 1; i < call.in.size(); ++i) {
    const Operand& bound = call.in[i];
    if (!bound.present()) continue;
    std::size_t side = (i - 1) % 2;  // a_min, a_max, min=, max=
    if (bound->ndim() > 0 || bounds[side] || bounds_nothing(bound, dtype, side == 0)) return false;
    cast_loop(bound->dtype, dtype)(bound->data, 0, items[side], 0, 1);
    bounds[side] = items[side];
  }
  Array result = call.runtime.allocate(dtype, x.shape);
  result.strides = like_strides(x, x.itemsize(), 'K');
  if (!clip_dense(dtype, x.data, bounds[0], bounds[1], result.data, x.size())) return false;
  call.runtime.clear_fp();
  call.out[0] = std::move(result);
  return true;
}

void clip_kernel(KernelCall& call) {
  if (std::none_of(call.in.begin() + 1, call.in.end(), [](const Operand& bound) { return bound.present(); })) {
    call.out[0] = call.runtime.run1(OpId::Positive, call.backend, {call.in[0].array});
    return;
  }
  if (clip_by_numbers(call)) return;
  const Array& x = *call.in[0];
  Array result = x;
  if (x.dtype != call.types[0].dtype) {
    // In the order of a result, where a stretched axis stays where it stands; a copy has it innermost.
    copy_into(call.runtime, x, allocate_ordered(call));
    result = call.out[0];
  }
  // a_min and a_max, and the newer spelling min= and max=.
  for (std::size_t i : {1, 3})
    if (call.in[i].present() && !bounds_nothing(call.in[i], result.dtype, true)) {
      Array low = converted_like(call.runtime, *call.in[i], result.dtype);
      result = call.runtime.run1(OpId::Maximum, call.backend, {&result, &low});
    }
  for (std::size_t i : {2, 4})
    if (call.in[i].present() && !bounds_nothing(call.in[i], result.dtype, false)) {
      Array high = converted_like(call.runtime, *call.in[i], result.dtype);
      result = call.runtime.run1(OpId::Minimum, call.backend, {&result, &high});
    }
  if (result.data == x.data)
    copy_into(call.runtime, x, allocate_ordered(call));
  else
    call.out[0] = std::move(result);
}

void complex_kernel(KernelCall& call) {
  Array& out = allocate_ordered(call);
  Array half = out;
  half.dtype = ir::real_dtype(out.dtype);
  copy_into(call.runtime, *call.in[0], half);
  half.data += half.itemsize();
  copy_into(call.runtime, *call.in[1], half);
}

template <class T>
Array real_angles(KernelCall& call) {
  Array x = converted_like(call.runtime, *call.in[0], ir::dtype_of<T>);
  std::transform(x.as<T>(), x.as<T>() + x.size(), x.as<T>(), [](T v) { return scalar::RealAngle::apply(v); });
  return x;
}

void angle_kernel(KernelCall& call) {
  auto run = [&](OpId id, std::initializer_list<const Array*> operands) {
    return call.runtime.run1(id, call.backend, operands);
  };
  DType complex = ir::complex_dtype(call.in[0]->dtype);
  Array result;
  if (ir::is_complex(call.in[0]->dtype)) {
    Array imag = run(OpId::Imag, {call.in[0].array}), real = run(OpId::Real, {call.in[0].array});
    result = run(OpId::Arctan2, {&imag, &real});
  } else if (ir::real_dtype(complex) == DType::Float32) {
    result = real_angles<float>(call);
  } else {
    result = real_angles<double>(call);
  }
  if (ir::as_bool(call.attrs[0], "deg")) {
    // A Python float: as precise as the angle is.
    Array factor = call.runtime.allocate(DType::Float64, {});
    *factor.as<double>() = 180.0 / M_PI;
    result = converted_like(call.runtime, result, call.types[0].dtype);
    Array scale = converted(call.runtime, factor, result.dtype);
    result = run(OpId::Multiply, {&result, &scale});
  }
  call.out[0] = converted_like(call.runtime, result, call.types[0].dtype);
}

void isclose_kernel(KernelCall& call) {
  auto run = [&](OpId id, std::initializer_list<const Array*> operands) {
    return call.runtime.run1(id, call.backend, operands);
  };
  const Array &a = *call.in[0], &b = *call.in[1];
  if (a.dtype == DType::Float64 && b.dtype == DType::Float64 && a.shape == b.shape && a.c_contiguous() && b.c_contiguous()) {
    Array& out = call.allocate();
    isclose_dense(a.as<double>(), b.as<double>(), ir::as_double(call.attrs[0], "rtol"), ir::as_double(call.attrs[1], "atol"),
                  ir::as_bool(call.attrs[2], "equal_nan"), out.as<bool>(), out.size());
    call.runtime.clear_fp();
    return;
  }
  // Python numbers stay weak, the tolerances among them: what they are compared with says in which dtype.
  struct Term {
    Array array;
    Kind kind;
  };
  auto weak = [&](double value) {
    Array item = call.runtime.allocate(DType::Float64, {});
    *item.as<double>() = value;
    return Term{item, Kind::Weak};
  };
  auto term = [&](OpId id, std::initializer_list<const Term*> terms) {
    ir::SmallVector<Operand, 4> operands;
    ir::SmallVector<std::uint32_t, 4> groups;
    bool all_weak = true;
    for (const Term* t : terms) {
      operands.push_back({&t->array, t->kind});
      groups.push_back(1);
      all_weak &= t->kind == Kind::Weak;
    }
    Array result = call.runtime.run(id, call.backend, operands, groups, {})[0];
    return Term{std::move(result), all_weak ? Kind::Weak : Kind::Array};
  };
  FpState saved = call.runtime.fp_state;
  call.runtime.fp_state.invalid = FpAction::Ignore;
  Term x{a, call.in[0].kind}, y{b, call.in[1].kind};
  if (!ir::is_inexact(b.dtype)) y.array = converted_like(call.runtime, b, DType::Float64);
  Term rtol = weak(ir::as_double(call.attrs[0], "rtol")), atol = weak(ir::as_double(call.attrs[1], "atol"));
  Term difference = term(OpId::Subtract, {&x, &y}), distance = term(OpId::Abs, {&difference});
  Term size = term(OpId::Abs, {&y}), scaled = term(OpId::Multiply, {&rtol, &size}), bound = term(OpId::Add, {&atol, &scaled});
  Term near = term(OpId::LessEqual, {&distance, &bound}), finite = term(OpId::IsFinite, {&y}),
       same = term(OpId::Equal, {&x, &y});
  Array ok = run(OpId::LogicalAnd, {&near.array, &finite.array}), result = run(OpId::LogicalOr, {&ok, &same.array});
  if (ir::as_bool(call.attrs[2], "equal_nan")) {
    Array x_nan = run(OpId::IsNan, {&a}), y_nan = run(OpId::IsNan, {&y.array}), both = run(OpId::LogicalAnd, {&x_nan, &y_nan});
    result = run(OpId::LogicalOr, {&result, &both});
  }
  call.runtime.fp_state = saved;
  call.out[0] = std::move(result);
}

// numpy's rounding: to integers of 10**decimals times the value.
void round_kernel(KernelCall& call) {
  std::int64_t decimals = ir::as_int(call.attrs[0], "decimals");
  const Array& x = *call.in[0];
  auto run = [&](OpId id, std::initializer_list<const Array*> operands) {
    return call.runtime.run1(id, call.backend, operands);
  };
  if (ir::is_bool(x.dtype) && decimals != 0)
    throw Error(ErrorClass::UFuncTypeError,
                "Cannot cast ufunc 'multiply' output from dtype('float64') to dtype('bool') with casting rule 'same_kind'");
  if (!ir::is_inexact(x.dtype) && decimals >= 0) {
    copy_into(call.runtime, x, allocate_ordered(call));
    return;
  }
  if (decimals == 0) {
    Array whole = run(OpId::Rint, {&x});
    if (ir::is_complex(x.dtype))
      copy_into(call.runtime, whole, allocate_ordered(call));
    else
      call.out[0] = std::move(whole);
    return;
  }
  Array scale = call.runtime.allocate(ir::is_inexact(x.dtype) ? x.dtype : DType::Float64, {});
  double power = std::pow(10.0, static_cast<double>(std::llabs(decimals)));
  cast_loop(DType::Float64, scale.dtype)(reinterpret_cast<const char*>(&power), 0, scale.data, 0, 1);
  Array scaled = run(decimals > 0 ? OpId::Multiply : OpId::Divide, {&x, &scale}), whole = run(OpId::Rint, {&scaled});
  Array result = run(decimals > 0 ? OpId::Divide : OpId::Multiply, {&whole, &scale});
  copy_into(call.runtime, result, allocate_ordered(call));
}

// The parts of a complex array are views of it, and a real array is its own real part, as in numpy.
void real_kernel(KernelCall& call) {
  Array view = *call.in[0];
  view.dtype = ir::real_dtype(view.dtype);
  call.out[0] = std::move(view);
}
void imag_kernel(KernelCall& call) {
  if (!ir::is_complex(call.in[0]->dtype)) {
    // Writing to it would change nothing of the array that it is a part of.
    call.out[0] = call.runtime.allocate_zeroed(call.types[0].dtype, call.types[0].shape);
    call.out[0].writable = false;
    return;
  }
  Array view = *call.in[0];
  view.dtype = ir::real_dtype(view.dtype);
  view.data += view.itemsize();
  call.out[0] = std::move(view);
}

void astype_kernel(KernelCall& call) {
  ir::check_device(ir::attribute(call.op, call.attrs, "device"));
  DType to = call.types[0].dtype;
  call.out[0] = converted_like(call.runtime, *call.in[0], to);
}

constexpr KernelRow kKernels[] = {{OpId::Where, where_kernel, "autoray"},     {OpId::Clip, clip_kernel, "autoray"},
                                  {OpId::Complex, complex_kernel, "autoray"}, {OpId::Angle, angle_kernel, "autoray"},
                                  {OpId::IsClose, isclose_kernel, "autoray"}, {OpId::Round, round_kernel, "autoray"},
                                  {OpId::Real, real_kernel, "autoray"},       {OpId::Imag, imag_kernel, "autoray"},
                                  {OpId::Astype, astype_kernel, "autoray"}};

}  // namespace

std::span<const KernelRow> composed_kernels() { return kKernels; }

}  // namespace autoray::runtime
