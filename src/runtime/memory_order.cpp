#include "runtime/memory_order.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ir/attributes.h"
#include "ir/rules/movement.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::Dims;
using ir::OpId;

namespace {

Dims rows_first(int ndim) {
  Dims axes;
  for (int i = 0; i < ndim; ++i) axes.push_back(i);
  return axes;
}

// Along an axis of the common shape; zero where the operand is stretched or has one item.
std::int64_t step(const Array& array, int axis, int ndim) {
  int own = axis - (ndim - array.ndim());
  if (own < 0) return 0;
  auto i = static_cast<std::size_t>(own);
  return array.shape[i] == 1 ? 0 : std::llabs(array.strides[i]);
}

}  // namespace

bool is_fortran(const Array& array) { return array.ndim() > 1 && array.f_contiguous() && !array.c_contiguous(); }

Dims packed_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> axes, std::int64_t itemsize) {
  Dims strides(shape.size(), 0);
  std::int64_t next = itemsize;
  for (std::size_t k = axes.size(); k-- > 0;) {
    auto axis = static_cast<std::size_t>(axes[k]);
    strides[axis] = next;
    next *= std::max<std::int64_t>(shape[axis], 1);
  }
  return strides;
}

Dims kept_axes(std::span<const Operand> operands, int ndim) {
  bool c_order = ndim < 2;
  if (!c_order)
    c_order = std::all_of(operands.begin(), operands.end(),
                          [](const Operand& operand) { return !operand.present() || operand->c_contiguous(); });
  if (c_order) return {};
  // Dense columns alone: columns, also where an axis has one item.
  auto by_columns = [&](const Operand& operand) {
    return !operand.present() || operand->ndim() == 0 || (operand->ndim() == ndim && operand->f_contiguous());
  };
  Dims inner_first;
  if (std::all_of(operands.begin(), operands.end(), by_columns)) {
    for (int axis = ndim; axis-- > 0;) inner_first.push_back(axis);
    return inner_first;
  }
  // An insertion sort from the last axis to the first, innermost first. Of operands that disagree the one in C order wins.
  for (int axis = ndim; axis-- > 0;) {
    std::size_t place = inner_first.size();
    for (std::size_t i = inner_first.size(); i-- > 0;) {
      bool told = false, inside = true;
      for (const Operand& operand : operands) {
        if (!operand.present()) continue;
        std::int64_t outer = step(*operand, axis, ndim), inner = step(*operand, static_cast<int>(inner_first[i]), ndim);
        if (!outer || !inner) continue;
        told = true;
        inside &= inner > outer;
      }
      if (!told) continue;
      if (!inside) break;
      place = i;
    }
    inner_first.insert(place, axis);
  }
  std::reverse(inner_first.begin(), inner_first.end());
  return inner_first == rows_first(ndim) ? Dims{} : inner_first;
}

Dims memory_axes(const Array& array) {
  Dims axes;
  auto stride = [&](std::int64_t axis) { return std::llabs(array.strides[static_cast<std::size_t>(axis)]); };
  for (int axis = 0; axis < array.ndim(); ++axis) {
    std::size_t place = axes.size();
    for (std::size_t i = axes.size(); i-- > 0;) {
      if (!stride(axes[i]) || !stride(axis)) continue;
      if (stride(axes[i]) >= stride(axis)) break;
      place = i;
    }
    axes.insert(place, axis);
  }
  return axes;
}

Dims like_strides(const Array& array, std::int64_t itemsize, char order) {
  Dims axes = rows_first(array.ndim());
  if (order == 'F' || ((order == 'A' || order == 'K') && is_fortran(array))) {
    std::reverse(axes.begin(), axes.end());
  } else if (order == 'K' && !array.c_contiguous()) {
    std::stable_sort(axes.begin(), axes.end(), [&](std::int64_t a, std::int64_t b) {
      return std::llabs(array.strides[static_cast<std::size_t>(a)]) > std::llabs(array.strides[static_cast<std::size_t>(b)]);
    });
  }
  return packed_strides(array.shape, axes, itemsize);
}

Dims fresh_strides(const ir::Op& op, std::span<const Operand> operands, std::span<const ir::Attr> attrs,
                   const ir::Type& result) {
  const auto itemsize = static_cast<std::int64_t>(ir::itemsize(result.dtype));
  const int ndim = result.shape.ssize();
  auto order = [&](char otherwise) { return ir::memory_order(ir::attribute(op, attrs, "order"), otherwise); };
  switch (op.id) {
    case OpId::Astype: return like_strides(*operands[0], itemsize, 'K');
    case OpId::Round: {
      // numpy rounds to decimals in an array that it makes first; integers without any are copied.
      // Complex numbers a part at a time, into a copy.
      if (ir::is_complex(result.dtype)) return like_strides(*operands[0], itemsize, 'K');
      std::int64_t decimals = ir::as_int(ir::attribute(op, attrs, "decimals"), "decimals");
      if (decimals < 0 || (decimals > 0 && ir::is_inexact(result.dtype))) return like_strides(*operands[0], itemsize, 'A');
      if (!ir::is_inexact(result.dtype)) return like_strides(*operands[0], itemsize, 'K');
      break;
    }
    case OpId::Copy: return like_strides(*operands[0], itemsize, order('K'));
    case OpId::EmptyLike:
    case OpId::ZerosLike:
    case OpId::OnesLike:
    case OpId::FullLike: {
      // Of another shape with as many axes: in the same order.
      char asked = order('K');
      Array like = *operands[0];
      if (like.ndim() != ndim) return ir::contiguous_strides(result.shape, itemsize);
      Dims axes = rows_first(ndim), strides = like_strides(like, 1, asked);
      if (like.shape == result.shape) return like_strides(like, itemsize, asked);
      std::stable_sort(axes.begin(), axes.end(), [&](std::int64_t a, std::int64_t b) {
        return strides[static_cast<std::size_t>(a)] > strides[static_cast<std::size_t>(b)];
      });
      return packed_strides(result.shape, axes, itemsize);
    }
    case OpId::Empty:
    case OpId::Zeros:
    case OpId::Ones:
    case OpId::Full:
    case OpId::Eye: {
      Dims axes = rows_first(ndim);
      if (order('C') == 'F') std::reverse(axes.begin(), axes.end());
      return packed_strides(result.shape, axes, itemsize);
    }
    default: break;
  }
  if (op.op_class == ir::OpClass::Elementwise)
    if (Dims axes = kept_axes(operands, ndim); !axes.empty()) return packed_strides(result.shape, axes, itemsize);
  return ir::contiguous_strides(result.shape, itemsize);
}

Array& allocate_ordered(KernelCall& call) {
  Array& out = call.allocate();
  out.strides = fresh_strides(call.op, call.in, call.attrs, call.types[0]);
  return out;
}

ir::Layout plan_layout(const Array& array) {
  if (array.c_contiguous()) return ir::Layout::C;
  if (array.f_contiguous()) return ir::Layout::Fortran;
  const Operand operand{&array};
  return kept_axes(std::span(&operand, 1), array.ndim()).empty() ? ir::Layout::Rows : ir::Layout::Other;
}

Array converted_like(Runtime& runtime, const Array& array, ir::DType dtype) {
  if (array.c_contiguous()) return converted(runtime, array, dtype);
  Array copy = runtime.allocate(dtype, array.shape);
  copy.backend = array.backend;
  copy.strides = like_strides(array, copy.itemsize(), 'K');
  copy_into(runtime, array, copy);
  return copy;
}

Array with_strides(Runtime& runtime, const Array& array, const ir::Dims& strides) {
  std::int64_t low = 0, high = array.itemsize();
  for (int i = 0; i < array.ndim(); ++i) {
    const std::int64_t reach = (array.shape[i] - 1) * strides[static_cast<std::size_t>(i)];
    (reach < 0 ? low : high) += reach;
  }
  Array memory = runtime.allocate(ir::DType::UInt8, ir::Dims{high - low});
  Array laid = with_shape_and_strides(memory, array.shape, strides, -low);
  laid.dtype = array.dtype;
  laid.backend = array.backend;
  copy_into(runtime, array, laid);
  laid.writable = array.writable;
  return laid;
}

bool lies_otherwise(const Array& array, const ir::Dims& strides) {
  for (std::size_t i = 0; i < strides.size(); ++i)
    if (array.shape[i] > 1 && array.strides[i] != strides[i]) return array.size() > 0;
  return false;
}

Array cloned(Runtime& runtime, const Array& array) {
  Array copy = array;
  copy.storage = StoragePtr(Storage::allocate(array.storage->bytes(), &runtime.budget()));
  std::memcpy(copy.storage->data(), array.storage->data(), array.storage->bytes());
  copy.data = copy.storage->data() + (array.data - array.storage->data());
  return copy;
}

}  // namespace autoray::runtime
