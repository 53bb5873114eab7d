// The matrix exponential by scaling and squaring of a diagonal Pade approximant: N. J. Higham, "The scaling and squaring method
// for the matrix exponential revisited", SIAM J. Matrix Anal. Appl. 26 (2005); the degree and the number of squarings are
// chosen by A. H. Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential", 31 (2009),
// Algorithm 6.1, with exact 1-norms of the powers. Triangular matrices take its Code Fragment 2.1: their diagonals are exact
// exponentials, so that squaring does not lose them.
#include <algorithm>
#include <cmath>

#include "runtime/linalg/linalg.h"
#include "runtime/linalg/stack.h"

namespace autoray::runtime {

using ir::Attr;
using ir::Dims;
using ir::DType;
using ir::OpId;

namespace {

// Coefficients of the numerators p_m = sum b_j x^j; the denominators are p_m(-x).
constexpr double kPade3[] = {120, 60, 12, 1};
constexpr double kPade5[] = {30240, 15120, 3360, 420, 30, 1};
constexpr double kPade7[] = {17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1};
constexpr double kPade9[] = {17643225600, 8821612800, 2075673600, 302702400, 30270240, 2162160, 110880, 3960, 90, 1};
constexpr double kPade13[] = {64764752532480000,
                              32382376266240000,
                              7771770303897600,
                              1187353796428800,
                              129060195264000,
                              10559470521600,
                              670442572800,
                              33522128640,
                              1323241920,
                              40840800,
                              960960,
                              16380,
                              182,
                              1};

struct Degree {
  int m;
  double theta;  // the approximant is accurate to double's roundoff where the norm is at most this
  std::span<const double> coefficients;
};
constexpr Degree kDegrees[] = {
    {3, 1.495585217958292e-002, kPade3},
    {5, 2.539398330063230e-001, kPade5},
    {7, 9.504178996162932e-001, kPade7},
    {9, 2.097847961257068e+000, kPade9},
};
constexpr double kTheta13 = 4.25;

// One matrix, in the dtype that computes (float32 in double).
class Exponential {
 public:
  Exponential(KernelCall& call, Array a) : call_(call), a_(std::move(a)), n_(a_.shape[0]) {}

  template <class T>
  Array compute() {
    bool lower = false, upper = false;
    const T* items = a_.as<T>();
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t j = 0; j < n_; ++j) {
        if (items[i * n_ + j] == T(0)) continue;
        lower |= i > j;
        upper |= i < j;
      }
    if (!lower && !upper) return diagonal<T>();
    Array result = approximated();
    bool triangular = !lower || !upper;
    if (!triangular) {
      for (int k = 0; k < squarings_; ++k) result = product(result, result);
      return result;
    }
    if (squarings_ > 0) set_bands<T>(result, std::ldexp(1.0, -squarings_), upper);
    for (int k = squarings_ - 1; k >= 0; --k) {
      result = product(result, result);
      set_bands<T>(result, std::ldexp(1.0, -k), upper);
    }
    return run(upper ? OpId::Triu : OpId::Tril, {&result});
  }

 private:
  Array run(OpId id, std::initializer_list<const Array*> in, std::initializer_list<Attr> attrs = {}) {
    return call_.runtime.run1(id, call_.backend, in, attrs);
  }
  Array product(const Array& x, const Array& y) {
    call_.runtime.poll();
    return run(OpId::Matmul, {&x, &y});
  }
  Array scaled(const Array& x, double factor) {
    Array item = call_.runtime.allocate(DType::Float64, {});
    *item.as<double>() = factor;
    return run(OpId::Multiply, {&x, &item});
  }
  Array sum(const Array& x, const Array& y) { return run(OpId::Add, {&x, &y}); }
  double norm1(const Array& x) {
    Array value = run(OpId::LinalgNorm, {&x}, {std::int64_t{1}});
    return *value.as<double>();
  }

  template <class T>
  Array diagonal() {
    Array result = call_.runtime.allocate_zeroed(a_.dtype, a_.shape);
    for (std::int64_t i = 0; i < n_; ++i) result.as<T>()[i * (n_ + 1)] = std::exp(a_.as<T>()[i * (n_ + 1)]);
    return result;
  }

  // How many further halvings keep the backward error below roundoff: ell of Algorithm 6.1.
  int extra_halvings(const Array& x, int m, std::span<const double> b) {
    // |c| of the error's leading term: (m!)^2 / ((2 m)! (2 m + 1)!); b[0] is (2 m)! / m!.
    double c = 1 / b[0];
    for (int i = 1; i <= m; ++i) c *= i;
    for (int i = 2; i <= 2 * m + 1; ++i) c /= i;
    Array magnitude = run(OpId::Abs, {&x});
    double base = norm1(magnitude);
    if (base == 0) return 0;
    // The 1-norm of |x|^(2 m + 1): the largest column sum, by vectors.
    Array row = call_.runtime.allocate(DType::Float64, Dims{n_});
    std::fill_n(row.as<double>(), n_, 1.0);
    for (int i = 0; i < 2 * m + 1; ++i) row = product(row, magnitude);
    double power = 0;
    for (std::int64_t i = 0; i < n_; ++i) power = std::max(power, row.as<double>()[i]);
    double alpha = c * power / base;
    if (alpha == 0 || !std::isfinite(alpha)) return 0;
    return std::max(0, static_cast<int>(std::ceil(std::log2(alpha / 0x1p-53) / (2 * m))));
  }

  // r_m(2^-s a); sets squarings_ to s.
  Array approximated() {
    Quiet quiet(call_.runtime);
    powers_[0] = product(a_, a_);
    powers_[1] = product(powers_[0], powers_[0]);
    powers_[2] = product(powers_[1], powers_[0]);
    double d4 = std::pow(norm1(powers_[1]), 1.0 / 4), d6 = std::pow(norm1(powers_[2]), 1.0 / 6);
    double eta = std::max(d4, d6);
    for (const Degree& degree : kDegrees) {
      if (degree.m == 7) {
        powers_[3] = product(powers_[1], powers_[1]);
        eta = std::max(d6, std::pow(norm1(powers_[3]), 1.0 / 8));
      }
      if (eta < degree.theta && extra_halvings(a_, degree.m, degree.coefficients) == 0)
        return quotient(a_, degree.coefficients);
    }
    double d8 = std::pow(norm1(powers_[3]), 1.0 / 8);
    Array tenth = product(powers_[1], powers_[2]);
    double d10 = std::pow(norm1(tenth), 1.0 / 10);
    eta = std::min(std::max(d6, d8), std::max(d8, d10));
    // Of infinities and NaNs there is nothing to scale.
    if (std::isfinite(eta) && eta > 0) squarings_ = std::max(0, static_cast<int>(std::ceil(std::log2(eta / kTheta13))));
    Array x = scaled(a_, std::ldexp(1.0, -squarings_));
    int extra = extra_halvings(x, 13, kPade13);
    if (extra > 0) {
      squarings_ += extra;
      x = scaled(x, std::ldexp(1.0, -extra));
    }
    for (int i = 0; i < 3; ++i) powers_[i] = scaled(powers_[i], std::ldexp(1.0, -2 * (i + 1) * squarings_));
    return quotient13(x);
  }

  // even + odd over even - odd, where odd = x (b1 + b3 x^2 + ...).
  Array quotient(const Array& x, std::span<const double> b) {
    Array even = identity(b[0]), odd = identity(b[1]);
    for (std::size_t j = 2; j < b.size(); j += 2) {
      const Array& power = powers_[j / 2 - 1];
      even = sum(even, scaled(power, b[j]));
      odd = sum(odd, scaled(power, b[j + 1]));
    }
    return solved(even, product(x, odd));
  }
  Array quotient13(const Array& x) {
    auto b = kPade13;
    const Array &x2 = powers_[0], &x4 = powers_[1], &x6 = powers_[2];
    // (b_j + b_(j+2) x^2 + ...) of six coefficients and more, by Horner's rule in x^6.
    auto half = [&](int first) {
      Array high = sum(sum(scaled(x6, b[12 + first]), scaled(x4, b[10 + first])), scaled(x2, b[8 + first]));
      high = product(x6, high);
      Array low = sum(sum(scaled(x6, b[6 + first]), scaled(x4, b[4 + first])), scaled(x2, b[2 + first]));
      return sum(sum(high, low), identity(b[first]));
    };
    return solved(half(0), product(x, half(1)));
  }
  Array identity(double factor) { return scaled(run(OpId::Eye, {}, {n_, {}, std::int64_t{0}, a_.dtype}), factor); }
  Array solved(const Array& even, const Array& odd) {
    Array numerator = sum(even, odd), denominator = run(OpId::Subtract, {&even, &odd});
    try {
      return run(OpId::LinalgSolve, {&denominator, &numerator});
    } catch (const ir::Error& error) {
      // An overflow: scipy's answer is not a number, either.
      if (error.error_class() != ir::ErrorClass::LinAlgError) throw;
      throw ir::Error(ir::ErrorClass::RuntimeError,
                      "scipy.linalg.expm got an internal LAPACK error during the exponential computation (error code 1)");
    }
  }

  // exp(scale a) on the diagonal and beside it.
  template <class T>
  void set_bands(Array& x, double scale, bool upper) {
    const T* a = a_.as<T>();
    T* e = x.as<T>();
    const std::int64_t step = n_ + 1;
    for (std::int64_t i = 0; i < n_; ++i) e[i * step] = std::exp(a[i * step] * scale);
    for (std::int64_t i = 0; i + 1 < n_; ++i) {
      T first = a[i * step] * scale, second = a[(i + 1) * step] * scale;
      std::int64_t at = upper ? i * step + 1 : (i + 1) * step - 1;
      // exp of a 2 x 2 triangle: the divided difference of exp, by sinh where the two are close.
      T mean = (first + second) / 2.0, half = (second - first) / 2.0;
      T difference = half == T(0) ? std::exp(mean) : std::exp(mean) * std::sinh(half) / half;
      e[at] = difference * a[at] * scale;
    }
  }

  KernelCall& call_;
  Array a_;
  std::int64_t n_;
  int squarings_ = 0;
  Array powers_[4];  // x^2, x^4, x^6, x^8
};

}  // namespace

void expm_kernel(KernelCall& call) {
  const Array& a = *call.in[0].array;
  const ir::Type& type = call.types[0];
  std::int64_t n = type.shape.back();
  if (ir::element_count(type.shape) == 0) {
    call.allocate();
    return;
  }
  if (n == 1) {
    Array flat = converted(call.runtime, a, type.dtype);
    Array result = call.runtime.run1(OpId::Exp, call.backend, {&flat});
    try_reshape_view(result, type.shape, call.out[0]);
    return;
  }
  DType computed = ir::is_complex(type.dtype) ? DType::Complex128 : DType::Float64;
  Array source = converted(call.runtime, a, computed);
  Array result = call.runtime.allocate(computed, type.shape);
  std::int64_t bytes = n * n * source.itemsize();
  for (std::int64_t i = 0, count = source.size() / (n * n); i < count; ++i) {
    auto matrix = [&](const Array& stack) {
      Array view = stack;
      view.shape = {n, n};
      view.strides = ir::contiguous_strides(view.shape, view.itemsize());
      view.data += i * bytes;
      return view;
    };
    Exponential exponential(call, matrix(source));
    visit_computed(ir::is_complex(computed),
                   [&]<class T>() { copy_into(call.runtime, exponential.template compute<T>(), matrix(result)); });
  }
  call.out[0] = as_dtype(call, std::move(result), type.dtype);
}

}  // namespace autoray::runtime
