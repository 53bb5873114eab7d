// LAPACK's routines, the ones that numpy calls: signs of vectors and orders of values agree with it.
#include <algorithm>
#include <climits>

#include "ir/error.h"
#include "runtime/contract/blas.h"
#include "runtime/linalg/drivers.h"
#include "runtime/runtime.h"

namespace autoray::runtime {

void* Workspace::bytes(std::size_t slot, std::int64_t count) {
  if (arrays_.size() <= slot) arrays_.resize(slot + 1);
  Array& array = arrays_[slot];
  // Never empty: libraries want an address.
  std::int64_t items = std::max<std::int64_t>(1, (count + 7) / 8);
  if (!array.data || array.size() < items) array = runtime_.allocate(ir::DType::Float64, ir::Dims{items});
  return array.data;
}

namespace {

using Complex = std::complex<double>;
using Int = const int*;

// Fortran passes everything by address, and the length of every text behind the arguments.
template <class T>
struct Routines;
template <>
struct Routines<double> {
  void (*gesdd)(const char*, Int, Int, double*, Int, double*, double*, Int, double*, Int, double*, Int, int*, int*,
                std::size_t);
  void (*geqrf)(Int, Int, double*, Int, double*, double*, Int, int*);
  void (*orgqr)(Int, Int, Int, double*, Int, const double*, double*, Int, int*);
  void (*geev)(const char*, const char*, Int, double*, Int, double*, double*, double*, Int, double*, Int, double*, Int, int*,
               std::size_t, std::size_t);
  void (*syevd)(const char*, const char*, Int, double*, Int, double*, double*, Int, int*, Int, int*, std::size_t, std::size_t);
  void (*getrf)(Int, Int, double*, Int, int*, int*);
  void (*gesv)(Int, Int, double*, Int, int*, double*, Int, int*);
  void (*potrf)(const char*, Int, double*, Int, int*, std::size_t);
  void (*gelsd)(Int, Int, Int, double*, Int, double*, Int, double*, const double*, int*, double*, Int, int*, int*);
};
template <>
struct Routines<Complex> {
  void (*gesdd)(const char*, Int, Int, Complex*, Int, double*, Complex*, Int, Complex*, Int, Complex*, Int, double*, int*, int*,
                std::size_t);
  void (*geqrf)(Int, Int, Complex*, Int, Complex*, Complex*, Int, int*);
  void (*orgqr)(Int, Int, Int, Complex*, Int, const Complex*, Complex*, Int, int*);
  void (*geev)(const char*, const char*, Int, Complex*, Int, Complex*, Complex*, Int, Complex*, Int, Complex*, Int, double*,
               int*, std::size_t, std::size_t);
  void (*syevd)(const char*, const char*, Int, Complex*, Int, double*, Complex*, Int, double*, Int, int*, Int, int*,
                std::size_t, std::size_t);
  void (*getrf)(Int, Int, Complex*, Int, int*, int*);
  void (*gesv)(Int, Int, Complex*, Int, int*, Complex*, Int, int*);
  void (*potrf)(const char*, Int, Complex*, Int, int*, std::size_t);
  void (*gelsd)(Int, Int, Int, Complex*, Int, Complex*, Int, double*, const double*, int*, Complex*, Int, double*, int*, int*);
};

template <class F>
void load(const Blas& blas, F*& routine, const char* name) {
  routine = blas.function<F>(name);
}

template <class T>
const Routines<T>& routines() {
  static const Routines<T> table = [] {
    const Blas& blas = *Blas::get();
    Routines<T> r;
    constexpr bool real = std::is_same_v<T, double>;
    load(blas, r.gesdd, real ? "dgesdd_" : "zgesdd_");
    load(blas, r.geqrf, real ? "dgeqrf_" : "zgeqrf_");
    load(blas, r.orgqr, real ? "dorgqr_" : "zungqr_");
    load(blas, r.geev, real ? "dgeev_" : "zgeev_");
    load(blas, r.syevd, real ? "dsyevd_" : "zheevd_");
    load(blas, r.getrf, real ? "dgetrf_" : "zgetrf_");
    load(blas, r.gesv, real ? "dgesv_" : "zgesv_");
    load(blas, r.potrf, real ? "dpotrf_" : "zpotrf_");
    load(blas, r.gelsd, real ? "dgelsd_" : "zgelsd_");
    return r;
  }();
  return table;
}

// Every driver's slots of the workspace.
enum Slot : std::size_t { kWork, kRealWork, kIntegerWork, kParts };

int lwork_of(double answer) {
  if (answer > INT_MAX)
    throw ir::Error(ir::ErrorClass::ValueError,
                    "Too large work array required -- computation cannot be performed with standard 32-bit LAPACK.");
  return static_cast<int>(answer);
}
// call(work, lwork): with -1 it answers in work[0] how much it wants.
template <class T, class Call>
void with_work(Workspace& space, const Call& call) {
  if (space.wanted[0] == 0) {
    T answer = 0;
    call(&answer, -1);
    space.wanted[0] = std::max(1, lwork_of(std::real(answer)));
  }
  call(space.array<T>(kWork, space.wanted[0]), static_cast<int>(space.wanted[0]));
}

template <class T>
bool svd(Workspace& space, SvdVectors vectors, int m, int n, T* a, double* s, T* u, T* vh) {
  const char job = static_cast<char>(vectors);
  std::int64_t k = std::min(m, n), l = std::max(m, n);
  int lda = m, ldu = m, ldvh = vectors == SvdVectors::Thin ? static_cast<int>(k) : n, info = 0;
  int* integers = space.array<int>(kIntegerWork, 8 * k);
  with_work<T>(space, [&](T* work, int lwork) {
    if constexpr (std::is_same_v<T, double>) {
      routines<T>().gesdd(&job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, &lwork, integers, &info, 1);
    } else {
      double* reals = space.array<double>(
          kRealWork, vectors == SvdVectors::None ? 7 * k : std::max(5 * k * k + 5 * k, 2 * l * k + 2 * k * k + k));
      routines<T>().gesdd(&job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, &lwork, reals, integers, &info, 1);
    }
  });
  return info == 0;
}

template <class T>
bool qr_factor(Workspace& space, int m, int n, T* a, T* tau) {
  int info = 0;
  with_work<T>(space, [&](T* work, int lwork) { routines<T>().geqrf(&m, &n, a, &m, tau, work, &lwork, &info); });
  return info == 0;
}
template <class T>
bool qr_form(Workspace& space, int m, int columns, int k, T* q, const T* tau) {
  int info = 0;
  with_work<T>(space, [&](T* work, int lwork) { routines<T>().orgqr(&m, &columns, &k, q, &m, tau, work, &lwork, &info); });
  return info == 0;
}

bool eig_real(Workspace& space, int n, double* a, Complex* w, Complex* v) {
  const char left = 'N', right = v ? 'V' : 'N';
  const std::int64_t size = n;
  double* parts = space.array<double>(kParts, 2 * size + (v ? size * size : 0));
  double *re = parts, *im = parts + size, *vectors = parts + 2 * size;
  int one = 1, info = 0;
  with_work<double>(space, [&](double* work, int lwork) {
    routines<double>().geev(&left, &right, &n, a, &n, re, im, nullptr, &one, vectors, &n, work, &lwork, &info, 1, 1);
  });
  if (info != 0) return false;
  for (std::int64_t j = 0; j < size; ++j) w[j] = {re[j], im[j]};
  // A conjugate pair of vectors comes as its real and its imaginary part.
  for (std::int64_t j = 0; v && j < size; ++j) {
    const double* x = vectors + j * size;
    if (im[j] == 0 || j + 1 == size) {
      for (std::int64_t i = 0; i < size; ++i) v[j * size + i] = x[i];
      continue;
    }
    for (std::int64_t i = 0; i < size; ++i) {
      v[j * size + i] = {x[i], x[size + i]};
      v[(j + 1) * size + i] = {x[i], -x[size + i]};
    }
    ++j;
  }
  return true;
}
bool eig_complex(Workspace& space, int n, Complex* a, Complex* w, Complex* v) {
  const char left = 'N', right = v ? 'V' : 'N';
  int one = 1, info = 0;
  double* reals = space.array<double>(kRealWork, 2 * std::int64_t{n});
  with_work<Complex>(space, [&](Complex* work, int lwork) {
    routines<Complex>().geev(&left, &right, &n, a, &n, w, nullptr, &one, v, v ? &n : &one, work, &lwork, reals, &info, 1, 1);
  });
  return info == 0;
}

template <class T>
bool eigh(Workspace& space, char triangle, bool vectors, int n, T* a, double* w) {
  const char job = vectors ? 'V' : 'N';
  int info = 0;
  auto call = [&](T* work, int lwork, double* reals, int lreals, int* integers, int lintegers) {
    if constexpr (std::is_same_v<T, double>)
      routines<T>().syevd(&job, &triangle, &n, a, &n, w, work, &lwork, integers, &lintegers, &info, 1, 1);
    else
      routines<T>().syevd(&job, &triangle, &n, a, &n, w, work, &lwork, reals, &lreals, integers, &lintegers, &info, 1, 1);
  };
  // LAPACK's documented sizes; only the first may be larger to advantage.
  const std::int64_t size = n;
  const std::int64_t lreals = vectors ? 1 + 5 * size + 2 * size * size : size;
  const std::int64_t lintegers = vectors ? 3 + 5 * size : 1;
  if (lreals > INT_MAX) lwork_of(static_cast<double>(lreals));
  int* integers = space.array<int>(kIntegerWork, lintegers);
  double* reals = std::is_same_v<T, double> ? nullptr : space.array<double>(kRealWork, lreals);
  with_work<T>(space, [&](T* work, int lwork) {
    bool query = lwork == -1;
    double real_answer = 0;
    int integer_answer = 0;
    if (query)
      call(work, -1, &real_answer, -1, &integer_answer, -1);
    else
      call(work, lwork, reals, static_cast<int>(lreals), integers, static_cast<int>(lintegers));
  });
  return info == 0;
}

template <class T>
bool lu(Workspace&, int n, T* a, int* pivots) {
  int info = 0;
  routines<T>().getrf(&n, &n, a, &n, pivots, &info);
  return info == 0;
}
template <class T>
bool solve(Workspace& space, int n, int right_sides, T* a, T* b) {
  int info = 0;
  routines<T>().gesv(&n, &right_sides, a, &n, space.array<int>(kIntegerWork, n), b, &n, &info);
  return info == 0;
}
template <class T>
bool cholesky(Workspace&, char triangle, int n, T* a) {
  int info = 0;
  routines<T>().potrf(&triangle, &n, a, &n, &info, 1);
  return info == 0;
}

template <class T>
bool lstsq(Workspace& space, int m, int n, int right_sides, T* a, T* b, double rcond, double* s, int& rank) {
  int ldb = std::max(m, n), info = 0;
  if (space.wanted[0] == 0) {
    T answer = 0;
    double real_answer = 0;
    int integer_answer = 0, ask = -1;
    if constexpr (std::is_same_v<T, double>)
      routines<T>().gelsd(&m, &n, &right_sides, a, &m, b, &ldb, s, &rcond, &rank, &answer, &ask, &integer_answer, &info);
    else
      routines<T>().gelsd(&m, &n, &right_sides, a, &m, b, &ldb, s, &rcond, &rank, &answer, &ask, &real_answer, &integer_answer,
                          &info);
    if (info != 0) return false;
    space.wanted[0] = std::max(1, lwork_of(std::real(answer)));
    space.wanted[1] = std::max(1, lwork_of(real_answer));
    space.array<int>(kIntegerWork, std::max(1, integer_answer));
  }
  int lwork = static_cast<int>(space.wanted[0]);
  T* work = space.array<T>(kWork, lwork);
  int* integers = space.array<int>(kIntegerWork, 1);
  if constexpr (std::is_same_v<T, double>)
    routines<T>().gelsd(&m, &n, &right_sides, a, &m, b, &ldb, s, &rcond, &rank, work, &lwork, integers, &info);
  else
    routines<T>().gelsd(&m, &n, &right_sides, a, &m, b, &ldb, s, &rcond, &rank, work, &lwork,
                        space.array<double>(kRealWork, space.wanted[1]), integers, &info);
  return info == 0;
}

template <class T>
constexpr MatrixDrivers<T> matrix_drivers(bool (*eig)(Workspace&, int, T*, Complex*, Complex*)) {
  return {svd<T>, qr_factor<T>, qr_form<T>, eig, eigh<T>, lu<T>, solve<T>, cholesky<T>, lstsq<T>};
}
constexpr Drivers kLapack = {"LAPACK", matrix_drivers<double>(eig_real), matrix_drivers<Complex>(eig_complex)};

}  // namespace

const Drivers& lapack_drivers(Runtime& runtime) {
  if (Blas::get()) return kLapack;
  runtime.warn(ir::ErrorClass::RuntimeWarning,
               "OpenBLAS cannot be loaded (" + Blas::why() + "); decompositions are computed by Eigen");
  return eigen_drivers(runtime);
}

}  // namespace autoray::runtime
