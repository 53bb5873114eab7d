#include "autoray/dlpack.h"

#include <memory>

#include "api/access.h"
#include "ir/error.h"

namespace autoray::dlpack {
namespace {

enum Code : std::uint8_t { kInt = 0, kUint = 1, kFloat = 2, kComplex = 5, kBool = 6 };
constexpr std::int32_t kCpu = 1;

DataType type_of(ir::DType dtype) {
  auto bits = static_cast<std::uint8_t>(8 * ir::itemsize(dtype));
  std::uint8_t code = ir::is_bool(dtype)             ? kBool
                      : ir::is_complex(dtype)        ? kComplex
                      : ir::is_inexact(dtype)        ? kFloat
                      : ir::is_signed_integer(dtype) ? kInt
                                                     : kUint;
  return {code, bits, 1};
}

struct Exported {
  ManagedTensor tensor;
  Array array;  // keeps the memory
  std::vector<std::int64_t> shape, strides;
};

}  // namespace

ManagedTensor* from_array(const Array& array) {
  const runtime::Array& a = detail::ArrayAccess::unwrap(array);
  auto exported = std::make_unique<Exported>();
  exported->array = array;
  exported->shape.assign(a.shape.begin(), a.shape.end());
  for (std::int64_t stride : a.strides) {
    if (stride % a.itemsize())
      detail::raise(ir::Error(ir::ErrorClass::ValueError, "DLPack counts strides in elements: " + std::to_string(stride) +
                                                              " bytes are no multiple of the item size"));
    exported->strides.push_back(stride / a.itemsize());
  }
  exported->tensor.tensor = {a.data, {kCpu, 0}, a.ndim(), type_of(a.dtype), exported->shape.data(), exported->strides.data(),
                             0};
  exported->tensor.manager = exported.get();
  exported->tensor.deleter = [](ManagedTensor* self) { delete static_cast<Exported*>(self->manager); };
  return &exported.release()->tensor;
}

Array to_array(ManagedTensor* managed) {
  std::shared_ptr<ManagedTensor> kept(managed, [](ManagedTensor* m) {
    if (m->deleter) m->deleter(m);
  });
  const Tensor& t = managed->tensor;
  if (t.device.device_type != kCpu)
    detail::raise(
        ir::Error(ir::ErrorClass::BufferError, "device type " + std::to_string(t.device.device_type) + " is not the CPU")
            .with_hint("copy it first"));
  for (int i = 0; i < ir::kDTypeCount; ++i) {
    auto dtype = static_cast<ir::DType>(i);
    DataType own = type_of(dtype);
    if (own.code != t.dtype.code || own.bits != t.dtype.bits || t.dtype.lanes != 1) continue;
    std::vector<std::int64_t> shape(t.shape, t.shape + t.ndim), strides;
    if (t.strides)
      for (int axis = 0; axis < t.ndim; ++axis)
        strides.push_back(t.strides[axis] * static_cast<std::int64_t>(ir::itemsize(dtype)));
    return Array::view(static_cast<char*>(t.data) + t.byte_offset, ir::name(dtype), std::move(shape), std::move(strides), true,
                       [kept] {});
  }
  detail::raise(ir::Error(ir::ErrorClass::TypeError, "no dtype of type code " + std::to_string(t.dtype.code) + ", " +
                                                         std::to_string(t.dtype.bits) + " bits, " +
                                                         std::to_string(t.dtype.lanes) + " lanes"));
}

}  // namespace autoray::dlpack
