// Files of the commands: written whole or not at all.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "command.h"

namespace autoray::tools {

// A file that appears whole or not at all; what is no regular file is written directly.
bool write_file(const std::string& path, std::string_view text) {
  std::error_code ignored;
  bool direct = std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
  std::string name = direct ? path : path + ".autoray-" + std::to_string(getpid());
  FILE* file = std::fopen(name.c_str(), "w");
  bool ok = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file) ok = std::fclose(file) == 0 && ok;
  if (ok && !direct) ok = std::rename(name.c_str(), path.c_str()) == 0;
  int error = errno;
  if (!ok && file && !direct) std::remove(name.c_str());
  errno = error;
  return ok;
}

}  // namespace autoray::tools
