#include "ir/type.h"

#include "ir/error.h"
#include "ir/suggest.h"

namespace autoray::ir {
namespace {

constexpr std::string_view kTypeNames[] = {"NoneType", "bool",  "int",   "float", "complex",  "str",
                                           "dtype",    "tuple", "tuple", "slice", "ellipsis", "array"};

// What stands where an integer must: in a tuple, its first item that is none.
[[noreturn]] void no_integer(const Attr& attr, std::string_view what, std::string_view wanted) {
  const Attr* found = &attr;
  if (auto* items = attr.get<Attr::Tuple>())
    for (const Attr& item : *items)
      if (!item.get<std::int64_t>() && !item.get<bool>()) {
        found = &item;
        break;
      }
  throw Error(ErrorClass::TypeError,
              "'" + std::string(kTypeNames[found->value.index()]) + "' object cannot be interpreted as an integer")
      .with_hint("'" + std::string(what) + "' takes " + std::string(wanted));
}

[[noreturn]] void wrong_type(const Attr& attr, std::string_view what, std::string_view wanted) {
  throw Error(ErrorClass::TypeError, "'" + std::string(kTypeNames[attr.value.index()]) + "' object given for '" +
                                         std::string(what) + "', which takes " + std::string(wanted));
}

}  // namespace

std::string to_string(const Type& type) {
  if (type.kind == Kind::Weak) {
    char k = kind_letter(type.dtype);
    return k == 'b' ? "Python bool" : k == 'i' ? "Python int" : k == 'f' ? "Python float" : "Python complex";
  }
  return std::string(name(type.dtype)) + (type.kind == Kind::Scalar ? " scalar" : " " + to_string(type.shape));
}

std::int64_t as_int(const Attr& attr, std::string_view what) {
  if (auto* i = attr.get<std::int64_t>()) return *i;
  if (auto* b = attr.get<bool>()) return *b;
  no_integer(attr, what, "an integer");
}

bool as_bool(const Attr& attr, std::string_view what) {
  if (auto* b = attr.get<bool>()) return *b;
  if (auto* i = attr.get<std::int64_t>()) return *i != 0;
  if (auto* d = attr.get<double>()) return *d != 0;
  if (attr.none()) return false;
  wrong_type(attr, what, "a bool");
}

double as_double(const Attr& attr, std::string_view what) {
  if (auto* d = attr.get<double>()) return *d;
  if (auto* i = attr.get<std::int64_t>()) return static_cast<double>(*i);
  if (auto* b = attr.get<bool>()) return *b;
  wrong_type(attr, what, "a float");
}

const std::string& as_string(const Attr& attr, std::string_view what) {
  if (auto* s = attr.get<std::string>()) return *s;
  wrong_type(attr, what, "a string");
}

std::optional<Dims> as_axes(const Attr& attr, std::string_view what) {
  if (attr.none()) return std::nullopt;
  if (auto* dims = attr.get<Dims>()) return *dims;
  if (attr.get<std::int64_t>() || attr.get<bool>()) return Dims{as_int(attr, what)};
  no_integer(attr, what, "an integer or a tuple of integers");
}

Dims as_shape(const Attr& attr, std::string_view what) {
  Dims shape;
  if (auto* dims = attr.get<Dims>()) {
    shape = *dims;
  } else if (attr.get<std::int64_t>() || attr.get<bool>()) {
    shape = Dims{as_int(attr, what)};
  } else {
    wrong_type(attr, what, "an integer or a tuple of integers");
  }
  if (shape.size() > kMaxDims)
    throw Error(ErrorClass::ValueError,
                "maximum supported dimension for an ndarray is currently 64, found " + std::to_string(shape.size()));
  for (std::int64_t extent : shape)
    if (extent < 0) throw Error(ErrorClass::ValueError, "negative dimensions are not allowed");
  return shape;
}

std::optional<DType> as_dtype(const Attr& attr) {
  if (attr.none()) return std::nullopt;
  if (auto* d = attr.get<DType>()) return *d;
  if (auto* s = attr.get<std::string>()) {
    if (auto parsed = parse_dtype(*s)) return parsed;
    throw unknown_dtype(*s);
  }
  wrong_type(attr, "dtype", "a dtype");
}

}  // namespace autoray::ir
