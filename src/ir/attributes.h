// An op's attributes (the parameters that are no operands) by name: rules and kernels of ops with many parameters read them so.
// The names' places are known when the table is compiled; a look costs a few comparisons.
#pragma once

#include <span>
#include <string_view>

#include "ir/op.h"

namespace autoray::ir {

// In the order in which calls carry them.
std::span<const std::string_view> attribute_names(OpId id);

// SystemError when the op's row has no such attribute: the table is ours.
const Attr& attribute(const Op& op, std::span<const Attr> attrs, std::string_view name);
const Attr& attribute(const Inference& inference, std::string_view name);

}  // namespace autoray::ir
