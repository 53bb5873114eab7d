#include "runtime/reduction/reduction.h"

#include <vector>

#include "runtime/elementwise/driver.h"
#include "runtime/reduction/common.h"

namespace autoray::runtime {

using ir::DType;
using ir::OpId;

bool masked(const KernelCall& call) { return call.in.size() > 1 && call.in[1].present(); }

Array with_identity(KernelCall& call, const Array& x, DType dtype, double identity) {
  Array item = call.runtime.allocate(DType::Float64, {});
  *item.as<double>() = identity;
  return with_identity(call, x, dtype, item);
}
Array with_identity(KernelCall& call, const Array& x, DType dtype, const Array& item) {
  Array copy = converted(call.runtime, x, dtype);
  Array mask = converted(call.runtime, *call.in[1], DType::Bool), typed = converted(call.runtime, item, dtype);
  return call.runtime.run1(OpId::Where, call.backend, {&mask, &copy, &typed});
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

bool has_initial(const KernelCall& call) {
  const ir::Attr& initial = reduction_attr(call, "initial");
  return !initial.none() && !initial.get<ir::Ellipsis>();
}

void refuse_empty(std::string_view ufunc) {
  throw ir::Error(ir::ErrorClass::ValueError,
                  "zero-size array to reduction operation " + std::string(ufunc) + " which has no identity");
}

void refuse_mask(std::string_view ufunc) {
  throw ir::Error(ir::ErrorClass::ValueError, "reduction operation '" + std::string(ufunc) +
                                                  "' does not have an identity, so to use a where mask one has to specify "
                                                  "'initial'");
}

Array initial_item(KernelCall& call, DType dtype) {
  const ir::Attr& initial = reduction_attr(call, "initial");
  auto item = [&](auto value, DType own) {
    Array array = call.runtime.allocate(own, {});
    *array.as<decltype(value)>() = value;
    return array;
  };
  Array array;
  if (auto* complex = initial.get<std::complex<double>>()) {
    const DType wanted = call.types[0].dtype;
    if (!ir::is_complex(wanted) && !ir::is_bool(wanted))
      throw ir::Error(ir::ErrorClass::TypeError,
                      ir::is_integer(wanted)
                          ? "int() argument must be a string, a bytes-like object or a real number, not 'complex'"
                          : "float() argument must be a string or a real number, not 'complex'");
    array = ir::is_bool(wanted) ? item(*complex != 0.0, DType::Bool) : item(*complex, DType::Complex128);
  } else if (auto* integer = initial.get<std::int64_t>()) {
    array = item(*integer, DType::Int64);
    check_python_integer({&array, ir::Kind::Weak}, call.types[0].dtype);
  } else {
    array = item(ir::as_double(initial, "initial"), DType::Float64);
  }
  return converted(call.runtime, array, dtype);
}

Array initial_applied(KernelCall& call, Array result, OpId op) {
  if (!has_initial(call)) return result;
  Array item = initial_item(call, result.dtype);
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
