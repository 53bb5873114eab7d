// cumsum and cumprod: strictly in order along the axis; side by side across the others.
#include "ir/rules/movement.h"
#include "ir/rules/reduction.h"
#include "runtime/reduction/common.h"
#include "runtime/reduction/order.h"
#include "runtime/reduction/reduction.h"

namespace autoray::runtime {

using ir::DType;
using ir::OpId;

namespace {

template <class Fold, class T>
void scan(Runtime& runtime, const T* from, T* to, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  for (std::int64_t o = 0; o < outer; ++o, from += n * inner, to += n * inner) {
    runtime.poll();
    if (inner == 1) {
      if (n == 0) continue;
      T total = to[0] = from[0];
      for (std::int64_t i = 1; i < n; ++i) to[i] = total = Fold::apply(total, from[i]);
      continue;
    }
    if (n && from != to) std::copy_n(from, inner, to);
    for (std::int64_t i = 1; i < n; ++i) {
      const T* item = from + i * inner;
      T *row = to + i * inner, *before = row - inner;
#pragma GCC ivdep
      for (std::int64_t k = 0; k < inner; ++k) row[k] = Fold::apply(before[k], item[k]);
    }
  }
}

template <class Fold>
void scan_kernel(KernelCall& call) {
  DType dtype = compute_dtype(call.types[0].dtype);
  const ir::Attr& axis_attr = reduction_attr(call, "axis");
  // A bool scan joins truth values, as a bool sum does.
  Array x = call.types[0].dtype == DType::Bool ? converted(call.runtime, *call.in[0], DType::Bool) : *call.in[0];
  x = contiguous(call.runtime, x, dtype);
  std::int64_t n = x.size(), inner = 1, outer = 1;
  if (!axis_attr.none() && x.ndim()) {
    auto axis = static_cast<std::size_t>(ir::scan_axis(axis_attr, x.ndim()));
    n = x.shape[axis];
    for (std::size_t i = 0; i < axis; ++i) outer *= x.shape[i];
    for (std::size_t i = axis + 1; i < x.shape.size(); ++i) inner *= x.shape[i];
  }
  Array out = call.runtime.allocate(dtype, call.types[0].shape);
  clear_fp();
  visit_accumulator(dtype, [&]<class T>() { scan<Fold>(call.runtime, x.as<T>(), out.as<T>(), outer, n, inner); });
  if (ir::is_inexact(dtype)) call.runtime.check_fp("accumulate");
  store(call, std::move(out));
}

}  // namespace

void complex_product_scan(DType dtype, const char* items, std::int64_t n, char* products) {
  visit_accumulator(dtype, [&]<class T>() {
    if constexpr (scalar::is_complex_v<T>) {
      auto* p = reinterpret_cast<const T*>(items);
      auto* to = reinterpret_cast<T*>(products);
      for (std::int64_t i = 0; i < n; ++i) to[i] = i ? ProductFold::apply(to[i - 1], p[i]) : p[i];
    }
  });
}

std::span<const KernelRow> scan_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Cumsum, scan_kernel<SumFold>, "autoray"},
                                        {OpId::Cumprod, scan_kernel<ProductFold>, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
