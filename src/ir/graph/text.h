// Calls and attributes as text: what a script would write. Shared by plans, graphs, pictures and emitted sources.
#pragma once

#include <functional>
#include <string>

#include "ir/graph/block.h"

namespace autoray::ir {

// "1", "(2, 3)", "'fro'", "slice(None, 3, None)", "'float64'".
std::string attr_text(const Attr& attr);
// A subscript as it stands between brackets: "1:, ..., None"; operands by `name`.
std::string index_text(const Attr::Tuple& index, const std::function<std::string(int)>& operand);
// "tensordot(a, b, axes=1)": operands by `name` of their position among the node's inputs; attributes at their defaults are
// left out.
std::string call_text(const Block& block, Index i, const std::function<std::string(Index)>& name);
// The views of a setitem's path applied to `place`; functions under `module` ("np."); operands as above.
std::string place_text(const Attr::Tuple& path, std::string place, std::string_view module,
                       const std::function<std::string(Index)>& operand);
// The whole block, a line a node.
std::string to_text(const Block& block);

}  // namespace autoray::ir
