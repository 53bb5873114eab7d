// A simulation in C++ whose physics is a script: heat along a bar, on memory that the host owns.
#include <autoray/engine.h>

#include <cstdio>
#include <vector>

static const char* kPhysics = R"(
import numpy as np

def step(u, k):
    flow = u[1:] - u[:-1]
    new = u.copy()
    new[1:-1] += k * (flow[1:] - flow[:-1])
    return new

def energy(u):
    return np.sum(u)
)";

int main() {
  try {
    autoray::Engine engine;
    autoray::Program program = engine.load(kPhysics, "physics.ar");
    program.run();

    std::vector<double> bar(64, 0.0), next(64);
    bar[32] = 1.0;
    double k = 0.25;
    autoray::Array state = autoray::Array::view(bar.data(), "float64", {64});
    autoray::Array out = autoray::Array::view(next.data(), "float64", {64});
    autoray::Array rate = autoray::Array::view(&k, "float64", {});
    autoray::CompiledFunction step = program.jit("step");
    for (int i = 0; i < 100; ++i) {
      step.into({out}, {state, rate});
      bar = next;
    }
    autoray::Array energy = program.call("energy", {state}).array();
    std::printf("energy %.12f, middle %.12f\n", *static_cast<double*>(energy.data()), bar[32]);

    // What a script does wrong is an exception with the place and a hint.
    try {
      program.call("step", {state});
    } catch (const autoray::Error& error) {
      std::printf("%s\n", error.what());
    }
  } catch (const autoray::Error& error) {
    std::fputs(error.diagnostic().rendered.c_str(), stderr);
    return error.diagnostic().status;
  }
}
