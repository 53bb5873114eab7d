// Names to slots: which names are locals, cells, captures or globals, by CPython's symbol-table rules. List, set and dict
// comprehensions get slots of their own in the frame that runs them; generator expressions have frames of their own.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"

namespace autoray::frontend {

// The global names of one module: slots that the evaluator reads and writes.
struct GlobalTable {
  std::vector<runtime::Value> values;    // Empty: not defined here (perhaps a builtin)
  std::vector<runtime::Value> builtins;  // what the name means when the module does not define it; Empty: not looked up yet
  std::vector<NameId> names;
  std::unordered_map<NameId, std::uint32_t> index;

  std::uint32_t slot(NameId name) {
    auto [at, fresh] = index.try_emplace(name, static_cast<std::uint32_t>(names.size()));
    if (fresh) {
      names.push_back(name);
      values.emplace_back();
      builtins.emplace_back();
    }
    return at->second;
  }
};

// Fills the tree's scopes and slots; a problem (nonlocal without a binding ...) comes as a diagnostic.
std::optional<Diagnostic> resolve(Module& module, GlobalTable& globals, ir::Interner& interner, const Source& source);

}  // namespace autoray::frontend
