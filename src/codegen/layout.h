// Views as index maps: where the elements of a view lie, computed from where its operand's lie. No element moves.
#pragma once

#include <optional>

#include "ir/graph/block.h"
#include "runtime/runtime.h"

namespace autoray::codegen {

struct Layout {
  ir::Dims shape;
  ir::Dims strides;         // bytes
  std::int64_t offset = 0;  // bytes from the first element of what it is a view of
};

Layout contiguous_layout(const ir::Type& type);

// What the op makes of the layout; nullopt where its result is no view of it (a reshape that must copy, an index by arrays).
std::optional<Layout> viewed(runtime::Runtime& runtime, ir::OpId op, std::span<const ir::Attr> attrs, const Layout& of,
                             ir::DType dtype, const ir::Type& result);
// A path of views, as the op setitem has it; of complex numbers it may lead to a part, whose dtype is `dtype` then. nullopt
// where a step is no view, or takes arrays.
std::optional<Layout> viewed_along(runtime::Runtime& runtime, const ir::Attr& path, const Layout& of, ir::DType& dtype);

// The strides with which the layout is walked as the (broadcast) shape.
ir::Dims broadcast_strides(const ir::Dims& shape, const ir::Dims& strides, const ir::Dims& to);

}  // namespace autoray::codegen
