// Eigen's matrices as arrays and arrays as Eigen's maps, nothing copied. Needs Eigen 3 on the include path; the library itself
// is not concerned.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include "autoray/array.h"
#include "autoray/diagnostic.h"

namespace autoray {

template <class T>
constexpr const char* dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return "bool";
  if constexpr (std::is_same_v<T, float>) return "float32";
  if constexpr (std::is_same_v<T, double>) return "float64";
  if constexpr (std::is_same_v<T, std::complex<float>>) return "complex64";
  if constexpr (std::is_same_v<T, std::complex<double>>) return "complex128";
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    constexpr const char* kNames[2][4] = {{"uint8", "uint16", "uint32", "uint64"}, {"int8", "int16", "int32", "int64"}};
    return kNames[std::is_signed_v<T>][sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
  }
}

// A view on a matrix, array, map or block of Eigen's: 2-d, or 1-d for what is a vector when compiled. It must outlive the view.
template <class Derived>
Array view(Eigen::DenseBase<Derived>& matrix) {
  using Scalar = typename Derived::Scalar;
  constexpr auto size = static_cast<std::int64_t>(sizeof(Scalar));
  Derived& m = matrix.derived();
  auto inner = static_cast<std::int64_t>(m.innerStride()) * size, outer = static_cast<std::int64_t>(m.outerStride()) * size;
  if constexpr (Derived::IsVectorAtCompileTime)
    return Array::view(m.data(), dtype_of<Scalar>(), {static_cast<std::int64_t>(m.size())}, {inner});
  else
    return Array::view(m.data(), dtype_of<Scalar>(), {static_cast<std::int64_t>(m.rows()), static_cast<std::int64_t>(m.cols())},
                       Derived::IsRowMajor ? std::vector<std::int64_t>{outer, inner} : std::vector<std::int64_t>{inner, outer});
}

// The array's elements as a map of `Matrix`'s kind; it must outlive the map. 1-d arrays are columns (rows where `Matrix` is
// one). Throws Error: TypeError for another dtype than Matrix::Scalar, ValueError for a shape that does not fit, or a stride
// that is no multiple of the item size.
template <class Matrix>
Eigen::Map<Matrix, Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> map(Array& array) {
  using Scalar = typename Matrix::Scalar;
  constexpr auto size = static_cast<std::int64_t>(sizeof(Scalar));
  auto fail = [](std::string what) {
    Diagnostic diagnostic;
    diagnostic.message = std::move(what);
    throw Error(std::move(diagnostic));
  };
  if (array.dtype() != dtype_of<Scalar>())
    fail("TypeError: an array of " + std::string(array.dtype()) + " is no map of " + dtype_of<Scalar>());
  std::vector<std::int64_t> shape = array.shape(), strides = array.strides();
  if (shape.size() == 1 && Matrix::RowsAtCompileTime == 1) {
    shape.insert(shape.begin(), 1);
    strides.insert(strides.begin(), shape[1] * strides[0]);
  } else if (shape.size() == 1) {
    shape.push_back(1);
    strides.push_back(shape[0] * strides[0]);
  }
  auto fits = [](std::int64_t extent, std::int64_t fixed) { return fixed == Eigen::Dynamic || extent == fixed; };
  if (shape.size() != 2 || !fits(shape[0], Matrix::RowsAtCompileTime) || !fits(shape[1], Matrix::ColsAtCompileTime))
    fail("ValueError: an array of " + std::to_string(array.shape().size()) + " axes does not fit the matrix's shape");
  if (strides[0] % size || strides[1] % size) fail("ValueError: the strides are no multiples of the item size");
  Eigen::Index row = strides[0] / size, column = strides[1] / size;
  using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  return {static_cast<Scalar*>(array.data()), static_cast<Eigen::Index>(shape[0]), static_cast<Eigen::Index>(shape[1]),
          Matrix::IsRowMajor ? Stride(row, column) : Stride(column, row)};
}

}  // namespace autoray
