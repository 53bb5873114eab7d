// The commands that only look: check, ops, backends, explain.
#include <cstdio>

#include "autoray/engine.h"
#include "command.h"

namespace autoray::tools {
namespace {

std::string json(const std::string& text) {
  std::string r = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') r += '\\';
    r += c;
  }
  return r + "\"";
}

// Takes --format=json out; false: some argument is unknown.
bool parse_format(std::vector<std::string>& arguments, bool& as_json) {
  std::vector<std::string> rest;
  for (const std::string& a : arguments) {
    if (a == "--format=json")
      as_json = true;
    else if (a == "--format=text")
      as_json = false;
    else
      rest.push_back(a);
  }
  arguments = rest;
  for (const std::string& a : arguments)
    if (a.size() > 1 && a[0] == '-') return false;
  return true;
}

}  // namespace

int check_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  bool as_json = false;
  if (!arguments.empty() && arguments[0] == "--help") {
    std::printf(
        "usage: autoray check SCRIPT... [--format=json]\n\nParses scripts and reports what is wrong with them; runs "
        "nothing.\n");
    return kOk;
  }
  // Not in the help: what the coverage test counts.
  const bool grammar = std::erase(arguments, "--grammar") > 0;
  if (!parse_format(arguments, as_json) || arguments.empty())
    return usage_error("usage: autoray check SCRIPT... [--format=json]");
  int status = kOk;
  for (const std::string& path : arguments) {
    std::string text;
    if (!read_text(path, text)) return kUsage;
    if (grammar) {
      for (const std::string& part : grammar_of(text)) std::printf("%s\n", part.c_str());
      continue;
    }
    try {
      Engine engine;
      engine.load(std::move(text), path == "-" ? "<stdin>" : path);
      if (as_json) std::printf("{\"file\": %s, \"ok\": true}\n", json(path).c_str());
    } catch (const Error& error) {
      if (as_json)
        std::printf("%s\n", error.diagnostic().json.c_str());
      else
        std::fputs((colour() ? error.diagnostic().rendered_colour : error.diagnostic().rendered).c_str(), stderr);
      status = kParse;
    }
  }
  return status;
}

int ops_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  bool as_json = false;
  if (!parse_format(arguments, as_json)) return usage_error("usage: autoray ops [NAME] [--format=json]");
  std::vector<OpDescription> ops = operations();
  bool found = arguments.empty();
  if (as_json) std::printf("[");
  bool first = true;
  for (const OpDescription& op : ops) {
    if (!arguments.empty() && op.name != arguments[0]) continue;
    found = true;
    std::string aliases;
    for (const std::string& a : op.aliases) aliases += (aliases.empty() ? "" : as_json ? ", " : " ") + (as_json ? json(a) : a);
    if (as_json)
      std::printf("%s{\"name\": %s, \"signature\": %s, \"class\": %s, \"operands\": %s, \"aliases\": [%s]}",
                  first ? "" : ",\n ", json(op.name).c_str(), json(op.signature).c_str(), json(op.op_class).c_str(),
                  json(op.operands).c_str(), aliases.c_str());
    else
      std::printf("%-12s %s(%s)%s\n", op.op_class.c_str(), op.name.c_str(), op.signature.c_str(),
                  aliases.empty() ? "" : ("  also: " + aliases).c_str());
    first = false;
  }
  if (as_json) std::printf("]\n");
  if (found) return kOk;
  std::vector<std::string> names;
  for (const OpDescription& op : ops) names.push_back(op.name);
  std::string near = did_you_mean(arguments[0], names);
  return usage_error("unknown operation '" + arguments[0] + "'",
                     near.empty() ? "`autoray ops` lists them" : "did you mean '" + near + "'?");
}

int backends_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  bool as_json = false;
  if (!parse_format(arguments, as_json) || arguments.size() > 1)
    return usage_error("usage: autoray backends [NAME] [--format=json]");
  Engine engine;
  bool found = arguments.empty(), first = true;
  if (as_json) std::printf("[");
  for (const BackendDescription& b : engine.backends()) {
    if (!arguments.empty() && b.name != arguments[0]) continue;
    found = true;
    std::size_t own = 0;
    for (const auto& [op, provider] : b.kernels) own += provider == b.name;
    if (as_json) {
      std::printf("%s{\"name\": %s, \"based_on\": %s, \"library\": %s, \"note\": %s, \"own\": %zu, \"operations\": {",
                  first ? "" : ",\n ", json(b.name).c_str(), json(b.based_on).c_str(), json(b.library).c_str(),
                  json(b.note).c_str(), own);
      for (std::size_t i = 0; i < b.kernels.size(); ++i)
        std::printf("%s%s: %s", i ? ", " : "", json(b.kernels[i].first).c_str(), json(b.kernels[i].second).c_str());
      std::printf("}}");
    } else {
      std::printf("%s (%s)%s\n  %s\n  %zu of %zu operations are its own%s\n", b.name.c_str(), b.library.c_str(),
                  b.based_on.empty() ? "" : (", based on " + b.based_on).c_str(), b.note.c_str(), own, b.kernels.size(),
                  b.based_on.empty() ? "" : ", the others are inherited");
      if (!arguments.empty())
        for (const auto& [op, provider] : b.kernels) std::printf("  %-24s %s\n", op.c_str(), provider.c_str());
    }
    first = false;
  }
  if (as_json) std::printf("]\n");
  if (found) return kOk;
  std::string near = did_you_mean(arguments[0], backend_names());
  return usage_error("unknown backend '" + arguments[0] + "'", near.empty() ? "" : "did you mean '" + near + "'?");
}

int explain_command(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help") {
    std::printf(
        "usage: autoray explain E0401          what an error code means\n       autoray explain SCRIPT [ARGS]  which library "
        "computes what (as `run --explain`)\n");
    return arguments.empty() ? kUsage : kOk;
  }
  if (arguments.size() == 1)
    if (auto text = explain_error(arguments[0])) {
      std::fputs(text->c_str(), stdout);
      return kOk;
    }
  if (arguments[0].size() == 5 && (arguments[0][0] == 'E' || arguments[0][0] == 'e'))
    return usage_error("there is no error code '" + arguments[0] + "'");
  std::vector<std::string> run = arguments;
  run.push_back("--explain");
  return run_command(run);
}

}  // namespace autoray::tools
