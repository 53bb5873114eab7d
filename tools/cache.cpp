// autoray cache: the compiled kernels that stay on disk.
#include "autoray/cache.h"

#include <cstdio>
#include <ctime>

#include "command.h"

namespace autoray::tools {
namespace {

constexpr const char* kHelp =
    "usage: autoray cache ls|verify|clear [--format=json]\n\n"
    "Kernels that autojit compiled stay on disk, so that the next process has them at once.\n\n"
    "  ls      list them, the last used first\n"
    "  verify  read and check each; remove those that are damaged (status 1 when there were some)\n"
    "  clear   remove all\n\n"
    "They are in $AUTORAY_CACHE_DIR, else $XDG_CACHE_HOME/autoray, else ~/.cache/autoray, and take 64 MB at most\n"
    "(AUTORAY_CACHE_BYTES=N: N bytes). AUTORAY_CACHE=off: there is no cache.\n";

std::string time_text(double seconds) {
  auto time = static_cast<std::time_t>(seconds);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", std::localtime(&time));
  return text;
}

void print(const std::string& directory, const std::vector<CachedKernel>& kernels, bool as_json) {
  std::int64_t bytes = 0;
  std::string items;
  for (const CachedKernel& k : kernels) {
    bytes += k.bytes;
    if (as_json)
      items += (items.empty() ? "" : ", ") + ("{\"name\": " + json(k.name)) + ", \"bytes\": " + std::to_string(k.bytes) +
               ", \"used\": " + std::to_string(k.used) + ", \"wrong\": " + json(k.wrong) + "}";
    else
      std::printf("%s  %8lld bytes  used %s%s%s\n", k.name.c_str(), static_cast<long long>(k.bytes), time_text(k.used).c_str(),
                  k.wrong.empty() ? "" : "  wrong: ", k.wrong.c_str());
  }
  if (as_json)
    std::printf("{\"directory\": %s, \"bytes\": %lld, \"kernels\": [%s]}\n", json(directory).c_str(),
                static_cast<long long>(bytes), items.c_str());
  else
    std::printf("%zu kernels, %lld bytes in %s\n", kernels.size(), static_cast<long long>(bytes),
                directory.empty() ? "no cache (it is off)" : directory.c_str());
}

}  // namespace

int cache_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  for (const std::string& a : arguments)
    if (a == "--help" || a == "-h") {
      std::fputs(kHelp, stdout);
      return kOk;
    }
  bool as_json = false;
  if (!take_format(arguments, as_json)) return kUsage;
  if (arguments.size() != 1) return usage_error("say one of ls, verify and clear", "`autoray cache --help` tells more");
  std::string directory = kernel_cache_directory();
  if (arguments[0] == "ls") {
    print(directory, cached_kernels(), as_json);
    return kOk;
  }
  if (arguments[0] == "verify") {
    print(directory, cached_kernels(true), as_json);
    return clear_kernel_cache(true) ? kScriptFailed : kOk;
  }
  if (arguments[0] == "clear") {
    std::size_t removed = clear_kernel_cache();
    if (as_json)
      std::printf("{\"directory\": %s, \"removed\": %zu}\n", json(directory).c_str(), removed);
    else
      std::printf("%zu kernels removed\n", removed);
    return kOk;
  }
  std::string near = did_you_mean(arguments[0], {"ls", "verify", "clear"});
  return usage_error("unknown action '" + arguments[0] + "'",
                     near.empty() ? "`autoray cache --help` tells more" : "did you mean '" + near + "'?");
}

}  // namespace autoray::tools
