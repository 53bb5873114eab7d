#include "runtime/elementwise/driver.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>

#include "ir/error.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/elementwise/choice_loops.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::Kind;
using ir::OpId;

namespace {

constexpr std::int64_t kChunk = 1 << 15;  // items between two looks at the interrupt flag
constexpr int kMost = 3;                  // operands of one loop

// Their answer is known when a Python int is outside the other operand's range.
bool is_comparison(OpId id) { return id >= OpId::Equal && id <= OpId::LogicalXor; }

// The dtype in which the loop computes.
DType loop_dtype(const KernelCall& call) {
  if (ir::loop_in_operand_dtype(call.op)) {
    ir::Promotion promotion;
    for (const Operand& operand : call.in) promotion.add(operand->dtype, operand.kind);
    return promotion.result();
  }
  return call.types[0].dtype;
}

// A Python int outside an integer dtype's range: an error, except in comparisons, whose answer is known.
bool out_of_range(const Operand& operand, DType dtype) {
  if (operand.kind != Kind::Weak || !ir::is_integer(dtype)) return false;
  if (operand->dtype == DType::UInt64) return dtype != DType::UInt64;
  if (operand->dtype != DType::Int64) return false;
  std::int64_t v;
  std::memcpy(&v, operand->data, sizeof v);
  return ir::visit_dtype(dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      return !std::in_range<T>(v);
    else
      return false;
  });
}

struct Run {
  Loop loop;
  int operands;  // without the result
  char* data[kMost + 1];
  ir::Dims strides[kMost + 1];
  ir::Dims shape;
};

// Axes of length one go, neighbours that lie one behind the other in every operand become one.
void coalesce(Run& run) {
  int count = run.operands + 1;
  int kept = 0, ndim = run.shape.ssize();
  for (int axis = 0; axis < ndim; ++axis) {
    auto a = static_cast<std::size_t>(axis);
    if (run.shape[a] == 1) continue;
    bool joined = false;
    if (kept > 0) {
      auto k = static_cast<std::size_t>(kept - 1);
      joined = true;
      for (int i = 0; i < count; ++i) joined &= run.strides[i][k] == run.strides[i][a] * run.shape[a];
      if (joined) {
        run.shape[k] *= run.shape[a];
        for (int i = 0; i < count; ++i) run.strides[i][k] = run.strides[i][a];
      }
    }
    if (joined) continue;
    auto k = static_cast<std::size_t>(kept++);
    run.shape[k] = run.shape[a];
    for (int i = 0; i < count; ++i) run.strides[i][k] = run.strides[i][a];
  }
  run.shape.resize(static_cast<std::size_t>(kept));
}

void execute(Runtime& runtime, Run& run) {
  int count = run.operands + 1;
  std::int64_t inner[kMost + 1] = {};
  if (run.shape.empty()) {
    run.loop(run.data, inner, 1);
    return;
  }
  std::size_t last = run.shape.size() - 1;
  std::int64_t n = run.shape[last], rows = 1;
  for (std::size_t i = 0; i < last; ++i) rows *= run.shape[i];
  for (int i = 0; i < count; ++i) inner[i] = run.strides[i][last];
  ir::Dims index(run.shape.size(), 0);
  std::int64_t since = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    if (n <= kChunk) {
      run.loop(run.data, inner, n);
      if ((since += n) > kChunk) {
        runtime.poll();
        since = 0;
      }
    } else {
      char* place[kMost + 1];
      for (std::int64_t at = 0; at < n; at += kChunk) {
        for (int i = 0; i < count; ++i) place[i] = run.data[i] + at * inner[i];
        run.loop(place, inner, std::min(kChunk, n - at));
        runtime.poll();
      }
    }
    for (std::size_t axis = last; axis-- > 0;) {
      for (int i = 0; i < count; ++i) run.data[i] += run.strides[i][axis];
      if (++index[axis] < run.shape[axis]) break;
      index[axis] = 0;
      for (int i = 0; i < count; ++i) run.data[i] -= run.strides[i][axis] * run.shape[axis];
    }
  }
}

// x ** 2, x ** 0.5, x ** -1: exact, as numpy takes them.
bool power_shortcut(KernelCall& call) {
  if (call.op.id != OpId::Power || call.in[1].kind != Kind::Weak || !ir::is_inexact(call.types[0].dtype) ||
      call.in[0]->dtype != call.types[0].dtype)
    return false;
  double exponent = 0;
  if (call.in[1]->dtype == DType::Complex128) return false;
  cast_loop(call.in[1]->dtype, DType::Float64)(call.in[1]->data, 0, reinterpret_cast<char*>(&exponent), 0, 1);
  OpId id = exponent == 2     ? OpId::Square
            : exponent == 0.5 ? OpId::Sqrt
            : exponent == -1  ? OpId::Reciprocal
            : exponent == 1   ? OpId::Positive
                              : OpId::Count;
  if (id == OpId::Count) return false;
  call.out[0] = call.runtime.run1(id, call.backend, {call.in[0].array});
  return true;
}

void check_integer_power(const KernelCall& call, DType dtype) {
  if (call.op.id != OpId::Power || !ir::is_signed_integer(dtype)) return;
  Array exponents = converted(call.runtime, *call.in[1], DType::Int64);
  auto* e = exponents.as<std::int64_t>();
  for (std::int64_t i = 0, n = exponents.size(); i < n; ++i)
    if (e[i] < 0) throw Error(ErrorClass::ValueError, "Integers to negative integer powers are not allowed.");
}

bool divides(OpId id) { return id == OpId::FloorDivide || id == OpId::Remainder; }
bool has_zero(Runtime& runtime, const Array& array) {
  Array flat = contiguous(runtime, array, array.dtype);
  auto size = static_cast<std::size_t>(flat.itemsize());
  static constexpr char kZero[16] = {};
  for (std::int64_t i = 0, n = flat.size(); i < n; ++i)
    if (std::memcmp(flat.data + static_cast<std::size_t>(i) * size, kZero, size) == 0) return true;
  return false;
}

}  // namespace

void check_python_integer(const Operand& operand, DType dtype) {
  if (!out_of_range(operand, dtype)) return;
  std::string text;
  if (operand->dtype == DType::UInt64) {
    std::uint64_t v;
    std::memcpy(&v, operand->data, sizeof v);
    text = std::to_string(v);
  } else {
    std::int64_t v;
    std::memcpy(&v, operand->data, sizeof v);
    text = std::to_string(v);
  }
  throw Error(ErrorClass::OverflowError, "Python integer " + text + " out of bounds for " + std::string(ir::name(dtype)));
}

void refuse_operands(const ir::Op& op) {
  throw Error(ErrorClass::TypeError, "ufunc '" + std::string(op.path) +
                                         "' not supported for the input types, and the inputs could not be safely coerced to "
                                         "any supported types according to the casting rule ''safe''")
      .with_code(403);
}

void refuse_bool_arithmetic(const ir::Op& op) {
  if (op.id == OpId::Subtract)
    throw Error(ErrorClass::TypeError,
                "numpy boolean subtract, the `-` operator, is not supported, use the bitwise_xor, the `^` operator, or the "
                "logical_xor function instead.");
  if (op.id == OpId::Negative)
    throw Error(ErrorClass::TypeError,
                "The numpy boolean negative, the `-` operator, is not supported, use the `~` operator or the logical_not "
                "function instead.");
  if (op.id == OpId::Sign || op.id == OpId::Positive)
    throw Error(ErrorClass::UFuncTypeError,
                "ufunc '" + std::string(op.path) +
                    "' did not contain a loop with signature matching types <class 'numpy.dtypes.BoolDType'> -> None");
}

bool has_loop(Runtime& runtime, BackendId backend, const ir::Op& op, DType dtype) {
  if (runtime.entry(backend, op.id).kernel != elementwise_kernel) return true;
  DType compute = dtype == DType::Float16 ? DType::Float32 : dtype;
  // Integer operations on bools run in int8, as numpy's.
  return runtime.loop(backend, op.id, compute) || (ir::is_bool(dtype) && runtime.loop(backend, op.id, DType::Int8));
}

void elementwise_kernel(KernelCall& call) {
  if (power_shortcut(call)) return;
  DType dtype = loop_dtype(call);
  auto operands = static_cast<int>(call.in.size());
  for (const Operand& operand : call.in) {
    if (!out_of_range(operand, dtype)) continue;
    if (is_comparison(call.op.id)) {
      // Wide enough for both: exact for everything but uint64 beyond 2^53 against a negative int, whose order float64 keeps.
      dtype = operand->dtype == DType::UInt64 ? DType::Float64 : dtype == DType::UInt64 ? DType::Float64 : DType::Int64;
      continue;
    }
    check_python_integer(operand, dtype);
  }
  if (ir::is_bool(dtype)) refuse_bool_arithmetic(call.op);
  DType result_dtype = call.types[0].dtype;
  // float16 is computed in float32 and rounded once.
  bool half = dtype == DType::Float16;
  DType compute = half ? DType::Float32 : dtype;
  Loop loop = call.runtime.loop(call.backend, call.op.id, compute);
  if (!loop) {
    // Integer operations on bools run in int8, as numpy's.
    if (ir::is_bool(dtype) && call.runtime.loop(call.backend, call.op.id, DType::Int8)) {
      compute = DType::Int8;
      loop = call.runtime.loop(call.backend, call.op.id, compute);
      if (ir::is_bool(result_dtype)) result_dtype = DType::Int8;
    } else {
      refuse_operands(call.op);
    }
  }
  call.provider = call.runtime.loop_provider(call.backend, call.op.id, compute);
  call.library = call.runtime.backend(call.provider).library;
  if (ir::element_count(call.types[0].shape)) check_integer_power(call, dtype);
  bool half_result = half && result_dtype == DType::Float16;
  DType stored = half_result ? DType::Float32 : result_dtype;
  Run run{loop, operands, {}, {}, {}};
  Array converted_operands[kMost];
  alignas(16) char items[kMost][16];
  const Array* sources[kMost];
  bool fortran = call.types[0].shape.size() > 1;
  for (int i = 0; i < operands; ++i) {
    const Operand& operand = call.in[static_cast<std::size_t>(i)];
    sources[i] = operand.array;
    if (operand->dtype != compute) {
      if (operand->ndim() == 0) {
        cast_loop(operand->dtype, compute)(operand->data, 0, items[i], 0, 1);
      } else {
        converted_operands[i] = converted(call.runtime, *operand.array, compute);
        sources[i] = &converted_operands[i];
      }
    }
    if (operand->ndim() > 0)
      fortran &= operand->f_contiguous() && !operand->c_contiguous() && operand->shape == call.types[0].shape;
  }
  Array result = call.runtime.allocate(stored, call.types[0].shape);
  if (fortran) {
    std::int64_t step = result.itemsize();
    for (std::size_t i = 0; i < result.shape.size(); ++i) {
      result.strides[i] = step;
      step *= result.shape[i];
    }
  }
  if (divides(call.op.id) && ir::is_integer(compute) && result.size() && has_zero(call.runtime, *sources[1]))
    std::feraiseexcept(FE_DIVBYZERO);
  if (result.size()) {
    run.shape = call.types[0].shape;
    std::size_t ndim = run.shape.size();
    for (int i = 0; i < operands; ++i) {
      const Array& a = *sources[i];
      bool item = call.in[static_cast<std::size_t>(i)]->dtype != compute && a.ndim() == 0;
      run.data[i] = item ? items[i] : a.data;
      run.strides[i].resize(ndim, 0);
      std::size_t lead = ndim - a.shape.size();
      for (std::size_t k = 0; k < a.shape.size(); ++k) run.strides[i][lead + k] = a.shape[k] == 1 ? 0 : a.strides[k];
    }
    run.data[operands] = result.data;
    run.strides[operands] = result.strides;
    if (fortran) {
      // Walk in memory order.
      std::reverse(run.shape.begin(), run.shape.end());
      for (int i = 0; i <= operands; ++i) std::reverse(run.strides[i].begin(), run.strides[i].end());
    }
    coalesce(run);
    execute(call.runtime, run);
    if (call.op.has(ir::kQuiet))
      call.runtime.clear_fp();
    else if (ir::is_inexact(compute) || divides(call.op.id))
      call.runtime.check_fp(call.op.path);
  }
  if (stored != call.types[0].dtype) result = converted(call.runtime, result, call.types[0].dtype);
  call.out[0] = std::move(result);
}

namespace {

// where(c, x, y): a choice, no arithmetic.
void where_kernel(KernelCall& call) {
  Array& out = call.allocate();
  if (out.size() == 0) return;
  // Dense over the result's shape, or one item.
  auto dense = [&](const Array& operand, DType dtype) {
    Array a = operand.dtype == dtype ? operand : converted(call.runtime, operand, dtype);
    return a.size() == 1 ? a : contiguous(call.runtime, broadcast_view(a, out.shape), dtype);
  };
  Array x = dense(*call.in[1], out.dtype), y = dense(*call.in[2], out.dtype);
  Array condition = contiguous(call.runtime, broadcast_view(dense(*call.in[0], DType::Bool), out.shape), DType::Bool);
  std::int64_t size = out.itemsize(), n = out.size();
  std::int64_t xs = x.size() == 1 ? 0 : size, ys = y.size() == 1 ? 0 : size;
  for (std::int64_t at = 0; at < n; at += kChunk) {
    choose(condition.data + at, x.data + at * xs, xs, y.data + at * ys, ys, out.data + at * size, size,
           std::min(kChunk, n - at));
    call.runtime.poll();
  }
}

// A Python int at or beyond the end of an integer array's range bounds nothing; beyond the other end it is an error.
bool bounds_nothing(const Operand& bound, const Operand& array, bool lower) {
  if (bound.kind != Kind::Weak || !ir::is_integer(array->dtype) || !ir::is_integer(bound->dtype)) return false;
  bool outside = out_of_range(bound, array->dtype), negative = false;
  if (bound->dtype == DType::Int64) {
    std::int64_t v;
    std::memcpy(&v, bound->data, sizeof v);
    negative = v < 0;
  }
  if (outside && negative != lower)
    throw Error(ErrorClass::OverflowError, "Python integer out of bounds for " + std::string(ir::name(array->dtype)));
  return outside;
}

// One pass where the array is dense and of the result's dtype and the bounds are numbers. False: the general way.
bool clip_by_numbers(KernelCall& call) {
  const Array& x = *call.in[0];
  DType dtype = call.types[0].dtype;
  if (x.dtype != dtype || x.ndim() == 0 || !x.c_contiguous()) return false;
  alignas(16) char items[2][16];
  const char* bounds[2] = {};
  for (std::size_t i = 1; i < call.in.size(); ++i) {
    const Operand& bound = call.in[i];
    if (!bound.present()) continue;
    std::size_t side = (i - 1) % 2;  // a_min, a_max, min=, max=
    if (bound->ndim() > 0 || bounds[side] || bounds_nothing(bound, call.in[0], side == 0)) return false;
    cast_loop(bound->dtype, dtype)(bound->data, 0, items[side], 0, 1);
    bounds[side] = items[side];
  }
  Array result = call.runtime.allocate(dtype, x.shape);
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
  Array result = converted(call.runtime, *call.in[0], call.types[0].dtype);
  // a_min and a_max, and the newer spelling min= and max=.
  for (std::size_t i : {1, 3})
    if (call.in[i].present() && !bounds_nothing(call.in[i], call.in[0], true)) {
      Array low = converted(call.runtime, *call.in[i], result.dtype);
      result = call.runtime.run1(OpId::Maximum, call.backend, {&result, &low});
    }
  for (std::size_t i : {2, 4})
    if (call.in[i].present() && !bounds_nothing(call.in[i], call.in[0], false)) {
      Array high = converted(call.runtime, *call.in[i], result.dtype);
      result = call.runtime.run1(OpId::Minimum, call.backend, {&result, &high});
    }
  call.out[0] = std::move(result);
}

void complex_kernel(KernelCall& call) {
  Array& out = call.allocate();
  Array half = out;
  half.dtype = ir::real_dtype(out.dtype);
  copy_into(call.runtime, *call.in[0], half);
  half.data += half.itemsize();
  copy_into(call.runtime, *call.in[1], half);
}

void angle_kernel(KernelCall& call) {
  auto run = [&](OpId id, std::initializer_list<const Array*> operands) {
    return call.runtime.run1(id, call.backend, operands);
  };
  DType complex = ir::complex_dtype(call.in[0]->dtype);
  Array imag, real;
  if (ir::is_complex(call.in[0]->dtype)) {
    imag = run(OpId::Imag, {call.in[0].array});
    real = run(OpId::Real, {call.in[0].array});
  } else {
    // The imaginary part is one zero.
    imag = call.runtime.allocate_zeroed(ir::real_dtype(complex), {});
    real = contiguous(call.runtime, *call.in[0], ir::real_dtype(complex));
  }
  Array result = run(OpId::Arctan2, {&imag, &real});
  if (ir::as_bool(call.attrs[0], "deg")) {
    Array scale = call.runtime.allocate(DType::Float64, {});
    *scale.as<double>() = 180.0 / M_PI;
    result = run(OpId::Multiply, {&result, &scale});
  }
  call.out[0] = converted(call.runtime, result, call.types[0].dtype);
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
  FpState saved = call.runtime.fp_state;
  call.runtime.fp_state.invalid = FpAction::Ignore;
  Array y = converted(call.runtime, *call.in[1], ir::is_inexact(call.in[1]->dtype) ? call.in[1]->dtype : DType::Float64);
  auto number = [&](std::size_t i) {
    Array item = call.runtime.allocate(DType::Float64, {});
    *item.as<double>() = ir::as_double(call.attrs[i], i == 0 ? "rtol" : "atol");
    return item;
  };
  Array rtol = number(0), atol = number(1);
  Array difference = run(OpId::Subtract, {call.in[0].array, &y}), distance = run(OpId::Abs, {&difference});
  Array size = run(OpId::Abs, {&y}), scaled = run(OpId::Multiply, {&size, &rtol}), bound = run(OpId::Add, {&atol, &scaled});
  Array near = run(OpId::LessEqual, {&distance, &bound}), finite = run(OpId::IsFinite, {&y}),
        ok = run(OpId::LogicalAnd, {&near, &finite});
  Array same = run(OpId::Equal, {call.in[0].array, &y});
  Array result = run(OpId::LogicalOr, {&ok, &same});
  if (ir::as_bool(call.attrs[2], "equal_nan")) {
    Array x_nan = run(OpId::IsNan, {call.in[0].array}), y_nan = run(OpId::IsNan, {&y}),
          both = run(OpId::LogicalAnd, {&x_nan, &y_nan});
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
    call.out[0] = converted(call.runtime, x, call.types[0].dtype);
    return;
  }
  if (decimals == 0) {
    call.out[0] = run(OpId::Rint, {&x});
    return;
  }
  Array scale = call.runtime.allocate(ir::is_inexact(x.dtype) ? x.dtype : DType::Float64, {});
  double power = std::pow(10.0, static_cast<double>(std::llabs(decimals)));
  cast_loop(DType::Float64, scale.dtype)(reinterpret_cast<const char*>(&power), 0, scale.data, 0, 1);
  Array scaled = run(decimals > 0 ? OpId::Multiply : OpId::Divide, {&x, &scale}), whole = run(OpId::Rint, {&scaled});
  Array result = run(decimals > 0 ? OpId::Divide : OpId::Multiply, {&whole, &scale});
  call.out[0] = converted(call.runtime, result, call.types[0].dtype);
}

// The parts of a complex array are views of it, and a real array is its own real part, as in numpy.
void real_kernel(KernelCall& call) {
  Array view = *call.in[0];
  view.dtype = ir::real_dtype(view.dtype);
  call.out[0] = std::move(view);
}
void imag_kernel(KernelCall& call) {
  if (!ir::is_complex(call.in[0]->dtype)) {
    call.out[0] = call.runtime.allocate_zeroed(call.types[0].dtype, call.types[0].shape);
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
  if (ir::is_complex(call.in[0]->dtype) && !ir::is_complex(to) && !ir::is_bool(to))
    call.runtime.warn(ErrorClass::RuntimeWarning, "Casting complex values to real discards the imaginary part");
  call.out[0] = converted(call.runtime, *call.in[0], to);
}

}  // namespace

std::span<const KernelRow> elementwise_kernels() {
  static const std::vector<KernelRow> rows = [] {
    std::vector<KernelRow> list;
    for (const ir::Op& op : ir::all_ops())
      if (op.op_class == ir::OpClass::Elementwise) list.push_back({op.id, elementwise_kernel, "autoray"});
    for (KernelRow special :
         {KernelRow{OpId::Where, where_kernel, "autoray"}, KernelRow{OpId::Clip, clip_kernel, "autoray"},
          KernelRow{OpId::Complex, complex_kernel, "autoray"}, KernelRow{OpId::Angle, angle_kernel, "autoray"},
          KernelRow{OpId::IsClose, isclose_kernel, "autoray"}, KernelRow{OpId::Round, round_kernel, "autoray"},
          KernelRow{OpId::Real, real_kernel, "autoray"}, KernelRow{OpId::Imag, imag_kernel, "autoray"},
          KernelRow{OpId::Astype, astype_kernel, "autoray"}})
      list.push_back(special);
    return list;
  }();
  return rows;
}

}  // namespace autoray::runtime
