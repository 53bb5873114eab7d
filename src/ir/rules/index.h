// Rules of a[index] and of its pure write: a new version of `a` whose view at a path holds the value.
//
// An index is a tuple of ints, slices, None, Ellipsis and OperandRef (an integer or boolean array among the op's operands).
// A path is a tuple of steps, each a tuple (op's path, attributes ...): the views through which a script reached the place that
// it wrote. OperandRefs of all steps count the same group of index operands.
#pragma once

#include "ir/op.h"

namespace autoray::ir {

void shape_getitem(Inference& inference);
void dtype_getitem(Inference& inference);  // the first operand's; ints alone take a numpy scalar out
void shape_setitem(Inference& inference);
Cost cost_setitem(const Inference& inference);  // bytes alone: the value is read and written

// The shape of x[index]; `operands` are the types that OperandRefs name. `masks`: boolean arrays are allowed (a write's place
// has one value a True: its extent is -1). Throws numpy's IndexErrors.
Dims indexed_shape(const Dims& shape, const Attr::Tuple& index, std::span<const OperandType> operands, bool masks);
// Length and first element of a slice over an axis, as Python's slice.indices.
struct SliceRange {
  std::int64_t start, step, count;
};
SliceRange slice_range(const Slice& slice, std::int64_t length);
bool has_arrays(const Attr::Tuple& index);
// A value of more axes than the place that arrays index, where neither it (past its leading axes) nor the place has elements:
// numpy lets its leading axes be anything.
bool writes_nothing(const Dims& value, const Dims& place);

}  // namespace autoray::ir
