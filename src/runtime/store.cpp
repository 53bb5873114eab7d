// Results stored in arrays that are there already: through masks, by casting rules.
#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/ufunc.h"

namespace autoray::runtime {

using ir::DType;
using ir::Error;
using ir::ErrorClass;

void masked_copy(Runtime& runtime, const Array& source, const Array& target, const Array& mask) {
  Array values = source.dtype == target.dtype ? source : converted(runtime, source, target.dtype);
  if (may_overlap(values, target)) values = converted(runtime, values, target.dtype);
  Array from = broadcast_view(values, target.shape), where = broadcast_view(mask, target.shape);
  std::int64_t size = target.itemsize(), total = target.size();
  int ndim = target.ndim();
  ir::Dims index(static_cast<std::size_t>(ndim), 0);
  const char *f = from.data, *w = where.data;
  char* t = target.data;
  for (std::int64_t done = 0; done < total; ++done) {
    if (*w) std::memcpy(t, f, static_cast<std::size_t>(size));
    for (int axis = ndim - 1; axis >= 0; --axis) {
      auto a = static_cast<std::size_t>(axis);
      f += from.strides[a];
      w += where.strides[a];
      t += target.strides[a];
      if (++index[a] < target.shape[a]) break;
      index[a] = 0;
      f -= from.strides[a] * target.shape[a];
      w -= where.strides[a] * target.shape[a];
      t -= target.strides[a] * target.shape[a];
    }
  }
  if (target.storage) target.storage->bump_version();
}

void check_store(std::string_view op, const ir::Type& result, const Array& out, ir::Casting casting, const ir::Dims* where) {
  if (!out.can_write()) throw Error(ErrorClass::ValueError, "output array is read-only");
  if (!ir::can_cast(result.dtype, out.dtype, casting)) {
    throw Error(ErrorClass::UFuncTypeError, "Cannot cast ufunc '" + std::string(op) + "' output from dtype('" +
                                                std::string(ir::name(result.dtype)) + "') to dtype('" +
                                                std::string(ir::name(out.dtype)) + "') with casting rule '" +
                                                std::string(casting_name(casting)) + "'");
  }
  ir::SmallVector<std::span<const std::int64_t>, 4> shapes = {result.shape};
  if (where) shapes.push_back(*where);
  shapes.push_back(out.shape);
  if (ir::Dims all = ir::broadcast_all(shapes); !(all == out.shape)) {
    auto text = [](const ir::Dims& shape) {
      std::span<const std::int64_t> one[] = {shape};
      std::string padded = ir::broadcast_shapes_text(one);
      padded.pop_back();
      return padded;
    };
    throw Error(ErrorClass::ValueError, "non-broadcastable output operand with shape " + text(out.shape) +
                                            " doesn't match the broadcast shape " + text(all))
        .with_code(401);
  }
}

void store_result(Runtime& runtime, std::string_view op, const Array& result, const Array& out, ir::Casting casting,
                  const std::optional<Array>& where) {
  check_store(op, result.type(), out, casting, where ? &where->shape : nullptr);
  if (where) {
    masked_copy(runtime, result, out, *where);
  } else {
    copy_into(runtime, result, out);
    runtime.check_fp(op);
    if (out.storage) out.storage->bump_version();
  }
}

}  // namespace autoray::runtime
