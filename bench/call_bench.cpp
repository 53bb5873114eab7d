// What one call of an operation costs a C++ program, beyond the arithmetic: three elements.
#include <benchmark/benchmark.h>

#include <vector>

#include "autoray/engine.h"

namespace {

autoray::Array vector_of_three() {
  autoray::Array x = autoray::Array::make("float64", {3});
  auto* items = static_cast<double*>(x.data());
  for (int i = 0; i < 3; ++i) items[i] = i + 1.5;
  return x;
}

void sqrt_of_three(benchmark::State& state) {
  autoray::Engine engine;
  const autoray::Array x = vector_of_three();
  for (auto _ : state) benchmark::DoNotOptimize(engine.call("sqrt", autoray::Span<const autoray::Array>(&x, 1)));
}
BENCHMARK(sqrt_of_three);

void add_three(benchmark::State& state) {
  autoray::Engine engine;
  const autoray::Array operands[] = {vector_of_three(), vector_of_three()};
  for (auto _ : state) benchmark::DoNotOptimize(engine.call("add", operands));
}
BENCHMARK(add_three);

void compiled_of_three(benchmark::State& state) {
  autoray::Engine engine;
  autoray::Program program = engine.load("def f(x):\n    return 2 * x + 1\n");
  program.run();
  autoray::CompiledFunction f = program.jit("f");
  const autoray::Array x = vector_of_three();
  for (auto _ : state) benchmark::DoNotOptimize(f(x));
}
BENCHMARK(compiled_of_three);

void compiled_of_three_into(benchmark::State& state) {
  autoray::Engine engine;
  autoray::Program program = engine.load("def f(x):\n    return 2 * x + 1\n");
  program.run();
  autoray::CompiledFunction f = program.jit("f");
  const autoray::Array x = vector_of_three(), y = vector_of_three();
  for (auto _ : state) f.into({&y, 1}, {&x, 1});
}
BENCHMARK(compiled_of_three_into);

}  // namespace

BENCHMARK_MAIN();
