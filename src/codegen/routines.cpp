#include "codegen/routines.h"

#include <immintrin.h>

#include <cstring>

#include "runtime/movement/fast_sorts.h"
#include "runtime/reduction/reduction.h"

namespace autoray::codegen {
namespace {

struct Rows {
  explicit Rows(const std::int64_t* numbers)
      : count(numbers[0]),
        length(numbers[1]),
        dtype(static_cast<ir::DType>(numbers[2])),
        bytes(length * static_cast<std::int64_t>(ir::itemsize(dtype))) {}
  std::int64_t count, length;
  ir::DType dtype;
  std::int64_t bytes;  // of one
};

std::int32_t sort_rows(Context*, char* const* buffers, const std::int64_t* numbers) {
  Rows rows(numbers);
  std::memcpy(buffers[1], buffers[0], static_cast<std::size_t>(rows.count * rows.bytes));
  for (std::int64_t r = 0; r < rows.count; ++r) runtime::sort_row(rows.dtype, buffers[1] + r * rows.bytes, rows.length);
  return 0;
}
std::int32_t argsort_rows(Context*, char* const* buffers, const std::int64_t* numbers) {
  Rows rows(numbers);
  auto* order = reinterpret_cast<std::int64_t*>(buffers[1]);
  for (std::int64_t r = 0; r < rows.count; ++r)
    runtime::argsort_row(rows.dtype, buffers[0] + r * rows.bytes, rows.length, order + r * rows.length);
  return 0;
}

std::int32_t search_row(Context*, char* const* buffers, const std::int64_t* numbers) {
  runtime::search_row(static_cast<ir::DType>(numbers[2]), buffers[0], numbers[0], buffers[1], numbers[1], numbers[3] != 0,
                      reinterpret_cast<std::int64_t*>(buffers[2]));
  return 0;
}

std::int32_t product_rows(Context*, char* const* buffers, const std::int64_t* numbers) {
  Rows rows(numbers);
  for (std::int64_t r = 0; r < rows.count; ++r)
    runtime::complex_product(rows.dtype, buffers[0] + r * rows.bytes, rows.length,
                             buffers[1] + r * static_cast<std::int64_t>(ir::itemsize(rows.dtype)));
  return 0;
}
std::int32_t product_scan_rows(Context*, char* const* buffers, const std::int64_t* numbers) {
  Rows rows(numbers);
  for (std::int64_t r = 0; r < rows.count; ++r)
    runtime::complex_product_scan(rows.dtype, buffers[0] + r * rows.bytes, rows.length, buffers[1] + r * rows.bytes);
  return 0;
}

// The status is the number of the step's only check.
std::int32_t refuse(Context*, char* const*, const std::int64_t*) { return 1; }
std::int32_t refuse_if(Context*, char* const* buffers, const std::int64_t*) { return buffers[0][0] ? 1 : 0; }

std::int32_t set_events(Context*, char* const*, const std::int64_t* numbers) {
  _mm_setcsr(_mm_getcsr() | static_cast<unsigned>(numbers[0]));
  return 0;
}

}  // namespace

Routine product_routine() { return {"complex product", product_rows}; }
Routine product_scan_routine() { return {"complex products", product_scan_rows}; }
Routine refuse_routine() { return {"an error", refuse}; }
Routine refuse_if_routine() { return {"a check", refuse_if}; }
Routine event_routine() { return {"a warning", set_events}; }
Routine sort_routine() { return {"sort", sort_rows}; }
Routine argsort_routine() { return {"argsort", argsort_rows}; }
Routine searchsorted_routine() { return {"searchsorted", search_row}; }

}  // namespace autoray::codegen
