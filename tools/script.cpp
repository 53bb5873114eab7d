#include "script.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace autoray::tools {

void ScriptOptions::take_arguments(std::vector<std::string>& given) {
  auto dashes = std::find(given.begin(), given.end(), "--");
  if (dashes == given.end()) return;
  arguments.assign(dashes + 1, given.end());
  given.erase(dashes, given.end());
}

void ScriptOptions::add_to(CLI::App& app) {
  app.add_option("SCRIPT", path, "the script; - is standard input")->required();
  app.add_option("--backend", backend, "what `import numpy` is bound to: numpy or eigen");
  app.add_option("--timeout", timeout, "stop after so many seconds (status 5)");
}

int ScriptOptions::check() const {
  std::vector<std::string> backends = backend_names();
  if (std::find(backends.begin(), backends.end(), backend) == backends.end()) {
    std::string near = neighbour(backend, backends);
    return usage_error("unknown backend '" + backend + "'", near.empty() ? "`autoray backends` lists the backends" : near);
  }
  if (!(timeout >= 0)) return usage_error("--timeout takes a number of seconds");
  return kOk;
}

Session::Session(const ScriptOptions& script, std::string text, const EngineOptions& options)
    : engine(options),
      program(engine.load(std::move(text), script.path == "-" ? "<stdin>" : script.path,
                          script.path == "-" ? "" : std::filesystem::path(script.path).parent_path().string())),
      watched_(engine) {
  program.set_arguments(script.arguments);
}

std::unique_ptr<Session> open_session(const ScriptOptions& script, EngineOptions options) {
  watch(script.timeout);
  std::string text;
  if (!read_text(script.path, text)) return nullptr;
  options.backend = script.backend;
  return std::make_unique<Session>(script, std::move(text), options);
}

void print_to_stderr(std::string_view text) {
  if (!text.empty()) std::fwrite(text.data(), 1, text.size(), stderr);
}

int with_errors(bool as_json, const std::function<int()>& body) {
  try {
    return body();
  } catch (const Error& error) {
    if (!as_json) throw;
    std::fflush(stdout);
    print_error(error.diagnostic(), true);
    return error.diagnostic().status;
  }
}

std::string neighbour(const std::string& name, const std::vector<std::string>& names) {
  std::string near = did_you_mean(name, names);
  return near.empty() ? "" : "did you mean '" + near + "'?";
}

int find_function(const Program& program, const std::string& script, const std::string& name, FunctionDescription& found) {
  std::vector<std::string> names;
  for (FunctionDescription& f : program.functions()) {
    names.push_back(f.name);
    if (f.name != name) continue;
    found = std::move(f);
    return kOk;
  }
  return usage_error("'" + script + "' has no function '" + name + "'", neighbour(name, names));
}

bool has_parameter(const FunctionDescription& function, const std::string& name) {
  return std::find(function.parameters.begin(), function.parameters.end(), name) != function.parameters.end();
}

int check_given(const FunctionDescription& function, const std::vector<Named>& given, const std::string& how) {
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string& name = function.parameters[i];
    bool has = std::any_of(given.begin(), given.end(), [&](const Named& n) { return n.name == name; });
    if (has || function.has_default[i]) continue;
    std::string hint = how;
    if (std::size_t at = hint.find("NAME"); at != std::string::npos) hint.replace(at, 4, name);
    return usage_error("'" + function.name + "' needs '" + name + "'", "give it with " + hint);
  }
  return kOk;
}

}  // namespace autoray::tools
