// The commands of the command line: a table, one function each. Written on include/autoray alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autoray/engine.h"
#include "autoray/span.h"

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

Span<const Command> commands();  // in the order of the help

int run_command(const std::vector<std::string>& arguments);
int check_command(const std::vector<std::string>& arguments);
int ops_command(const std::vector<std::string>& arguments);
int backends_command(const std::vector<std::string>& arguments);
int explain_command(const std::vector<std::string>& arguments);
int graph_command(const std::vector<std::string>& arguments);
int compile_command(const std::vector<std::string>& arguments);
int cache_command(const std::vector<std::string>& arguments);
int completion_command(const std::vector<std::string>& arguments);
int bench_command(const std::vector<std::string>& arguments);

// "autoray: error: ..." with a hint; returns kUsage.
int usage_error(const std::string& message, const std::string& hint = {});
// Takes every NAME=VALUE before `--` out; the last one counts.
std::optional<std::string> take_option(std::vector<std::string>& arguments, const std::string& name);
// Takes --format=text or --format=json out; false, with a message, for another format.
bool take_format(std::vector<std::string>& arguments, bool& as_json);
// A misspelt flag's neighbour as a hint; empty when all are known.
std::string flag_hint(const std::vector<std::string>& arguments, const std::vector<std::string>& flags);
void print_error(const Diagnostic& diagnostic, bool as_json);
std::string json(const std::string& text);  // quoted and escaped
// Standard input for "-". False with a message when the file cannot be read.
bool read_text(const std::string& path, std::string& text);
// A file that appears whole or not at all; what is no regular file is written directly. False with errno when it fails.
bool write_file(const std::string& path, std::string_view text);
// Several files that belong together: all are on the disk before the first takes its name. On failure the path that failed.
struct FileText {
  std::string path, text;
};
std::optional<std::string> write_files(const std::vector<FileText>& files);
bool colour();  // of standard error: a terminal, and no NO_COLOR

}  // namespace autoray::tools
