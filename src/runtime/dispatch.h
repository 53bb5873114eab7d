// autoray's dispatch: which backend a call goes to. `do(name, ...)` and the namespace `autoray.numpy` are two spellings of it;
// the module imported as `numpy` is bound to the engine's native backend and leaves it only for lazy or foreign arguments.
//
// Order: like= as a string; like= as an array (also lends dtype to creation routines); the backend set by backend_like or
// set_backend; else the arguments, by the op's dispatcher and the priorities Python scalars < numpy < other arrays < lazy.
// While autojit traces a function (Runtime::captures) the arrays of its graph count as arrays of the backend that they stand
// for, and a function that is registered for it is traced as other functions are.
#pragma once

#include "runtime/runtime.h"

namespace autoray::runtime {

// do(name, *args, like=None, **kwargs): `id` is the op of that name; Count where it is a function registered under a new name.
Value do_call(Runtime& runtime, ir::OpId id, std::string_view name, const Arguments& arguments);
// The library's own function as `do` calls it on that backend: the reference's deviations from numpy apply (linalg.svd is
// thin), registered functions do not.
Value call_library(Runtime& runtime, ir::OpId id, BackendId backend, const Arguments& arguments, bool dispatched = false);
// numpy.<op>(...), the same op through the module imported as numpy.
Value numpy_call(Runtime& runtime, ir::OpId id, const Arguments& arguments);
// Binary and unary operators of the language on array-like operands (at least one is an array, numpy scalar, lazy or foreign
// object): dispatched as autoray's multi-argument functions are.
Value operator_call(Runtime& runtime, ir::OpId id, std::span<const Value> operands);
// In-place operators (a += b): numpy's `out=a` with same_kind casting; a scalar left operand gives a new value.
Value inplace_call(Runtime& runtime, ir::OpId id, const Value& target, const Value& operand);

// Replaces what `do` calls for (backend, name); a new name or a new backend may be introduced.
void register_function(Runtime& runtime, const std::string& backend, const std::string& name, Ref<Callable> function);
// What `do` calls for (backend, name): the registered function or the library's. ImportError when there is none.
Ref<Callable> library_function(Runtime& runtime, const std::string& backend, const std::string& name);

// The backend of all values of a class, whatever made them; arrays keep the one that they carry.
void register_backend(Runtime& runtime, const std::string& type_name, const std::string& backend);

// The backend of the highest priority among the values': Python's own, numpy, others, lazy; of equals the first.
std::string infer_backend_multi(Runtime& runtime, std::span<const Value> values);
// The backend of one value: "numpy" for arrays of the numpy backend, "builtins" for Python scalars and containers, ...
std::string infer_backend(Runtime& runtime, const Value& value);

// A lazy array among the arguments or in a list of them.
bool any_lazy(const Arguments& arguments);

// After a kernel: tells of the floating-point events of its last conversions (a float16 result, another dtype asked for), and
// forgets what others have left, so that no later operation tells of them.
void tell_of_conversions(Runtime& runtime, const ir::Op& op);

// x[index] and x[index] = v on arrays (numpy's basic and advanced indexing).
Value get_item(Runtime& runtime, const Array& array, const Value& index);
void set_item(Runtime& runtime, const Array& array, const Value& index, const Value& item);

// A value as an array: arrays as they are; numbers, numpy scalars, and nested lists or tuples by numpy's rules (dtype
// discovery; ragged nesting is a ValueError "setting an array element with a sequence. ..."). nullopt dtype: discovered.
Array to_array(Runtime& runtime, const Value& value, std::optional<ir::DType> dtype = std::nullopt);
// An array result as a script sees it: a numpy scalar when `scalar_result` and 0-d, else an array.
Value from_array(Array array, bool scalar_result);
// The same by the kind that a rule inferred: a Python scalar, a numpy scalar or an array.
Value from_kind(Array array, ir::Kind kind);
// The results of an op that gives several: a tuple, with numpy's field names where it has them.
Value make_result_tuple(std::vector<Value> items, const ir::ResultNames* names);
// The dtype meant by np.float64, 'f8', float, np.dtype('f8'), a dtype object; TypeError otherwise. None: nullopt.
std::optional<ir::DType> to_dtype(const Value& value);
// An attribute as ops take it; TypeError for values that cannot be one.
ir::Attr to_attr(Runtime& runtime, const Value& value);
// The same for a parameter of an op: TypeError where only a tuple names several axes.
ir::Attr attribute_of(Runtime& runtime, const ir::Op& op, std::string_view parameter, const Value& value);
// And back: the value that an attribute stands for.
Value from_attr(const ir::Attr& attr);

// target[mask] = source[mask], element-wise over broadcast operands.
void masked_copy(Runtime& runtime, const Array& source, const Array& target, const Array& mask);
// numpy's out=: writes `result` into `out` where the mask (none: everywhere) says so; TypeError when the cast is not allowed,
// ValueError when the shapes do not fit or `out` is read-only.
// What store_result finds wrong before it writes: `out` is looked at for its type and whether it can be written.
void check_store(std::string_view op, const ir::Type& result, const Array& out, ir::Casting casting, const ir::Dims* where);
void store_result(Runtime& runtime, std::string_view op, const Array& result, const Array& out, ir::Casting casting,
                  const std::optional<Array>& where);

}  // namespace autoray::runtime
