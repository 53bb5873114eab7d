// sum, prod, mean, var, std: everything that adds up, in the order of order.h.
#include <cmath>
#include <limits>
#include <span>

#include "runtime/reduction/common.h"
#include "runtime/reduction/order.h"
#include "runtime/reduction/reduction.h"
#include "runtime/reduction/walk.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

constexpr int kWidth = static_cast<int>(kColumns);

// Integers wrap: their order does not matter, so one accumulator a column suffices.
template <class Fold, class T>
void fold_integers(Runtime& runtime, const Walk& walk, T* out) {
  reduce<T, T>(
      runtime, walk, out,
      [](const T* p, std::int64_t n) {
        T total = Fold::template identity<T>();
        for (std::int64_t i = 0; i < n; ++i) total = Fold::apply(total, p[i]);
        return total;
      },
      [](const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, T* totals) {
        for (std::int64_t k = 0; k < width; ++k) totals[k] = Fold::template identity<T>();
        for (std::int64_t i = 0; i < n; ++i) {
          auto* row = reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride);
          for (std::int64_t k = 0; k < width; ++k) totals[k] = Fold::apply(totals[k], row[k]);
        }
      });
}

template <class Fold, class T>
void fold(Runtime& runtime, const Walk& walk, T* out) {
  if constexpr (std::is_integral_v<T>) {
    fold_integers<Fold>(runtime, walk, out);
  } else {
    reduce<T, T>(
        runtime, walk, out,
        [](const T* p, std::int64_t n) { return ordered_fold<Fold, T>(0, n, [p](std::int64_t i) { return p[i]; }); },
        [](const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, T* totals) {
          ordered_columns<Fold, kWidth>(0, n, static_cast<int>(width), totals, [p, stride](std::int64_t i, int k) {
            return reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride)[k];
          });
        });
  }
}

void sum_kernel(KernelCall& call) {
  bool product = call.op.id == OpId::Prod;
  static constexpr const char* kNames[] = {"add", "multiply"};
  DType dtype = compute_dtype(call.types[0].dtype);
  // initial=None takes numpy's zero or one away.
  bool bare = reduction_attr(call, "initial").none();
  if (bare && masked(call)) refuse_mask(kNames[product]);
  // sum(dtype=bool) adds truth values, not what integers are left of the items.
  Array x = call.types[0].dtype == DType::Bool ? converted(call.runtime, *call.in[0], DType::Bool) : *call.in[0];
  Walk walk = walk_of(call, masked(call) ? with_identity(call, x, dtype, product) : x, dtype);
  Array out = call.runtime.allocate(dtype, call.types[0].shape);
  if (bare && walk.n == 0) refuse_empty(kNames[product]);
  clear_fp();
  visit_accumulator(dtype, [&]<class T>() {
    if (product)
      fold<ProductFold>(call.runtime, walk, out.as<T>());
    else
      fold<SumFold>(call.runtime, walk, out.as<T>());
  });
  if (ir::is_inexact(dtype)) call.runtime.check_fp("reduce");
  store(call, initial_applied(call, std::move(out), product ? OpId::Multiply : OpId::Add));
}

// A complex total by a complex number, as numpy: where one part is infinite the other becomes NaN.
template <class T>
T divided(T total, double n) {
  if constexpr (scalar::is_complex_v<T>)
    return scalar::Divide::apply(total, T(static_cast<typename T::value_type>(n), 0));
  else
    return total / static_cast<T>(n);
}

// mean(dtype=int): numpy adds up in that dtype, divides in float64, and truncates.
void integer_mean(KernelCall& call) {
  Runtime& runtime = call.runtime;
  auto run = [&](OpId id, std::initializer_list<const Array*> operands, std::initializer_list<ir::Attr> attrs) {
    return runtime.run1(id, call.backend, operands, attrs);
  };
  const ir::Attr &axis = reduction_attr(call, "axis"), &keepdims = reduction_attr(call, "keepdims");
  const Array* mask = masked(call) ? call.in[1].array : nullptr;
  DType dtype = call.types[0].dtype;
  Array x = converted(runtime, *call.in[0], dtype);
  Array total = run(OpId::Sum, {&x, mask}, {axis, dtype, {}, keepdims}), counts;
  if (mask) {
    Array taken = converted(runtime, broadcast_view(*mask, x.shape), DType::Bool);
    counts = run(OpId::Sum, {&taken}, {axis, DType::Float64, {}, keepdims});
  } else {
    counts = runtime.allocate(DType::Float64, {});
    *counts.as<double>() = total.size() ? static_cast<double>(x.size()) / static_cast<double>(total.size()) : 0;
    if (x.size() == 0) *counts.as<double>() = 0;
  }
  Array quotient = run(OpId::Divide, {&total, &counts}, {});
  store(call, std::move(quotient));
}

void mean_kernel(KernelCall& call) {
  if (!ir::is_inexact(call.types[0].dtype)) return integer_mean(call);
  DType dtype = compute_dtype(call.types[0].dtype);
  Walk walk = walk_of(call, masked(call) ? with_identity(call, *call.in[0], dtype, 0) : *call.in[0], dtype);
  if (walk.n == 0) call.runtime.warn(ErrorClass::RuntimeWarning, "Mean of empty slice");
  Array out = call.runtime.allocate(dtype, call.types[0].shape), counts;
  if (masked(call)) {
    Array mask = converted(call.runtime, broadcast_view(converted(call.runtime, *call.in[1], DType::Bool), call.in[0]->shape),
                           DType::Bool);
    counts = call.runtime.run1(OpId::Sum, call.backend, {&mask},
                               {reduction_attr(call, "axis"), DType::Float64, {}, reduction_attr(call, "keepdims")});
  }
  clear_fp();
  visit_accumulator(dtype, [&]<class T>() {
    if constexpr (!std::is_integral_v<T>) {
      T* totals = out.as<T>();
      fold<SumFold>(call.runtime, walk, totals);
      for (std::int64_t r = 0, count = out.size(); r < count; ++r)
        totals[r] = divided(totals[r], counts.data ? counts.as<double>()[r] : static_cast<double>(walk.n));
    }
  });
  call.runtime.check_fp("divide");
  store(call, std::move(out));
}

template <class T>
auto square_distance(T item, T mean) {
  T d = scalar::Subtract::apply(item, mean);
  if constexpr (scalar::is_complex_v<T>)
    return d.real() * d.real() + d.imag() * d.imag();
  else
    return d * d;
}

void store_spread(KernelCall& call, Array computed) {
  if (!ir::is_complex(call.types[0].dtype)) return store(call, std::move(computed));
  store(call, complex_spread(call.runtime, computed, call.types[0].dtype));
}

// var(where=): the same two passes over the items that the mask takes. Also of complex items in a real dtype, where numpy
// takes the mean of the real parts.
void composed_var(KernelCall& call, DType dtype, DType real) {
  Runtime& runtime = call.runtime;
  auto run = [&](OpId id, std::initializer_list<const Array*> operands, std::initializer_list<ir::Attr> attrs) {
    return runtime.run1(id, call.backend, operands, attrs);
  };
  const ir::Attr &axis = reduction_attr(call, "axis"), &keepdims = reduction_attr(call, "keepdims");
  Array x = converted(runtime, *call.in[0], dtype);
  Array mask;
  if (masked(call)) {
    mask = *call.in[1].array;
  } else {
    mask = runtime.allocate(DType::Bool, {});
    *mask.as<bool>() = true;
  }
  Array taken = converted(runtime, broadcast_view(mask, x.shape), DType::Bool);
  FpState saved = runtime.fp_state;
  runtime.fp_state.divide = runtime.fp_state.invalid = FpAction::Ignore;
  Array counts = run(OpId::Sum, {&taken}, {axis, DType::Float64, {}, true});
  Array typed_counts = converted(runtime, counts, real);
  const ir::Attr& asked = reduction_attr(call, "dtype");
  bool real_mean = !asked.none() && !ir::is_complex(*ir::as_dtype(asked));
  Array averaged = real_mean ? converted(runtime, x, real) : x;
  Array total = run(OpId::Sum, {&averaged, &mask}, {axis, averaged.dtype, {}, true}),
        mean = run(OpId::Divide, {&total, &typed_counts}, {});
  Array distance = run(OpId::Subtract, {&x, &mean}, {}), size = distance;
  if (ir::is_complex(dtype)) {
    Array turned = run(OpId::Conjugate, {&distance}, {}), product = run(OpId::Multiply, {&distance, &turned}, {});
    size = run(OpId::Real, {&product}, {});
  } else {
    size = run(OpId::Square, {&distance}, {});
  }
  Array squares = run(OpId::Sum, {&size, &mask}, {axis, real, {}, keepdims});
  Array kept = run(OpId::Sum, {&taken}, {axis, DType::Float64, {}, keepdims});
  double ddof = ir::as_double(reduction_attr(call, "ddof"), "ddof");
  bool few = false;
  for (std::int64_t i = 0; i < kept.size(); ++i) {
    double& count = kept.as<double>()[i];
    few |= count - ddof <= 0;
    count = std::max(count - ddof, 0.0);
  }
  if (few) runtime.warn(ErrorClass::RuntimeWarning, "Degrees of freedom <= 0 for slice");
  Array divisors = converted(runtime, kept, real), result = run(OpId::Divide, {&squares, &divisors}, {});
  if (call.op.id == OpId::Std) result = run(OpId::Sqrt, {&result}, {});
  runtime.fp_state = saved;
  store_spread(call, std::move(result));
}

// var(dtype=int): numpy truncates at every step: the mean, the squares, their mean, and the root.
void integer_var(KernelCall& call) {
  Runtime& runtime = call.runtime;
  DType dtype = call.types[0].dtype;
  const Array *x = call.in[0].array, *mask = masked(call) ? call.in[1].array : nullptr;
  auto run = [&](OpId id, std::initializer_list<const Array*> operands, std::initializer_list<ir::Attr> attrs = {}) {
    return runtime.run1(id, call.backend, operands, attrs);
  };
  auto sum = [&](const Array& items, DType in, bool keepdims) {
    Array typed = converted(runtime, items, in);
    return run(OpId::Sum, {&typed, mask}, {reduction_attr(call, "axis"), in, {}, keepdims});
  };
  auto truncated_quotient = [&](const Array& a, const Array& b) {
    return converted(runtime, run(OpId::Divide, {&a, &b}), dtype);
  };
  bool keepdims = ir::as_bool(reduction_attr(call, "keepdims"), "keepdims");
  Array taken = runtime.allocate(DType::Bool, x->shape);
  std::fill_n(taken.as<bool>(), taken.size(), true);
  FpState saved = runtime.fp_state;
  runtime.fp_state.divide = runtime.fp_state.invalid = FpAction::Ignore;
  Array mean = truncated_quotient(sum(*x, dtype, true), sum(taken, DType::Float64, true));
  Array distance = run(OpId::Subtract, {x, &mean}), turned = run(OpId::Conjugate, {&distance});
  Array squares = run(OpId::Multiply, {&distance, &turned});
  squares = sum(run(OpId::Real, {&squares}), dtype, keepdims);
  Array counts = sum(taken, DType::Float64, keepdims);
  double ddof = ir::as_double(reduction_attr(call, "ddof"), "ddof");
  bool few = false;
  for (double& count : std::span(counts.as<double>(), static_cast<std::size_t>(counts.size()))) {
    few |= count - ddof <= 0;
    count = std::max(count - ddof, 0.0);
  }
  if (few) runtime.warn(ErrorClass::RuntimeWarning, "Degrees of freedom <= 0 for slice");
  Array result = truncated_quotient(squares, counts);
  if (call.op.id == OpId::Std) {
    // In place, but for the scalar that a whole reduction is.
    if (result.ndim())
      throw Error(ErrorClass::UFuncTypeError, "Cannot cast ufunc 'sqrt' output from dtype('float64') to dtype('" +
                                                  std::string(ir::name(dtype)) + "') with casting rule 'same_kind'");
    result = run(OpId::Sqrt, {&result});
  }
  runtime.fp_state = saved;
  store(call, std::move(result));
}

// Two passes: the mean, then the mean of squared distances.
void var_kernel(KernelCall& call) {
  if (!ir::is_inexact(call.types[0].dtype)) return integer_var(call);
  bool root = call.op.id == OpId::Std;
  DType real = ir::real_dtype(compute_dtype(call.types[0].dtype));
  bool complex = ir::is_complex(call.in[0]->dtype);
  double ddof = ir::as_double(reduction_attr(call, "ddof"), "ddof");
  DType dtype = complex ? ir::complex_dtype(real) : real;
  const ir::Attr& asked = reduction_attr(call, "dtype");
  bool real_mean = complex && !asked.none() && !ir::is_complex(*ir::as_dtype(asked));
  if (masked(call) || real_mean) return composed_var(call, dtype, real);
  Walk walk = walk_of(call, *call.in[0], dtype);
  double divisor = static_cast<double>(walk.n) - ddof;
  if (divisor <= 0) call.runtime.warn(ErrorClass::RuntimeWarning, "Degrees of freedom <= 0 for slice");
  divisor = std::max(divisor, 0.0);
  Array out = call.runtime.allocate(real, call.types[0].shape);
  clear_fp();
  visit_accumulator(dtype, [&]<class T>() {
    if constexpr (!std::is_integral_v<T>) {
      using R = decltype(scalar::Absolute::apply(T{}));
      auto result = [&](R squares) {
        R v = squares / static_cast<R>(divisor);
        return root ? std::sqrt(v) : v;
      };
      reduce<T, R>(
          call.runtime, walk, out.as<R>(),
          [&](const T* p, std::int64_t n) {
            T mean = divided(ordered_sum<T>(0, n, [p](std::int64_t i) { return p[i]; }), static_cast<double>(n));
            return result(ordered_sum<R>(0, n, [p, mean](std::int64_t i) { return square_distance(p[i], mean); }));
          },
          [&](const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, R* results) {
            auto item = [p, stride](std::int64_t i, int k) {
              return reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride)[k];
            };
            T means[kColumns];
            int w = static_cast<int>(width);
            ordered_columns<SumFold, kWidth>(0, n, w, means, item);
            for (int k = 0; k < w; ++k) means[k] = divided(means[k], static_cast<double>(n));
            ordered_columns<SumFold, kWidth>(0, n, w, results,
                                             [&](std::int64_t i, int k) { return square_distance(item(i, k), means[k]); });
            for (int k = 0; k < w; ++k) results[k] = result(results[k]);
          });
    }
  });
  call.runtime.check_fp("divide");
  store_spread(call, std::move(out));
}

}  // namespace

Array complex_spread(Runtime& runtime, const Array& spread, DType dtype) {
  Array pairs = converted(runtime, spread, dtype);
  visit_accumulator(pairs.dtype, [&]<class T>() {
    if constexpr (scalar::is_complex_v<T>)
      for (T& item : std::span(pairs.as<T>(), static_cast<std::size_t>(pairs.size())))
        if (!std::isfinite(item.real())) item.imag(std::numeric_limits<typename T::value_type>::quiet_NaN());
  });
  return pairs;
}

void complex_product(DType dtype, const char* items, std::int64_t n, char* product) {
  visit_accumulator(dtype, [&]<class T>() {
    if constexpr (scalar::is_complex_v<T>) {
      auto* p = reinterpret_cast<const T*>(items);
      *reinterpret_cast<T*>(product) = ordered_fold<ProductFold, T>(0, n, [p](std::int64_t i) { return p[i]; });
    }
  });
}

std::span<const KernelRow> sum_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Sum, sum_kernel, "autoray"},
                                        {OpId::Prod, sum_kernel, "autoray"},
                                        {OpId::Mean, mean_kernel, "autoray"},
                                        {OpId::Std, var_kernel, "autoray"},
                                        {OpId::Var, var_kernel, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
