#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "ir/error.h"
#include "ir/rules/movement.h"
#include "runtime/bigint.h"
#include "runtime/convert.h"
#include "runtime/dispatch.h"
#include "runtime/elementwise/driver.h"
#include "runtime/memory_order.h"
#include "runtime/movement/movement.h"
#include "runtime/runtime.h"
#include "runtime/ufunc.h"

namespace autoray::runtime {

using ir::attribute;
using ir::Dims;
using ir::DType;
using ir::Error;
using ir::ErrorClass;
using ir::OpId;

namespace {

void fill_with(Runtime& runtime, const Array& target, double value) {
  Array item = runtime.allocate(DType::Float64, {});
  *item.as<double>() = value;
  copy_into(runtime, item, target);
}

Array zeroed(KernelCall& call) {
  Array array = call.runtime.allocate_zeroed(call.types[0].dtype, call.types[0].shape);
  array.strides = fresh_strides(call.op, call.in, call.attrs, call.types[0]);
  return array;
}
void zeros_kernel(KernelCall& call) { call.out[0] = zeroed(call); }
// A bool is 0 or 1 even before it was written.
void empty_kernel(KernelCall& call) {
  if (call.types[0].dtype == DType::Bool)
    call.out[0] = zeroed(call);
  else
    allocate_ordered(call);
}
void ones_kernel(KernelCall& call) { fill_with(call.runtime, allocate_ordered(call), 1); }
void full_kernel(KernelCall& call) {
  Array& out = allocate_ordered(call);
  const Operand& fill = call.in[call.op.id == OpId::FullLike ? 1 : 0];
  check_python_integer(fill, out.dtype);
  Array value = *fill.array;
  while (value.ndim() > out.ndim()) {
    value.shape.erase(0);
    value.strides.erase(0);
  }
  copy_into(call.runtime, value, out);
}
void eye_kernel(KernelCall& call) {
  Array result = zeroed(call);
  std::int64_t k = call.op.id == OpId::Eye ? ir::as_int(attribute(call.op, call.attrs, "k"), "k") : 0;
  std::int64_t n = result.shape[0], m = result.shape[1];
  std::int64_t length = std::max<std::int64_t>(0, k >= 0 ? std::min(n, m - k) : std::min(n + k, m));
  if (length)
    fill_with(call.runtime,
              with_shape_and_strides(result, Dims{length}, Dims{result.strides[0] + result.strides[1]},
                                     k >= 0 ? k * result.strides[1] : -k * result.strides[0]),
              1);
  call.out[0] = std::move(result);
}
void copy_kernel(KernelCall& call) {
  Array& out = allocate_ordered(call);
  copy_into(call.runtime, *call.in[0], out);
}

// ---- functions of values: array, asarray, arange, linspace, meshgrid, indices ----

const Value& arg(const HostCall& call, std::size_t i) { return call.args[i]; }
Value result(HostCall& call, Array array) {
  array.backend = call.backend;
  return make_array(std::move(array));
}
bool is_false(const Value& v) { return v.is_bool() && !v.as_bool(); }
[[noreturn]] void cannot_avoid_copy() {
  throw Error(ErrorClass::ValueError,
              "Unable to avoid copy while creating an array as requested.\nIf using `np.array(obj, copy=False)` replace it "
              "with `np.asarray(obj)` to allow a copy when needed (no behavior change in NumPy 1.x).\nFor more details, see "
              "https://numpy.org/devdocs/numpy_2_0_migration_guide.html#adapting-to-changes-in-the-copy-keyword.");
}
// 'F' lays a fresh copy out by columns; 'C' and 'A' by rows; 'K' and None leave it.
Array ordered(Runtime& runtime, Array array, const Value& order, bool may_copy) {
  if (order.is_none() || order.empty()) return array;
  char layout = order_of(order);
  if (layout == 'C' && !array.c_contiguous()) {
    if (!may_copy) cannot_avoid_copy();
    return converted(runtime, array, array.dtype);
  }
  if (layout != 'F' || array.f_contiguous()) return array;
  if (!may_copy) cannot_avoid_copy();
  Dims axes;
  for (int i = array.ndim(); i-- > 0;) axes.push_back(i);
  return transposed(converted(runtime, transposed(array, axes), array.dtype), axes);
}
Value array_host(HostCall& call) {
  auto dtype = to_dtype(arg(call, 1));
  Array array = to_array(call.runtime, arg(call, 0), dtype);
  bool shares = arg(call, 0).is(ObjectKind::Array) && array.storage == arg(call, 0).as<ArrayObject>().array.storage;
  if (!shares && is_false(arg(call, 2))) cannot_avoid_copy();
  bool copy = !arg(call, 2).is_none() && !(arg(call, 2).is_bool() && !arg(call, 2).as_bool());
  if (shares && copy) array = converted_like(call.runtime, array, array.dtype);
  array = ordered(call.runtime, std::move(array), arg(call, 3), !is_false(arg(call, 2)));
  std::int64_t ndmin = arg(call, 5).is_int() ? arg(call, 5).as_int() : 0;
  if (ndmin > ir::kMaxDims) throw Error(ErrorClass::ValueError, "ndmin bigger than allowable number of dimensions (=64)");
  if (auto most = ir::as_int(to_attr(call.runtime, arg(call, 6)), "ndmax"); ndmin > most)
    throw Error(ErrorClass::ValueError, "ndmin must be <= ndmax (" + std::to_string(most) + ")");
  if (auto most = ir::as_int(to_attr(call.runtime, arg(call, 6)), "ndmax"); array.ndim() > most && !shares)
    throw Error(ErrorClass::ValueError,
                "setting an array element with a sequence. The requested array would exceed the maximum number of dimension "
                "of " +
                    std::to_string(most) + ".");
  while (array.ndim() < ndmin) {
    array.shape.insert(0, 1);
    array.strides.insert(0, array.nbytes());
  }
  return result(call, std::move(array));
}
Value asarray_host(HostCall& call) {
  const Value& x = arg(call, 0);
  auto dtype = to_dtype(arg(call, 1));
  if (!arg(call, 3).is_none() && !arg(call, 3).empty() && text_of(arg(call, 3), "device") != "cpu")
    throw Error(ErrorClass::ValueError,
                "Device not understood. Only \"cpu\" is allowed, but received: " + text_of(arg(call, 3), "device"));
  bool plain_order = arg(call, 2).is_none() || arg(call, 2).empty();
  if (auto* object = x.get_if<ArrayObject>();
      object && (!dtype || *dtype == object->array.dtype) && !(arg(call, 4).is_bool() && arg(call, 4).as_bool())) {
    if (plain_order) return x;
    return result(call, ordered(call.runtime, object->array, arg(call, 2), !is_false(arg(call, 4))));
  }
  if (is_false(arg(call, 4))) cannot_avoid_copy();
  return result(call, ordered(call.runtime, to_array(call.runtime, x, dtype), arg(call, 2), true));
}

double number(Runtime& runtime, const Value& v) {
  if (v.is_float()) return v.as_float();
  if (v.is_int()) return static_cast<double>(v.as_int());
  Array a = to_array(runtime, v, DType::Float64);
  if (a.size() != 1) throw Error(ErrorClass::TypeError, "only 0-dimensional arrays can be converted to Python scalars");
  return *a.as<double>();
}
DType dtype_of_value(Runtime& runtime, const Value& v) { return to_array(runtime, v).dtype; }

bool is_python_number(const Value& v) { return v.is_bool() || v.is_int() || v.is_float() || v.is(ObjectKind::Complex); }

void check_bool_range(std::optional<DType> dtype, std::int64_t n) {
  if (dtype == DType::Bool && n > 2)
    throw Error(ErrorClass::TypeError, "arange() is only supported for booleans when the result has at most length 2.");
}

// items[2:] from items[0] and items[1]: each its own product, so that errors do not add up; integers wrap.
template <class T>
void continue_range(T* items, std::int64_t n) {
  if constexpr (std::is_same_v<T, ir::Half>) {
    auto start = static_cast<float>(items[0]), delta = static_cast<float>(items[1]) - start;
    for (std::int64_t i = 2; i < n; ++i) items[i] = static_cast<ir::Half>(start + static_cast<float>(i) * delta);
  } else if constexpr (std::is_integral_v<T>) {
    auto start = static_cast<std::uint64_t>(items[0]), delta = static_cast<std::uint64_t>(items[1]) - start;
    for (std::int64_t i = 2; i < n; ++i) items[i] = static_cast<T>(start + static_cast<std::uint64_t>(i) * delta);
  } else if constexpr (std::is_floating_point_v<T>) {
    T start = items[0], delta = items[1] - start;
    for (std::int64_t i = 2; i < n; ++i) items[i] = start + static_cast<T>(i) * delta;
  } else {
    using Part = typename T::value_type;
    T start = items[0], delta = items[1] - start;
    for (std::int64_t i = 2; i < n; ++i) {
      auto k = static_cast<Part>(i);
      items[i] = {start.real() + k * delta.real(), start.imag() + k * delta.imag()};
    }
  }
}

// A float that becomes an integer is cut, and refused where the dtype does not hold it, be it Python's or numpy's.
void store_element(Runtime& runtime, const Value& value, const Array& target, std::int64_t i) {
  auto* scalar = value.get_if<NumpyScalar>();
  bool cut = scalar && ir::is_real_floating(scalar->dtype) && ir::is_integer(target.dtype);
  Array item = to_array(runtime, cut ? Value::real(number(runtime, value)) : value, target.dtype);
  if (item.size() != 1) throw Error(ErrorClass::TypeError, "only 0-dimensional arrays can be converted to Python scalars");
  cast_loop(item.dtype, target.dtype)(item.data, 0, target.data + i * target.itemsize(), 0, 1);
}

Value sum_of(Runtime& runtime, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return make_int(BigInteger(a.as_int()) + b.as_int());
  if (is_python_number(a) && is_python_number(b) && !a.is(ObjectKind::Complex) && !b.is(ObjectKind::Complex))
    return Value::real(number(runtime, a) + number(runtime, b));
  const Value operands[] = {a, b};
  return operator_call(runtime, OpId::Add, operands);
}

Value arange_host(HostCall& call) {
  ir::check_device(to_attr(call.runtime, arg(call, 4)));
  Value start = arg(call, 0), stop = arg(call, 1), step = arg(call, 2);
  if (stop.is_none() || stop.empty()) {
    stop = start;
    start = Value::integer(0);
  }
  if (start.is_none() || start.empty()) start = Value::integer(0);
  if (step.is_none() || step.empty()) step = Value::integer(1);
  auto dtype = to_dtype(arg(call, 3));
  // At least int64, whatever the numpy scalars are.
  DType computed = DType::Int64;
  bool python = true;
  for (const Value* v : {&start, &stop, &step}) {
    computed = ir::promote(computed, dtype_of_value(call.runtime, *v));
    python &= is_python_number(*v);
  }
  std::int64_t n;
  if (start.is_int() && stop.is_int() && step.is_int()) {
    std::int64_t a = start.as_int(), b = stop.as_int(), s = step.as_int();
    if (s == 0) throw Error(ErrorClass::ZeroDivisionError, "division by zero");
    n = s > 0 ? (b > a ? (b - a - 1) / s + 1 : 0) : (a > b ? (a - b - 1) / -s + 1 : 0);
  } else {
    double a = number(call.runtime, start), b = number(call.runtime, stop), s = number(call.runtime, step);
    if (s == 0 && python) throw Error(ErrorClass::ZeroDivisionError, "division by zero");
    double length = std::ceil((b - a) / s);
    if (std::isnan(length)) throw Error(ErrorClass::ValueError, "arange: cannot compute length");
    if (length > 9e15 || std::isinf(length)) throw Error(ErrorClass::ValueError, "Maximum allowed size exceeded");
    n = std::max<std::int64_t>(0, static_cast<std::int64_t>(length));
  }
  check_bool_range(dtype, n);
  const std::int64_t shape[] = {n};
  Array out = call.runtime.allocate(dtype.value_or(computed), shape);
  // numpy stores two values, in the result's dtype, and goes on by their difference.
  if (n > 0) store_element(call.runtime, start, out, 0);
  if (n > 1) store_element(call.runtime, sum_of(call.runtime, start, step), out, 1);
  if (n > 2)
    ir::visit_dtype(out.dtype, [&]<class T>() {
      if constexpr (!std::is_same_v<T, bool>) continue_range(out.as<T>(), n);
    });
  return result(call, std::move(out));
}

Value linspace_host(HostCall& call) {
  Runtime& r = call.runtime;
  std::int64_t n = ir::as_int(to_attr(r, arg(call, 2)), "num");
  bool endpoint = ir::as_bool(to_attr(r, arg(call, 3)), "endpoint"), retstep = ir::as_bool(to_attr(r, arg(call, 4)), "retstep");
  auto dtype = to_dtype(arg(call, 5));
  if (n < 0) throw Error(ErrorClass::ValueError, "Number of samples, " + std::to_string(n) + ", must be non-negative.");
  Array a = to_array(r, arg(call, 0)), b = to_array(r, arg(call, 1));
  ir::check_device(to_attr(r, arg(call, 7)));
  ir::Promotion promotion;
  for (std::size_t i : {0, 1})
    promotion.add((i ? b : a).dtype, is_python_number(arg(call, i)) ? ir::Kind::Weak : ir::Kind::Array);
  promotion.add(DType::Float64, ir::Kind::Weak);
  DType dt = ir::is_inexact(promotion.result()) ? promotion.result() : DType::Float64;
  a = converted(r, a, dt);
  b = converted(r, b, dt);
  std::int64_t divisions = endpoint ? n - 1 : n;
  auto op = [&](OpId id, const Array& x, const Array& y) { return r.run1(id, call.backend, {&x, &y}); };
  Array delta = op(OpId::Subtract, b, a);
  Array axis = r.allocate(DType::Float64, {});
  const std::int64_t count[] = {n};
  axis = r.allocate(DType::Float64, count);
  for (std::int64_t i = 0; i < n; ++i) axis.as<double>()[i] = static_cast<double>(i);
  // Samples stand along a new first axis.
  Dims shape = {n};
  for (int k = 0; k < delta.ndim(); ++k) shape.push_back(1);
  Array y;
  try_reshape_view(axis, shape, y);
  y = converted(r, y, dt);
  Array step;
  if (divisions > 0) {
    Array d = r.allocate(DType::Float64, {});
    *d.as<double>() = static_cast<double>(divisions);
    d = converted(r, d, dt);
    step = op(OpId::Divide, delta, d);
    // A step that underflows to zero is taken apart: first the share, then the whole way.
    Array moves = converted(r, step, DType::Bool);
    bool all_move = *r.run1(OpId::All, call.backend, {&moves}).as<bool>();
    if (all_move) {
      y = op(OpId::Multiply, y, step);
    } else {
      Array share = op(OpId::Divide, y, d);
      y = op(OpId::Multiply, share, delta);
    }
  } else {
    step = r.allocate(DType::Float64, {});
    *step.as<double>() = NAN;
    y = op(OpId::Multiply, y, delta);
  }
  y = op(OpId::Add, y, a);
  if (endpoint && n > 1) {
    Array last = with_shape_and_strides(y, Dims(y.shape.begin() + 1, y.shape.end()),
                                        Dims(y.strides.begin() + 1, y.strides.end()), (n - 1) * y.strides[0]);
    copy_into(r, b, last);
  }
  std::int64_t axis_attr = ir::as_int(to_attr(r, arg(call, 6)), "axis");
  if (axis_attr != 0) y = r.run1(OpId::Moveaxis, call.backend, {&y}, {std::int64_t{0}, axis_attr});
  if (dtype) {
    if (ir::is_integer(*dtype)) y = r.run1(OpId::Floor, call.backend, {&y});
    y = converted(r, y, *dtype);
    r.check_fp("cast");
  }
  Value samples = result(call, y);
  if (!retstep) return samples;
  // One sample or none has no step: numpy's answer is Python's nan.
  return make_tuple({samples, divisions > 0 ? from_array(step, true) : Value::real(std::nan(""))});
}

Value meshgrid_host(HostCall& call) {
  Runtime& r = call.runtime;
  const std::string& indexing = text_of(arg(call, 3), "indexing");
  bool sparse = ir::as_bool(to_attr(r, arg(call, 2)), "sparse");
  if (indexing != "xy" && indexing != "ij")
    throw Error(ErrorClass::ValueError, "Valid values for `indexing` are 'xy' and 'ij'.");
  auto& inputs = arg(call, 0).as<Tuple>().items;
  std::size_t n = inputs.size();
  std::vector<Array> axes;
  Dims full;
  for (const Value& v : inputs) {
    Array a = to_array(r, v);
    a = contiguous(r, a, a.dtype);
    full.push_back(a.size());
    axes.push_back(a);
  }
  auto place = [&](std::size_t i) { return indexing == "xy" && n > 1 && i < 2 ? 1 - i : i; };
  Dims shape(n, 0);
  for (std::size_t i = 0; i < n; ++i) shape[place(i)] = full[i];
  std::vector<Value> results;
  for (std::size_t i = 0; i < n; ++i) {
    Dims own(n, 1);
    own[place(i)] = full[i];
    Array view;
    try_reshape_view(axes[i], own, view);
    results.push_back(result(call, converted(r, sparse ? view : broadcast_view(view, shape), view.dtype)));
  }
  // Without a copy the open grid stays the list that it was made as.
  if (sparse && !ir::as_bool(to_attr(r, arg(call, 1)), "copy")) return make_list(std::move(results));
  return make_tuple(std::move(results));
}

Value indices_host(HostCall& call) {
  Runtime& r = call.runtime;
  if (arg(call, 0).is_int()) throw Error(ErrorClass::TypeError, "'int' object is not iterable");
  Dims dims = ir::as_shape(to_attr(r, arg(call, 0)), "dimensions");
  auto asked = to_dtype(arg(call, 1));
  bool sparse = ir::as_bool(to_attr(r, arg(call, 2)), "sparse");
  DType dtype = asked.value_or(sparse ? DType::Int64 : DType::Float64);
  Dims shape = {dims.ssize()};
  for (std::int64_t d : dims) shape.push_back(d);
  Array out = r.allocate(dtype, shape);
  std::vector<Value> lines;
  for (std::size_t k = 0; k < dims.size(); ++k) {
    const std::int64_t n[] = {dims[k]};
    check_bool_range(asked, dims[k]);
    Array line = r.allocate(DType::Int64, n);
    for (std::int64_t i = 0; i < dims[k]; ++i) line.as<std::int64_t>()[i] = i;
    Dims own(dims.size(), 1);
    own[k] = dims[k];
    Array view;
    try_reshape_view(line, own, view);
    if (sparse) {
      lines.push_back(result(call, converted(r, view, dtype)));
      continue;
    }
    copy_into(r, view,
              with_shape_and_strides(out, dims, Dims(out.strides.begin() + 1, out.strides.end()),
                                     static_cast<std::int64_t>(k) * out.strides[0]));
  }
  return sparse ? make_tuple(std::move(lines)) : result(call, out);
}

}  // namespace

std::span<const KernelRow> create_kernels() {
  static constexpr KernelRow kRows[] = {{OpId::Zeros, zeros_kernel, "autoray"},     {OpId::Ones, ones_kernel, "autoray"},
                                        {OpId::Empty, empty_kernel, "autoray"},     {OpId::Full, full_kernel, "autoray"},
                                        {OpId::ZerosLike, zeros_kernel, "autoray"}, {OpId::OnesLike, ones_kernel, "autoray"},
                                        {OpId::EmptyLike, empty_kernel, "autoray"}, {OpId::FullLike, full_kernel, "autoray"},
                                        {OpId::Eye, eye_kernel, "autoray"},         {OpId::Identity, eye_kernel, "autoray"},
                                        {OpId::Copy, copy_kernel, "autoray"}};
  return kRows;
}
std::span<const HostRow> create_hosts() {
  static constexpr HostRow kRows[] = {{OpId::ArrayOp, array_host},     {OpId::Asarray, asarray_host},
                                      {OpId::Arange, arange_host},     {OpId::Linspace, linspace_host},
                                      {OpId::Meshgrid, meshgrid_host}, {OpId::Indices, indices_host}};
  return kRows;
}

}  // namespace autoray::runtime
