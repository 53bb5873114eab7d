// What comes down to other ops, called on the backend of the call: pinv, matrix_power, matrix_rank, cond, multi_dot.
#include <array>
#include <cmath>
#include <limits>

#include "runtime/linalg/linalg.h"
#include "runtime/linalg/stack.h"

namespace autoray::runtime {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::OpId;

namespace {

class Ops {
 public:
  explicit Ops(KernelCall& call) : call_(call) {}
  Array operator()(OpId id, std::initializer_list<const Array*> in, std::initializer_list<Attr> attrs = {}) const {
    return call_.runtime.run1(id, call_.backend, in, attrs);
  }
  std::vector<Array> all(OpId id, const Array& a, std::initializer_list<Attr> attrs) const {
    Operand in[] = {{&a}};
    std::uint32_t groups[] = {1};
    return call_.runtime.run(id, call_.backend, in, groups, std::vector<Attr>(attrs));
  }
  Array number(double value) const {
    Array item = call_.runtime.allocate(DType::Float64, {});
    *item.as<double>() = value;
    return item;
  }

 private:
  KernelCall& call_;
};

Array with_last_axis(const Array& a) {
  Array view = a;
  view.shape.push_back(1);
  view.strides.push_back(0);
  return view;
}

double epsilon_of(DType dtype) {
  switch (ir::real_dtype(dtype)) {
    case DType::Float16: return 0x1p-10;
    case DType::Float32: return std::numeric_limits<float>::epsilon();
    default: return std::numeric_limits<double>::epsilon();
  }
}

// An attribute that numpy takes as an array of floats: a number or nested sequences of them.
Array attribute_array(KernelCall& call, const Attr& attr, std::string_view what) {
  if (auto* dims = attr.get<Dims>()) {
    Array array = call.runtime.allocate(DType::Float64, Dims{dims->ssize()});
    for (std::size_t i = 0; i < dims->size(); ++i) array.as<double>()[i] = static_cast<double>((*dims)[i]);
    return array;
  }
  auto* tuple = attr.get<Attr::Tuple>();
  if (!tuple) return Ops(call).number(ir::as_double(attr, what));
  std::vector<Array> parts;
  std::vector<Operand> operands;
  for (const Attr& item : *tuple) parts.push_back(attribute_array(call, item, what));
  for (const Array& part : parts) operands.push_back({&part});
  std::uint32_t groups[] = {static_cast<std::uint32_t>(parts.size())};
  return call.runtime.run(OpId::Stack, call.backend, operands, groups, call.runtime.default_attrs(OpId::Stack))[0];
}

// V diag(1/s) U^H over the singular values above the cutoff.
void pinv_kernel(KernelCall& call) {
  const Array& a = *call.in[0].array;
  if (call.types[0].dtype == a.dtype && ir::element_count(call.types[0].shape) == 0) {
    call.allocate();
    return;
  }
  Ops run(call);
  bool hermitian = ir::as_bool(call.attrs[0], "hermitian");
  const Attr& rtol = call.attrs[1];
  std::int64_t extent = std::max(a.shape[a.shape.size() - 1], a.shape[a.shape.size() - 2]);
  Array rcond = call.in[1].present()       ? *call.in[1].array
                : rtol.get<ir::Ellipsis>() ? run.number(1e-15)
                : rtol.none()              ? run.number(static_cast<double>(extent) * epsilon_of(a.dtype))
                                           : attribute_array(call, rtol, "rtol");
  Array conjugate = ir::is_complex(a.dtype) ? run(OpId::Conjugate, {&a}) : a;
  std::vector<Array> usv = run.all(OpId::LinalgSvd, conjugate, {false, true, hermitian});
  const Array &u = usv[0], &s = usv[1], &vh = usv[2];
  Array largest = run(OpId::Max, {&s}, {std::int64_t{-1}, {}, true});
  Array relative = with_last_axis(rcond);
  Array cutoff = run(OpId::Multiply, {&relative, &largest});
  Array large = run(OpId::Greater, {&s, &cutoff});
  // Where a value is dropped its reciprocal is never asked for.
  Array one = converted(call.runtime, run.number(1), s.dtype), zero = converted(call.runtime, run.number(0), s.dtype);
  Array divisor = run(OpId::Where, {&large, &s, &one});
  Array reciprocal = run(OpId::Divide, {&one, &divisor});
  reciprocal = with_last_axis(run(OpId::Where, {&large, &reciprocal, &zero}));
  Array left = exchanged(vh), right = exchanged(u);
  Array scaled = run(OpId::Multiply, {&reciprocal, &right});
  call.out[0] = as_dtype(call, run(OpId::Matmul, {&left, &scaled}), call.types[0].dtype);
}

// By squaring.
void matrix_power_kernel(KernelCall& call) {
  Ops run(call);
  std::int64_t n = ir::as_int(call.attrs[0], "n");
  Array a = *call.in[0].array;
  if (n == 0) {
    Array identity = run(OpId::Eye, {}, {a.shape.back(), {}, std::int64_t{0}, a.dtype});
    call.out[0] = converted(call.runtime, broadcast_view(identity, a.shape), a.dtype);
    return;
  }
  if (n < 0) a = run(OpId::LinalgInv, {&a});
  auto power = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  if (power == 1) {
    call.out[0] = a;
    return;
  }
  Array square = a, result;
  for (bool first = true;; first = false) {
    if (!first) square = run(OpId::Matmul, {&square, &square});
    if (power & 1) result = result.data ? run(OpId::Matmul, {&result, &square}) : square;
    if ((power >>= 1) == 0) break;
  }
  call.out[0] = result;
}

void matrix_rank_kernel(KernelCall& call) {
  Ops run(call);
  const Array& a = *call.in[0].array;
  if (a.ndim() < 2) {
    Array any = run(OpId::Any, {&a});
    call.out[0] = converted(call.runtime, any, DType::Int64);
    return;
  }
  bool hermitian = ir::as_bool(call.attrs[0], "hermitian");
  Array s = run.all(OpId::LinalgSvd, a, {false, false, hermitian})[0];
  Array tolerance;
  if (call.in[1].present()) {
    tolerance = with_last_axis(*call.in[1].array);
  } else {
    std::int64_t extent = std::max(a.shape[a.shape.size() - 1], a.shape[a.shape.size() - 2]);
    Array relative = call.in[2].present()
                         ? with_last_axis(*call.in[2].array)
                         : converted(call.runtime, run.number(static_cast<double>(extent) * epsilon_of(s.dtype)), s.dtype);
    Array largest = run(OpId::Max, {&s}, {std::int64_t{-1}, {}, true, std::int64_t{0}});
    tolerance = run(OpId::Multiply, {&largest, &relative});
  }
  Array above = run(OpId::Greater, {&s, &tolerance});
  call.out[0] = run(OpId::CountNonzero, {&above}, {std::int64_t{-1}});
}

class Chain {
 public:
  Chain(KernelCall& call, std::vector<Array> arrays) : call_(call), arrays_(std::move(arrays)), n_(arrays_.size()) {
    Dims extents;
    for (const Array& a : arrays_) extents.push_back(a.shape[0]);
    extents.push_back(arrays_.back().shape[1]);
    split_ = ir::chain_splits(extents);
  }

  // Right parts wait on a stack of their own: a long chain does not recurse.
  Array product() {
    struct Frame {
      std::size_t i, j;
      bool expanded = false;
    };
    std::vector<Frame> frames = {{0, n_ - 1}};
    std::vector<Array> values;
    while (!frames.empty()) {
      auto [i, j, expanded] = frames.back();
      if (i == j) {
        values.push_back(arrays_[i]);
        frames.pop_back();
      } else if (!expanded) {
        frames.back().expanded = true;
        std::size_t k = split_[i * n_ + j];
        frames.push_back({k + 1, j});
        frames.push_back({i, k});
      } else {
        Array right = std::move(values.back());
        values.pop_back();
        values.back() = call_.runtime.run1(OpId::Dot, call_.backend, {&values.back(), &right});
        frames.pop_back();
      }
    }
    return values[0];
  }

 private:
  KernelCall& call_;
  std::vector<Array> arrays_;
  std::size_t n_;
  std::vector<std::size_t> split_;
};

void multi_dot_kernel(KernelCall& call) {
  std::size_t n = call.in.size();
  if (n == 2) {
    call.out[0] = Ops(call)(OpId::Dot, {call.in[0].array, call.in[1].array});
    return;
  }
  std::vector<Array> arrays;
  for (const Operand& operand : call.in) arrays.push_back(*operand.array);
  auto as_matrix = [](Array& a, std::size_t axis) {
    if (a.ndim() == 2) return;
    a.shape.insert(axis, 1);
    a.strides.insert(axis, 0);
  };
  as_matrix(arrays[0], 0);
  as_matrix(arrays[n - 1], 1);
  Array product = Chain(call, std::move(arrays)).product();
  if (!try_reshape_view(product, call.types[0].shape, call.out[0]))
    try_reshape_view(converted(call.runtime, product, product.dtype), call.types[0].shape, call.out[0]);
}

constexpr KernelRow kRows[] = {
    {OpId::LinalgPinv, pinv_kernel, "autoray"},
    {OpId::LinalgMatrixPower, matrix_power_kernel, "autoray"},
    {OpId::LinalgMatrixRank, matrix_rank_kernel, "autoray"},
    {OpId::LinalgMultiDot, multi_dot_kernel, "autoray"},
    {OpId::LinalgExpm, expm_kernel, "autoray"},
};
constexpr auto kLapackRows = linalg_rows<lapack_drivers, ordered_squared_norm>("LAPACK", "autoray");

}  // namespace

void cond(KernelCall& call, const Drivers& drivers) {
  Ops run(call);
  const Array& x = *call.in[0].array;
  const Attr& p = call.attrs[0];
  auto order = ir::norm_order(p);
  Array r;
  if (p.none() || (order && std::abs(*order) == 2)) {
    Array s = run(OpId::LinalgSvdvals, {&x});
    auto last = static_cast<std::size_t>(s.ndim() - 1);
    auto value_at = [&](std::int64_t i) {
      Array view = s;
      view.data += i * s.strides[last];
      view.shape.pop_back();
      view.strides.pop_back();
      return view;
    };
    Array first = value_at(0), smallest = value_at(s.shape[last] - 1);
    Quiet quiet(call.runtime);
    r = order && *order == -2 ? run(OpId::Divide, {&smallest, &first}) : run(OpId::Divide, {&first, &smallest});
  } else {
    Quiet quiet(call.runtime);
    Array inverse = inverse_or_nan(call, drivers, x);
    Dims axes{-2, -1};
    Array a = run(OpId::LinalgNorm, {&x}, {p, axes}), b = run(OpId::LinalgNorm, {&inverse}, {p, axes});
    r = run(OpId::Multiply, {&a, &b});
  }
  // A matrix without NaNs has no NaN for an answer.
  Array unknown = run(OpId::IsNan, {&r}), nans = run(OpId::IsNan, {&x});
  Array has_nan = run(OpId::Any, {&nans}, {Dims{-2, -1}});
  Array known = run(OpId::LogicalNot, {&has_nan}), infinite = run(OpId::LogicalAnd, {&unknown, &known});
  Array infinity = converted(call.runtime, run.number(std::numeric_limits<double>::infinity()), r.dtype);
  call.out[0] = as_dtype(call, run(OpId::Where, {&infinite, &infinity, &r}), call.types[0].dtype);
}

std::span<const KernelRow> linalg_kernels() { return kLapackRows; }
std::span<const KernelRow> linalg_composition_kernels() { return kRows; }

}  // namespace autoray::runtime
