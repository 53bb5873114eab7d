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
#include "runtime/memory_order.h"
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

// The warning of a finite Python number that is infinite in float16.
void told_overflow(Runtime& runtime, const Operand& number, const char* item) {
  float rounded;
  double given;
  std::memcpy(&rounded, item, sizeof rounded);
  cast_loop(number->dtype, DType::Float64)(number->data, 0, reinterpret_cast<char*>(&given), 0, 1);
  if (!std::isinf(rounded) || std::isinf(given)) return;
  runtime.clear_fp();
  // An overflow of the vector unit, whose flags are looked at.
  volatile float most = std::numeric_limits<float>::max();
  most = most * 2;
  runtime.check_fp("cast");
}

}  // namespace

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

void check_operand_types(Runtime& runtime, BackendId backend, const ir::Op& op, std::span<const ir::OperandType> operands,
                         const ir::Type& result) {
  if (runtime.entry(backend, op.id).kernel != elementwise_kernel) return;
  ir::Promotion promotion;
  for (const ir::OperandType& operand : operands)
    if (operand.present()) promotion.add(operand.type->dtype, operand.type->kind);
  DType dtype = ir::loop_in_operand_dtype(op) ? promotion.result() : result.dtype;
  if (ir::is_bool(dtype)) refuse_bool_arithmetic(op);
  if (!has_loop(runtime, backend, op, dtype)) refuse_operands(op);
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
  for (int i = 0; i < operands; ++i) {
    const Operand& operand = call.in[static_cast<std::size_t>(i)];
    sources[i] = operand.array;
    if (operand->dtype != compute) {
      if (half && operand.kind == Kind::Weak && operand->dtype != DType::Bool) {
        // A Python number is one of float16 before it takes part.
        cast_loop(operand->dtype, DType::Float16)(operand->data, 0, items[i], 0, 1);
        cast_loop(DType::Float16, compute)(items[i], 0, items[i], 0, 1);
        told_overflow(call.runtime, operand, items[i]);
      } else if (operand->ndim() == 0) {
        cast_loop(operand->dtype, compute)(operand->data, 0, items[i], 0, 1);
      } else {
        converted_operands[i] = converted(call.runtime, *operand.array, compute);
        sources[i] = &converted_operands[i];
      }
    }
  }
  const ir::Dims& shape = call.types[0].shape;
  // The order in which memory is walked and the result made; empty: C order.
  const ir::Dims axes = kept_axes(call.in, shape.ssize());
  // In place: item by item, what is read there was converted before or is of the very dtype that is written.
  const Array& first = *call.in[0];
  bool in_place = call.reuse_first && first.dtype == stored && first.shape == shape && first.c_contiguous();
  Array result = in_place ? first : call.runtime.allocate(stored, shape);
  if (!axes.empty() && !in_place) result.strides = packed_strides(shape, axes, result.itemsize());
  if (divides(call.op.id) && ir::is_integer(compute) && result.size() && has_zero(call.runtime, *sources[1]))
    std::feraiseexcept(FE_DIVBYZERO);
  if (result.size()) {
    run.shape = shape;
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
    if (!axes.empty()) {
      auto permute = [&](ir::Dims& dims) {
        const ir::Dims before = dims;
        for (std::size_t k = 0; k < ndim; ++k) dims[k] = before[static_cast<std::size_t>(axes[k])];
      };
      permute(run.shape);
      for (int i = 0; i <= operands; ++i) permute(run.strides[i]);
    }
    coalesce(run);
    execute(call.runtime, run);
  }
  if (stored != call.types[0].dtype) result = converted_like(call.runtime, result, call.types[0].dtype);
  // A float16 overflows when it is rounded.
  if (call.op.has(ir::kQuiet))
    call.runtime.clear_fp();
  else if (ir::is_inexact(compute) || divides(call.op.id))
    call.runtime.check_fp(call.op.path);
  call.out[0] = std::move(result);
}

std::span<const KernelRow> elementwise_kernels() {
  static const std::vector<KernelRow> rows = [] {
    std::vector<KernelRow> list;
    for (const ir::Op& op : ir::all_ops())
      if (op.op_class == ir::OpClass::Elementwise) list.push_back({op.id, elementwise_kernel, "autoray"});
    for (const KernelRow& row : composed_kernels()) list.push_back(row);
    return list;
  }();
  return rows;
}

}  // namespace autoray::runtime
