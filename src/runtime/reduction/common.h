// What the kernels of reductions share: attributes, masks, the dtype that computes.
#pragma once

#include <complex>

#include "ir/error.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/kernel.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

std::span<const KernelRow> sum_kernels();
std::span<const KernelRow> extreme_kernels();
std::span<const KernelRow> logical_kernels();
std::span<const KernelRow> scan_kernels();

inline const ir::Attr& reduction_attr(const KernelCall& call, std::string_view name) {
  return ir::attribute(call.op, call.attrs, name);
}

// where= was given, and is not Python's True.
bool masked(const KernelCall& call);
// With where=: items that do not take part become the identity.
Array with_identity(KernelCall& call, const Array& x, ir::DType dtype, double identity);
Array with_identity(KernelCall& call, const Array& x, ir::DType dtype, const Array& item);
// The dtype that accumulates for a result dtype: float16 in float32, small integers in 64 bits.
ir::DType compute_dtype(ir::DType result);
// Converts to the inferred dtype where another one computed.
void store(KernelCall& call, Array computed);
// initial= was given, and is not None.
bool has_initial(const KernelCall& call);
// What numpy says where nothing is there to start from: of no items at all, and of those that a mask may leave out.
[[noreturn]] void refuse_empty(std::string_view ufunc);
[[noreturn]] void refuse_mask(std::string_view ufunc);
// initial= as a 0-d array of that dtype; OverflowError for a Python int that it does not hold.
Array initial_item(KernelCall& call, ir::DType dtype);
// initial= joins the result by `op`.
Array initial_applied(KernelCall& call, Array result, ir::OpId op);

// f<T>() for the dtypes that compute_dtype gives.
template <class F>
void visit_accumulator(ir::DType dtype, F&& f) {
  switch (dtype) {
    case ir::DType::Float32: return f.template operator()<float>();
    case ir::DType::Float64: return f.template operator()<double>();
    case ir::DType::Complex64: return f.template operator()<std::complex<float>>();
    case ir::DType::Complex128: return f.template operator()<std::complex<double>>();
    case ir::DType::UInt64: return f.template operator()<std::uint64_t>();
    default: return f.template operator()<std::int64_t>();
  }
}

// A vector of the widest registers; the compiler splits it where they are narrower.
template <class T>
struct WideOf {
  typedef T type __attribute__((vector_size(64), aligned(1), may_alias));
};

// A flag or counter as wide as an item, so that a vector of items makes a vector of flags.
template <std::size_t kBytes>
using Flag = std::conditional_t<
    kBytes == 1, std::uint8_t,
    std::conditional_t<kBytes == 2, std::uint16_t, std::conditional_t<kBytes == 4, std::uint32_t, std::uint64_t>>>;

}  // namespace autoray::runtime
