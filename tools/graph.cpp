// autoray graph SCRIPT: a function called on arrays without elements, and what it would compute.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "autoray/engine.h"
#include "options.h"
#include "trace_arguments.h"
#include "watch.h"

namespace autoray::tools {
namespace {

struct Options {
  std::string script, backend = "numpy", function, format, colour = "operation";
  std::vector<std::string> arguments, outputs, script_arguments;
  double timeout = 0;
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
  std::vector<std::string> backends = backend_names();
  if (std::find(backends.begin(), backends.end(), o.backend) == backends.end()) {
    std::string near = did_you_mean(o.backend, backends);
    return usage_error("unknown backend '" + o.backend + "'",
                       near.empty() ? "`autoray backends` lists the backends" : "did you mean '" + near + "'?");
  }
  static const std::vector<std::string> kColours = {"operation", "flops", "bytes", "memory"};
  if (std::find(kColours.begin(), kColours.end(), o.colour) == kColours.end()) {
    std::string near = did_you_mean(o.colour, kColours);
    return usage_error("unknown colouring '" + o.colour + "'",
                       near.empty() ? "operation, flops, bytes or memory" : "did you mean '" + near + "'?");
  }
  if (!(o.timeout >= 0)) return usage_error("--timeout takes a number of seconds");
  if (o.function.empty() && !o.arguments.empty()) return usage_error("--arg needs --call FN");
  std::vector<Output> outputs;
  if (int status = plan_outputs(o, outputs)) return status;
  watch(o.timeout);
  std::string text;
  if (!read_text(o.script, text)) return kUsage;
  EngineOptions options;
  options.backend = o.backend;
  // Standard output is the picture's.
  options.write_stdout = [](std::string_view out) {
    if (!out.empty()) std::fwrite(out.data(), 1, out.size(), stderr);
  };
  Engine engine(options);
  std::string directory = o.script == "-" ? "" : std::filesystem::path(o.script).parent_path().string();
  Program program = engine.load(std::move(text), o.script == "-" ? "<stdin>" : o.script, directory);
  program.set_arguments(o.script_arguments);
  // Whether the function is there is known once the module has run.
  Watched watched(engine);
  if (int status = program.run()) return status;
  Graph graph;
  if (o.function.empty()) {
    graph = program.recorded(o.script == "-" ? "<stdin>" : std::filesystem::path(o.script).filename().string());
    if (graph.size() == 0) {
      std::string names;
      for (const FunctionDescription& f : program.functions()) names += (names.empty() ? "" : ", ") + f.name;
      return usage_error("no global variable of '" + o.script + "' holds a lazy array",
                         names.empty() ? "lazy.array(x) makes one" : "--call FN traces a function: " + names);
    }
  } else {
    FunctionDescription function;
    if (int status = find_function(program, o.script, o.function, function)) return status;
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
  if (auto dashes = std::find(arguments.begin(), arguments.end(), "--"); dashes != arguments.end()) {
    o.script_arguments.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
  }
  CLI::App app("trace a function and draw its graph");
  app.name("autoray graph");
  app.add_option("SCRIPT", o.script, "the script; - is standard input")->required();
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
  app.add_option("--backend", o.backend, "what `import numpy` is bound to: numpy or eigen");
  app.add_option("--timeout", o.timeout, "stop after so many seconds (status 5)");
  app.footer(
      "examples:\n  autoray graph gram_schmidt.ar --call modified_gram_schmidt --arg 'X=float64[5,5]' -o graph.html\n"
      "  autoray graph heat.ar --call simulate --arg 'u=float64[41,41]' --arg r=0.2 --arg steps=3 --stats\n\n"
      "exit status: 0 ok, 1 the script failed or a file could not be written, 2 usage, 3 parse or type error, 5 a limit,\n"
      "             130 interrupted");
  if (auto status = parse_options(app, "graph", given, std::move(arguments))) return *status;
  return execute(o);
}

}  // namespace autoray::tools
