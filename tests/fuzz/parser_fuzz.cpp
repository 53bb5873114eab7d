// Any bytes as a script: the parser and the resolver answer with a tree or a diagnostic whose place is inside the text.
#include <cstdint>
#include <cstdlib>

#include "frontend/parser.h"
#include "frontend/resolver.h"
#include "runtime/objects.h"

using namespace autoray;

namespace {
void check(const frontend::Diagnostic& problem, const frontend::Source& source) {
  if (problem.code < 100 || problem.title.empty()) std::abort();
  if (problem.line < 0 || problem.line > source.line_count() + 1) std::abort();
  frontend::render(problem, true);
  frontend::to_json(problem);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  runtime::Heap heap;
  runtime::HeapScope scope(heap);
  ir::Interner interner;
  frontend::Source source("fuzz.ar", std::string(reinterpret_cast<const char*>(data), size));
  frontend::ParseResult parsed = frontend::parse(source, interner);
  if (parsed.error) {
    check(*parsed.error, source);
    return 0;
  }
  frontend::GlobalTable globals;
  if (auto problem = frontend::resolve(*parsed.module, globals, interner, source)) check(*problem, source);
  return 0;
}
