#include <algorithm>
#include <complex>
#include <cstring>
#include <memory>
#include <type_traits>

#include "ir/error.h"
#include "runtime/contract/product.h"
#include "runtime/reduction/order.h"
#include "runtime/runtime.h"

namespace autoray::runtime {
namespace {

// A value of 64 bytes, whatever registers the machine has.
template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(64)));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr std::int64_t kWidth = 64 / static_cast<std::int64_t>(sizeof(T));

template <class T>
T load(const char* p) {
  T item;
  std::memcpy(&item, p, sizeof item);
  return item;
}

// ---- one element ----

// uint16 would be promoted to int, where 65535 * 65535 does not fit.
template <class T>
T product(T x, T y) {
  if constexpr (std::is_same_v<T, std::uint16_t>)
    return static_cast<T>(std::uint32_t{x} * y);
  else
    return static_cast<T>(x * y);
}

// Complex numbers as pairs, so that a product is the documented formula and no library call.
template <class R>
struct Pair {
  R re = 0, im = 0;
};
// ---- panels ----
// b is packed into panels of kWidth columns, zero-padded: a panel is k vectors one after the other. Complex panels hold the
// real parts of a row and then its imaginary parts.

template <class T>
void pack(const Matrix& b, std::int64_t column, std::int64_t width, T* panel, std::int64_t parts, std::int64_t part) {
  for (std::int64_t k = 0; k < b.rows; ++k) {
    T* to = panel + (k * parts + part) * kWidth<T>;
    const char* from = b.data + k * b.row_stride + column * b.column_stride + part * static_cast<std::int64_t>(sizeof(T));
    if (width == kWidth<T> && b.column_stride == static_cast<std::int64_t>(sizeof(T))) {
      std::memcpy(to, from, 64);
      continue;
    }
    std::int64_t j = 0;
    for (; j < width; ++j) to[j] = load<T>(from + j * b.column_stride);
    for (; j < kWidth<T>; ++j) to[j] = T{};
  }
}

template <class T>
void store(const Matrix& c, std::int64_t i, std::int64_t column, std::int64_t width, const Vector<T>& v, std::int64_t part) {
  char* to = c.data + i * c.row_stride + column * c.column_stride + part * static_cast<std::int64_t>(sizeof(T));
  if (width == kWidth<T> && c.column_stride == static_cast<std::int64_t>(sizeof(T))) {
    std::memcpy(to, &v, 64);
    return;
  }
  T items[kWidth<T>];
  std::memcpy(items, &v, 64);
  for (std::int64_t j = 0; j < width; ++j) std::memcpy(to + j * c.column_stride, &items[j], sizeof(T));
}

// `kRows` rows of c against one panel.
template <class T, int kRows>
void rows_times_panel(const Matrix& a, std::int64_t i, const T* panel, const Matrix& c, std::int64_t column,
                      std::int64_t width) {
  Vector<T> sums[kRows] = {};
  const char* from = a.data + i * a.row_stride;
  for (std::int64_t k = 0; k < a.columns; ++k, from += a.column_stride) {
    Vector<T> row;
    std::memcpy(&row, panel + k * kWidth<T>, 64);
    for (int r = 0; r < kRows; ++r) sums[r] = sums[r] + load<T>(from + r * a.row_stride) * row;
  }
  for (int r = 0; r < kRows; ++r) store<T>(c, i + r, column, width, sums[r], 0);
}
template <class R, int kRows>
void complex_rows_times_panel(const Matrix& a, std::int64_t i, const R* panel, const Matrix& c, std::int64_t column,
                              std::int64_t width) {
  Vector<R> re[kRows] = {}, im[kRows] = {};
  const char* from = a.data + i * a.row_stride;
  for (std::int64_t k = 0; k < a.columns; ++k, from += a.column_stride) {
    Vector<R> br, bi;
    std::memcpy(&br, panel + 2 * k * kWidth<R>, 64);
    std::memcpy(&bi, panel + (2 * k + 1) * kWidth<R>, 64);
    for (int r = 0; r < kRows; ++r) {
      auto x = load<Pair<R>>(from + r * a.row_stride);
      re[r] = re[r] + (x.re * br - x.im * bi);
      im[r] = im[r] + (x.re * bi + x.im * br);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    store<R>(c, i + r, column, width, re[r], 0);
    store<R>(c, i + r, column, width, im[r], 1);
  }
}

constexpr std::int64_t kPackedOnStack = 2048;  // bytes

// The panels in turn; `rows4` and `row1` do four rows and one.
template <class T, int kParts, class Rows4, class Row1>
void panels(Runtime& runtime, const Matrix& b, const Matrix& c, Rows4 rows4, Row1 row1) {
  alignas(64) char on_stack[kPackedOnStack];
  std::unique_ptr<T[]> on_heap;
  T* panel = reinterpret_cast<T*>(on_stack);
  if (std::int64_t bytes = b.rows * kParts * 64; bytes > kPackedOnStack) {
    on_heap = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(bytes) / sizeof(T));
    panel = on_heap.get();
  }
  for (std::int64_t column = 0; column < c.columns; column += kWidth<T>) {
    std::int64_t width = std::min(kWidth<T>, c.columns - column);
    for (int part = 0; part < kParts; ++part) pack<T>(b, column, width, panel, kParts, part);
    std::int64_t i = 0;
    for (; i + 4 <= c.rows; i += 4) rows4(i, panel, column, width);
    for (; i < c.rows; ++i) row1(i, panel, column, width);
    runtime.poll();
  }
}

// A row times a matrix, of plain numbers or of one part of complex ones: `term` gives the terms. By rows of the transposed
// matrix where its elements lie along the sum, else by columns side by side.
template <class T, class Item, class Term>
void vector_product(Runtime& runtime, const Matrix& a, const Matrix& b, const Matrix& c, std::int64_t part, Term term) {
  constexpr auto size = static_cast<std::int64_t>(sizeof(Item));
  constexpr int kColumns = 64 / static_cast<int>(sizeof(T)) * 2;
  const std::int64_t n = a.columns;
  auto put = [&](std::int64_t j, T value) {
    std::memcpy(c.data + j * c.column_stride + part * sizeof(T), &value, sizeof value);
  };
  if (b.row_stride == size || c.columns == 1) {
    for (std::int64_t j = 0; j < c.columns; ++j) {
      const char *x = a.data, *y = b.data + j * b.column_stride;
      if (a.column_stride == size && b.row_stride == size)
        put(j, ordered_sum<T>(0, n, [=](std::int64_t i) { return term(load<Item>(x + i * size), load<Item>(y + i * size)); }));
      else
        put(j, ordered_sum<T>(0, n, [=, xs = a.column_stride, ys = b.row_stride](std::int64_t i) {
              return term(load<Item>(x + i * xs), load<Item>(y + i * ys));
            }));
    }
    return;
  }
  for (std::int64_t j = 0; j < c.columns; j += kColumns) {
    int width = static_cast<int>(std::min<std::int64_t>(kColumns, c.columns - j));
    T results[kColumns];
    const char *x = a.data, *y = b.data + j * b.column_stride;
    auto columns = [&](std::int64_t stride) {
      ordered_columns<SumFold, kColumns>(0, n, width, results,
                                         [=, xs = a.column_stride, ys = b.row_stride](std::int64_t i, int k) {
                                           return term(load<Item>(x + i * xs), load<Item>(y + i * ys + k * stride));
                                         });
    };
    b.column_stride == size ? columns(size) : columns(b.column_stride);
    for (int k = 0; k < width; ++k) put(j + k, results[k]);
    runtime.poll();
  }
}

template <class T>
void multiply(Runtime& runtime, const Matrix& a, const Matrix& b, const Matrix& c) {
  // A lambda, no pointer: it has to be inlined.
  if (c.rows == 1) return vector_product<T, T>(runtime, a, b, c, 0, [](T x, T y) { return product(x, y); });
  panels<T, 1>(
      runtime, b, c,
      [&](std::int64_t i, const T* p, std::int64_t j, std::int64_t w) { rows_times_panel<T, 4>(a, i, p, c, j, w); },
      [&](std::int64_t i, const T* p, std::int64_t j, std::int64_t w) { rows_times_panel<T, 1>(a, i, p, c, j, w); });
}
template <class R>
void multiply_complex(Runtime& runtime, const Matrix& a, const Matrix& b, const Matrix& c) {
  if (c.rows == 1) {
    // Each part by itself: side by side, GCC 12 fuses the sums and differences of products, -ffp-contract=off or not.
    vector_product<R, Pair<R>>(runtime, a, b, c, 0, [](Pair<R> x, Pair<R> y) { return x.re * y.re - x.im * y.im; });
    vector_product<R, Pair<R>>(runtime, a, b, c, 1, [](Pair<R> x, Pair<R> y) { return x.re * y.im + x.im * y.re; });
    return;
  }
  panels<R, 2>(
      runtime, b, c,
      [&](std::int64_t i, const R* p, std::int64_t j, std::int64_t w) { complex_rows_times_panel<R, 4>(a, i, p, c, j, w); },
      [&](std::int64_t i, const R* p, std::int64_t j, std::int64_t w) { complex_rows_times_panel<R, 1>(a, i, p, c, j, w); });
}

// Or of ands; stops at the first true term.
void multiply_bool(const Matrix& a, const Matrix& b, const Matrix& c) {
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < c.columns; ++j) {
      bool any = false;
      const char *x = a.data + i * a.row_stride, *y = b.data + j * b.column_stride;
      for (std::int64_t k = 0; k < a.columns && !any; ++k, x += a.column_stride, y += b.row_stride) any = *x && *y;
      c.data[i * c.row_stride + j * c.column_stride] = any;
    }
}

Matrix transposed(const Matrix& m) { return {m.data, m.columns, m.rows, m.column_stride, m.row_stride}; }

}  // namespace

const char* plain_product(Runtime& runtime, ir::DType dtype, const Matrix& a, const Matrix& b, const Matrix& c) {
  constexpr const char* kLibrary = "autoray";
  if (c.rows == 0 || c.columns == 0) return kLibrary;
  // A column is computed as a row: its elements fill the vectors.
  if (c.columns == 1 && c.rows > 1) return plain_product(runtime, dtype, transposed(b), transposed(a), transposed(c));
  // Wrapping is what unsigned arithmetic does.
  switch (dtype) {
    case ir::DType::Bool: multiply_bool(a, b, c); break;
    case ir::DType::Int8:
    case ir::DType::UInt8: multiply<std::uint8_t>(runtime, a, b, c); break;
    case ir::DType::Int16:
    case ir::DType::UInt16: multiply<std::uint16_t>(runtime, a, b, c); break;
    case ir::DType::Int32:
    case ir::DType::UInt32: multiply<std::uint32_t>(runtime, a, b, c); break;
    case ir::DType::Int64:
    case ir::DType::UInt64: multiply<std::uint64_t>(runtime, a, b, c); break;
    case ir::DType::Float32: multiply<float>(runtime, a, b, c); break;
    case ir::DType::Float64: multiply<double>(runtime, a, b, c); break;
    case ir::DType::Complex64: multiply_complex<float>(runtime, a, b, c); break;
    case ir::DType::Complex128: multiply_complex<double>(runtime, a, b, c); break;
    case ir::DType::Float16: throw ir::Error(ir::ErrorClass::SystemError, "float16 is multiplied in float32");
  }
  return kLibrary;
}

DenseLayout dense_layout(const Matrix& m, std::int64_t itemsize) {
  auto fits = [&](std::int64_t unit, std::int64_t unit_extent, std::int64_t other, std::int64_t other_extent) -> std::int64_t {
    if (unit != itemsize && unit_extent > 1) return 0;
    if (other_extent <= 1) return std::max<std::int64_t>(unit_extent, 1);
    if (other % itemsize || other / itemsize < std::max<std::int64_t>(unit_extent, 1)) return 0;
    return other / itemsize;
  };
  if (std::int64_t leading = fits(m.column_stride, m.columns, m.row_stride, m.rows)) return {true, false, leading};
  if (std::int64_t leading = fits(m.row_stride, m.rows, m.column_stride, m.columns)) return {true, true, leading};
  return {};
}

}  // namespace autoray::runtime
