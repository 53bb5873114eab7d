// --arg NAME=VALUE of the commands that trace: `float64[50,50]` is an array without elements, `[complex128[1,2,4], ...]` a list
// of them (a tuple in parentheses), everything else a literal.
#pragma once

#include <string>
#include <vector>

#include "autoray/engine.h"

namespace autoray::tools {

// Every argument bound to its parameter; kOk, or kUsage after saying what is wrong.
int trace_arguments(Engine& engine, const FunctionDescription& function, const std::vector<std::string>& given,
                    std::vector<Named>& arguments);

}  // namespace autoray::tools
