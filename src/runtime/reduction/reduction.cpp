#include "runtime/reduction/reduction.h"

#include <vector>

#include "runtime/reduction/common.h"

namespace autoray::runtime {

using ir::DType;
using ir::OpId;

bool masked(const KernelCall& call) {
  return call.in.size() > 1 && call.in[1].present() && !(call.in[1].kind == ir::Kind::Weak && *call.in[1]->data);
}

Array with_identity(KernelCall& call, const Array& x, DType dtype, double identity) {
  Array copy = converted(call.runtime, x, dtype), item = call.runtime.allocate(DType::Float64, {});
  *item.as<double>() = identity;
  Array mask = converted(call.runtime, *call.in[1], DType::Bool);
  return call.runtime.run1(OpId::Where, call.backend, {&mask, &copy, &item});
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
  const ir::Attr& initial = reduction_attr(call, "initial");
  if (initial.none()) return result;
  Array item = call.runtime.allocate(DType::Float64, {});
  *item.as<double>() = ir::as_double(initial, "initial");
  item = converted(call.runtime, item, result.dtype);
  return call.runtime.run1(op, call.backend, {&item, &result});
}

std::span<const KernelRow> reduction_kernels() {
  static const std::vector<KernelRow> rows = [] {
    std::vector<KernelRow> list;
    for (auto table : {sum_kernels(), extreme_kernels(), logical_kernels(), scan_kernels()})
      list.insert(list.end(), table.begin(), table.end());
    return list;
  }();
  return rows;
}

}  // namespace autoray::runtime
