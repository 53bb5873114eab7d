// A block as a script: a function of its leaves in our language, which CPython runs too.
#pragma once

#include <functional>
#include <string>

#include "ir/graph/block.h"

namespace autoray::ir {

// `literal(argument number)`: the text of a constant's value; empty where it is too large to write down, which makes the
// constant a parameter. Names are variables' own where they are free. One statement a node; each variable is deleted after its
// last use.
std::string source_text(const Block& block, const std::function<std::string(Index)>& literal);

}  // namespace autoray::ir
