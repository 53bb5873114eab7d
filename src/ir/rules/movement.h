// Rules of ops that move elements: views, joins, indexing, sorting, creation. Attributes are read in signature order.
#pragma once

#include "ir/attributes.h"

namespace autoray::ir {

void dtype_first(Inference& inference);   // every result has the first operand's dtype
void dtype_intp(Inference& inference);    // indices: int64
void dtype_joined(Inference& inference);  // promotion over a sequence

void shape_reshape(Inference& inference);
void shape_transpose(Inference& inference);
void shape_swapaxes(Inference& inference);
void shape_moveaxis(Inference& inference);
void shape_expand_dims(Inference& inference);
void shape_squeeze(Inference& inference);
void shape_flat(Inference& inference);
void shape_broadcast_to(Inference& inference);
void shape_same(Inference& inference);
void shape_diagonal(Inference& inference);
void shape_diag(Inference& inference);
void shape_trace(Inference& inference);
void shape_triangle(Inference& inference);
// The diagonal that `k`, an attribute, names in matrices of so many rows and columns, a fraction the one below it; the one
// beyond the corner where there is none.
std::int64_t diagonal_number(const Attr& k, std::int64_t rows, std::int64_t columns);
void shape_atleast_1d(Inference& inference);
void shape_atleast_2d(Inference& inference);
void shape_tile(Inference& inference);
void shape_repeat(Inference& inference);

void shape_concatenate(Inference& inference);
void shape_stack(Inference& inference);
void shape_vstack(Inference& inference);
void shape_hstack(Inference& inference);
void shape_column_stack(Inference& inference);
void shape_split(Inference& inference);
void shape_array_split(Inference& inference);
void shape_pad(Inference& inference);

void shape_take(Inference& inference);
void shape_take_along_axis(Inference& inference);
void shape_sort(Inference& inference);
void shape_searchsorted(Inference& inference);

void shape_full(Inference& inference);     // the first attribute is the shape
void dtype_created(Inference& inference);  // the attribute `dtype`, float64 by default
void dtype_full(Inference& inference);
void shape_eye(Inference& inference);
void shape_identity(Inference& inference);
void dtype_like(Inference& inference);
void shape_like(Inference& inference);

// numpy's letter for a memory order, in either case; `otherwise` for None. ValueError for other texts.
char memory_order(const Attr& attr, char otherwise);
// ValueError for any device but "cpu".
void check_device(const Attr& attr);
// An integer that numpy takes from a float too, by int().
std::int64_t truncated(const Attr& attr, std::string_view what);
// How often repeat takes each item; one count stands for all.
Dims repeat_counts(const Attr& repeats);
// The pieces of a split along `axis`: their end positions; ValueError when `equal` and the division is not exact.
Dims split_points(const Attr& sections, std::int64_t length, bool equal);
// Before and after for each axis, from pad's argument forms.
std::vector<std::pair<std::int64_t, std::int64_t>> pad_widths(const Attr& widths, int ndim);

}  // namespace autoray::ir
