// What can be asked without an engine: operations, error codes, backends.
#include <set>

#include "autoray/engine.h"
#include "frontend/diagnostics.h"
#include "frontend/parser.h"
#include "ir/op.h"
#include "ir/passes/passes.h"
#include "ir/suggest.h"
#include "runtime/backend.h"

namespace autoray {

std::string version() { return AUTORAY_VERSION; }

std::vector<OpDescription> operations() {
  static constexpr const char* kClasses[] = {"elementwise", "reduction", "view",   "join",   "index",
                                             "create",      "contract",  "linalg", "random", "host"};
  std::vector<OpDescription> list;
  for (const ir::Op& op : ir::all_ops()) {
    if (op.has(ir::kGraphOnly)) continue;
    OpDescription d{
        std::string(op.path), std::string(op.signature), kClasses[static_cast<int>(op.op_class)], std::string(op.operands), {}};
    for (const ir::Alias& alias : ir::aliases())
      if (alias.id == op.id) d.aliases.emplace_back(alias.name);
    list.push_back(std::move(d));
  }
  return list;
}

std::optional<std::string> explain_error(std::string_view code) {
  if (!code.empty() && (code[0] == 'E' || code[0] == 'e')) code.remove_prefix(1);
  int number = 0;
  for (char c : code) {
    if (c < '0' || c > '9' || number > 9999) return std::nullopt;
    number = 10 * number + (c - '0');
  }
  const frontend::ErrorCode* row = frontend::find_error_code(number);
  if (!row) return std::nullopt;
  return frontend::code_text(number) + ": " + std::string(row->title) + "\n\n" + std::string(row->explanation) + "\n";
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const runtime::Backend* b : runtime::native_backends())
    if (b != &runtime::kLazyBackend) names.emplace_back(b->name);
  return names;
}

std::vector<PassInfo> passes() {
  std::vector<PassInfo> list;
  for (const ir::Pass& pass : ir::all_passes()) list.push_back({std::string(pass.name), std::string(pass.what)});
  return list;
}

std::vector<std::string> grammar_of(std::string_view text) {
  ir::Interner interner;
  frontend::Source source("<text>", std::string(text));
  std::set<std::string> used;
  if (frontend::parse(source, interner, &used).error) return {};
  return {used.begin(), used.end()};
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return ir::did_you_mean(word, views);
}

}  // namespace autoray
