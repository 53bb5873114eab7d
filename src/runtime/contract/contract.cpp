#include "runtime/contract/contract.h"

#include <algorithm>
#include <array>

#include "ir/error.h"
#include "ir/rules/contract.h"
#include "ir/rules/movement.h"
#include "runtime/contract/pair.h"
#include "runtime/convert.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

using ir::Dims;
using ir::OpId;

namespace {

Array reshaped(Runtime& runtime, const Array& a, Dims shape) {
  Array view;
  if (!try_reshape_view(a, shape, view)) try_reshape_view(converted(runtime, a, a.dtype), shape, view);
  return view;
}

// --explain is told who multiplied: small and integer products are our own loops'.
void credit(KernelCall& call, const char* library) {
  call.library = library;
  const Backend& own = call.runtime.backend(call.provider);
  if (!own.based_on.empty() && own.library != library) call.provider = *call.runtime.find_backend(own.based_on);
}

// One element of two vectors of the result's dtype: there is nothing to arrange, and the calls are many. False for others.
bool multiplied_vectors(KernelCall& call, ProductFunction product) {
  const Array &a = *call.in[0].array, &b = *call.in[1].array;
  ir::DType dtype = call.types[0].dtype;
  if (a.ndim() != 1 || b.ndim() != 1 || !call.types[0].shape.empty() || a.dtype != dtype || b.dtype != dtype ||
      dtype == ir::DType::Float16)
    return false;
  Array& out = call.allocate();
  std::int64_t size = out.itemsize();
  credit(call, product(call.runtime, dtype, {a.data, 1, a.shape[0], 0, a.strides[0]}, {b.data, b.shape[0], 1, b.strides[0], 0},
                       {out.data, 1, 1, size, size}));
  return true;
}

// Where the caller wants the result; null: anywhere.
const Array* place_of(KernelCall& call) { return call.out[0].storage ? &call.out[0] : nullptr; }

// a[..., sum axes ...] b over the given axes; what is not summed stays, a's axes first.
void contract(KernelCall& call, ProductFunction product, const Array& a, const Array& b, const ir::SummedAxes& axes) {
  Factor x{&a, {}, other_axes(a.ndim(), axes.a), axes.a}, y{&b, {}, other_axes(b.ndim(), axes.b), axes.b};
  call.out[0] = multiplied(call, product, x, y, call.types[0].dtype, place_of(call));
}

// numpy multiplies a matrix by a lone number with BLAS's axpy, for which zero times anything is zero, infinity and NaN
// included.
bool scaled_by_zero(KernelCall& call, const Array& a, const Array& b) {
  ir::DType dtype = call.types[0].dtype;
  const Array &number = a.size() == 1 ? a : b, &other = a.size() == 1 ? b : a;
  if (!ir::is_inexact(dtype) || dtype == ir::DType::Float16 || number.size() != 1 || other.size() < 2) return false;
  bool moves = true;
  cast_loop(number.dtype, ir::DType::Bool)(number.data, 0, reinterpret_cast<char*>(&moves), 0, 1);
  if (!moves) call.out[0] = call.runtime.allocate_zeroed(dtype, call.types[0].shape);
  return !moves;
}

// A 0-d operand multiplies.
void scale(KernelCall& call, const Array& a, const Array& b) {
  call.out[0] = call.runtime.run1(OpId::Multiply, call.backend, {&a, &b});
}

}  // namespace

Array multiplied(KernelCall& call, ProductFunction product, const Factor& a, const Factor& b, ir::DType dtype,
                 const Array* place) {
  const char* library = "autoray";
  Array result = multiply_pair(call.runtime, product, a, b, dtype, library, place);
  credit(call, library);
  return result;
}

void matmul(KernelCall& call, ProductFunction product) {
  if (multiplied_vectors(call, product)) return;
  Array a = *call.in[0].array, b = *call.in[1].array;
  bool vector_a = a.ndim() == 1, vector_b = b.ndim() == 1;
  const Dims& shape = call.types[0].shape;
  Dims batch(shape.begin(), shape.end() - (vector_a ? 0 : 1) - (vector_b ? 0 : 1));
  auto stretched = [&](const Array& array, std::int64_t core) {
    Dims full = batch;
    for (std::int64_t i = array.ndim() - core; i < array.ndim(); ++i) full.push_back(array.shape[static_cast<std::size_t>(i)]);
    return full == array.shape ? array : broadcast_view(array, full);
  };
  if (!batch.empty()) {
    // A vector has no axes to stretch: it runs along every batch.
    a = stretched(a, vector_a ? 1 : 2);
    b = stretched(b, vector_b ? 1 : 2);
  }
  Dims along = all_axes(batch.ssize());
  std::int64_t rank = batch.ssize();
  Factor x{&a, along, vector_a ? Dims{} : Dims{rank}, {vector_a ? rank : rank + 1}};
  Factor y{&b, along, vector_b ? Dims{} : Dims{rank + 1}, {rank}};
  call.out[0] = multiplied(call, product, x, y, call.types[0].dtype, place_of(call));
}

void dot(KernelCall& call, ProductFunction product) {
  if (multiplied_vectors(call, product)) return;
  const Array &a = *call.in[0].array, &b = *call.in[1].array;
  if (a.ndim() <= 2 && b.ndim() <= 2 && scaled_by_zero(call, a, b)) return;
  if (!a.ndim() || !b.ndim()) return scale(call, a, b);
  contract(call, product, a, b, ir::dot_axes(a.shape, b.shape));
}
void inner(KernelCall& call, ProductFunction product) {
  if (multiplied_vectors(call, product)) return;
  const Array &a = *call.in[0].array, &b = *call.in[1].array;
  if (a.ndim() <= 2 && b.ndim() <= 2 && scaled_by_zero(call, a, b)) return;
  if (!a.ndim() || !b.ndim()) return scale(call, a, b);
  contract(call, product, a, b, ir::inner_axes(a.shape, b.shape));
}
void tensordot(KernelCall& call, ProductFunction product) {
  if (multiplied_vectors(call, product)) return;
  const Array &a = *call.in[0].array, &b = *call.in[1].array;
  if (scaled_by_zero(call, a, b)) return;
  contract(call, product, a, b, ir::tensordot_axes(call.attrs[0], a.shape, b.shape));
}
void vdot(KernelCall& call, ProductFunction product) {
  Array a = reshaped(call.runtime, *call.in[0].array, {call.in[0]->size()}),
        b = reshaped(call.runtime, *call.in[1].array, {call.in[1]->size()});
  if (ir::is_complex(a.dtype)) a = call.runtime.run1(OpId::Conjugate, call.backend, {&a});
  contract(call, product, a, b, {{0}, {0}});
}

// ---- outer, kron, cov: compositions ----

namespace {

void outer_kernel(KernelCall& call) {
  Array a = reshaped(call.runtime, *call.in[0].array, {call.in[0]->size(), 1}),
        b = reshaped(call.runtime, *call.in[1].array, {1, call.in[1]->size()});
  scale(call, a, b);
}

void kron_kernel(KernelCall& call) {
  const Array &a = *call.in[0].array, &b = *call.in[1].array;
  const Dims& shape = call.types[0].shape;
  // (a0, 1, a1, 1, ...) times (1, b0, 1, b1, ...).
  Dims left, right;
  int rank = std::max(a.ndim(), b.ndim());
  for (int i = 0; i < rank; ++i) {
    int x = i - (rank - a.ndim()), y = i - (rank - b.ndim());
    left.push_back(x < 0 ? 1 : a.shape[static_cast<std::size_t>(x)]);
    left.push_back(1);
    right.push_back(1);
    right.push_back(y < 0 ? 1 : b.shape[static_cast<std::size_t>(y)]);
  }
  Array x = reshaped(call.runtime, a, left), y = reshaped(call.runtime, b, right);
  scale(call, x, y);
  call.out[0] = reshaped(call.runtime, call.out[0], shape);
}

void cov_kernel(KernelCall& call) {
  Runtime& runtime = call.runtime;
  auto run = [&](OpId id, std::initializer_list<const Array*> in, std::initializer_list<ir::Attr> attrs = {}) {
    return runtime.run1(id, call.backend, in, attrs);
  };
  // What is centred has the dtype that was asked for, whatever the weights make of it afterwards.
  ir::DType dtype = ir::as_dtype(ir::attribute(call.op, call.attrs, "dtype")).value_or(call.types[0].dtype);
  bool rowvar = ir::as_bool(call.attrs[0], "rowvar"), bias = ir::as_bool(call.attrs[1], "bias");
  auto variables = [&](const Array& m) {
    Array x = converted(runtime, m, dtype);
    if (x.ndim() < 2) return reshaped(runtime, x, {1, x.size()});
    return rowvar ? x : transposed(x, Dims{1, 0});
  };
  Array x = variables(*call.in[0].array);
  if (x.shape[0] == 0) {
    call.allocate();
    return;
  }
  if (call.in[1].present()) {
    const Array& given = *call.in[1].array;
    Array y = given.ndim() == 2 && given.shape[0] == 1 ? converted(runtime, given, dtype) : variables(given);
    Operand parts[] = {{&x}, {&y}};
    std::uint32_t groups[] = {2};
    x = runtime.run(OpId::Concatenate, call.backend, parts, groups, runtime.default_attrs(OpId::Concatenate))[0];
  }
  double ddof = call.attrs[2].none() ? (bias ? 0 : 1) : static_cast<double>(ir::as_int(call.attrs[2], "ddof"));
  std::int64_t n = x.shape[1];
  Array weights;
  auto weigh = [&](const Operand& operand, const char* what, bool integers) {
    if (!operand.present()) return;
    if (operand->ndim() > 1)
      throw ir::Error(ir::ErrorClass::RuntimeError, std::string("cannot handle multidimensional ") + what);
    if (operand->size() != n)
      throw ir::Error(ir::ErrorClass::RuntimeError, std::string("incompatible numbers of samples and ") + what);
    Array w = converted(runtime, *operand.array, ir::DType::Float64);
    for (std::int64_t i = 0; i < n; ++i) {
      double item = w.as<double>()[i];
      if (integers && item != std::round(item)) throw ir::Error(ir::ErrorClass::TypeError, "fweights must be integer");
      if (item < 0) throw ir::Error(ir::ErrorClass::ValueError, std::string(what) + " cannot be negative");
    }
    weights = weights.data ? run(OpId::Multiply, {&weights, &w}) : w;
  };
  weigh(call.in[2], "fweights", true);
  weigh(call.in[3], "aweights", false);
  double total = static_cast<double>(n), norm;
  auto sum_of = [&](const Array& w) { return *run(OpId::Sum, {&w}).as<double>(); };
  if (weights.data) total = sum_of(weights);
  if (weights.data && total == 0)
    throw ir::Error(ir::ErrorClass::ZeroDivisionError, "Weights sum to zero, can't be normalized");
  if (!weights.data || ddof == 0) {
    norm = total - ddof;
  } else if (!call.in[3].present()) {
    norm = total - ddof;
  } else {
    Array aweights = converted(runtime, *call.in[3].array, ir::DType::Float64);
    Array both = run(OpId::Multiply, {&weights, &aweights});
    norm = total - ddof * sum_of(both) / total;
  }
  if (norm <= 0) {
    runtime.warn(ir::ErrorClass::RuntimeWarning, "Degrees of freedom <= 0 for slice");
    norm = 0;
  }
  Array weighted = weights.data ? run(OpId::Multiply, {&x, &weights}) : x;
  Array mean = run(OpId::Sum, {&weighted}, {ir::Attr(std::int64_t{1}), ir::Attr(), ir::Attr(), ir::Attr(true)});
  Array scalar = runtime.allocate(ir::DType::Float64, {});
  *scalar.as<double>() = total;
  mean = run(OpId::Divide, {&mean, &scalar});
  if (!ir::is_inexact(dtype))
    throw ir::Error(ir::ErrorClass::UFuncTypeError, "Cannot cast ufunc 'subtract' output from dtype('float64') to dtype('" +
                                                        std::string(ir::name(dtype)) + "') with casting rule 'same_kind'");
  Array centred = converted(runtime, run(OpId::Subtract, {&x, &mean}), dtype);
  Array other = weights.data ? run(OpId::Multiply, {&centred, &weights}) : centred;
  other = transposed(other, Dims{1, 0});
  if (ir::is_complex(dtype)) other = run(OpId::Conjugate, {&other});
  Array product = run(OpId::Matmul, {&centred, &other});
  *scalar.as<double>() = 1 / norm;
  product = run(OpId::Multiply, {&product, &scalar});
  call.out[0] = reshaped(runtime, product, call.types[0].shape);
  if (call.out[0].dtype != call.types[0].dtype) call.out[0] = converted(runtime, call.out[0], call.types[0].dtype);
}

constexpr auto kProducts = product_rows<blas_product>("OpenBLAS");
constexpr KernelRow kCompositions[] = {
    {OpId::Outer, outer_kernel, "autoray"},
    {OpId::Kron, kron_kernel, "autoray"},
    {OpId::Cov, cov_kernel, "autoray"},
};
constexpr auto kRows = [] {
  std::array<KernelRow, kProducts.size() + std::size(kCompositions)> rows{};
  std::copy(kProducts.begin(), kProducts.end(), rows.begin());
  std::copy(std::begin(kCompositions), std::end(kCompositions), rows.begin() + kProducts.size());
  return rows;
}();

}  // namespace

std::span<const KernelRow> contract_kernels() { return kRows; }

}  // namespace autoray::runtime
