// Arrays across the boundary of a host program: numpy's model (dtype, shape, byte strides), shared and not copied.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "autoray/export.h"

namespace autoray {

namespace detail {
struct ArrayAccess;
}

class AUTORAY_API Array {
 public:
  Array();  // empty: no elements of float64
  // A C-contiguous array of uninitialised elements. Throws std::bad_alloc.
  static Array make(std::string_view dtype, std::vector<std::int64_t> shape);
  // A view on the caller's memory: nothing is copied, and `release` runs when the last array that uses it is gone. Strides are
  // in bytes; empty: C order.
  static Array view(void* data, std::string_view dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides = {},
                    bool writable = true, std::function<void()> release = {});

  std::string_view dtype() const;
  const std::vector<std::int64_t> shape() const;
  const std::vector<std::int64_t> strides() const;
  std::int64_t size() const;
  void* data();
  const void* data() const;
  bool c_contiguous() const;

 private:
  friend struct detail::ArrayAccess;
  struct Impl;
  explicit Array(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace autoray
