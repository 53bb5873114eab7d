// autoray bench SCRIPT: what a call of a function takes eagerly, planned, and as native code.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "bench_report.h"
#include "load_arguments.h"
#include "script.h"
#include "trace_arguments.h"

namespace autoray::tools {
namespace {

// backend= of autojit.
constexpr const char* kExecutors[] = {"eager", "plan", "native"};
constexpr int kRounds = 10;         // that share the seconds of an executor
constexpr std::size_t kFewest = 3;  // calls of an executor whose one call takes them all
constexpr int kWarmUp = 2;          // calls before those that count; the first one compiles

struct Options {
  ScriptOptions script;
  std::vector<std::string> functions, loads, arguments;
  std::string output;
  double seconds = 0.5;
  int repeat = 0;  // 0: as many calls as the seconds allow
  bool as_json = false;
};

// A function on one executor: its calls, and what they took.
class Case {
 public:
  Case(Session& session, std::string function, const std::vector<Named>& inputs, const char* executor)
      : session_(&session), inputs_(inputs), executor_(session.engine.literal("'" + std::string(executor) + "'")) {
    measured.function = std::move(function);
    measured.executor = executor;
  }
  // What the executor refuses is noted; what fails eagerly too is the script's error.
  void warm_up() {
    Engine& engine = session_->engine;
    bool told = false;
    // The first that is said of autojit is said of this function.
    engine.on_call([&](const ExplainedCall& c) {
      if (told || !c.op.starts_with("autojit ")) return;
      told = true;
      (c.library == "plain call" ? measured.refused : measured.note) = c.provider;
    });
    struct Silence {
      ~Silence() { engine.on_call({}); }
      Engine& engine;
    };
    double before = session_->program.compile_seconds(measured.function);
    try {
      Silence silence{engine};
      call();
    } catch (const Error& error) {
      const Diagnostic& d = error.diagnostic();
      if (measured.executor == "eager" || (d.status != kScriptFailed && d.status != kParse)) throw;
      measured.refused = d.message + (d.line ? " (line " + std::to_string(d.line) + ")" : "");
    }
    measured.compile_seconds = session_->program.compile_seconds(measured.function) - before;
    for (int k = 1; k < kWarmUp && measured.refused.empty(); ++k) call();
  }
  // One call from the inputs as they were given; copying them is not timed.
  double call() {
    std::vector<Named> arguments;
    for (const Named& n : inputs_) arguments.push_back({n.name, session_->engine.copy(n.value)});
    arguments.push_back({"backend", executor_});
    auto begin = std::chrono::steady_clock::now();
    Value result = session_->program.call_compiled(measured.function, arguments);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  void call_for(double seconds) {
    double begin = spent;
    do {
      measured.times.push_back(call());
      spent += measured.times.back();
    } while (spent - begin < seconds);
  }
  Measured measured;
  double spent = 0;

 private:
  Session* session_;
  std::vector<Named> inputs_;
  Value executor_;
};

// In rounds, so that a machine that slows down does so for all; each begins with another executor.
void measure(std::vector<Case>& cases, const Options& o) {
  const int rounds = o.repeat ? o.repeat : kRounds;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t k = 0; k < cases.size(); ++k) {
      Case& c = cases[(k + static_cast<std::size_t>(round)) % cases.size()];
      bool enough = !o.repeat && c.spent >= o.seconds && c.measured.times.size() >= kFewest;
      if (c.measured.refused.empty() && !enough) c.call_for(o.repeat ? 0 : o.seconds / kRounds);
    }
}

// Each function's arguments among those that were given; kOk, or kUsage after saying what is wrong.
int bind(Session& session, const Options& o, std::vector<FunctionDescription>& functions,
         std::vector<std::vector<Named>>& inputs) {
  std::string names;
  for (const std::string& name : o.functions) {
    if (std::any_of(functions.begin(), functions.end(), [&](const FunctionDescription& f) { return f.name == name; }))
      return usage_error("--call gives '" + name + "' twice");
    functions.emplace_back();
    if (int status = find_function(session.program, o.script.path, name, functions.back())) return status;
    names += (names.empty() ? "'" : " or '") + name + "'";
  }
  std::vector<Loaded> loaded;
  if (int status = load_arguments(session.engine, o.loads, names, loaded)) return status;
  std::vector<Named> given;
  std::uint64_t seed = 0;
  auto normal = [&](const std::string& dtype, const std::vector<std::int64_t>& shape) {
    return session.engine.standard_normal(seed++, dtype, shape);
  };
  for (Loaded& l : loaded) given.push_back(std::move(l.argument));
  if (int status = parse_arguments(session.engine, o.arguments, normal, given)) return status;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& name = given[i].name;
    bool optional = i < loaded.size() && loaded[i].by_archive;
    bool known = std::any_of(functions.begin(), functions.end(), [&](const auto& f) { return has_parameter(f, name); });
    if (!known && !optional)
      return usage_error(names + " has no parameter '" + name + "'", neighbour(name, functions[0].parameters));
  }
  for (const FunctionDescription& f : functions) {
    std::vector<Named>& own = inputs.emplace_back();
    for (const Named& n : given)
      if (has_parameter(f, n.name)) own.push_back(n);
    if (int status = check_given(f, own, "--load NAME=... or --arg 'NAME=float64[50,50]'")) return status;
  }
  return kOk;
}

int execute(const Options& o) {
  if (int status = o.script.check()) return status;
  if (o.repeat < 0) return usage_error("--repeat takes a positive number");
  if (!(o.seconds > 0)) return usage_error("--seconds takes a positive number");
  if (!o.output.empty() && o.output != "-" && std::filesystem::path(o.output).extension() != ".svg")
    return usage_error("-o " + o.output + ": the plot is SVG", "end it in .svg");
  // What a function prints is seen once: printing a thousand times would be what is measured.
  bool quiet = false;
  EngineOptions options;
  options.write_stdout = [&](std::string_view text) {
    if (!quiet) print_to_stderr(text);
  };
  std::unique_ptr<Session> session = open_session(o.script, options);
  if (!session) return kUsage;
  if (int status = session->program.run()) return status;
  std::vector<FunctionDescription> functions;
  std::vector<std::vector<Named>> inputs;
  if (int status = bind(*session, o, functions, inputs)) return status;
  std::vector<Case> cases;
  for (std::size_t f = 0; f < functions.size(); ++f)
    for (const char* executor : kExecutors) {
      cases.emplace_back(*session, functions[f].name, inputs[f], executor).warm_up();
      quiet = true;
    }
  measure(cases, o);
  std::vector<Measured> rows;
  for (Case& c : cases) rows.push_back(std::move(c.measured));
  double eager = 0;
  for (Measured& m : rows) {
    if (!m.refused.empty()) continue;
    std::sort(m.times.begin(), m.times.end());
    if (m.executor == "eager") eager = m.median();
    m.ratio = m.median() / eager;
  }
  std::string name = o.script.path == "-" ? "<stdin>" : std::filesystem::path(o.script.path).filename().string();
  std::string plot = o.output.empty() ? "" : bench_svg(name + ", " + o.script.backend + ": seconds a call", rows);
  std::string text = o.output == "-" ? plot : o.as_json ? bench_json(name, o.script.backend, rows) : bench_table(rows);
  if (!o.output.empty() && o.output != "-" && !write_file(o.output, plot)) {
    std::fprintf(stderr, "autoray: error[E0601]: cannot write '%s': %s\n", o.output.c_str(), std::strerror(errno));
    return kScriptFailed;
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

}  // namespace

int bench_command(const std::vector<std::string>& given) {
  Options o;
  std::vector<std::string> arguments = given;
  o.script.take_arguments(arguments);
  if (!take_format(arguments, o.as_json)) return kUsage;
  CLI::App app("time a function run eagerly, by its plan, and as native code");
  app.name("autoray bench");
  o.script.add_to(app);
  app.add_option("--call", o.functions, "the function to time; may be repeated")->required()->allow_extra_args(false);
  app.add_option("--load", o.loads, "IN.npz, NAME=FILE.npy, NAME=LITERAL or NAME=random:SEED:DTYPE[SHAPE]")
      ->allow_extra_args(false);
  app.add_option("--arg", o.arguments, "NAME=float64[50,50] (normal numbers), lists of types, or NAME=LITERAL")
      ->allow_extra_args(false);
  auto* seconds = app.add_option("--seconds", o.seconds, "time each executor for so long; 0.5 unless it is given");
  app.add_option("--repeat", o.repeat, "time N calls of each instead")->excludes(seconds)->check(CLI::PositiveNumber);
  app.add_option("-o,--output", o.output, "write a plot to this .svg; - is standard output, instead of the table");
  bool shown_in_help;  // take_format has taken it out
  app.add_flag("--format", shown_in_help, "--format=json: the figures as JSON, and errors on standard error");
  app.footer(
      "Each call begins with the inputs as they were given, after calls that warm up; the executors take turns. The figures "
      "are\n"
      "the median and the quartiles of the seconds of a call; compile is tracing and compiling, once (kernels that are kept "
      "on\n"
      "disk are not compiled again: AUTORAY_CACHE=off does); ratio is the median's to that of eager.\n\n"
      "examples:\n  autoray bench gram_schmidt.ar --call modified_gram_schmidt --arg 'X=float64[50,50]' -o plot.svg\n"
      "  autoray bench f.ar --call f --call g --load x=random:1:float64[1000] --seconds 2 --format=json\n\n"
      "exit status: 0 ok (an executor that refuses a function is said to), 1 the script failed or a file could not be "
      "written,\n"
      "             2 usage, 3 parse or type error, 5 a limit, 130 interrupted");
  if (auto status = parse_options(app, "bench", given, std::move(arguments))) return *status;
  return with_errors(o.as_json, [&] { return execute(o); });
}

}  // namespace autoray::tools
