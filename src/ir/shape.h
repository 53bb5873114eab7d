// Shapes and axes: the arithmetic that every shape rule and every kernel shares, with numpy's wording when it fails.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ir/small_vector.h"

namespace autoray::ir {

inline constexpr int kMaxDims = 64;  // numpy's NPY_MAXDIMS

// Product of the extents; throws ValueError when it overflows int64 ("array is too big").
std::int64_t element_count(std::span<const std::int64_t> shape);

// "(2, 3)", "(4,)", "()": as Python prints a tuple.
std::string to_string(std::span<const std::int64_t> shape);

// C-order byte strides.
Dims contiguous_strides(std::span<const std::int64_t> shape, std::int64_t itemsize);

// numpy's broadcasting of two shapes; nullopt where they do not fit.
std::optional<Dims> broadcast(std::span<const std::int64_t> a, std::span<const std::int64_t> b);
// Of many; throws ValueError "operands could not be broadcast together with shapes (2,3) (4,) ".
Dims broadcast_all(std::span<const std::span<const std::int64_t>> shapes);
// "(2,3) (4,) ": as numpy writes the shapes in its broadcasting errors.
std::string broadcast_shapes_text(std::span<const std::span<const std::int64_t>> shapes);

// A negative axis counted from the end; throws AxisError "axis 2 is out of bounds for array of dimension 2".
int normalize_axis(std::int64_t axis, int ndim);
// Each normalised; a duplicate throws ValueError "duplicate value in 'axis'". Empty optional input means all axes.
Dims normalize_axes(const std::optional<Dims>& axes, int ndim);
// The axis that a parameter names, which the error then tells: "axis1: axis 5 is out of bounds ...".
int normalize_axis(std::int64_t axis, int ndim, std::string_view parameter);

// The target of a reshape with at most one -1 resolved; throws ValueError "cannot reshape array of size 6 into shape (4,2)".
Dims resolve_reshape(std::int64_t count, std::span<const std::int64_t> target);

}  // namespace autoray::ir
