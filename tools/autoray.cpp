// autoray: the command line. A table of commands; each has a short file of its own.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "autoray/engine.h"
#include "command.h"

namespace autoray::tools {
namespace {

constexpr Command kCommands[] = {
    {"run", "run a script, or one of its functions", run_command},
    {"check", "parse a script and report what is wrong with it", check_command},
    {"ops", "list the operations", ops_command},
    {"backends", "list the backends and what each computes itself", backends_command},
    {"explain", "explain an error code, or say who computes what in a script", explain_command},
};

int help() {
  std::printf("autoray: numeric code in numpy's syntax, run on any array library\n\nusage: autoray COMMAND [ARGUMENTS]\n\n");
  for (const Command& c : kCommands) std::printf("  %-10s %s\n", c.name, c.summary);
  std::printf(
      "  --version  print the version\n  --help     print this; `autoray COMMAND --help` tells more\n\n"
      "examples:\n"
      "  autoray run script.ar                                   run a script as python3 would\n"
      "  autoray run script.ar --backend=eigen                   the same on Eigen\n"
      "  autoray run script.ar --call f --load x=data.npy --save out.npz\n"
      "  autoray check script.ar\n  autoray explain E0401\n\n"
      "exit status: 0 ok, 1 the script failed, 2 usage, 3 parse or type error, 4 mismatch (--expect), 5 a limit,\n"
      "             70 internal error, 130 interrupted\n");
  return kOk;
}

}  // namespace

int usage_error(const std::string& message, const std::string& hint) {
  std::fprintf(stderr, "autoray: error: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "  hint: %s\n", hint.c_str());
  return kUsage;
}

bool read_text(const std::string& path, std::string& text) {
  std::stringstream buffer;
  if (path == "-") {
    buffer << std::cin.rdbuf();
  } else {
    std::ifstream file(path, std::ios::binary);
    if (file) buffer << file.rdbuf();
    if (!file || file.bad() || buffer.fail()) {
      // An empty file sets failbit on <<; reading it is no error.
      std::ifstream again(path, std::ios::binary);
      char c;
      if (again && !again.read(&c, 1) && again.eof() && !again.bad() && errno != EISDIR) {
        text.clear();
        return true;
      }
      std::fprintf(stderr, "autoray: error: cannot read '%s': %s\n", path.c_str(), std::strerror(errno ? errno : EISDIR));
      return false;
    }
  }
  text = buffer.str();
  return true;
}

bool colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(2) && (!no_colour || !*no_colour);
}

}  // namespace autoray::tools

int main(int argc, char** argv) {
  using namespace autoray::tools;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    help();
    return arguments.empty() ? kUsage : kOk;
  }
  if (arguments[0] == "--version") {
    std::printf("autoray 0.1.0\n");
    return kOk;
  }
  std::string name = arguments[0];
  arguments.erase(arguments.begin());
  try {
    for (const Command& command : kCommands)
      if (name == command.name) {
        int status = command.run(arguments);
        if (std::fflush(stdout) != 0 && status == kOk) {
          std::fprintf(stderr, "autoray: error: cannot write to standard output: %s\n", std::strerror(errno));
          return kScriptFailed;
        }
        return status;
      }
    std::vector<std::string> names;
    for (const Command& command : kCommands) names.emplace_back(command.name);
    std::string near = autoray::did_you_mean(name, names);
    return usage_error("unknown command '" + name + "'",
                       near.empty() ? "autoray --help lists the commands" : "did you mean '" + near + "'?");
  } catch (const autoray::Error& error) {
    std::fflush(stdout);
    std::fputs((colour() ? error.diagnostic().rendered_colour : error.diagnostic().rendered).c_str(), stderr);
    return error.diagnostic().status;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "autoray: error[E0703]: out of memory\n");
    return kLimit;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "autoray: internal error[E0901]: %s\n  hint: please report this with the script\n", error.what());
    return kInternal;
  }
}
