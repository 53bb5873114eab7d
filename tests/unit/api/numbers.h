// Arrays of float64 for tests of the host's interface.
#pragma once

#include <cstring>
#include <vector>

#include "autoray/array.h"

namespace autoray {

inline Array numbers(const std::vector<double>& items) {
  Array a = Array::make("float64", {static_cast<std::int64_t>(items.size())});
  std::memcpy(a.data(), items.data(), 8 * items.size());
  return a;
}

}  // namespace autoray
