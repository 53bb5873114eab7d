#include "autoray/array.h"

#include "api/access.h"
#include "ir/error.h"

namespace autoray {

Array::Array() : impl_(std::make_shared<Impl>()) {
  impl_->array.storage = runtime::StoragePtr(runtime::Storage::allocate(0, nullptr));
  impl_->array.data = impl_->array.storage->data();
  impl_->array.shape = ir::Dims{0};
  impl_->array.strides = ir::Dims{8};
}

namespace {
ir::DType dtype_named(std::string_view name) {
  if (auto dtype = ir::parse_dtype(name)) return *dtype;
  Diagnostic d;
  d.code = "E0403";
  d.message = "TypeError: data type '" + std::string(name) + "' not understood";
  throw Error(d);
}
}  // namespace

Array Array::make(std::string_view dtype, std::vector<std::int64_t> shape) {
  Array result;
  runtime::Array& a = result.impl_->array;
  a.dtype = dtype_named(dtype);
  a.shape = ir::Dims(shape.begin(), shape.end());
  a.strides = ir::contiguous_strides(a.shape, a.itemsize());
  a.storage = runtime::StoragePtr(runtime::Storage::allocate(static_cast<std::size_t>(a.nbytes()), nullptr));
  a.data = a.storage->data();
  return result;
}

Array Array::view(void* data, std::string_view dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                  bool writable, std::function<void()> release) {
  Array result;
  runtime::Array& a = result.impl_->array;
  a.dtype = dtype_named(dtype);
  a.shape = ir::Dims(shape.begin(), shape.end());
  a.strides = strides.empty() ? ir::contiguous_strides(a.shape, a.itemsize()) : ir::Dims(strides.begin(), strides.end());
  auto* context = release ? new std::function<void()>(std::move(release)) : nullptr;
  a.storage = runtime::StoragePtr(runtime::Storage::adopt(
      data, static_cast<std::size_t>(a.nbytes()), writable,
      [](void* c, void*) {
        if (!c) return;
        auto* f = static_cast<std::function<void()>*>(c);
        (*f)();
        delete f;
      },
      context));
  a.data = static_cast<char*>(data);
  a.writable = writable;
  return result;
}

std::string_view Array::dtype() const { return ir::name(impl_->array.dtype); }
const std::vector<std::int64_t> Array::shape() const { return {impl_->array.shape.begin(), impl_->array.shape.end()}; }
const std::vector<std::int64_t> Array::strides() const { return {impl_->array.strides.begin(), impl_->array.strides.end()}; }
std::int64_t Array::size() const { return impl_->array.size(); }
void* Array::data() { return impl_->array.data; }
const void* Array::data() const { return impl_->array.data; }
bool Array::c_contiguous() const { return impl_->array.c_contiguous(); }

}  // namespace autoray
