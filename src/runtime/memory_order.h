// Where memory holds the axes of a fresh array: numpy's orders 'C', 'F', 'A' and 'K', by layouts alone, so that recorded calls
// know the strides that their results have eagerly. A few comparisons an axis; nothing where all operands are in C order.
#pragma once

#include "ir/plan/plan.h"
#include "runtime/kernel.h"

namespace autoray::runtime {

// Column-major and not row-major too.
bool is_fortran(const Array& array);

// Strides without gaps for memory that holds these axes, outermost first.
ir::Dims packed_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> axes, std::int64_t itemsize);

// The axes of the operands' common shape in numpy's iterator's order, outermost first: one stands inside another where every
// operand that tells, by strides along both, says so. Empty: C order.
ir::Dims kept_axes(std::span<const Operand> operands, int ndim);

// The axes from the largest stride to the smallest: the order in which memory holds the elements. As in numpy's iterator a
// stretched axis, whose stride is zero, stays where it stands.
ir::Dims memory_axes(const Array& array);

// The strides of a copy of `array` with items of another size: 'K' keeps the order of its axes, 'A' only that of a Fortran
// array.
ir::Dims like_strides(const Array& array, std::int64_t itemsize, char order);

// The strides of a call's result in memory of its own. Of the operands only shapes and strides are looked at.
ir::Dims fresh_strides(const ir::Op& op, std::span<const Operand> operands, std::span<const ir::Attr> attrs,
                       const ir::Type& result);

// KernelCall::allocate in that order.
Array& allocate_ordered(KernelCall& call);

// As plans know it.
ir::Layout plan_layout(const Array& array);

// A copy of another dtype that keeps the order of the axes.
Array converted_like(Runtime& runtime, const Array& array, ir::DType dtype);

// The same elements with other strides, in memory of their own.
Array with_strides(Runtime& runtime, const Array& array, const ir::Dims& strides);

// The same elements in the same layout, with the gaps between them, in memory of their own.
Array cloned(Runtime& runtime, const Array& array);

// Whether an axis of several items has another stride.
bool lies_otherwise(const Array& array, const ir::Dims& strides);

}  // namespace autoray::runtime
