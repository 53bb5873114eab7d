#include "ir/shape.h"

#include "ir/error.h"

namespace autoray::ir {

namespace {
[[noreturn]] void too_big() {
  throw Error(ErrorClass::ValueError,
              "array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size.");
}
}  // namespace

std::int64_t element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool overflow = false;
  for (std::int64_t extent : shape) {
    if (extent == 0) return 0;
    overflow |= __builtin_mul_overflow(count, extent, &count);
  }
  if (overflow) too_big();
  return count;
}

namespace {
std::string join(std::span<const std::int64_t> shape, const char* separator) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i) text += separator;
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}
}  // namespace

std::string to_string(std::span<const std::int64_t> shape) { return join(shape, ", "); }

std::string broadcast_shapes_text(std::span<const std::span<const std::int64_t>> shapes) {
  std::string text;
  for (auto shape : shapes) text += join(shape, ",") + " ";
  return text;
}

Dims contiguous_strides(std::span<const std::int64_t> shape, std::int64_t itemsize) {
  Dims strides(shape.size());
  std::int64_t step = itemsize;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    // An empty array has strides as if its empty axes had one item, and as numpy's it must fit with these.
    if (__builtin_mul_overflow(step, std::max<std::int64_t>(shape[i], 1), &step)) too_big();
  }
  return strides;
}

std::optional<Dims> broadcast(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  if (a.size() < b.size()) std::swap(a, b);
  Dims result(a.begin(), a.end());
  std::size_t lead = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    std::int64_t& extent = result[lead + i];
    if (extent == b[i] || b[i] == 1) continue;
    if (extent != 1) return std::nullopt;
    extent = b[i];
  }
  return result;
}

namespace {

// The first axis from the right whose lengths differ.
std::string mismatch_hint(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  for (std::size_t k = 1; k <= std::min(a.size(), b.size()); ++k) {
    std::int64_t x = a[a.size() - k], y = b[b.size() - k];
    if (x != y && x != 1 && y != 1)
      return "shapes are aligned from the right: axis -" + std::to_string(k) + " has lengths " + std::to_string(x) + " and " +
             std::to_string(y);
  }
  return {};
}

}  // namespace

Dims broadcast_all(std::span<const std::span<const std::int64_t>> shapes) {
  Dims result;
  for (auto shape : shapes) {
    auto next = broadcast(result, shape);
    if (!next)
      throw Error(ErrorClass::ValueError,
                  "operands could not be broadcast together with shapes " + broadcast_shapes_text(shapes))
          .with_code(401)
          .with_hint(mismatch_hint(result, shape));
    result = std::move(*next);
  }
  return result;
}

int normalize_axis(std::int64_t axis, int ndim) { return normalize_axis(axis, ndim, {}); }

int normalize_axis(std::int64_t axis, int ndim, std::string_view parameter) {
  if (axis < -ndim || axis >= ndim)
    throw Error(ErrorClass::AxisError, (parameter.empty() ? "" : std::string(parameter) + ": ") + "axis " +
                                           std::to_string(axis) + " is out of bounds for array of dimension " +
                                           std::to_string(ndim));
  return static_cast<int>(axis < 0 ? axis + ndim : axis);
}

Dims normalize_axes(const std::optional<Dims>& axes, int ndim) {
  Dims result;
  if (!axes) {
    for (int i = 0; i < ndim; ++i) result.push_back(i);
    return result;
  }
  // An axis that does not exist is told before one that is there twice.
  for (std::int64_t axis : *axes) result.push_back(normalize_axis(axis, ndim));
  for (std::size_t i = 0; i < result.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (result[i] == result[k]) throw Error(ErrorClass::ValueError, "duplicate value in 'axis'");
  return result;
}

namespace {
// numpy leaves out the unknown extents that a shape opens with, and calls the others "newaxis".
std::string reshape_text(std::span<const std::int64_t> target) {
  if (target.size() == 1) return join(target, ",");
  std::string text;
  for (std::int64_t extent : target) {
    if (extent < 0 && text.empty()) continue;
    text += (text.empty() ? "" : ",") + (extent < 0 ? "newaxis" : std::to_string(extent));
  }
  return "(" + text + ")";
}
}  // namespace

Dims resolve_reshape(std::int64_t count, std::span<const std::int64_t> target) {
  Dims result(target.begin(), target.end());
  int unknown = -1;
  std::int64_t known = 1;
  bool fits = true;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] >= 0) {
      fits &= !__builtin_mul_overflow(known, target[i], &known);
      continue;
    }
    if (unknown >= 0) throw Error(ErrorClass::ValueError, "can only specify one unknown dimension");
    unknown = static_cast<int>(i);
  }
  if (unknown >= 0) {
    fits = fits && known != 0 && count % known == 0;
    if (fits) result[unknown] = count / known;
  } else {
    fits = fits && known == count;
  }
  if (!fits)
    throw Error(ErrorClass::ValueError,
                "cannot reshape array of size " + std::to_string(count) + " into shape " + reshape_text(target))
        .with_code(401);
  return result;
}

}  // namespace autoray::ir
