// STREAM's triad: what one core moves to and from memory. usage: triad N; prints the seconds of a call.
#include "peer.h"

namespace {

[[gnu::noinline]] void triad(double* __restrict a, const double* __restrict b, const double* __restrict c, double s, long n) {
  for (long i = 0; i < n; ++i) a[i] = b[i] + s * c[i];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto n = static_cast<std::size_t>(std::atol(argv[1]));
  std::vector<double> a(n, 1.0), b(n, 2.0), c(n, 3.0);
  std::printf("%.9g\n", seconds_of_call([&] { triad(a.data(), b.data(), c.data(), 0.5, static_cast<long>(n)); }));
  return a[n / 2] == 3.5 ? 0 : 1;
}
