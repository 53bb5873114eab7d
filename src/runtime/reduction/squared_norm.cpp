#include "runtime/reduction/squared_norm.h"

#include <cstring>

#include "runtime/reduction/order.h"

namespace autoray::runtime {

using ir::DType;

namespace {

template <class T>
double real_squares(const char* items, std::int64_t n, std::int64_t stride) {
  if (stride == sizeof(T)) {
    auto* p = reinterpret_cast<const T*>(items);
    return static_cast<double>(ordered_sum<T>(0, n, [p](std::int64_t i) { return p[i] * p[i]; }));
  }
  return static_cast<double>(ordered_sum<T>(0, n, [=](std::int64_t i) {
    T x;
    std::memcpy(&x, items + i * stride, sizeof x);
    return x * x;
  }));
}
template <class T>
double complex_squares(const char* items, std::int64_t n, std::int64_t stride) {
  return static_cast<double>(ordered_sum<T>(0, n, [=](std::int64_t i) {
    T x[2];
    std::memcpy(x, items + i * stride, sizeof x);
    return x[0] * x[0] + x[1] * x[1];
  }));
}

}  // namespace

double ordered_squared_norm(DType dtype, const char* items, std::int64_t n, std::int64_t stride) {
  switch (dtype) {
    case DType::Float32: return real_squares<float>(items, n, stride);
    case DType::Float64: return real_squares<double>(items, n, stride);
    case DType::Complex64: return complex_squares<float>(items, n, stride);
    default: return complex_squares<double>(items, n, stride);
  }
}

}  // namespace autoray::runtime
