// What is known of a value before it exists: (dtype, shape, kind). Eager calls, traces and plans infer with the same types.
#pragma once

#include <complex>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/dtype.h"
#include "ir/shape.h"

namespace autoray::ir {

struct Type {
  DType dtype = DType::Float64;
  Kind kind = Kind::Array;
  Dims shape;

  friend bool operator==(const Type&, const Type&) = default;
};

std::string to_string(const Type& type);  // "float64 (2, 3)", "float64 scalar", "Python float"

// The parts of a slice; absent ones are None.
struct Slice {
  std::optional<std::int64_t> start, stop, step;
  friend bool operator==(const Slice&, const Slice&) = default;
};
struct Ellipsis {
  friend bool operator==(Ellipsis, Ellipsis) { return true; }
};
// A place in an index that an operand fills (an integer or boolean array): its number among the index operands.
struct OperandRef {
  int operand;
  friend bool operator==(OperandRef, OperandRef) = default;
};

// An argument that is not data: an axis, a shape, a mode, an index. Compared by value AND type (1, 1.0 and True differ).
struct Attr {
  using Tuple = std::vector<Attr>;
  using Value = std::variant<std::monostate,  // None (or a parameter left at its default None)
                             bool, std::int64_t, double, std::complex<double>, std::string, DType,
                             Dims,   // a tuple or list of ints (the empty tuple too)
                             Tuple,  // any other tuple or list
                             Slice, Ellipsis, OperandRef>;
  Value value;

  Attr() = default;
  template <class T>
    requires(!std::is_same_v<std::decay_t<T>, Attr>)
  Attr(T item) : value(std::move(item)) {}  // implicit: attributes are written as plain values

  bool none() const { return std::holds_alternative<std::monostate>(value); }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  friend bool operator==(const Attr&, const Attr&) = default;
};

// Readers with numpy's conversions and wording; `what` names the parameter in the message.
// An integer (a bool too, as Python's operator.index); TypeError otherwise.
std::int64_t as_int(const Attr& attr, std::string_view what);
bool as_bool(const Attr& attr, std::string_view what);
double as_double(const Attr& attr, std::string_view what);
const std::string& as_string(const Attr& attr, std::string_view what);
// An int or a tuple of ints; nullopt for None.
std::optional<Dims> as_axes(const Attr& attr, std::string_view what);
// A shape: an int or a tuple of non-negative ints (ValueError "negative dimensions are not allowed").
Dims as_shape(const Attr& attr, std::string_view what);
std::optional<DType> as_dtype(const Attr& attr);

}  // namespace autoray::ir
