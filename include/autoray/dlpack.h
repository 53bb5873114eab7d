// DLPack: arrays exchanged in memory with other libraries (numpy, JAX, PyTorch ...), nothing copied. The structs are those of
// version 0.8 of its specification (https://dmlc.github.io/dlpack/latest/c_api.html), under names of our own, so that the
// header goes together with any other copy of dlpack.h: cast the pointers.
#pragma once

#include <cstdint>

#include "autoray/array.h"

namespace autoray::dlpack {

struct Device {
  std::int32_t device_type;  // 1: CPU, the only one here
  std::int32_t device_id;
};
struct DataType {
  std::uint8_t code;  // 0 int, 1 uint, 2 float, 5 complex, 6 bool
  std::uint8_t bits;
  std::uint16_t lanes;  // 1
};
struct Tensor {
  void* data;
  Device device;
  std::int32_t ndim;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null: C order
  std::uint64_t byte_offset;
};
struct ManagedTensor {
  Tensor tensor;
  void* manager;
  void (*deleter)(ManagedTensor* self);
};

// A view that keeps the array's memory until its deleter is called. Throws Error (ValueError) when a stride is no multiple of
// the item size.
AUTORAY_API ManagedTensor* from_array(const Array& array);
// Takes the tensor over, also when it throws: its deleter is called when the last array that uses it is gone. Throws Error for
// another device than the CPU (BufferError), several lanes, or a dtype that does not exist here (TypeError).
AUTORAY_API Array to_array(ManagedTensor* tensor);

}  // namespace autoray::dlpack
