#include "runtime/backend.h"
#include "runtime/backends/eigen/backend.h"
#include "runtime/backends/numpy/backend.h"

namespace autoray::runtime {

std::span<const Backend* const> native_backends() {
  static constexpr const Backend* kBackends[] = {
      &kNumpyBackend,
      &kEigenBackend,
      &kLazyBackend,
  };
  return kBackends;
}

}  // namespace autoray::runtime
