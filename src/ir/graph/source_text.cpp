#include "ir/graph/source_text.h"

#include <unordered_set>

#include "ir/graph/text.h"

namespace autoray::ir {
namespace {

bool is_keyword(const std::string& name) {
  static constexpr std::string_view kWords[] = {
      "and",  "as",     "assert",   "async",   "await", "break", "class",  "continue", "def",    "del",
      "elif", "else",   "except",   "finally", "for",   "from",  "global", "if",       "import", "in",
      "is",   "lambda", "nonlocal", "not",     "or",    "pass",  "raise",  "return",   "try",    "while",
      "with", "yield",  "None",     "True",    "False", "np",    "do"};
  for (std::string_view word : kWords)
    if (word == name) return true;
  return false;
}

// The statement of a setitem: the new version is a copy, written through the path's views.
std::string setitem_text(const Block& block, Index i, const std::string& target,
                         const std::function<std::string(Index)>& operand) {
  std::vector<Attr> attrs = block.tables->attrs.attrs(block.nodes[i].attrs);
  const std::string place = place_text(*attrs[0].get<Attr::Tuple>(), target, "np.", operand);
  return "    " + target + " = np.copy(" + operand(0) + ")\n    " + place + " = " + operand(1) + "\n";
}

}  // namespace

std::string source_text(const Block& block, const std::function<std::string(Index)>& literal) {
  std::vector<std::string> names = node_names(block);
  std::unordered_set<std::string> taken(names.begin(), names.end());
  for (std::string& name : names)
    if (is_keyword(name)) {
      name += "_";
      while (!taken.insert(name).second) name += "_";
    }
  std::string parameters, body;
  std::vector<bool> written(block.nodes.size());
  for (Index argument : block.arguments) {
    if (block.nodes[argument].kind == NodeKind::State) continue;
    std::string text = block.nodes[argument].kind == NodeKind::Constant ? literal(block.nodes[argument].number) : std::string();
    if (!text.empty()) {
      names[argument] = text;
      written[argument] = true;
    } else {
      parameters += (parameters.empty() ? "" : ", ") + names[argument];
    }
  }
  std::vector<Index> last(block.nodes.size(), kNoIndex);
  for (Index i = 0; i < block.nodes.size(); ++i)
    for (Index input : block.inputs(i))
      if (input != kNoIndex) last[input] = i;
  for (Index result : block.results) last[result] = kNoIndex;
  std::vector<std::vector<Index>> ends(block.nodes.size());
  for (Index i = 0; i < block.nodes.size(); ++i)
    if (last[i] != kNoIndex && !written[i] && block.nodes[i].kind != NodeKind::State) ends[last[i]].push_back(i);
  for (Index i = 0; i < block.nodes.size(); ++i) {
    const BlockNode& n = block.nodes[i];
    if (n.kind == NodeKind::Call || n.kind == NodeKind::Project) {
      auto operand = [&](Index k) {
        Index input = block.inputs(i)[k];
        return input == kNoIndex ? std::string("None") : names[input];
      };
      if (n.kind == NodeKind::Call && n.op == OpId::SetItem) {
        body += setitem_text(block, i, names[i], operand);
      } else {
        std::string text = call_text(block, i, operand);
        bool item = n.kind == NodeKind::Project || n.op == OpId::GetItem;
        if (!item && op(n.op).has(kNotNumpy)) {
          std::string path(op(n.op).path);
          text = "do('" + path + "', " + text.substr(path.size() + 1);
        } else if (!item) {
          text = "np." + text;
        }
        body += "    " + names[i] + " = " + text + "\n";
      }
    }
    std::string gone;
    for (Index ended : ends[i])
      if (block.nodes[ended].kind == NodeKind::Call || block.nodes[ended].kind == NodeKind::Project)
        gone += (gone.empty() ? "" : ", ") + names[ended];
    if (!gone.empty()) body += "    del " + gone + "\n";
  }
  std::string result;
  for (std::size_t r = 0; r < block.results.size(); ++r) result += (r ? ", " : "") + names[block.results[r]];
  return "import numpy as np\nfrom autoray import do\n\n\ndef function(" + parameters + "):\n" + body + "    return " + result +
         "\n";
}

}  // namespace autoray::ir
