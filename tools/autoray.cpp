// autoray: the command line. A table of commands; each has a short file of its own.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "autoray/engine.h"
#include "command.h"

namespace autoray::tools {
namespace {

constexpr Command kCommands[] = {
    {"run", "run a script, or one of its functions", run_command},
    {"graph", "trace a function and draw its graph", graph_command},
    {"compile", "compile a function to an object, a library or assembly", compile_command},
    {"bench", "time a function run eagerly, by its plan, and as native code", bench_command},
    {"check", "parse a script and report what is wrong with it", check_command},
    {"ops", "list the operations", ops_command},
    {"backends", "list the backends and what each computes itself", backends_command},
    {"explain", "explain an error code, or say who computes what in a script", explain_command},
    {"cache", "list, check or remove the compiled kernels that stay on disk", cache_command},
    {"completion", "print what a shell completes command lines with", completion_command},
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

Span<const Command> commands() { return {kCommands, std::size(kCommands)}; }

int usage_error(const std::string& message, const std::string& hint) {
  std::fprintf(stderr, "autoray: error: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "  hint: %s\n", hint.c_str());
  return kUsage;
}

bool read_text(const std::string& path, std::string& text) {
  bool standard = path == "-";
  std::FILE* file = standard ? stdin : std::fopen(path.c_str(), "rb");
  bool ok = file != nullptr;
  if (ok) {
    char buffer[65536];
    while (std::size_t n = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, n);
    ok = !std::ferror(file);
  }
  if (!ok)
    std::fprintf(stderr, "autoray: error: cannot read '%s': %s\n", standard ? "<stdin>" : path.c_str(), std::strerror(errno));
  if (file && !standard) std::fclose(file);
  return ok;
}

bool colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(2) && (!no_colour || !*no_colour);
}

void print_error(const Diagnostic& diagnostic, bool as_json) {
  const std::string& text = as_json ? diagnostic.json : colour() ? diagnostic.rendered_colour : diagnostic.rendered;
  std::fputs(text.c_str(), stderr);
  if (as_json) std::fputc('\n', stderr);
}

std::optional<std::string> take_option(std::vector<std::string>& arguments, const std::string& name) {
  std::optional<std::string> value;
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--";) {
    if (arguments[i].starts_with(name + "=")) {
      value = arguments[i].substr(name.size() + 1);
    } else {
      ++i;
      continue;
    }
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return value;
}

namespace {

int dispatch(std::vector<std::string> arguments) {
  if (arguments.size() > 1 && arguments[0] == "help") arguments = {arguments[1], "--help"};
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    help();
    return arguments.empty() ? kUsage : kOk;
  }
  if (arguments[0] == "--version") {
    bool as_json = false;
    if (!take_format(arguments, as_json)) return kUsage;
    if (arguments.size() > 1) return usage_error("unexpected argument '" + arguments[1] + "'");
    std::printf(as_json ? "{\"version\": \"%s\"}\n" : "autoray %s\n", autoray::version().c_str());
    return kOk;
  }
  std::string name = arguments[0];
  arguments.erase(arguments.begin());
  for (const Command& command : kCommands)
    if (name == command.name) return command.run(arguments);
  std::vector<std::string> names = {"--version", "--help"};
  for (const Command& command : kCommands) names.emplace_back(command.name);
  std::string near = did_you_mean(name, names);
  return usage_error("unknown command '" + name + "'",
                     near.empty() ? "autoray --help lists the commands" : "did you mean '" + near + "'?");
}

}  // namespace

int run_and_report(const std::vector<std::string>& arguments) {
  try {
    return dispatch(arguments);
  } catch (const Error& error) {
    std::fflush(stdout);
    print_error(error.diagnostic(), false);
    return error.diagnostic().status;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "autoray: error[E0703]: out of memory\n");
    return kLimit;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "autoray: internal error[E0901]: %s\n  hint: please report this with the script\n", error.what());
    return kInternal;
  }
}

}  // namespace autoray::tools

int main(int argc, char** argv) {
  using namespace autoray::tools;
  // Memory that was given back stays with the process for the next graph: each return to the system costs page faults later.
  // What is big goes back all the same (arrays have mappings of their own).
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  int status = run_and_report({argv + std::min(argc, 1), argv + argc});
  // Data that did not arrive is an error even when everything else went well.
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fprintf(stderr, "autoray: error: cannot write to standard output: %s\n", std::strerror(errno ? errno : EIO));
    if (status == kOk) status = kScriptFailed;
  }
  return status;
}
