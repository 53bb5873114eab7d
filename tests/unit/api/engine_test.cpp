// The embedding API as a host program uses it.
#include "autoray/engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <thread>

#include "numbers.h"

namespace autoray {
namespace {

double first(const Array& a) { return *static_cast<const double*>(a.data()); }

// The diagnostic of what the function throws.
template <class F>
Diagnostic diagnostic_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_FALSE(error.diagnostic().message.empty());
    return error.diagnostic();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(Array, ViewsOfCallerMemoryCopyNothing) {
  double memory[6] = {0, 1, 2, 3, 4, 5};
  Engine engine;
  Program program = engine.load("def f(x):\n    x[0, 0] = 9.0\n    return x.T\n");
  program.run();
  Array view = Array::view(memory, "float64", {2, 3});
  Array arguments[] = {view};
  Array result = program.call("f", arguments).array();
  EXPECT_EQ(memory[0], 9);
  EXPECT_EQ(result.data(), memory);
  EXPECT_EQ(result.shape(), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(result.strides(), (std::vector<std::int64_t>{8, 24}));
}

TEST(Array, ReadOnlyAndStridedViews) {
  double memory[6] = {0, 1, 2, 3, 4, 5};
  Engine engine;
  Program program = engine.load("def f(x):\n    x[0] = 1\ndef g(x):\n    return x.sum()\n");
  program.run();
  Array locked[] = {Array::view(memory, "float64", {6}, {}, false)};
  EXPECT_NE(diagnostic_of([&] { program.call("f", locked); }).message.find("read-only"), std::string::npos);
  Array backwards[] = {Array::view(memory + 5, "float64", {3}, {-16})};
  EXPECT_EQ(first(program.call("g", backwards).array()), 5 + 3 + 1);
}

TEST(Array, TheDeleterRunsOnceWhenTheLastUserIsGone) {
  int released = 0;
  double memory[3] = {1, 2, 3};
  {
    Value kept;
    {
      Engine engine;
      Program program = engine.load("import numpy as np\nseen = []\ndef f(x):\n    seen.append(x)\n    return x[1:]\n");
      program.run();
      Array arguments[] = {Array::view(memory, "float64", {3}, {}, true, [&] { ++released; })};
      kept = program.call("f", arguments);
      arguments[0] = Array();
      EXPECT_EQ(released, 0);
    }
    EXPECT_EQ(first(kept.array()), 2);
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST(Errors, AreOneTypeThatCarriesTheDiagnostic) {
  Diagnostic syntax = diagnostic_of([] { Engine().load("x = (1,\n", "a.ar"); });
  EXPECT_EQ(syntax.code, "E0103");
  EXPECT_EQ(syntax.status, 3);
  EXPECT_EQ(syntax.line, 1);
  EXPECT_EQ(syntax.column, 5);
  Engine engine;
  Program program = engine.load("import numpy as np\ndef f(x):\n    return x @ np.ones((7, 7))\n", "b.ar");
  program.run();
  Array arguments[] = {numbers({1, 2})};
  Diagnostic shapes = diagnostic_of([&] { program.call("f", arguments); });
  EXPECT_EQ(shapes.status, 1);
  EXPECT_EQ(shapes.line, 3);
  EXPECT_NE(shapes.rendered.find("b.ar:3:"), std::string::npos);
  EXPECT_EQ(diagnostic_of([&] { program.call("g", arguments); }).message.substr(0, 9), "NameError");
  EXPECT_EQ(diagnostic_of([] { Array::make("float65", {1}); }).code, "E0403");
  EXPECT_FALSE(diagnostic_of([] { Engine misspelt({.backend = "eigenn"}); }).message.empty());
  EXPECT_FALSE(diagnostic_of([] { Program().run(); }).message.empty());
  EXPECT_FALSE(diagnostic_of([] { Value().array(); }).message.empty());
  EXPECT_FALSE(diagnostic_of([&] { engine.load_npy("/nowhere/x.npy"); }).message.empty());
}

TEST(Errors, SysExitCarriesItsStatus) {
  Engine engine;
  Program program = engine.load("import sys\ndef f():\n    sys.exit(7)\n");
  EXPECT_EQ(program.run(), 0);
  EXPECT_EQ(diagnostic_of([&] { program.call("f", Span<const Array>()); }).status, 7);
  EXPECT_EQ(Engine().load("import sys\nsys.exit(3)\n").run(), 3);
}

TEST(Call, OperationsCheckTheirOperands) {
  Engine engine;
  Array x = numbers({4, 9});
  Array pair[] = {x, x};
  EXPECT_EQ(first(engine.call("sqrt", Span<const Array>(&x, 1))), 2);
  EXPECT_EQ(first(engine.call("add", pair)), 8);
  EXPECT_EQ(engine.call("concatenate", pair).size(), 4);
  EXPECT_EQ(first(engine.call("sum", Span<const Array>(&x, 1))), 13);
  for (const char* op : {"add", "matmul", "arctan2"})
    EXPECT_EQ(diagnostic_of([&] { engine.call(op, Span<const Array>(&x, 1)); }).message.substr(0, 9), "TypeError") << op;
  EXPECT_EQ(diagnostic_of([&] { engine.call("sqrt", pair); }).message.substr(0, 9), "TypeError");
  EXPECT_FALSE(diagnostic_of([&] { engine.call("sqrrt", pair); }).message.empty());
}

class Registered : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Backends, Registered, testing::Values("numpy", "eigen"));

constexpr const char* kCalls =
    "from autoray import do\nimport numpy as np\ndef call(x):\n    return do('sqrt', x)\n"
    "def direct(x):\n    return np.sqrt(x)\n";

TEST_P(Registered, AFunctionReplacesAnEntry) {
  Engine engine({.backend = GetParam()});
  int calls = 0;
  engine.register_function(GetParam(), "sqrt", [&](Span<const Array> operands) {
    ++calls;
    return numbers({10 * first(operands[0])});
  });
  Program program = engine.load(kCalls);
  program.run();
  Array x[] = {numbers({4})};
  EXPECT_EQ(first(program.call("call", x).array()), 40);
  EXPECT_EQ(calls, 1);
  // The module numpy is numpy's.
  EXPECT_EQ(first(program.call("direct", x).array()), 2);
  EXPECT_EQ(calls, 1);
}

TEST_P(Registered, AWrapperIsGivenWhatItWraps) {
  Engine engine({.backend = GetParam()});
  auto plus = [&](double amount) {
    engine.register_wrapper(GetParam(), "sqrt", [amount](const Engine::Function& old, Span<const Array> operands) {
      return numbers({first(old(operands)) + amount});
    });
  };
  plus(1);
  plus(10);  // a second wrapper wraps the first
  Program program = engine.load(kCalls);
  program.run();
  Array x[] = {numbers({4})};
  EXPECT_EQ(first(program.call("call", x).array()), 13);
}

TEST_P(Registered, AScriptReplacesAndWrapsToo) {
  Engine engine({.backend = GetParam()});
  std::string backend = GetParam();
  Program program = engine.load(std::string(kCalls) + "from autoray import register_function\n" + "register_function('" +
                                backend + "', 'sqrt', lambda x: 3 * x)\n" + "register_function('" + backend +
                                "', 'sqrt', lambda f: lambda x: f(x) + 1, wrap=True)\n");
  program.run();
  Array x[] = {numbers({4})};
  EXPECT_EQ(first(program.call("call", x).array()), 13);
}

TEST_P(Registered, WhatItThrowsIsTheScriptsException) {
  Engine engine({.backend = GetParam()});
  engine.register_function(GetParam(), "sqrt", [](Span<const Array>) -> Array { throw std::runtime_error("no root today"); });
  engine.register_function(GetParam(), "exp", [&](Span<const Array> operands) {
    Array pair[] = {operands[0], numbers({1, 2, 3})};
    return engine.call("add", pair);
  });
  Program program = engine.load(
      "from autoray import do\ndef caught(x):\n    try:\n        do('sqrt', x)\n    except RuntimeError as e:\n        return "
      "len(str(e))\n"
      "def shapes(x):\n    try:\n        do('exp', x)\n    except ValueError as e:\n        return 1\n"
      "def keyword(x):\n    return do('exp', x, axis=0)\ndef uncaught(x):\n    return do('sqrt', x)\n");
  program.run();
  Array x[] = {numbers({4, 5})};
  EXPECT_EQ(program.call("caught", x).repr(), "13");
  EXPECT_EQ(program.call("shapes", x).repr(), "1");
  EXPECT_EQ(diagnostic_of([&] { program.call("keyword", x); }).message.substr(0, 9), "TypeError");
  EXPECT_EQ(diagnostic_of([&] { program.call("uncaught", x); }).message, "RuntimeError: no root today");
}

TEST_P(Registered, ResultsBelongToTheBackend) {
  Engine engine({.backend = GetParam()});
  engine.register_function(GetParam(), "sqrt", [](Span<const Array> operands) { return operands[0]; });
  Program program = engine.load("from autoray import do, infer_backend\ndef f(x):\n    return infer_backend(do('sqrt', x))\n");
  program.run();
  Array x[] = {numbers({4})};
  EXPECT_EQ(program.call("f", x).repr(), "'" + std::string(GetParam()) + "'");
}

TEST(Engines, AreIndependentInAnyOrder) {
  auto a = std::make_unique<Engine>();
  auto b = std::make_unique<Engine>(EngineOptions{.backend = "eigen"});
  const char* cycle = "x = []\nx.append(x)\ndef f():\n    y = {}\n    y['me'] = y\n    return [1, 2]\n";
  Program p = a->load(cycle), q = b->load(cycle);
  p.run();
  q.run();
  Value kept = p.call("f", Span<const Array>());
  a.reset();
  EXPECT_EQ(q.call("f", Span<const Array>()).items().size(), 2u);
  auto c = std::make_unique<Engine>();
  b.reset();
  EXPECT_EQ(c->load("x = 1\n").run(), 0);
  EXPECT_EQ(kept.repr(), "[1, 2]");
}

TEST(Engines, OneHoldsSeveralPrograms) {
  Engine engine;
  Program p = engine.load("def f():\n    return 1\n", "p.ar"), q = engine.load("def f():\n    return 2\n", "q.ar");
  p.run();
  q.run();
  EXPECT_EQ(p.call("f", Span<const Array>()).repr(), "1");
  EXPECT_EQ(q.call("f", Span<const Array>()).repr(), "2");
  EXPECT_EQ(p.functions().size(), 1u);
}

TEST(Engines, MayMoveBetweenThreads) {
  Engine engine;
  Program program =
      engine.load("def depth(n):\n    return 0 if n == 0 else 1 + depth(n - 1)\ndef f():\n    return depth(500)\n");
  program.run();
  std::string text;
  std::thread([&] { text = program.call("f", Span<const Array>()).repr(); }).join();
  EXPECT_EQ(text, "500");
}

TEST(Engines, RunInManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::string> answers(4);
  for (std::size_t t = 0; t < answers.size(); ++t)
    threads.emplace_back([t, &answers] {
      Engine engine({.backend = t % 2 ? "eigen" : "numpy"});
      Program program = engine.load("import numpy as np\ndef f():\n    a = np.arange(" + std::to_string(100 + t) +
                                    ".0)\n    return float((a @ a + np.sqrt(a).sum() * 0) // 1)\n");
      program.run();
      for (int i = 0; i < 20; ++i) answers[t] = program.call("f", Span<const Array>()).repr();
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < answers.size(); ++t) {
    double n = 100 + static_cast<double>(t), want = (n - 1) * n * (2 * n - 1) / 6;
    EXPECT_EQ(std::stod(answers[t]), want);
  }
}

TEST(Stop, ComesFromAnotherThread) {
  for (auto [reason, status] : {std::pair{Engine::Stop::Interrupt, 130}, {Engine::Stop::Timeout, 5}}) {
    Engine engine;
    Program program = engine.load("while True:\n    try:\n        x = 1\n    except ValueError:\n        pass\n");
    auto start = std::chrono::steady_clock::now();
    std::thread stopper([&, why = reason] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      engine.request_stop(why);
    });
    EXPECT_EQ(diagnostic_of([&] { program.run(); }).status, status);
    stopper.join();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    // The engine goes on afterwards.
    EXPECT_FALSE(engine.stop_requested());
    EXPECT_EQ(engine.load("x = 1\n").run(), 0);
  }
}

TEST(Stop, TheEndOfTheTimeCannotBeCaught) {
  Engine engine;
  Program program = engine.load(
      "def f():\n    while True:\n        try:\n            while True:\n                x = 1\n        except BaseException:\n"
      "            pass\n        finally:\n            while True:\n                y = 2\nf()\n");
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    engine.request_stop(Engine::Stop::Timeout);
  });
  EXPECT_EQ(diagnostic_of([&] { program.run(); }).status, 5);
  stopper.join();
}

TEST(Values, LiteralsAreData) {
  Engine engine;
  EXPECT_EQ(engine.literal("3").repr(), "3");
  EXPECT_EQ(engine.literal("[1.5, 'a', (None, True)]").repr(), "[1.5, 'a', (None, True)]");
  EXPECT_TRUE(engine.literal("-2.5e3").is_number());
  EXPECT_TRUE(engine.literal("(1, 2)").is_tuple());
  EXPECT_FALSE(engine.literal("[1, 2]").is_tuple());
  for (const char* text : {"", "1 +", "lambda: 0", "len", "x", "1\nimport sys", "[print]", "1; 2"})
    EXPECT_FALSE(diagnostic_of([&] { engine.literal(text); }).message.empty()) << text;
}

TEST(Values, MemoryIsLimitedAndCounted) {
  Engine engine({.max_memory = 1 << 20});
  Program program = engine.load("import numpy as np\ndef f(n):\n    return np.zeros(n).sum()\n");
  program.run();
  EXPECT_EQ(program.call("f", {{"n", engine.literal("1000")}}).repr(), "np.float64(0.0)");
  EXPECT_GE(engine.peak_memory(), 8000);
  Diagnostic limit = diagnostic_of([&] { program.call("f", {{"n", engine.literal("10**6")}}); });
  EXPECT_EQ(limit.code, "E0703");
  EXPECT_EQ(limit.status, 5);
}

TEST(Tables, ErrorCodesAndOperations) {
  EXPECT_TRUE(explain_error("E0401"));
  EXPECT_TRUE(explain_error("e0101"));
  EXPECT_FALSE(explain_error("E0999"));
  EXPECT_FALSE(explain_error(""));
  EXPECT_GT(operations().size(), 150u);
  EXPECT_EQ(did_you_mean("eign", backend_names()), "eigen");
}

}  // namespace
}  // namespace autoray
