// Two cyclic Jacobi sweeps by hand. usage: jacobi VARIANT N OPERANDS RESULT; prints the seconds of a call.
#include "peer.h"

#include <cmath>

namespace {

// Rotates two vectors whose items lie `step` apart.
inline void rotate(double* __restrict x, double* __restrict y, double c, double s, int n, int step) {
  for (int k = 0; k < n; ++k) {
    double a = x[k * step], b = y[k * step];
    x[k * step] = c * a - s * b;
    y[k * step] = s * a + c * b;
  }
}

[[gnu::noinline]] void sweeps(const double* __restrict X, double* __restrict A, double* __restrict V, int n) {
  for (int i = 0; i < n * n; ++i) A[i] = X[i];
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) V[i * n + j] = i == j;
  for (int sweep = 0; sweep < 2; ++sweep)
    for (int p = 0; p < n - 1; ++p)
      for (int q = p + 1; q < n; ++q) {
        double theta = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
        double t = std::copysign(1.0, theta) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        double c = 1 / std::sqrt(t * t + 1), s = t * c;
        rotate(A + p * n, A + q * n, c, s, n, 1);
        rotate(A + p, A + q, c, s, n, n);
        rotate(V + p * n, V + q * n, c, s, n, 1);
      }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  int n = std::atoi(argv[2]);
  std::vector<double> X = read_file<double>(argv[3]), result(2 * X.size());
  std::printf("%.9g\n", seconds_of_call([&] { sweeps(X.data(), result.data(), result.data() + X.size(), n); }));
  write_file(argv[4], result);
}
