// Cholesky's factor and forward substitution by hand. usage: triangular VARIANT N OPERANDS RESULT; prints the seconds of a
// call.
#include "peer.h"

#include <cmath>
#include <string>

namespace {

[[gnu::noinline]] void cholesky(const double* __restrict A, double* __restrict L, int n) {
  for (int i = 0; i < n * n; ++i) L[i] = 0;
  for (int j = 0; j < n; ++j) {
    const double* row = L + j * n;
    double d = A[j * n + j];
    for (int k = 0; k < j; ++k) d -= row[k] * row[k];
    d = std::sqrt(d);
    L[j * n + j] = d;
    double inverse = 1 / d;
    for (int i = j + 1; i < n; ++i) {
      const double* other = L + i * n;
      double s = A[i * n + j];
      for (int k = 0; k < j; ++k) s -= other[k] * row[k];
      L[i * n + j] = s * inverse;
    }
  }
}

[[gnu::noinline]] void forward(const double* __restrict L, const double* __restrict b, double* __restrict x, int n) {
  for (int i = 0; i < n; ++i) {
    double s = b[i];
    for (int k = 0; k < i; ++k) s -= L[i * n + k] * x[k];
    x[i] = s / L[i * n + i];
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  std::string variant = argv[1];
  int n = std::atoi(argv[2]);
  std::vector<double> A = read_file<double>(argv[3]);
  auto size = static_cast<std::size_t>(n);
  std::vector<double> result(variant == "cholesky" ? size * size : size);
  if (variant == "cholesky")
    std::printf("%.9g\n", seconds_of_call([&] { cholesky(A.data(), result.data(), n); }));
  else if (variant == "forward")
    std::printf("%.9g\n", seconds_of_call([&] { forward(A.data(), A.data() + size * size, result.data(), n); }));
  else
    return 2;
  write_file(argv[4], result);
}
