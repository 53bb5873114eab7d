// Compiled functions as a host program calls them.
#include "autoray/compiled.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "autoray/engine.h"
#include "numbers.h"

namespace autoray {
namespace {

std::vector<double> items(const Array& a) {
  std::vector<double> list(static_cast<std::size_t>(a.size()));
  for (std::size_t i = 0; i < list.size(); ++i)
    std::memcpy(&list[i],
                static_cast<const char*>(a.data()) + static_cast<std::int64_t>(i) * (a.shape().empty() ? 0 : a.strides()[0]),
                8);
  return list;
}
using Items = std::vector<double>;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.diagnostic().message;
  }
  return "nothing was thrown";
}

Program program_of(Engine& engine, std::string text) {
  Program program = engine.load("import numpy as np\nfrom autoray import do\n" + std::move(text));
  program.run();
  return program;
}

TEST(Compiled, CallsOfSeveralKinds) {
  Engine engine;
  Program program = program_of(engine, "def f(x, y):\n    return 2 * x + y\n");
  CompiledFunction f = program.jit("f");
  Array one = numbers({1}), three = numbers({1, 2, 3});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(items(f(three, three)), (Items{3, 6, 9}));  // one array twice
    EXPECT_EQ(items(f(three, numbers({5, 6, 7}))), (Items{7, 10, 13}));
    EXPECT_EQ(items(f(three, one)), (Items{3, 5, 7}));
    EXPECT_EQ(items(f(numbers({4}), one)), (Items{9}));
    double memory[6] = {0, 1, 2, 3, 4, 5};
    EXPECT_EQ(items(f(three, Array::view(memory + 4, "float64", {3}, {-16}))), (Items{6, 6, 6}));
  }
  Array first = f(three, one), second = f(three, one);
  EXPECT_NE(first.data(), second.data());
}

TEST(Compiled, ManyKindsAreAllFound) {
  Engine engine;
  CompiledFunction f = program_of(engine, "def f(x):\n    return x + 1\n").jit("f");
  for (int round = 0; round < 2; ++round)
    for (std::size_t n = 1; n < 30; ++n) EXPECT_EQ(items(f(numbers(Items(n, 2.0)))), Items(n, 3.0));
}

TEST(Compiled, SeveralResultsAndViews) {
  Engine engine;
  Program program = program_of(engine, "def f(x):\n    y = x + 1\n    return y, y[::-1], x, x[1:]\n");
  CompiledFunction f = program.jit("f");
  Array x = numbers({1, 2, 3});
  for (int round = 0; round < 2; ++round) {
    std::vector<Array> r = f.call({x});
    ASSERT_EQ(r.size(), 4u);
    EXPECT_EQ(items(r[0]), (Items{2, 3, 4}));
    EXPECT_EQ(items(r[1]), (Items{4, 3, 2}));
    EXPECT_EQ(static_cast<char*>(r[1].data()), static_cast<char*>(r[0].data()) + 16);
    EXPECT_EQ(r[2].data(), x.data());
    EXPECT_EQ(static_cast<char*>(r[3].data()), static_cast<char*>(x.data()) + 8);
    EXPECT_EQ(message_of([&] { f(x); }), "TypeError: the function gives 4 arrays where one is asked for");
  }
}

TEST(Compiled, WritesItsArguments) {
  Engine engine;
  CompiledFunction f = program_of(engine, "def f(x, y):\n    x += y\n    return x\n").jit("f");
  double memory[3] = {1, 2, 3};
  Array x = Array::view(memory, "float64", {3}), y = numbers({10, 20, 30});
  for (int round = 1; round < 4; ++round) {
    EXPECT_EQ(f(x, y).data(), memory);
    EXPECT_EQ(memory[2], 3 + 30 * round);
  }
  // Two views of the host's on the same memory are one array, and overlapping ones are what they are eagerly.
  EXPECT_EQ(items(f(x, Array::view(memory, "float64", {3}))), (Items{62, 124, 186}));
  double more[4] = {1, 2, 3, 4};
  for (int round = 0; round < 2; ++round) {
    double plain[4];
    std::memcpy(plain, more, sizeof plain);
    for (int i = 3; i > 0; --i) plain[i] += plain[i - 1];
    f(Array::view(more + 1, "float64", {3}), Array::view(more, "float64", {3}));
    EXPECT_EQ(0, std::memcmp(more, plain, sizeof plain));
  }
}

TEST(Compiled, IntoTheCallersMemory) {
  Engine engine;
  Program program = program_of(engine, "def f(x):\n    return 2 * x, x.sum()\n\ndef g(x):\n    return x[::-1]\n");
  CompiledFunction f = program.jit("f"), g = program.jit("g");
  Array x = numbers({1, 2, 3});
  for (int round = 0; round < 2; ++round) {
    double memory[6] = {}, sum = 0;
    Array into = Array::view(memory, "float64", {3}), total = Array::view(&sum, "float64", {});
    f.into({into, total}, {x});
    EXPECT_EQ(items(into), (Items{2, 4, 6}));
    EXPECT_EQ(sum, 6);
    f.into({Array::view(memory, "float64", {3}, {16}), total}, {x});
    EXPECT_EQ(memory[4], 6);
    // An output that is the argument; a result that is a view of it.
    f.into({x, total}, {x});
    EXPECT_EQ(items(x), (Items{2, 4, 6}));
    g.into({x}, {x});
    EXPECT_EQ(items(x), (Items{6, 4, 2}));
    x = numbers({1, 2, 3});
    EXPECT_EQ(message_of([&] { f.into({into}, {x}); }), "ValueError: the function gives 2 arrays, not 1");
    EXPECT_EQ(message_of([&] { f.into({into, numbers({1, 2})}, {x}); }),
              "ValueError: output 1 is float64 (2,) where the function gives float64 ()");
    EXPECT_EQ(message_of([&] { f.into({Array::make("float32", {3}), total}, {x}); }),
              "TypeError: output 0 is float32 (3,) where the function gives float64 (3,)");
    EXPECT_EQ(message_of([&] { f.into({Array::view(memory, "float64", {3}, {}, false), total}, {x}); }),
              "ValueError: output 0 is read-only");
  }
}

TEST(Compiled, WhatIsNotCompiledRuns) {
  Engine engine;
  Program program = program_of(engine,
                               "def f(x):\n    return np.linalg.solve(np.outer(x, x) + np.eye(3), x)\n\n"
                               "def g(x):\n    return [x + 1, (x, 3)]\n\n"
                               "def h(x):\n    return float(x.sum()) * x\n");
  CompiledFunction f = program.jit("f"), h = program.jit("h");
  Array x = numbers({1, 0, 0});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(items(f(x)), (Items{0.5, 0, 0}));
    EXPECT_EQ(items(h(x)), (Items{1, 0, 0}));
    EXPECT_NE(message_of([&] { program.jit("g").call({x}); }), "nothing was thrown");
  }
}

TEST(Compiled, ErrorsSayWhatPlainCallsSay) {
  Engine engine;
  Program program = program_of(engine, "def f(x, y):\n    return x + y\n");
  EXPECT_EQ(message_of([&] { program.jit("g"); }), "NameError: the script has no function 'g'");
  EXPECT_EQ(message_of([&] { CompiledFunction()(numbers({1})); }).substr(0, 33), "ValueError: the function is empty");
  CompiledFunction f = program.jit("f");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(message_of([&] { f(numbers({1, 2}), numbers({1, 2, 3})); }),
              "ValueError: operands could not be broadcast together with shapes (2,) (3,) ");
    EXPECT_EQ(message_of([&] { f(numbers({1})); }), "TypeError: f() missing 1 required positional argument: 'y'");
  }
}

TEST(Compiled, WarnsOnceAndRaisesWhenAsked) {
  std::string told;
  Engine engine({.write_stderr = [&](std::string_view text) { told += text; }});
  Program program = program_of(engine, "def f(x):\n    return 1 / x\n\ndef strict():\n    np.seterr(divide='raise')\n");
  CompiledFunction f = program.jit("f");
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(std::isinf(items(f(numbers({0})))[0]));
  EXPECT_EQ(told, "RuntimeWarning: divide by zero encountered in divide\n");
  program.call("strict", std::vector<Named>{});
  Array out = numbers({7});
  EXPECT_EQ(message_of([&] { f.into({out}, {numbers({0})}); }), "FloatingPointError: divide by zero encountered in divide");
  EXPECT_EQ(items(out), Items{7});
}

TEST(Compiled, AFunctionThatIsRegisteredTakesPart) {
  Engine engine;
  CompiledFunction f = program_of(engine, "def f(x):\n    return do('sin', x)\n").jit("f");
  Array x = numbers({0});
  EXPECT_EQ(items(f(x)), Items{0});
  EXPECT_EQ(items(f(x)), Items{0});
  engine.register_function("numpy", "sin", [](Span<const Array>) { return numbers({42}); });
  EXPECT_EQ(items(f(x)), Items{42});
  EXPECT_EQ(items(f(x)), Items{42});
}

TEST(Compiled, OutlivesProgramAndEngineHandles) {
  CompiledFunction f;
  {
    Engine engine;
    f = program_of(engine, "def f(x):\n    return x * x\n").jit("f");
  }
  EXPECT_EQ(items(f(numbers({3}))), Items{9});
  EXPECT_EQ(items(f(numbers({3}))), Items{9});
}

// Eight threads call one function while a hundred others are compiled in the same Engine.
constexpr const char* kCaptures =
    "scale = 2.0\nW = np.ones(3)\n"
    "def f(x):\n    return x * scale + W\n"
    "def acc(x):\n    W[:] = W + x\n    return x * 2\n"
    "def own(x):\n    return W\n"
    "def set_scale(v):\n    global scale\n    scale = float(v[0])\n"
    "def write(v):\n    W[0] = v[0]\n"
    "def rebind(v):\n    global W\n    W = v\n";

TEST(Compiled, ReadsWhatItCapturedAnew) {
  Engine engine;
  Program program = program_of(engine, kCaptures);
  CompiledFunction f = program.jit("f"), acc = program.jit("acc"), own = program.jit("own");
  Array x = numbers({1, 2, 3}), out = numbers({0, 0, 0});
  auto check = [&](const Items& want) {
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(items(f(x)), want);
      f.into({&out, 1}, {&x, 1});
      EXPECT_EQ(items(out), want);
    }
  };
  check({3, 5, 7});
  program.call("set_scale", {numbers({5})});
  check({6, 11, 16});
  program.call("write", {numbers({-5})});
  check({0, 11, 16});
  program.call("rebind", {numbers({10, 20, 30})});
  check({15, 30, 45});
  program.call("set_scale", {numbers({2})});
  check({12, 24, 36});
  program.call("rebind", {numbers({1, 1, 1})});
  check({3, 5, 7});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(items(acc(x)), (Items{2, 4, 6}));
    EXPECT_EQ(items(own(x)), items(program.call("own", {&x, 1}).array()));
  }
  EXPECT_EQ(items(own(x)), (Items{4, 7, 10}));
  check({6, 11, 16});
}

TEST(Compiled, AHostFunctionThatAScriptCallsSeesWhatTheScriptHasChanged) {
  Engine engine;
  CompiledFunction f;
  engine.register_function("numpy", "host", [&](Span<const Array> given) { return f(given[0]); });
  Program program =
      program_of(engine, std::string(kCaptures) +
                             "def loop(x):\n    global scale\n    total = 0 * x\n    for i in range(4):\n"
                             "        scale = float(i)\n        total = total + do('host', x)\n    return total\n");
  f = program.jit("f");
  Array x = numbers({1, 2, 3});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(items(program.call("loop", {&x, 1}).array()), (Items{10, 16, 22}));
    EXPECT_EQ(items(f(x)), (Items{4, 7, 10}));
  }
}

TEST(Compiled, ThreadsCallWhileAScriptChangesWhatTheyRead) {
  Engine engine;
  Program program = program_of(engine, kCaptures);
  CompiledFunction f = program.jit("f");
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      Array x = numbers({1, 2, 3});
      double before = 0;
      while (!done) {
        Items got = items(f(x));
        // Some scale and one W: 1 s + w, 2 s + w, 3 s + w.
        if (got[1] - got[0] != got[2] - got[1] || got[1] - got[0] < before) ++wrong;
        before = got[1] - got[0];
      }
    });
  for (int k = 0; k < 200; ++k) {
    program.call("rebind", {numbers({1.0 * k, 1.0 * k, 1.0 * k})});
    if (k % 50 == 0) program.call("set_scale", {numbers({2.0 + k})});
  }
  done = true;
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Compiled, ThreadsCallWhileOthersCompile) {
  Engine engine;
  std::string text = "def f(x):\n    return 2 * x + 1\n\ndef s(x):\n    return np.linalg.norm(x) * x\n\n";
  constexpr int kFunctions = 100;
  for (int i = 0; i < kFunctions; ++i)
    text += "def g" + std::to_string(i) + "(x):\n    return " + std::to_string(i) + " * x + x * x\n\n";
  Program program = program_of(engine, text);
  CompiledFunction f = program.jit("f"), s = program.jit("s");
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      Array x = numbers({1, 2, static_cast<double>(t)}), out = numbers({0, 0, 0});
      for (int round = 0; round < 10 || !done; ++round) {
        if (items(f(x)) != Items{3, 5, 2.0 * t + 1}) ++wrong;
        f.into(Span<const Array>(&out, 1), Span<const Array>(&x, 1));
        if (items(out) != Items{3, 5, 2.0 * t + 1}) ++wrong;
        if (round % 16 == 0 && items(s(numbers({3, 4}))) != Items{15, 20}) ++wrong;
      }
    });
  std::vector<std::thread> compilers;
  for (int c = 0; c < 2; ++c)
    compilers.emplace_back([&, c] {
      for (int i = c; i < kFunctions; i += 2) {
        CompiledFunction g = program.jit("g" + std::to_string(i));
        if (items(g(numbers({3}))) != Items{3.0 * i + 9}) ++wrong;
        if (items(g(numbers({1, 2}))) != Items{1.0 * i + 1, 2.0 * i + 4}) ++wrong;
      }
    });
  for (std::thread& c : compilers) c.join();
  done = true;
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace autoray
