#include "options.h"

#include <algorithm>
#include <cstdio>

namespace autoray::tools {

std::optional<int> parse_options(CLI::App& app, const std::string& command, const std::vector<std::string>& given,
                                 std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(arguments);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return kOk;
  } catch (const CLI::ParseError& error) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    std::string hint = flag_hint(given, names);
    return usage_error(error.what(), hint.empty() ? "`autoray " + command + " --help` lists the options" : hint);
  }
}

}  // namespace autoray::tools
