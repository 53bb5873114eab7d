// The commands that only look: check, ops, backends, explain.
#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "autoray/engine.h"
#include "command.h"

namespace autoray::tools {
std::string json(const std::string& text) {
  std::string r = "\"";
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      r += escape;
      continue;
    }
    if (c == '"' || c == '\\') r += '\\';
    r += c;
  }
  return r + "\"";
}

bool take_format(std::vector<std::string>& arguments, bool& as_json) {
  auto format = take_option(arguments, "--format");
  if (!format || *format == "text") return true;
  as_json = *format == "json";
  if (!as_json) usage_error("unknown format '" + *format + "'", "--format=text or --format=json");
  return as_json;
}

std::string flag_hint(const std::vector<std::string>& arguments, const std::vector<std::string>& flags) {
  for (const std::string& a : arguments) {
    if (a == "--") break;
    std::string flag = a.substr(0, a.find('='));
    if (!a.starts_with("--") || std::ranges::find(flags, flag) != flags.end()) continue;
    if (std::string near = did_you_mean(flag, flags); !near.empty()) return "did you mean '" + near + "'?";
  }
  return {};
}

namespace {

// What the commands that only look have in common: --help, --format, no other flags, at most so many names. Nothing: go on.
std::optional<int> prepare(std::vector<std::string>& arguments, bool& as_json, const char* name, const char* help,
                           std::size_t most) {
  for (const std::string& a : arguments)
    if (a == "--help" || a == "-h") {
      std::fputs(help, stdout);
      return kOk;
    }
  if (!take_format(arguments, as_json)) return kUsage;
  for (const std::string& a : arguments)
    if (a.size() > 1 && a[0] == '-') {
      std::string hint = flag_hint(arguments, {"--format", "--help"});
      return usage_error("unknown flag '" + a + "'",
                         hint.empty() ? std::string("`autoray ") + name + " --help` tells more" : hint);
    }
  if (arguments.size() > most)
    return usage_error("unexpected argument '" + arguments[most] + "'",
                       std::string("`autoray ") + name + " --help` tells more");
  return std::nullopt;
}

}  // namespace

int check_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  bool as_json = false;
  // Not in the help: what the coverage test counts.
  const bool grammar = std::erase(arguments, "--grammar") > 0;
  auto done = prepare(arguments, as_json, "check",
                      "usage: autoray check SCRIPT... [--format=json]\n\n"
                      "Parses scripts and reports what is wrong with them; runs nothing. - is standard input.\n\n"
                      "examples:\n  autoray check heat.ar\n  autoray check *.ar --format=json     one object a line\n",
                      SIZE_MAX);
  if (done) return *done;
  if (arguments.empty()) return usage_error("check needs a script", "autoray check SCRIPT...");
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
        print_error(error.diagnostic(), false);
      status = kParse;
    }
  }
  return status;
}

int ops_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  bool as_json = false;
  auto done = prepare(arguments, as_json, "ops",
                      "usage: autoray ops [NAME] [--format=json]\n\nLists the operations with their signatures.\n\n"
                      "examples:\n  autoray ops\n  autoray ops linalg.svd\n",
                      1);
  if (done) return *done;
  std::vector<OpDescription> ops = operations();
  bool found = arguments.empty();
  if (as_json) std::printf("[");
  bool first = true;
  for (const OpDescription& op : ops) {
    if (!arguments.empty() && op.name != arguments[0] && std::ranges::find(op.aliases, arguments[0]) == op.aliases.end())
      continue;
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
  for (const OpDescription& op : ops) {
    names.push_back(op.name);
    names.insert(names.end(), op.aliases.begin(), op.aliases.end());
  }
  std::string near = did_you_mean(arguments[0], names);
  return usage_error("unknown operation '" + arguments[0] + "'",
                     near.empty() ? "`autoray ops` lists them" : "did you mean '" + near + "'?");
}

int backends_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  bool as_json = false;
  auto done = prepare(arguments, as_json, "backends",
                      "usage: autoray backends [NAME] [--format=json]\n\n"
                      "Lists the backends; with a name, which backend provides each of its operations.\n\n"
                      "examples:\n  autoray backends\n  autoray backends eigen\n",
                      1);
  if (done) return *done;
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

int explain_command(const std::vector<std::string>& given) {
  std::vector<std::string> arguments = given;
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::fputs(
        "usage: autoray explain CODE [--format=json]      what an error code means\n"
        "       autoray explain SCRIPT [OPTIONS OF run]   which library computes what (as `run --explain`)\n\n"
        "examples:\n  autoray explain E0401\n  autoray explain heat.ar --backend=eigen\n",
        arguments.empty() ? stderr : stdout);
    return arguments.empty() ? kUsage : kOk;
  }
  auto named = std::find_if(arguments.begin(), arguments.end(), [](const std::string& a) { return !a.starts_with("-"); });
  const std::string code = named == arguments.end() ? "" : *named;
  bool is_code = code.size() == 5 && (code[0] == 'E' || code[0] == 'e') &&
                 std::all_of(code.begin() + 1, code.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_code) {
    arguments.insert(arguments.begin(), "--explain");
    return run_command(arguments);
  }
  bool as_json = false;
  if (!take_format(arguments, as_json)) return kUsage;
  if (arguments.size() > 1) return usage_error("unexpected argument '" + arguments[1] + "'");
  auto text = explain_error(code);
  if (!text) return usage_error("there is no error code '" + code + "'");
  if (as_json)
    std::printf("{\"code\": %s, \"explanation\": %s}\n", json(code).c_str(), json(*text).c_str());
  else
    std::fputs(text->c_str(), stdout);
  return kOk;
}

}  // namespace autoray::tools
