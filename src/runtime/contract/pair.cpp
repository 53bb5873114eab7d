#include "runtime/contract/pair.h"

#include <algorithm>

#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::Dims;

Dims all_axes(int ndim) {
  Dims axes;
  for (int i = 0; i < ndim; ++i) axes.push_back(i);
  return axes;
}
Dims other_axes(int ndim, const Dims& axes) {
  Dims others;
  for (int i = 0; i < ndim; ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) others.push_back(i);
  return others;
}

namespace {

struct Group {
  std::int64_t extent = 1, stride = 0;
};
// Axes seen as one; false where no single stride walks them in order.
bool collapse(const Array& array, const Dims& axes, Group& group) {
  group = {};
  for (std::size_t k = axes.size(); k-- > 0;) {
    std::int64_t extent = array.shape[static_cast<std::size_t>(axes[k])],
                 stride = array.strides[static_cast<std::size_t>(axes[k])];
    if (extent == 1) continue;
    if (group.extent == 1)
      group.stride = stride;
    else if (stride != group.stride * group.extent)
      return false;
    group.extent *= extent;
    if (extent == 0) group.extent = 0;
  }
  return true;
}

struct Prepared {
  Array array;
  Dims batch;  // axes of `array`
  Group free, summed;
};
Prepared prepare(Runtime& runtime, const Factor& factor, ir::DType dtype) {
  Prepared p{*factor.array, factor.batch, {}, {}};
  if (p.array.dtype != dtype) p.array = converted(runtime, p.array, dtype);
  if (collapse(p.array, factor.free, p.free) && collapse(p.array, factor.summed, p.summed)) return p;
  Dims order = factor.batch;
  for (std::int64_t axis : factor.free) order.push_back(axis);
  for (std::int64_t axis : factor.summed) order.push_back(axis);
  p.array = converted(runtime, transposed(p.array, order), dtype);
  p.batch = all_axes(factor.batch.ssize());
  Dims free, summed;
  for (int i = factor.batch.ssize(); i < order.ssize(); ++i)
    (i < factor.batch.ssize() + factor.free.ssize() ? free : summed).push_back(i);
  collapse(p.array, free, p.free);
  collapse(p.array, summed, p.summed);
  return p;
}

}  // namespace

Array multiply_pair(Runtime& runtime, ProductFunction product, const Factor& a, const Factor& b, ir::DType dtype,
                    const char*& library, const Array* place) {
  // float16 is storage only: computed in float32, rounded once.
  ir::DType compute = dtype == ir::DType::Float16 ? ir::DType::Float32 : dtype;
  Prepared x = prepare(runtime, a, compute), y = prepare(runtime, b, compute);
  Dims shape;
  std::int64_t batches = 1;
  for (std::int64_t axis : x.batch) {
    shape.push_back(x.array.shape[static_cast<std::size_t>(axis)]);
    batches *= shape.back();
  }
  for (std::int64_t axis : a.free) shape.push_back(a.array->shape[static_cast<std::size_t>(axis)]);
  for (std::int64_t axis : b.free) shape.push_back(b.array->shape[static_cast<std::size_t>(axis)]);
  Array out = place && compute == dtype ? *place : runtime.allocate(compute, shape);
  const std::int64_t m = x.free.extent, n = y.free.extent, size = out.itemsize();
  Matrix left{x.array.data, m, x.summed.extent, x.free.stride, x.summed.stride};
  Matrix right{y.array.data, y.summed.extent, n, y.summed.stride, y.free.stride};
  Matrix result{out.data, m, n, n * size, size};
  Dims index(x.batch.size(), 0);
  for (std::int64_t step = 0; step < batches; ++step) {
    library = product(runtime, compute, left, right, result);
    result.data += m * n * size;
    for (std::size_t k = x.batch.size(); k-- > 0;) {
      auto i = static_cast<std::size_t>(x.batch[k]), j = static_cast<std::size_t>(y.batch[k]);
      left.data += x.array.strides[i];
      right.data += y.array.strides[j];
      if (++index[k] < x.array.shape[i]) break;
      left.data -= x.array.shape[i] * x.array.strides[i];
      right.data -= x.array.shape[i] * y.array.strides[j];
      index[k] = 0;
    }
  }
  return compute == dtype ? out : converted(runtime, out, dtype);
}

}  // namespace autoray::runtime
