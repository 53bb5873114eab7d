#include "ir/rules/linalg.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/error.h"
#include "ir/rules/contract.h"
#include "ir/rules/elementwise.h"

namespace autoray::ir {
namespace {

[[noreturn]] void value_error(std::string message) { throw Error(ErrorClass::ValueError, std::move(message)).with_code(401); }
[[noreturn]] void linalg_error(std::string message) { throw Error(ErrorClass::LinAlgError, std::move(message)).with_code(401); }

const Dims& shape_of(const Inference& inference, std::size_t i = 0) { return inference.type(i).shape; }
std::int64_t rows_of(const Dims& shape) { return shape[shape.size() - 2]; }
std::int64_t columns_of(const Dims& shape) { return shape.back(); }

// A result for every shape: a stack's axes, then those of one item.
void results(Inference& inference, const Dims& stack, std::initializer_list<Dims> items) {
  inference.results.clear();
  for (const Dims& item : items) {
    Type type;
    type.shape = stack;
    for (std::int64_t extent : item) type.shape.push_back(extent);
    inference.results.push_back(std::move(type));
  }
}

constexpr const char* kSvdFields[] = {"U", "S", "Vh"};
constexpr const char* kQrFields[] = {"Q", "R"};
constexpr const char* kEigenFields[] = {"eigenvalues", "eigenvectors"};
constexpr const char* kSlogdetFields[] = {"sign", "logabsdet"};
constexpr ResultNames kSvdResult{"SVDResult", kSvdFields};
constexpr ResultNames kQrResult{"QRResult", kQrFields};
constexpr ResultNames kEigResult{"EigResult", kEigenFields};
constexpr ResultNames kEighResult{"EighResult", kEigenFields};
constexpr ResultNames kSlogdetResult{"SlogdetResult", kSlogdetFields};

bool is_empty_matrix(const Dims& shape) {
  if (element_count(shape) != 0) return false;
  std::size_t first = shape.size() < 2 ? 0 : shape.size() - 2;
  return std::find(shape.begin() + first, shape.end(), 0) != shape.end();
}

std::string not_at_least_2d(const Dims& shape) {
  return std::to_string(shape.size()) + "-dimensional array given. Array must be at least two-dimensional";
}
void require_2d(const Dims& shape) {
  if (shape.size() != 2) linalg_error(std::to_string(shape.size()) + "-dimensional array given. Array must be two-dimensional");
}

}  // namespace

// ---- what rules and kernels share ----

Dims stack_shape(const Dims& shape) { return Dims(shape.begin(), shape.end() - std::min<std::ptrdiff_t>(2, shape.ssize())); }

void require_matrices(const Dims& shape) {
  if (shape.size() < 2) linalg_error(not_at_least_2d(shape));
}
void require_square(const Dims& shape) {
  require_matrices(shape);
  if (rows_of(shape) != columns_of(shape)) linalg_error("Last 2 dimensions of the array must be square");
}

DType linalg_dtype(std::span<const DType> dtypes) {
  bool wide = false, complex = false;
  for (DType dtype : dtypes) {
    if (dtype == DType::Float16)
      throw Error(ErrorClass::TypeError, "array type float16 is unsupported in linalg").with_code(403);
    complex |= is_complex(dtype);
    wide |= dtype != DType::Float32 && dtype != DType::Complex64;
  }
  if (complex) return wide ? DType::Complex128 : DType::Complex64;
  return wide ? DType::Float64 : DType::Float32;
}

char triangle_of(const Attr& uplo) {
  const std::string* text = uplo.get<std::string>();
  if (!text) throw Error(ErrorClass::AttributeError, "UPLO has no attribute 'upper'").with_hint("UPLO is 'L' or 'U'");
  if (*text == "L" || *text == "l") return 'L';
  if (*text == "U" || *text == "u") return 'U';
  throw Error(ErrorClass::ValueError, "UPLO argument must be 'L' or 'U'");
}

QrMode qr_mode(const Attr& mode) {
  static constexpr std::pair<std::string_view, QrMode> kModes[] = {
      {"reduced", QrMode::Reduced},   {"complete", QrMode::Complete}, {"r", QrMode::R},
      {"raw", QrMode::Raw},           {"full", QrMode::Reduced},      {"f", QrMode::Reduced},
      {"economic", QrMode::Economic}, {"e", QrMode::Economic},
  };
  const std::string& text = as_string(mode, "mode");
  for (auto [name, value] : kModes)
    if (name == text) return value;
  throw Error(ErrorClass::ValueError, "Unrecognized mode '" + text + "'");
}

std::optional<double> norm_order(const Attr& ord) {
  if (ord.get<double>() || ord.get<std::int64_t>() || ord.get<bool>()) return as_double(ord, "ord");
  return std::nullopt;
}

bool norm_by_singular_values(const Attr& ord) {
  auto number = norm_order(ord);
  auto* text = ord.get<std::string>();
  return (number && std::abs(*number) == 2) || (text && *text == "nuc");
}

NormForm norm_form(const Attr& ord, const Attr& axis, int ndim) {
  NormForm form;
  auto number = norm_order(ord);
  auto* text = ord.get<std::string>();
  bool frobenius = text && (*text == "fro" || *text == "f");
  if (!number && !text && !ord.none()) as_double(ord, "ord");  // a TypeError
  if (axis.none() && (ord.none() || (frobenius && ndim == 2) || (number && *number == 2 && ndim == 1))) return form;
  Dims axes;
  if (axis.none()) {
    for (int i = 0; i < ndim; ++i) axes.push_back(i);
  } else if (axis.get<Dims>() || axis.get<std::int64_t>() || axis.get<bool>()) {
    axes = *as_axes(axis, "axis");
  } else if (auto* real = axis.get<double>()) {
    axes.push_back(static_cast<std::int64_t>(*real));
  } else {
    throw Error(ErrorClass::TypeError, "'axis' must be None, an integer or a tuple of integers");
  }
  if (axes.size() == 1) {
    if (text) throw Error(ErrorClass::ValueError, "Invalid norm order '" + *text + "' for vectors");
    form.over = NormForm::Over::Vector;
    form.axis = static_cast<std::size_t>(normalize_axis(axes[0], ndim));
    return form;
  }
  if (axes.size() != 2) value_error("Improper number of dimensions to norm.");
  form.over = NormForm::Over::Matrix;
  form.row_axis = static_cast<std::size_t>(normalize_axis(axes[0], ndim));
  form.column_axis = static_cast<std::size_t>(normalize_axis(axes[1], ndim));
  if (form.row_axis == form.column_axis) value_error("Duplicate axes given.");
  bool known = ord.none() || frobenius || (text && *text == "nuc") ||
               (number && (std::abs(*number) == 1 || std::abs(*number) == 2 || std::isinf(*number)));
  if (!known) value_error("Invalid norm order for matrices.");
  return form;
}

// ---- shapes ----

void shape_norm(Inference& inference) {
  const Dims& shape = shape_of(inference);
  NormForm form = norm_form(inference.attrs[0], inference.attrs[1], shape.ssize());
  bool keepdims = as_bool(inference.attrs[2], "keepdims");
  Dims left;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    bool summed = form.over == NormForm::Over::All ||
                  (form.over == NormForm::Over::Vector ? i == form.axis : i == form.row_axis || i == form.column_axis);
    if (!summed)
      left.push_back(shape[i]);
    else if (keepdims)
      left.push_back(1);
  }
  results(inference, left, {{}});
}
void dtype_norm(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  if (!is_inexact(dtype)) dtype = DType::Float64;
  const Dims& shape = shape_of(inference);
  if (norm_by_singular_values(inference.attrs[0]) &&
      norm_form(inference.attrs[0], inference.attrs[1], shape.ssize()).over == NormForm::Over::Matrix)
    dtype = linalg_dtype({&dtype, 1});
  inference.results[0].dtype = real_dtype(dtype);
}

void shape_svd(Inference& inference) {
  const Dims& shape = shape_of(inference);
  bool full = as_bool(inference.attrs[0], "full_matrices"), vectors = as_bool(inference.attrs[1], "compute_uv");
  bool hermitian = as_bool(inference.attrs[2], "hermitian");
  if (hermitian)
    require_square(shape);
  else
    require_matrices(shape);
  std::int64_t m = rows_of(shape), n = columns_of(shape), k = std::min(m, n);
  if (!vectors) return results(inference, stack_shape(shape), {{k}});
  results(inference, stack_shape(shape), {{m, full ? m : k}, {k}, {full ? n : k, n}});
  inference.names = &kSvdResult;
}
void shape_svdvals(Inference& inference) {
  const Dims& shape = shape_of(inference);
  require_matrices(shape);
  results(inference, stack_shape(shape), {{std::min(rows_of(shape), columns_of(shape))}});
}

void shape_qr(Inference& inference) {
  QrMode mode = qr_mode(inference.attrs[0]);
  const Dims& shape = shape_of(inference);
  require_matrices(shape);
  Dims stack = stack_shape(shape);
  std::int64_t m = rows_of(shape), n = columns_of(shape), k = std::min(m, n);
  switch (mode) {
    case QrMode::R: return results(inference, stack, {{k, n}});
    case QrMode::Raw: return results(inference, stack, {{n, m}, {k}});
    case QrMode::Economic: return results(inference, stack, {{m, n}});
    default: {
      std::int64_t columns = mode == QrMode::Complete ? m : k;
      results(inference, stack, {{m, columns}, {columns, n}});
      inference.names = &kQrResult;
    }
  }
}

void shape_eig(Inference& inference) {
  const Dims& shape = shape_of(inference);
  require_square(shape);
  std::int64_t n = shape.back();
  if (inference.op.id == OpId::LinalgEigvals) return results(inference, stack_shape(shape), {{n}});
  results(inference, stack_shape(shape), {{n}, {n, n}});
  inference.names = &kEigResult;
}
void shape_eigh(Inference& inference) {
  triangle_of(inference.attrs[0]);
  const Dims& shape = shape_of(inference);
  require_square(shape);
  std::int64_t n = shape.back();
  if (inference.op.id == OpId::LinalgEigvalsh) return results(inference, stack_shape(shape), {{n}});
  results(inference, stack_shape(shape), {{n}, {n, n}});
  inference.names = &kEighResult;
}

void shape_square(Inference& inference) {
  require_square(shape_of(inference));
  results(inference, shape_of(inference), {{}});
}

void shape_pinv(Inference& inference) {
  const Dims& shape = shape_of(inference);
  const Attr& rtol = inference.attrs[1];
  if (inference.in[1].present() && !rtol.get<Ellipsis>()) value_error("`rtol` and `rcond` can't be both set.");
  if (rtol.none() && shape.empty()) value_error("max() arg is an empty sequence");
  if (rtol.none() && !is_inexact(inference.type(0).dtype))
    value_error("data type <class 'numpy." + std::string(name(inference.type(0).dtype)) + "'> not inexact");
  if (as_bool(inference.attrs[0], "hermitian") && !is_empty_matrix(shape))
    require_square(shape);
  else
    require_matrices(shape);
  results(inference, stack_shape(shape), {{columns_of(shape), rows_of(shape)}});
}
void dtype_pinv(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  // numpy returns before it computes, with the dtype as it came.
  inference.results[0].dtype = is_empty_matrix(shape_of(inference)) ? dtype : linalg_dtype({&dtype, 1});
}

void shape_solve(Inference& inference) {
  const Dims &a = shape_of(inference, 0), &b = shape_of(inference, 1);
  require_square(a);
  DType dtypes[] = {inference.type(0).dtype, inference.type(1).dtype};
  linalg_dtype(dtypes);
  std::int64_t n = a.back();
  bool vector = b.size() == 1;
  std::string function = vector ? "solve1" : "solve", signature = vector ? "(m,m),(m)->(m)" : "(m,m),(m,n)->(m,n)";
  if (b.empty())
    value_error(function + ": Input operand 1 does not have enough dimensions (has 0, gufunc core with signature " + signature +
                " requires 2)");
  std::int64_t other = vector ? b[0] : rows_of(b);
  if (other != n)
    value_error(function + ": Input operand 1 has a mismatch in its core dimension 0, with gufunc signature " + signature +
                " (size " + std::to_string(other) + " is different from " + std::to_string(n) + ")");
  Dims stack_a = stack_shape(a), stack_b = vector ? Dims{} : stack_shape(b);
  auto stack = broadcast(stack_a, stack_b);
  if (!stack) {
    auto remapped = [](const Dims& full, const Dims& stacked) {
      auto list = [](const Dims& extents) {
        std::string text;
        for (std::size_t i = 0; i < extents.size(); ++i) text += (i ? "," : "") + std::to_string(extents[i]);
        return text;
      };
      return "(" + list(full) + ")->(" + list(stacked) + ",newaxis,newaxis) ";
    };
    value_error("operands could not be broadcast together with remapped shapes [original->remapped]: " + remapped(a, stack_a) +
                remapped(b, stack_b) + " and requested shape (" + std::to_string(n) + "," + std::to_string(b.back()) + ")");
  }
  if (vector) return results(inference, *stack, {{n}});
  results(inference, *stack, {{n, columns_of(b)}});
}

void check_lstsq(Inference& inference) {
  const Dims& a = shape_of(inference, 0);
  Dims b = shape_of(inference, 1);
  if (b.size() == 1) b.push_back(1);
  require_2d(a);
  require_2d(b);
  if (a[0] != b[0]) linalg_error("Incompatible dimensions");
  DType dtypes[] = {inference.type(0).dtype, inference.type(1).dtype};
  linalg_dtype(dtypes);
}

void shape_det(Inference& inference) {
  const Dims& shape = shape_of(inference);
  require_square(shape);
  if (inference.op.id == OpId::LinalgDet) return results(inference, stack_shape(shape), {{}});
  results(inference, stack_shape(shape), {{}, {}});
  inference.names = &kSlogdetResult;
}

void shape_matrix_power(Inference& inference) {
  require_square(shape_of(inference));
  const Attr& n = inference.attrs[0];
  if (!n.get<std::int64_t>() && !n.get<bool>()) throw Error(ErrorClass::TypeError, "exponent must be an integer");
  results(inference, shape_of(inference), {{}});
}
void dtype_matrix_power(Inference& inference) {
  DType dtype = inference.type(0).dtype;
  inference.results[0].dtype = as_int(inference.attrs[0], "n") < 0 ? linalg_dtype({&dtype, 1}) : dtype;
}

void shape_matrix_rank(Inference& inference) {
  const Dims& shape = shape_of(inference);
  if (inference.in[1].present() && inference.in[2].present()) value_error("`tol` and `rtol` can't be both set.");
  if (shape.size() < 2) return results(inference, {}, {{}});
  if (as_bool(inference.attrs[0], "hermitian")) require_square(shape);
  DType dtype = inference.type(0).dtype;
  linalg_dtype({&dtype, 1});
  // Singular values stand in the last axis, tolerances get one for them.
  Dims values = stack_shape(shape);
  values.push_back(std::min(rows_of(shape), columns_of(shape)));
  for (std::size_t i = 1; i < 3; ++i) {
    if (!inference.in[i].present()) continue;
    Dims tolerance = shape_of(inference, i);
    tolerance.push_back(1);
    std::span<const std::int64_t> shapes[] = {values, tolerance};
    values = broadcast_all(shapes);
  }
  values.pop_back();
  results(inference, values, {{}});
}
void dtype_matrix_rank(Inference& inference) {
  Type& result = inference.results[0];
  result.dtype = DType::Int64;
  // Of what is no matrix numpy answers with a Python int.
  result.kind = shape_of(inference).size() < 2 ? Kind::Weak : result.shape.empty() ? Kind::Scalar : Kind::Array;
}

void shape_cond(Inference& inference) {
  const Dims& shape = shape_of(inference);
  const Attr& p = inference.attrs[0];
  if (is_empty_matrix(shape)) linalg_error("cond is not defined on empty arrays");
  auto number = norm_order(p);
  if (p.none() || (number && std::abs(*number) == 2)) {
    require_matrices(shape);
  } else {
    require_square(shape);
    norm_form(p, Dims{-2, -1}, shape.ssize());
  }
  results(inference, stack_shape(shape), {{}});
}

void shape_multi_dot(Inference& inference) {
  std::size_t n = inference.in.size();
  if (n < 2) value_error("Expecting at least two arrays.");
  if (n == 2) return shape_dot(inference);
  Dims first = shape_of(inference, 0), last = shape_of(inference, n - 1);
  bool from_vector = first.size() == 1, to_vector = last.size() == 1;
  if (from_vector) first = {1, first[0]};
  if (to_vector) last = {last[0], 1};
  auto matrix = [&](std::size_t i) { return i == 0 ? first : i == n - 1 ? last : shape_of(inference, i); };
  for (std::size_t i = 0; i < n; ++i) require_2d(matrix(i));
  for (std::size_t i = 0; i + 1 < n; ++i) dot_axes(matrix(i), matrix(i + 1));
  Dims shape;
  if (!from_vector) shape.push_back(first[0]);
  if (!to_vector) shape.push_back(last[1]);
  results(inference, shape, {{}});
}

std::vector<std::size_t> chain_splits(std::span<const std::int64_t> extents) {
  const std::size_t n = extents.size() - 1;
  std::vector<double> costs(n * n, 0);
  std::vector<std::size_t> splits(n * n, 0);
  auto extent = [&](std::size_t i) { return static_cast<double>(extents[i]); };
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t i = 0; i + length < n; ++i) {
      std::size_t j = i + length;
      double& best = costs[i * n + j] = std::numeric_limits<double>::infinity();
      for (std::size_t k = i; k < j; ++k) {
        double cost = costs[i * n + k] + costs[(k + 1) * n + j] + extent(i) * extent(k + 1) * extent(j + 1);
        if (cost >= best) continue;
        best = cost;
        splits[i * n + j] = k;
      }
    }
  return splits;
}

void shape_expm(Inference& inference) {
  const Dims& shape = shape_of(inference);
  if (shape.size() < 2 && element_count(shape) == 1) return results(inference, {}, {{1, 1}});
  if (shape.size() < 2) linalg_error("The input array must be at least two-dimensional");
  require_square(shape);
  results(inference, shape, {{}});
}
void dtype_expm(Inference& inference) {
  const Dims& shape = shape_of(inference);
  DType dtype = inference.type(0).dtype;
  bool single = element_count(shape) > 0 && shape.size() >= 2 && shape.back() == 1;
  if (shape.size() < 2)
    // numpy's exp of the Python number.
    dtype = is_bool(dtype) ? DType::Float16 : is_complex(dtype) ? DType::Complex128 : DType::Float64;
  else if (single)
    dtype = inexact_dtype(dtype);
  else if (!is_inexact(dtype))
    dtype = DType::Float64;
  else if (dtype == DType::Float16)
    dtype = DType::Float32;
  inference.results[0].dtype = dtype;
}

// ---- dtypes ----

void dtype_linalg(Inference& inference) {
  SmallVector<DType, 4> dtypes;
  for (const OperandType& operand : inference.in)
    if (operand.present()) dtypes.push_back(operand.type->dtype);
  DType dtype = linalg_dtype(dtypes), real = real_dtype(dtype);
  for (Type& result : inference.results) result.dtype = dtype;
  switch (inference.op.id) {
    case OpId::LinalgSvd:
      for (std::size_t i = 0; i < inference.results.size(); ++i)
        if (i == 1 || inference.results.size() == 1) inference.results[i].dtype = real;
      break;
    case OpId::LinalgSvdvals:
    case OpId::LinalgEigh:
    case OpId::LinalgEigvalsh:
    case OpId::LinalgCond: inference.results[0].dtype = real; break;
    case OpId::LinalgSlogdet: inference.results[1].dtype = real; break;
    case OpId::LinalgEig:
    case OpId::LinalgEigvals:
      for (Type& result : inference.results) result.dtype = complex_dtype(dtype);
      break;
    default: break;
  }
}

}  // namespace autoray::ir
