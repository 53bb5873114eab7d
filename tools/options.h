// A command's options, parsed by CLI11: what every command does with help and with what it does not understand.
#pragma once

#include <CLI/CLI.hpp>

#include "command.h"

namespace autoray::tools {

// The exit status where the command ends with its options: help was asked for, or there is an error, which is told with a hint.
// `given` are the arguments as the user wrote them.
std::optional<int> parse_options(CLI::App& app, const std::string& command, const std::vector<std::string>& given,
                                 std::vector<std::string> arguments);

}  // namespace autoray::tools
