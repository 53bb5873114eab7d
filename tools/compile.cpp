// autoray compile SCRIPT: a function as an object that needs libc and libm alone.
#include <unistd.h>

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
  std::string function, output, format, header, manifest;
  std::vector<std::string> arguments;
  ObjectOptions object;
};

// The format by its ending; nullopt after saying why there is none.
std::optional<ObjectFormat> find_format(const Options& o) {
  std::vector<std::string> endings;
  std::string names;
  std::string ending = std::filesystem::path(o.output).extension().string();
  std::string asked = !o.format.empty() ? o.format : ending.empty() ? ending : ending.substr(1);
  for (const ObjectFormat& f : object_formats()) {
    if (f.ending == asked) return f;
    endings.push_back(f.ending);
    names += (names.empty() ? "." : ", .") + f.ending;
  }
  std::string near = asked.empty() ? "" : did_you_mean(asked, endings);
  if (!o.format.empty())
    usage_error("unknown format '" + o.format + "'",
                near.empty() ? "the formats are " + names : "did you mean '" + near + "'?");
  else
    usage_error("-o " + o.output + ": the name does not say which format",
                near.empty() ? "end it in " + names + ", or give --format" : "did you mean '." + near + "'?");
  return std::nullopt;
}

int execute(Options& o) {
  if (int status = o.script.check()) return status;
  std::optional<ObjectFormat> format = find_format(o);
  if (!format) return kUsage;
  bool to_stdout = o.output == "-";
  if (to_stdout && format->binary && isatty(1))
    return usage_error(format->summary + " is no text for a terminal", "-o FILE." + format->ending + " writes a file");
  std::error_code ignored;
  bool device = std::filesystem::exists(o.output, ignored) && !std::filesystem::is_regular_file(o.output, ignored);
  if (!to_stdout && !device) {
    std::filesystem::path path = o.output;
    if (o.header.empty()) o.header = path.replace_extension(".h").string();
    if (o.manifest.empty()) o.manifest = path.replace_extension(".json").string();
  }
  if (o.header == o.output || o.manifest == o.output || (!o.header.empty() && o.header == o.manifest))
    return usage_error("-o, --header and --manifest name one file twice");
  check(o.object);
  EngineOptions options;
  options.write_stdout = print_to_stderr;
  std::unique_ptr<Session> session = open_session(o.script, options);
  if (!session) return kUsage;
  Engine& engine = session->engine;
  Program& program = session->program;
  if (int status = program.run()) return status;
  FunctionDescription function;
  if (int status = find_function(program, o.script.path, o.function, function)) return status;
  std::vector<Named> arguments;
  if (int status = trace_arguments(engine, function, o.arguments, arguments)) return status;
  ObjectCode compiled = program.compile(o.function, arguments, o.object);
  for (const std::string& note : compiled.notes()) std::fprintf(stderr, "autoray: note: %s\n", note.c_str());
  std::vector<FileText> files;
  std::string object = compiled.write(format->ending);
  if (!o.header.empty()) files.push_back({o.header, compiled.header()});
  if (!o.manifest.empty()) files.push_back({o.manifest, compiled.manifest()});
  if (!to_stdout) files.push_back({o.output, object});
  if (auto failed = write_files(files)) {
    std::fprintf(stderr, "autoray: error[E0601]: cannot write '%s': %s\n", failed->c_str(), std::strerror(errno));
    return kScriptFailed;
  }
  if (to_stdout) std::fwrite(object.data(), 1, object.size(), stdout);
  return kOk;
}

}  // namespace

int compile_command(const std::vector<std::string>& given) {
  Options o;
  std::vector<std::string> arguments = given;
  o.script.take_arguments(arguments);
  CLI::App app("compile a function to an object that needs libc and libm alone");
  app.name("autoray compile");
  o.script.add_to(app);
  app.add_option("--call", o.function, "the function to compile")->required();
  app.add_option("--arg", o.arguments,
                 "NAME=float64[50,50], NAME=[float64[3],float64[4]] or NAME=LITERAL; a float is a parameter by value, other\n"
                 "literals are compiled in")
      ->allow_extra_args(false);
  std::string endings;
  for (const ObjectFormat& f : object_formats()) endings += (endings.empty() ? "FILE." : ", .") + f.ending;
  app.add_option("-o,--output", o.output, "write " + endings + "; - is standard output")->required();
  app.add_option("--format", o.format, "the ending of the format, whatever the file's name says");
  app.add_option("--header", o.header, "the C header; beside the output unless it is given");
  app.add_option("--manifest", o.manifest, "the description as JSON; beside the output unless it is given");
  app.add_option("--name", o.object.symbol, "the entry's name in C; that of the function unless it is given");
  app.add_option("--cpu", o.object.cpu,
                 "the CPU that it will run on: native (this machine's; the default), x86-64-v2, x86-64-v3, x86-64-v4");
  app.add_option("--triple", o.object.triple, "the kind of machine; this one's only");
  app.footer(
      "examples:\n"
      "  autoray compile gram_schmidt.ar --call modified_gram_schmidt --arg 'X=float64[50,50]' -o gs.o\n"
      "  cc main.c gs.o -lm                                        main.c includes gs.h\n"
      "  autoray compile heat.ar --call simulate --arg 'u=float64[41,41]' --arg r=0.2 --arg steps=3 --cpu=x86-64-v3 -o "
      "libheat.so\n"
      "  autoray compile heat.ar --call simulate --arg 'u=float64[41,41]' --arg r=0.2 --arg steps=3 --format=s -o - | less\n\n"
      "exit status: 0 ok, 1 the script failed or a file could not be written, 2 usage, 3 parse error, or something that no\n"
      "             object can do, 5 a limit, 130 interrupted");
  if (auto status = parse_options(app, "compile", given, std::move(arguments))) return *status;
  return execute(o);
}

}  // namespace autoray::tools
