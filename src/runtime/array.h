// numpy's array model: storage + dtype + shape + byte strides. Copying an Array is cheap and shares the elements; a view is an
// Array with other shape, strides or data pointer over the same storage, so writes through it are seen by its base.
#pragma once

#include <cstdint>
#include <span>

#include "ir/type.h"
#include "runtime/storage.h"

namespace autoray::runtime {

using BackendId = std::uint16_t;

struct Array {
  StoragePtr storage;    // null only for borrowed scalars that live no longer than the call
  char* data = nullptr;  // the first element (byte offset into storage already applied)
  ir::DType dtype = ir::DType::Float64;
  bool writable = true;   // false for broadcast views and diagonals; the storage's own flag counts too
  BackendId backend = 0;  // the tag that dispatch reads
  ir::Dims shape;
  ir::Dims strides;  // bytes

  int ndim() const { return shape.ssize(); }
  std::int64_t size() const {
    std::int64_t count = 1;
    for (std::int64_t extent : shape) count *= extent;
    return count;
  }
  std::int64_t itemsize() const { return static_cast<std::int64_t>(ir::itemsize(dtype)); }
  std::int64_t nbytes() const { return size() * itemsize(); }
  bool c_contiguous() const;
  bool f_contiguous() const;
  bool can_write() const { return writable && (!storage || storage->writable()); }
  ir::Type type(ir::Kind kind = ir::Kind::Array) const { return {dtype, kind, shape}; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

// Views: no element is copied. Axes are already normalised.
Array transposed(const Array& array, std::span<const std::int64_t> axes);
Array with_shape_and_strides(const Array& array, ir::Dims shape, ir::Dims strides, std::int64_t byte_offset = 0);
// Read-only, zero strides on broadcast axes; the shapes must be compatible.
Array broadcast_view(const Array& array, std::span<const std::int64_t> shape);
// A view with the new shape where the strides allow one (numpy's _attempt_nocopy_reshape); false otherwise.
bool try_reshape_view(const Array& array, std::span<const std::int64_t> shape, Array& result);

// True when some byte may belong to both (numpy's bounds check: conservative).
bool may_overlap(const Array& a, const Array& b);

}  // namespace autoray::runtime
