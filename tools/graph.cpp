// autoray graph SCRIPT: a function called on arrays without elements, and what it would compute.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "script.h"
#include "trace_arguments.h"

namespace autoray::tools {
namespace {

struct Options {
  ScriptOptions script;
  std::string function, format, colour = "operation";
  std::vector<std::string> arguments, outputs;
  bool shared = false, stats = false, passes = false;
};

struct FormatName {
  const char* ending;
  GraphFormat format;
};
constexpr FormatName kFormats[] = {{"txt", GraphFormat::Text}, {"text", GraphFormat::Text}, {"dot", GraphFormat::Dot},
                                   {"gv", GraphFormat::Dot},   {"svg", GraphFormat::Svg},   {"html", GraphFormat::Html},
                                   {"htm", GraphFormat::Html}, {"json", GraphFormat::Json}};

const FormatName* find_format(const std::string& name) {
  for (const FormatName& f : kFormats)
    if (name == f.ending) return &f;
  return nullptr;
}

// What is asked for, found out before anything runs.
struct Output {
  std::string path;
  GraphFormat format;
};
int plan_outputs(const Options& o, std::vector<Output>& outputs) {
  const FormatName* chosen = nullptr;
  if (!o.format.empty() && !(chosen = find_format(o.format))) {
    std::string near = did_you_mean(o.format, {"text", "dot", "svg", "html", "json"});
    return usage_error("unknown format '" + o.format + "'",
                       near.empty() ? "text, dot, svg, html or json" : "did you mean '" + near + "'?");
  }
  if (o.stats && o.outputs.empty() && chosen && chosen->format != GraphFormat::Text && chosen->format != GraphFormat::Json)
    return usage_error("--stats is a table: text or json", "-o FILE writes the picture beside it");
  for (const std::string& path : o.outputs) {
    const FormatName* format = o.stats ? nullptr : chosen;
    std::string ending = std::filesystem::path(path).extension().string();
    if (!format && !ending.empty()) format = find_format(ending.substr(1));
    if (!format && path == "-") format = chosen ? chosen : &kFormats[0];
    if (!format)
      return usage_error("-o " + path + ": the name does not say which format",
                         "end it in .dot, .svg, .html, .json or .txt, or give --format");
    outputs.push_back({path, format->format});
  }
  bool json = chosen && chosen->format == GraphFormat::Json;
  if (o.stats) outputs.push_back({"-", json ? GraphFormat::StatisticsJson : GraphFormat::Statistics});
  if (outputs.empty()) outputs.push_back({"-", chosen ? chosen->format : GraphFormat::Text});
  return kOk;
}

int execute(const Options& o) {
  if (int status = o.script.check()) return status;
  static const std::vector<std::string> kColours = {"operation", "flops", "bytes", "memory"};
  if (std::find(kColours.begin(), kColours.end(), o.colour) == kColours.end()) {
    std::string near = did_you_mean(o.colour, kColours);
    return usage_error("unknown colouring '" + o.colour + "'",
                       near.empty() ? "operation, flops, bytes or memory" : "did you mean '" + near + "'?");
  }
  if (o.function.empty() && !o.arguments.empty()) return usage_error("--arg needs --call FN");
  std::vector<Output> outputs;
  if (int status = plan_outputs(o, outputs)) return status;
  EngineOptions options;
  options.write_stdout = print_to_stderr;
  std::unique_ptr<Session> session = open_session(o.script, options);
  if (!session) return kUsage;
  Engine& engine = session->engine;
  Program& program = session->program;
  // Whether the function is there is known once the module has run.
  if (int status = program.run()) return status;
  Graph graph;
  if (o.function.empty()) {
    graph = program.recorded(o.script.path == "-" ? "<stdin>" : std::filesystem::path(o.script.path).filename().string());
    if (graph.size() == 0) {
      std::string names;
      for (const FunctionDescription& f : program.functions()) names += (names.empty() ? "" : ", ") + f.name;
      return usage_error("no global variable of '" + o.script.path + "' holds a lazy array",
                         names.empty() ? "lazy.array(x) makes one" : "--call FN traces a function: " + names);
    }
  } else {
    FunctionDescription function;
    if (int status = find_function(program, o.script.path, o.function, function)) return status;
    std::vector<Named> arguments;
    if (int status = trace_arguments(engine, function, o.arguments, arguments)) return status;
    graph = program.trace(o.function, arguments, o.shared);
  }
  for (const Output& output : outputs) {
    std::string picture = graph.write(output.format, {o.passes, o.colour});
    if (output.path == "-") {
      std::fwrite(picture.data(), 1, picture.size(), stdout);
    } else if (!write_file(output.path, picture)) {
      std::fprintf(stderr, "autoray: error[E0601]: cannot write '%s': %s\n", output.path.c_str(), std::strerror(errno));
      return kScriptFailed;
    }
  }
  return kOk;
}

}  // namespace

int graph_command(const std::vector<std::string>& given) {
  Options o;
  std::vector<std::string> arguments = given;
  o.script.take_arguments(arguments);
  CLI::App app("trace a function and draw its graph");
  app.name("autoray graph");
  o.script.add_to(app);
  app.add_option("--call", o.function, "the function to trace; without it, the lazy arrays that the module's variables hold");
  app.add_option("--arg", o.arguments, "NAME=float64[50,50], NAME=[float64[3],float64[4]] or NAME=LITERAL")
      ->allow_extra_args(false);
  app.add_flag("--shared", o.shared, "equal operations become one node");
  app.add_option("-o,--output", o.outputs, "write FILE.dot, .svg, .html, .json or .txt; - is standard output; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--format", o.format, "text, dot, svg, html or json, whatever the file's name says");
  app.add_flag("--stats", o.stats, "print a table: totals, operations, the most expensive nodes (--format=json: as JSON)");
  app.add_flag("--passes", o.passes, "show the graph after all passes (a page has both)");
  app.add_option("--colour", o.colour, "colour by operation, flops, bytes or memory");
  app.footer(
      "examples:\n  autoray graph gram_schmidt.ar --call modified_gram_schmidt --arg 'X=float64[5,5]' -o graph.html\n"
      "  autoray graph heat.ar --call simulate --arg 'u=float64[41,41]' --arg r=0.2 --arg steps=3 --stats\n\n"
      "exit status: 0 ok, 1 the script failed or a file could not be written, 2 usage, 3 parse or type error, 5 a limit,\n"
      "             130 interrupted");
  if (auto status = parse_options(app, "graph", given, std::move(arguments))) return *status;
  return execute(o);
}

}  // namespace autoray::tools
