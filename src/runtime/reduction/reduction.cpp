#include "runtime/reduction/reduction.h"

#include <algorithm>
#include <cmath>

#include "ir/error.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/reduction/order.h"
#include "runtime/runtime.h"
#include "runtime/scalar/definitions.h"

namespace autoray::runtime {

using ir::attribute;
using ir::Dims;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

const ir::Attr& attr(const KernelCall& call, std::string_view name) { return attribute(call.op, call.attrs, name); }

// The operand as rows: kept axes first, reduced ones last, in C order and of the dtype asked for.
struct Rows {
  Array data;
  std::int64_t rows = 1, n = 1;
};
Rows rows_of(KernelCall& call, const Array& x, DType dtype) {
  Dims axes = ir::normalize_axes(ir::as_axes(attr(call, "axis"), "axis"), x.ndim());
  Dims order;
  Rows result;
  for (int i = 0; i < x.ndim(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) != axes.end()) continue;
    order.push_back(i);
    result.rows *= x.shape[static_cast<std::size_t>(i)];
  }
  Dims reduced = axes;
  std::sort(reduced.begin(), reduced.end());
  for (std::int64_t a : reduced) {
    order.push_back(a);
    result.n *= x.shape[static_cast<std::size_t>(a)];
  }
  result.data = contiguous(call.runtime, transposed(x, order), dtype);
  return result;
}

bool masked(const KernelCall& call) { return call.in.size() > 1 && call.in[1].present() && !(call.in[1].kind == ir::Kind::Weak && *call.in[1]->data); }

// With where=: items that do not take part become the identity.
Array with_identity(KernelCall& call, const Array& x, DType dtype, double identity) {
  Array copy = converted(call.runtime, x, dtype), item = call.runtime.allocate(DType::Float64, {});
  *item.as<double>() = identity;
  Array mask = converted(call.runtime, *call.in[1], DType::Bool), chosen = call.runtime.run1(OpId::Where, call.backend, {&mask, &copy, &item});
  return chosen;
}

template <class T>
using Accumulator = T;

template <class F>
void for_inexact_or_integer(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Float32: return f.template operator()<float>();
    case DType::Float64: return f.template operator()<double>();
    case DType::Complex64: return f.template operator()<std::complex<float>>();
    case DType::Complex128: return f.template operator()<std::complex<double>>();
    case DType::UInt64: return f.template operator()<std::uint64_t>();
    default: return f.template operator()<std::int64_t>();
  }
}
DType compute_dtype(DType result) {
  if (result == DType::Float16) return DType::Float32;
  if (ir::is_inexact(result)) return result;
  return ir::is_unsigned(result) ? DType::UInt64 : DType::Int64;
}

void store(KernelCall& call, Array computed) {
  if (computed.dtype != call.types[0].dtype) computed = converted(call.runtime, computed, call.types[0].dtype);
  call.out[0] = std::move(computed);
}

Array initial_applied(KernelCall& call, Array result, OpId op) {
  const ir::Attr& initial = attr(call, "initial");
  if (initial.none()) return result;
  Array item = call.runtime.allocate(DType::Float64, {});
  *item.as<double>() = ir::as_double(initial, "initial");
  item = converted(call.runtime, item, result.dtype);
  return call.runtime.run1(op, call.backend, {&item, &result});
}

void sum_kernel(KernelCall& call) {
  bool product = call.op.id == OpId::Prod;
  DType dtype = compute_dtype(call.types[0].dtype);
  Array x = masked(call) ? with_identity(call, *call.in[0], dtype, product) : *call.in[0];
  Rows rows = rows_of(call, x, dtype);
  Array out = call.runtime.allocate(dtype, call.types[0].shape);
  for_inexact_or_integer(dtype, [&]<class T>() {
    const T* p = rows.data.as<T>();
    for (std::int64_t r = 0; r < rows.rows; ++r, p += rows.n) {
      if (product) {
        T total = T(1);
        for (std::int64_t i = 0; i < rows.n; ++i) total = scalar::Multiply::apply(total, p[i]);
        out.as<T>()[r] = total;
      } else if constexpr (std::is_integral_v<T>) {
        std::uint64_t total = 0;
        for (std::int64_t i = 0; i < rows.n; ++i) total += static_cast<std::uint64_t>(p[i]);
        out.as<T>()[r] = static_cast<T>(total);
      } else {
        out.as<T>()[r] = ordered_sum<T>(0, rows.n, [p](std::int64_t i) { return p[i]; });
      }
    }
  });
  if (ir::is_inexact(dtype)) call.runtime.check_fp("reduce");
  store(call, initial_applied(call, std::move(out), product ? OpId::Multiply : OpId::Add));
}

void mean_kernel(KernelCall& call) {
  DType dtype = compute_dtype(call.types[0].dtype);
  if (!ir::is_inexact(dtype)) dtype = DType::Float64;
  Array x = masked(call) ? with_identity(call, *call.in[0], dtype, 0) : *call.in[0];
  Rows rows = rows_of(call, x, dtype);
  if (rows.n == 0) call.runtime.warn(ErrorClass::RuntimeWarning, "Mean of empty slice");
  Array out = call.runtime.allocate(dtype, call.types[0].shape), counts;
  if (masked(call)) {
    Array mask = converted(call.runtime, broadcast_view(converted(call.runtime, *call.in[1], DType::Bool), call.in[0]->shape), DType::Bool);
    counts = call.runtime.run1(OpId::Sum, call.backend, {&mask}, {attr(call, "axis"), DType::Float64, {}, attr(call, "keepdims")});
  }
  for_inexact_or_integer(dtype, [&]<class T>() {
    if constexpr (!std::is_integral_v<T>) {
      const T* p = rows.data.as<T>();
      for (std::int64_t r = 0; r < rows.rows; ++r, p += rows.n) {
        double n = counts.data ? counts.as<double>()[r] : static_cast<double>(rows.n);
        T total = ordered_sum<T>(0, rows.n, [p](std::int64_t i) { return p[i]; });
        if constexpr (scalar::is_complex_v<T>) out.as<T>()[r] = T(total.real() / static_cast<typename T::value_type>(n), total.imag() / static_cast<typename T::value_type>(n));
        else out.as<T>()[r] = total / static_cast<T>(n);
      }
    }
  });
  call.runtime.check_fp("divide");
  store(call, std::move(out));
}

// Two passes: the mean, then the mean of squared distances.
void var_kernel(KernelCall& call) {
  bool root = call.op.id == OpId::Std;
  DType real = compute_dtype(call.types[0].dtype);
  if (!ir::is_inexact(real)) real = DType::Float64;
  bool complex = ir::is_complex(call.in[0]->dtype);
  double ddof = ir::as_double(attr(call, "ddof"), "ddof");
  if (masked(call)) throw Error(ErrorClass::NotImplementedError, "'where' is not supported by var and std").with_code(202);
  Rows rows = rows_of(call, *call.in[0], complex ? ir::complex_dtype(real) : real);
  double divisor = static_cast<double>(rows.n) - ddof;
  if (divisor <= 0) call.runtime.warn(ErrorClass::RuntimeWarning, "Degrees of freedom <= 0 for slice");
  divisor = std::max(divisor, 0.0);
  Array out = call.runtime.allocate(real, call.types[0].shape);
  for_inexact_or_integer(rows.data.dtype, [&]<class T>() {
    if constexpr (!std::is_integral_v<T>) {
      using R = decltype(scalar::Absolute::apply(T{}));
      const T* p = rows.data.as<T>();
      for (std::int64_t r = 0; r < rows.rows; ++r, p += rows.n) {
        T total = ordered_sum<T>(0, rows.n, [p](std::int64_t i) { return p[i]; });
        T mean = scalar::Divide::apply(total, T(static_cast<R>(rows.n)));
        R squares = ordered_sum<R>(0, rows.n, [p, mean](std::int64_t i) {
          T d = scalar::Subtract::apply(p[i], mean);
          if constexpr (scalar::is_complex_v<T>) return d.real() * d.real() + d.imag() * d.imag();
          else return d * d;
        });
        R v = squares / static_cast<R>(divisor);
        out.as<R>()[r] = root ? std::sqrt(v) : v;
      }
    }
  });
  call.runtime.check_fp("divide");
  store(call, std::move(out));
}

template <class Op>
void extreme_rows(const Rows& rows, Array& out) {
  ir::visit_dtype(out.dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, ir::Half>) {
      const T* p = rows.data.as<T>();
      for (std::int64_t r = 0; r < rows.rows; ++r, p += rows.n) {
        // Lanes let the compiler vectorise; order does not matter to a maximum.
        constexpr int kLanes = 16;
        T best = p[0];
        std::int64_t i = 0;
        if (rows.n >= 2 * kLanes) {
          T lanes[kLanes];
          for (int k = 0; k < kLanes; ++k) lanes[k] = p[k];
          for (i = kLanes; i + kLanes <= rows.n; i += kLanes)
            for (int k = 0; k < kLanes; ++k) lanes[k] = Op::template apply<T>(lanes[k], p[i + k]);
          best = lanes[0];
          for (int k = 1; k < kLanes; ++k) best = Op::template apply<T>(best, lanes[k]);
        }
        for (; i < rows.n; ++i) best = Op::template apply<T>(best, p[i]);
        out.as<T>()[r] = best;
      }
    }
  });
}
void extreme_kernel(KernelCall& call) {
  bool max = call.op.id == OpId::Max;
  const ir::Attr& initial = attr(call, "initial");
  DType dtype = call.types[0].dtype == DType::Float16 ? DType::Float32 : call.types[0].dtype;
  Array x = *call.in[0];
  if (masked(call)) {
    if (initial.none()) throw Error(ErrorClass::ValueError, std::string("reduction operation '") + (max ? "maximum" : "minimum") + "' does not have an identity, so to use a where mask one has to specify 'initial'");
    x = converted(call.runtime, with_identity(call, x, dtype, ir::as_double(initial, "initial")), dtype);
  }
  Rows rows = rows_of(call, x, dtype);
  Array out = call.runtime.allocate(dtype, call.types[0].shape);
  if (rows.n == 0 && out.size()) {
    if (initial.none()) throw Error(ErrorClass::ValueError, std::string("zero-size array to reduction operation ") + (max ? "maximum" : "minimum") + " which has no identity");
    Array item = call.runtime.allocate(DType::Float64, {});
    *item.as<double>() = ir::as_double(initial, "initial");
    copy_into(call.runtime, item, out);
  } else if (rows.n) {
    if (max) extreme_rows<scalar::Maximum>(rows, out);
    else extreme_rows<scalar::Minimum>(rows, out);
  }
  store(call, initial_applied(call, std::move(out), max ? OpId::Maximum : OpId::Minimum));
}

void logical_kernel(KernelCall& call) {
  bool all = call.op.id == OpId::All;
  Array x = converted(call.runtime, *call.in[0], DType::Bool);
  if (masked(call)) x = with_identity(call, x, DType::Bool, all);
  Rows rows = rows_of(call, x, DType::Bool);
  Array& out = call.allocate();
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const char* p = rows.data.data + r * rows.n;
    bool found = std::find(p, p + rows.n, all ? 0 : 1) != p + rows.n;
    out.as<bool>()[r] = all ? !found : found;
  }
}
void count_kernel(KernelCall& call) {
  Rows rows = rows_of(call, converted(call.runtime, *call.in[0], DType::Bool), DType::Bool);
  Array& out = call.allocate();
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const char* p = rows.data.data + r * rows.n;
    out.as<std::int64_t>()[r] = std::count(p, p + rows.n, 1);
  }
}
void arg_kernel(KernelCall& call) {
  bool max = call.op.id == OpId::Argmax;
  Rows rows = rows_of(call, *call.in[0], call.in[0]->dtype == DType::Float16 ? DType::Float32 : call.in[0]->dtype);
  if (rows.n == 0) throw Error(ErrorClass::ValueError, std::string("attempt to get arg") + (max ? "max" : "min") + " of an empty sequence");
  Array& out = call.allocate();
  ir::visit_dtype(rows.data.dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, ir::Half>) {
      auto better = [&](T a, T b) {  // a before b, NaN first of all
        if constexpr (scalar::is_complex_v<T>) {
          if (b != b) return false;
          if (a != a) return true;
          return max ? scalar::complex_less(b, a) : scalar::complex_less(a, b);
        } else {
          if (b != b) return false;
          return a != a || (max ? a > b : a < b);
        }
      };
      const T* p = rows.data.as<T>();
      for (std::int64_t r = 0; r < rows.rows; ++r, p += rows.n) {
        std::int64_t best = 0;
        if constexpr (!scalar::is_complex_v<T>) {
          // The value first, vectorised; then its first place.
          T value = p[0];
          bool nan = false;
          for (std::int64_t i = 0; i < rows.n; ++i) {
            nan |= p[i] != p[i];
            value = max ? (p[i] > value ? p[i] : value) : (p[i] < value ? p[i] : value);
          }
          if (!nan) {
            best = std::find(p, p + rows.n, value) - p;
            out.as<std::int64_t>()[r] = best;
            continue;
          }
        }
        for (std::int64_t i = 1; i < rows.n; ++i)
          if (better(p[i], p[best])) best = i;
        out.as<std::int64_t>()[r] = best;
      }
    }
  });
}

void scan_kernel(KernelCall& call) {
  bool product = call.op.id == OpId::Cumprod;
  DType dtype = compute_dtype(call.types[0].dtype);
  const ir::Attr& axis_attr = attr(call, "axis");
  Array x = converted(call.runtime, *call.in[0], dtype);
  if (axis_attr.none()) {
    Array flat;
    try_reshape_view(x, call.types[0].shape, flat);
    x = flat;
  }
  auto axis = static_cast<std::size_t>(axis_attr.none() ? 0 : ir::normalize_axis(ir::as_int(axis_attr, "axis"), x.ndim()));
  std::int64_t n = x.shape[axis], inner = 1, outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= x.shape[i];
  for (std::size_t i = axis + 1; i < x.shape.size(); ++i) inner *= x.shape[i];
  for_inexact_or_integer(dtype, [&]<class T>() {
    T* p = x.as<T>();
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t i = 1; i < n; ++i) {
        T *row = p + (o * n + i) * inner, *before = row - inner;
        for (std::int64_t k = 0; k < inner; ++k) row[k] = product ? scalar::Multiply::apply(before[k], row[k]) : scalar::Add::apply(before[k], row[k]);
      }
  });
  if (ir::is_inexact(dtype)) call.runtime.check_fp("accumulate");
  store(call, std::move(x));
}

}  // namespace

std::span<const KernelRow> reduction_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Sum, sum_kernel, "autoray"}, {OpId::Prod, sum_kernel, "autoray"}, {OpId::Mean, mean_kernel, "autoray"},
                                        {OpId::Std, var_kernel, "autoray"}, {OpId::Var, var_kernel, "autoray"}, {OpId::Max, extreme_kernel, "autoray"},
                                        {OpId::Min, extreme_kernel, "autoray"}, {OpId::All, logical_kernel, "autoray"}, {OpId::Any, logical_kernel, "autoray"},
                                        {OpId::CountNonzero, count_kernel, "autoray"}, {OpId::Argmax, arg_kernel, "autoray"}, {OpId::Argmin, arg_kernel, "autoray"},
                                        {OpId::Cumsum, scan_kernel, "autoray"}, {OpId::Cumprod, scan_kernel, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
