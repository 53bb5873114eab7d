// Where problems are found: code, line and column of what the parser and the resolver refuse.
#include "frontend/parser.h"

#include <gtest/gtest.h>

#include <thread>

#include "frontend/resolver.h"
#include "runtime/objects.h"

namespace autoray::frontend {
namespace {

// "E0101 1:5", or "" for a program.
std::string problem(const std::string& text) {
  runtime::Heap heap;
  runtime::HeapScope scope(heap);
  ir::Interner interner;
  Source source("test.ar", text);
  ParseResult parsed = parse(source, interner);
  std::optional<Diagnostic> found = std::move(parsed.error);
  GlobalTable globals;
  if (!found) found = resolve(*parsed.module, globals, interner, source);
  if (!found) return "";
  return code_text(found->code) + " " + std::to_string(found->line) + ":" + std::to_string(found->column);
}

TEST(Parser, Programs) {
  for (const char* text :
       {"", "\n\n", "x = 1", "x = 1\n", "if 1:\n  pass\nelse:\n  pass", "# only a comment", "\xef\xbb\xbfx = 1",
        "if 1:\r\n  x = (1,\r\n    2)\r\n", "x = 1; y = 2;", "def f(a, /, b, *, c): return a", "x = not 1", "x = a is not b",
        "x = a not in b", "x = [not a for a in b if not a]", "f(*a, **b)", "if 1:\n\tx = 1\n\tif 2:\n\t\ty = 2\n",
        "lambda: (yield_)", "x = not not 1"})
    EXPECT_EQ(problem(text), "") << text;
}

TEST(Parser, Places) {
  EXPECT_EQ(problem("x = = 1"), "E0101 1:5");
  EXPECT_EQ(problem("x = 1\n\ny = )"), "E0103 3:5");
  EXPECT_EQ(problem("x = (1,\n"), "E0103 1:5");
  EXPECT_EQ(problem("x = 'abc\n"), "E0104 1:5");
  EXPECT_EQ(problem("x = 1\n  y = 2\n"), "E0102 2:3");
  EXPECT_EQ(problem("if 1:\n    x = 1\n  y = 2\n"), "E0102 3:3");
  EXPECT_EQ(problem("if 1:\n\tx = 1\n        y = 2\n"), "E0102 3:9");
  EXPECT_EQ(problem("class A: pass"), "E0201 1:1");
  EXPECT_EQ(problem("x = $"), "E0104 1:5");
  EXPECT_EQ(problem("\xc3\xa4 = \xc3\xbc = ?"), "E0104 1:9");  // columns count code points
  EXPECT_EQ(problem(std::string("x\0", 2)), "E0106 1:2");
  EXPECT_EQ(problem("x = '\xff'"), "E0106 1:6");
  EXPECT_EQ(problem("return 1"), "E0105 1:1");
  EXPECT_EQ(problem("def f():\n  nonlocal x\n  x = 1\n").substr(0, 5), "E0105");
  EXPECT_EQ(problem("x = 1 == not 2"), "E0101 1:10");
  EXPECT_EQ(problem("x = - not 2"), "E0101 1:7");
}

TEST(Parser, DepthIsLimitedBeforeAnythingRecurses) {
  auto repeated = [](const std::string& text, int n) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
  };
  for (const char* opening : {"(", "[", "{", "f(", "x[", "(-", "[not ", "(lambda: ", "{1: "})
    EXPECT_EQ(problem("x = " + repeated(opening, 10'000)).substr(0, 5), "E0701") << opening;
  for (const char* prefix : {"-", "not ", "~", "lambda: ", "1 ** ", "1 if 1 else ", "1 in not "})
    EXPECT_EQ(problem("x = " + repeated(prefix, 10'000) + "1").substr(0, 5), "E0701") << prefix;
  // 199 brackets with 199 signs each are 40,000 levels.
  EXPECT_EQ(problem("x = " + repeated("(" + repeated("-", 199), 199) + "1" + repeated(")", 199)).substr(0, 5), "E0701");
  EXPECT_EQ(problem("x = " + repeated("(", 199) + "1" + repeated(")", 199)), "");
  std::string blocks;
  for (int i = 0; i < 200; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "if 1:\n";
  EXPECT_EQ(problem(blocks).substr(0, 5), "E0701");
}

TEST(Parser, SeveralThreadsParse) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(problem("def f(x):\n  return x * " + std::to_string(t) + " + x[1:2]\nprint(f(2))\n"), "");
        EXPECT_EQ(problem("x = (" + std::to_string(t)), "E0103 1:5");
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace autoray::frontend
