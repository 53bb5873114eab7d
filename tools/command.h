// The commands of the command line: a table, one function each. Written on include/autoray alone.
#pragma once

#include <string>
#include <vector>

namespace autoray::tools {

// Exit statuses, documented in --help.
enum Status {
  kOk = 0,
  kScriptFailed = 1,
  kUsage = 2,
  kParse = 3,
  kMismatch = 4,
  kLimit = 5,
  kInternal = 70,
  kInterrupted = 130
};

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& arguments);
};

int run_command(const std::vector<std::string>& arguments);
int check_command(const std::vector<std::string>& arguments);
int ops_command(const std::vector<std::string>& arguments);
int backends_command(const std::vector<std::string>& arguments);
int explain_command(const std::vector<std::string>& arguments);

// "autoray: error: ..." with a hint; returns kUsage.
int usage_error(const std::string& message, const std::string& hint = {});
// Standard input for "-". False with a message when the file cannot be read.
bool read_text(const std::string& path, std::string& text);
bool colour();  // of standard error: a terminal, and no NO_COLOR

}  // namespace autoray::tools
