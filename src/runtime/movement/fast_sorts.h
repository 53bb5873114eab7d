// The sorts of one row. Values: Highway's vqsort, a vectorised quicksort (Wassenberg, Blacher, Giesen, Sanders, "Vectorized
// and performance-portable Quicksort", 2022). Indices: a stable radix sort by bytes, linear in the row's length.
#pragma once

#include <cstdint>

#include "ir/dtype.h"

namespace autoray::runtime {

// A row of any dtype in numpy's order, by these or the standard library's sorts: sorted; and the places of its items.
void sort_row(ir::DType dtype, void* items, std::int64_t n);
void argsort_row(ir::DType dtype, const void* items, std::int64_t n, std::int64_t* order);
// places[k] = where values[k] stands in a sorted row: before equal items, or behind them.
void search_row(ir::DType dtype, const void* row, std::int64_t n, const void* values, std::int64_t count, bool behind,
                std::int64_t* places);

// Sorts n items in numpy's order (NaNs last). False, with nothing done, for dtypes it has no sort for.
bool vector_sort(ir::DType dtype, void* items, std::int64_t n);

// order[i] = index of the i-th item of numpy's stable argsort. False for dtypes without keys of 64 bits.
bool radix_argsort(ir::DType dtype, const void* items, std::int64_t n, std::int64_t* order);

}  // namespace autoray::runtime
