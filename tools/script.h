// What the commands that run a script share: its options, an engine that has loaded it, its functions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autoray/engine.h"
#include "options.h"
#include "watch.h"

namespace autoray::tools {

struct ScriptOptions {
  std::string path, backend = "numpy";
  std::vector<std::string> arguments;  // sys.argv[1:]
  double timeout = 0;

  // Takes what follows `--` out of the command's arguments.
  void take_arguments(std::vector<std::string>& given);
  // SCRIPT, --backend, --timeout.
  void add_to(CLI::App& app);
  // kOk, or kUsage after saying what is wrong.
  int check() const;
};

// A script that is loaded and not yet run. Signals stop its engine while it lives.
class Session {
 public:
  Session(const ScriptOptions& script, std::string text, const EngineOptions& options);
  Engine engine;
  Program program;

 private:
  Watched watched_;
};

// Null after saying that the file cannot be read. The time limit begins here. Throws Error when the text is no program.
std::unique_ptr<Session> open_session(const ScriptOptions& script, EngineOptions options);

// For EngineOptions::write_stdout where standard output is the command's own.
void print_to_stderr(std::string_view text);

// The body's status; an Error is told as JSON where that is asked for, and is the caller's otherwise.
int with_errors(bool as_json, const std::function<int()>& body);

// "did you mean 'name'?", or nothing.
std::string neighbour(const std::string& name, const std::vector<std::string>& names);
// The function's description; prints why not and returns kUsage otherwise.
int find_function(const Program& program, const std::string& script, const std::string& name, FunctionDescription& found);
bool has_parameter(const FunctionDescription& function, const std::string& name);
// kUsage after naming the first parameter that is neither given nor has a default; `how` says how to give "NAME".
int check_given(const FunctionDescription& function, const std::vector<Named>& given, const std::string& how);

}  // namespace autoray::tools
