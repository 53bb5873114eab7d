// Compiles a new function each round, calls it and frees it; prints by how many bytes that grew the process.
//
//   memory WARM ROUNDS
#include <autoray/engine.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

static const char* kScript = R"(
import numpy as np
from autoray import autojit

def compiled(k):
    @autojit
    def f(x):
        return x * k + np.sqrt(x)

    return f

def once(k, x):
    return compiled(k)(x)
)";

static long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int main(int argc, char** argv) {
  const long warm = argc > 1 ? std::atol(argv[1]) : 1000, rounds = argc > 2 ? std::atol(argv[2]) : 10000;
  autoray::EngineOptions options;
  options.kernel_cache = "off";
  autoray::Engine engine(std::move(options));
  autoray::Program program = engine.load(kScript, "memory.ar");
  program.run();
  double x[3] = {1, 4, 9};
  const autoray::Value argument = engine.value(autoray::Array::view(x, "float64", {3}));
  long before = 0;
  for (long round = 0; round < warm + rounds; ++round) {
    if (round == warm) before = resident_bytes();
    double k = 1.0 + static_cast<double>(round) / 3;
    autoray::Array y = program.call("once", {{"k", engine.literal(std::to_string(k))}, {"x", argument}}).array();
    double want = 4 * std::stod(std::to_string(k)) + 2, got = static_cast<const double*>(y.data())[1];
    if (got != want) {
      std::fprintf(stderr, "round %ld: %.17g, not %.17g\n", round, got, want);
      return 1;
    }
  }
  std::printf("%ld\n", resident_bytes() - before);
}
