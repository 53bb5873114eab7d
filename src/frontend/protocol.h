// What the language's operations mean on every kind of value: Python's object model, as free functions over values.
// The evaluator handles the hot cases (small ints, floats, list indexing) itself and comes here for the rest.
// All of these throw ir::Error with Python's class and wording, or runtime::Raised when a script function raised.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "frontend/operators.h"
#include "runtime/objects.h"
#include "runtime/runtime.h"

namespace autoray::frontend {

using runtime::Arguments;
using runtime::Runtime;
using runtime::Value;

// ---- operators: ints of any size, floats, complex, bool, str, bytes, list, tuple, dict, set; anything with an array, numpy
//      scalar, lazy or foreign operand goes to runtime::operator_call ----
Value binary(Runtime& runtime, BinaryOperator op, const Value& left, const Value& right);
// a op= b: lists extend in place, sets and dicts update, arrays are written (runtime::inplace_call); else `binary`.
Value inplace_binary(Runtime& runtime, BinaryOperator op, const Value& left, const Value& right);
Value unary(Runtime& runtime, UnaryOperator op, const Value& operand);
// A bool, or an array for element-wise comparisons. Is, IsNot, In and NotIn included.
Value compare(Runtime& runtime, CompareOperator op, const Value& left, const Value& right);
bool equal(Runtime& runtime, const Value& a, const Value& b);  // truth(a == b)
bool less(Runtime& runtime, const Value& a, const Value& b);   // for sorted, min, max
// Truth of a value; ValueError "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()".
bool truth(Runtime& runtime, const Value& value);

// ---- text ----
std::string repr(Runtime& runtime, const Value& value);
std::string ascii(Runtime& runtime, const Value& value);  // repr with \x, \u and \U for what is not ASCII
std::string str(Runtime& runtime, const Value& value);
// format(value, spec): the mini-language for str, int, float, complex, bool and numpy scalars.
std::string format(Runtime& runtime, const Value& value, std::string_view spec);
// "%d items" % args.
std::string percent_format(Runtime& runtime, std::string_view pattern, const Value& args);
std::string float_repr(double value);  // Python's shortest repr: 1.0, 1e+16, nan, inf

// ---- attributes and items ----
// obj.name: methods come bound. AttributeError "'list' object has no attribute 'push'" with "did you mean".
Value get_attribute(Runtime& runtime, const Value& object, std::string_view name);
void set_attribute(Runtime& runtime, const Value& object, std::string_view name, const Value& value);
void delete_attribute(Runtime& runtime, const Value& object, std::string_view name);
// obj.name(args) without making a bound method; the evaluator's call path.
Value call_method(Runtime& runtime, const Value& object, std::string_view name, const Arguments& arguments);
Value get_item(Runtime& runtime, const Value& object, const Value& key);
void set_item(Runtime& runtime, const Value& object, const Value& key, const Value& value);
void delete_item(Runtime& runtime, const Value& object, const Value& key);
bool contains(Runtime& runtime, const Value& container, const Value& item);
std::int64_t length(Runtime& runtime, const Value& value);

// ---- iteration and calls ----
runtime::Ref<runtime::Iterator> iterate(Runtime& runtime, const Value& value);  // TypeError "'int' object is not iterable"
// All items of an iterable.
std::vector<Value> collect(Runtime& runtime, const Value& value);
// TypeError "'int' object is not callable".
Value call(Runtime& runtime, const Value& callable, const Arguments& arguments);

// ---- builtins and modules ----
// print, len, range, int, ValueError ... : null Value (Empty) when there is no such builtin.
Value builtin(Runtime& runtime, std::string_view name);
std::vector<std::string_view> builtin_names();
// `import name` for the modules of the language ("numpy", "autoray", "autoray.lazy", "math", "numpy.linalg" ...); Empty when
// there is none. A module is made once per Runtime, at its first import.
Value import_module(Runtime& runtime, std::string_view name);
std::vector<std::string_view> module_names();

}  // namespace autoray::frontend
