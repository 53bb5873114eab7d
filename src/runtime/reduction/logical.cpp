// all, any, count_nonzero: on items of every dtype as they are, without a bool for each.
#include "runtime/reduction/common.h"
#include "runtime/reduction/walk.h"
#include "runtime/scalar/definitions.h"

namespace autoray::runtime {

using ir::DType;
using ir::OpId;

namespace {

template <class T>
bool is_nonzero(T item) {
  if constexpr (scalar::is_complex_v<T>)
    return (item.real() != 0) | (item.imag() != 0);
  else
    return item != T(0);
}

// Some item is zero (kAll) or nonzero: blocks without a branch inside, an early end between them.
template <bool kAll, class T>
bool decided(const T* p, std::int64_t n) {
  constexpr std::int64_t kBlock = 512;
  for (std::int64_t at = 0; at < n; at += kBlock) {
    Flag<sizeof(T)> found = 0;
    for (std::int64_t i = at, end = std::min(at + kBlock, n); i < end; ++i) found |= is_nonzero(p[i]) != kAll ? 1 : 0;
    if (found) return true;
  }
  return false;
}

template <bool kAll>
void logical(KernelCall& call) {
  Array x = *call.in[0];
  if (masked(call)) x = with_identity(call, converted(call.runtime, x, DType::Bool), DType::Bool, kAll);
  if (x.dtype == DType::Float16) x = converted(call.runtime, x, DType::Float32);
  Walk walk = walk_of(call, x, x.dtype);
  Array& out = call.allocate();
  ir::visit_dtype(x.dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, ir::Half>)
      reduce<T, bool>(
          call.runtime, walk, out.as<bool>(), [](const T* p, std::int64_t n) { return decided<kAll>(p, n) != kAll; },
          [](const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, bool* results) {
            Flag<sizeof(T)> found[kColumns] = {};
            for (std::int64_t i = 0; i < n; ++i) {
              auto* row = reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride);
              for (std::int64_t k = 0; k < width; ++k) found[k] |= is_nonzero(row[k]) != kAll ? 1 : 0;
            }
            for (std::int64_t k = 0; k < width; ++k) results[k] = (found[k] != 0) != kAll;
          });
  });
}

void count_kernel(KernelCall& call) {
  Array x = call.in[0]->dtype == DType::Float16 ? converted(call.runtime, *call.in[0], DType::Float32) : *call.in[0];
  Walk walk = walk_of(call, x, x.dtype);
  Array& out = call.allocate();
  ir::visit_dtype(x.dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, ir::Half>)
      reduce<T, std::int64_t>(
          call.runtime, walk, out.as<std::int64_t>(),
          [](const T* p, std::int64_t n) {
            // Narrow counters keep a vector of items a vector of counts; a block cannot overflow them.
            constexpr std::int64_t kBlock = sizeof(T) == 1 ? 255 : 4096;
            std::int64_t total = 0;
            for (std::int64_t at = 0; at < n; at += kBlock) {
              Flag<sizeof(T)> count = 0;
              for (std::int64_t i = at, end = std::min(at + kBlock, n); i < end; ++i)
                count = static_cast<Flag<sizeof(T)>>(count + is_nonzero(p[i]));
              total += static_cast<std::int64_t>(count);
            }
            return total;
          },
          [](const T* p, std::int64_t n, std::int64_t stride, std::int64_t width, std::int64_t* counts) {
            std::fill_n(counts, width, 0);
            for (std::int64_t i = 0; i < n; ++i) {
              auto* row = reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + i * stride);
              for (std::int64_t k = 0; k < width; ++k) counts[k] += is_nonzero(row[k]);
            }
          });
  });
}

}  // namespace

std::span<const KernelRow> logical_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::All, logical<true>, "autoray"},
                                        {OpId::Any, logical<false>, "autoray"},
                                        {OpId::CountNonzero, count_kernel, "autoray"}};
  return kRows;
}

}  // namespace autoray::runtime
