// Types as values: int, str, ValueError, np.float64, np.ndarray. Called they construct; isinstance asks `matches`.
#pragma once

#include <algorithm>
#include <complex>
#include <optional>
#include <string>

#include "frontend/protocol.h"

namespace autoray::frontend {

class TypeObject : public runtime::Callable {
 public:
  using Construct = Value (*)(Runtime&, const TypeObject&, const Arguments&);
  using Matches = bool (*)(const TypeObject&, const Value&);

  TypeObject(std::string n, Construct c, Matches m) : name(std::move(n)), construct(c), matches(m) {}
  Value call(Runtime& runtime, const Arguments& arguments) override { return construct(runtime, *this, arguments); }
  std::string callable_name() const override { return name; }
  std::string_view callable_type() const override { return "type"; }
  std::optional<ir::DType> type_dtype() const override { return dtype; }
  std::optional<ir::ErrorClass> exception_class() const override { return error_class; }
  bool get_attribute(Runtime& runtime, std::string_view attribute, Value& result) override;

  std::string name;
  std::string module = "builtins";
  Construct construct;
  Matches matches;
  std::optional<ir::DType> dtype;
  std::optional<ir::ErrorClass> error_class;
};

// The type object of a value: type(x). The same object every time.
Value type_of(Runtime& runtime, const Value& value);
// The type of a builtin name ("int") or an exception class; made once a Runtime.
Value builtin_type(Runtime& runtime, std::string_view name);
// A type that a module owns, which type(x) gives for values of that name; made once a Runtime.
Value named_type(Runtime& runtime, std::string_view name, std::string_view module, TypeObject::Construct construct);
// np.float64 and its kin.
Value scalar_type(Runtime& runtime, ir::DType dtype);
bool is_instance(Runtime& runtime, const Value& value, const Value& type);

// A function's name as a template argument, for errors of functions that one template makes.
template <std::size_t N>
struct FunctionName {
  constexpr FunctionName(const char (&name)[N]) { std::copy_n(name, N, text); }
  char text[N];
};

// Arguments of a native function: count and keywords checked, CPython's wording.
void check_arguments(const Arguments& arguments, std::string_view name, std::size_t least, std::size_t most);
// The keyword's value or null; other keywords than `allowed` raise TypeError.
const Value* keyword(const Arguments& arguments, std::string_view name);
void check_keywords(const Arguments& arguments, std::string_view function, std::initializer_list<std::string_view> allowed);
// An int usable as an index or count (int, bool, numpy integer); TypeError otherwise.
std::int64_t index_of(const Value& value, std::string_view what);
// A number as double; TypeError "must be real number, not str".
double real_of(const Value& value);
// A complex number; TypeError "must be real number, not str".
std::complex<double> complex_of(const Value& value);
// Of an int beyond int64; their own file pays for Boost. OverflowError beyond float64's range.
double big_int_as_double(const Value& value);
bool is_negative_big_int(const Value& value);
bool is_integer_value(const Value& value);  // int of any size, bool
bool is_array_like(const Value& value);     // array, numpy scalar, lazy or foreign

}  // namespace autoray::frontend
