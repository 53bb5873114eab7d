// Files of the commands: written whole or not at all.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "command.h"

namespace autoray::tools {

// What is no regular file is written directly.
std::optional<std::string> write_files(const std::vector<FileText>& files) {
  std::vector<std::string> names;  // where each is until all are written
  std::optional<std::string> failed;
  for (const FileText& file : files) {
    std::error_code ignored;
    bool direct = std::filesystem::exists(file.path, ignored) && !std::filesystem::is_regular_file(file.path, ignored);
    names.push_back(direct ? file.path : file.path + ".autoray-" + std::to_string(getpid()));
    FILE* f = std::fopen(names.back().c_str(), "w");
    bool ok = f && std::fwrite(file.text.data(), 1, file.text.size(), f) == file.text.size();
    if (f) ok = std::fclose(f) == 0 && ok;
    if (!ok) failed = file.path;
    if (!f) names.pop_back();
    if (failed) break;
  }
  int error = errno;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == files[i].path) continue;
    if (failed) {
      std::remove(names[i].c_str());
    } else if (std::rename(names[i].c_str(), files[i].path.c_str()) != 0) {
      error = errno;
      failed = files[i].path;
      std::remove(names[i].c_str());
    }
  }
  errno = error;
  return failed;
}

bool write_file(const std::string& path, std::string_view text) { return !write_files({{path, std::string(text)}}); }

}  // namespace autoray::tools
