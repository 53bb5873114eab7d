// --arg NAME=VALUE: `float64[50,50]` is an array of that type, `[complex128[1,2,4], ...]` a list of them (a tuple in
// parentheses), everything else a literal. For the commands that trace, such an array has no elements.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autoray/engine.h"

namespace autoray::tools {

using OfType = std::function<Value(const std::string& dtype, const std::vector<std::int64_t>& shape)>;
// Added to `arguments`; kOk, or kUsage after saying what is wrong.
int parse_arguments(Engine& engine, const std::vector<std::string>& given, const OfType& of_type,
                    std::vector<Named>& arguments);
// Every argument bound to its parameter, arrays without elements; kOk, or kUsage after saying what is wrong.
int trace_arguments(Engine& engine, const FunctionDescription& function, const std::vector<std::string>& given,
                    std::vector<Named>& arguments);

}  // namespace autoray::tools
