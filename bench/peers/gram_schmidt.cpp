// Gram-Schmidt by hand. usage: gram_schmidt VARIANT N OPERANDS RESULT; prints the seconds of a call.
#include "peer.h"

#include <cmath>
#include <complex>
#include <string>

namespace {

double conj(double x) { return x; }
float conj(float x) { return x; }
double squared(double x) { return x * x; }
float squared(float x) { return x * x; }
double squared(std::complex<double> x) { return x.real() * x.real() + x.imag() * x.imag(); }

template <class T>
[[gnu::noinline]] void modified(const T* __restrict X, T* __restrict Q, int n) {
  for (int j = 0; j < n; ++j) {
    T* q = Q + j * n;
    for (int k = 0; k < n; ++k) q[k] = X[j * n + k];
    for (int i = 0; i < j; ++i) {
      const T* p = Q + i * n;
      T r = 0;
      for (int k = 0; k < n; ++k) r += conj(p[k]) * q[k];
      for (int k = 0; k < n; ++k) q[k] -= r * p[k];
    }
    auto s = squared(q[0]);
    for (int k = 1; k < n; ++k) s += squared(q[k]);
    s = 1 / std::sqrt(s);
    for (int k = 0; k < n; ++k) q[k] *= s;
  }
}

[[gnu::noinline]] void classical(const double* __restrict X, double* __restrict Q, int n) {
  for (int j = 0; j < n; ++j) {
    const double* x = X + j * n;
    double* q = Q + j * n;
    for (int k = 0; k < n; ++k) q[k] = x[k];
    for (int i = 0; i < j; ++i) {
      const double* p = Q + i * n;
      double r = 0;
      for (int k = 0; k < n; ++k) r += p[k] * x[k];
      for (int k = 0; k < n; ++k) q[k] -= r * p[k];
    }
    double s = 0;
    for (int k = 0; k < n; ++k) s += q[k] * q[k];
    s = 1 / std::sqrt(s);
    for (int k = 0; k < n; ++k) q[k] *= s;
  }
}

// Columns are worked on where they lie together.
[[gnu::noinline]] void columns(const double* __restrict X, double* __restrict Q, double* __restrict work, int n) {
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j) work[j * n + k] = X[k * n + j];
  for (int j = 0; j < n; ++j) {
    double* q = work + j * n;
    for (int i = 0; i < j; ++i) {
      const double* p = work + i * n;
      double r = 0;
      for (int k = 0; k < n; ++k) r += p[k] * q[k];
      for (int k = 0; k < n; ++k) q[k] -= r * p[k];
    }
    double s = 0;
    for (int k = 0; k < n; ++k) s += q[k] * q[k];
    s = 1 / std::sqrt(s);
    for (int k = 0; k < n; ++k) q[k] *= s;
  }
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j) Q[k * n + j] = work[j * n + k];
}

template <class T, class Function>
int measure(int n, char** files, Function f) {
  std::vector<T> X = read_file<T>(files[0]), Q(X.size());
  std::printf("%.9g\n", seconds_of_call([&] { f(X.data(), Q.data(), n); }));
  write_file(files[1], Q);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::string variant = argv[1];
  int n = std::atoi(argv[2]);
  char** files = argv + 3;
  if (variant == "modified") return measure<double>(n, files, modified<double>);
  if (variant == "complex") return measure<std::complex<double>>(n, files, modified<std::complex<double>>);
  if (variant == "float32") return measure<float>(n, files, modified<float>);
  if (variant == "classical") return measure<double>(n, files, classical);
  std::vector<double> work(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  if (variant == "columns")
    return measure<double>(n, files, [&](const double* X, double* Q, int m) { columns(X, Q, work.data(), m); });
  return 2;
}
