// autoray run SCRIPT: the module, or one of its functions on loaded data.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstring>

#include "load_arguments.h"
#include "script.h"

namespace autoray::tools {
namespace {

struct Options {
  ScriptOptions script;
  std::string function, save, expect, time_file;
  std::vector<std::string> loads;
  int repeat = 1;
  double rtol = -1, atol = -1;
  std::string max_memory, defer;
  std::int64_t max_nodes = -1;
  PassOptions passes;
  bool explain = false, repeat_given = false, as_json = false, jit = false, check_bounds = false;
};

// "50", "2G", "64MiB"
bool parse_bytes(const std::string& text, std::int64_t& bytes) {
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(value >= 0)) return false;
  std::string unit = end;
  for (char& c : unit) c = static_cast<char>(std::toupper(c));
  static constexpr const char* kUnits = "KMGT";
  if (!unit.empty() && unit != "B") {
    const char* at = std::strchr(kUnits, unit[0]);
    if (!at || (unit.size() > 1 && unit.substr(1) != "B" && unit.substr(1) != "IB")) return false;
    value *= std::pow(1024.0, static_cast<double>(at - kUnits + 1));
  }
  if (value >= 0x1p63) return false;
  bytes = static_cast<std::int64_t>(value);
  return true;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

// The place of the element that stands at `flat` in C order.
std::string index_text(std::int64_t flat, std::vector<std::int64_t> shape) {
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    std::int64_t extent = shape[axis];
    shape[axis] = flat % extent;
    flat /= extent;
  }
  return shape_text(shape);
}

// The worst elements of a mismatch; true when all is well.
bool compare(const std::string& name, const Array& got, const Array& want, double rtol, double atol, Engine& engine) {
  if (got.dtype() != want.dtype() || got.shape() != want.shape()) {
    auto text = [](const Array& a) { return std::string(a.dtype()) + shape_text(a.shape()); };
    std::fprintf(stderr, "autoray: mismatch: %s is %s, expected %s\n", name.c_str(), text(got).c_str(), text(want).c_str());
    return false;
  }
  auto complex = [&](const Array& a) {
    Array target = Array::make("complex128", a.shape());
    Array operands[] = {a, Array::make("complex128", {})};
    std::memset(operands[1].data(), 0, 16);
    return engine.call("add", operands);
  };
  Array x = complex(got), y = complex(want);
  auto* p = static_cast<const std::complex<double>*>(x.data());
  auto* q = static_cast<const std::complex<double>*>(y.data());
  bool single = got.dtype() == "float32" || got.dtype() == "complex64" || got.dtype() == "float16";
  double r = rtol >= 0 ? rtol : single ? 1e-5 : 1e-9, a = atol >= 0 ? atol : single ? 1e-6 : 1e-12;
  std::vector<std::pair<double, std::int64_t>> bad;
  auto is_nan = [](std::complex<double> v) { return std::isnan(v.real()) || std::isnan(v.imag()); };
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (p[i] == q[i] || (is_nan(p[i]) && is_nan(q[i]))) continue;
    double d = std::abs(p[i] - q[i]);
    // Infinity equals itself alone.
    if (!(std::isfinite(d) && d <= a + r * std::abs(q[i]))) bad.emplace_back(std::isnan(d) ? INFINITY : d, i);
  }
  if (bad.empty()) return true;
  std::sort(bad.begin(), bad.end(),
            [](const auto& u, const auto& v) { return u.first > v.first || (u.first == v.first && u.second < v.second); });
  std::fprintf(stderr, "autoray: mismatch: %s differs in %zu of %lld elements (rtol %g, atol %g)\n", name.c_str(), bad.size(),
               static_cast<long long>(x.size()), r, a);
  for (std::size_t k = 0; k < bad.size() && k < 5; ++k) {
    std::int64_t i = bad[k].second;
    std::string place = index_text(i, got.shape());
    if (got.dtype().starts_with("complex"))
      std::fprintf(stderr, "  %s%s: got %.17g%+.17gj, expected %.17g%+.17gj\n", name.c_str(), place.c_str(), p[i].real(),
                   p[i].imag(), q[i].real(), q[i].imag());
    else
      std::fprintf(stderr, "  %s%s: got %.17g, expected %.17g\n", name.c_str(), place.c_str(), p[i].real(), q[i].real());
  }
  return false;
}

int execute(const Options& o) {
  if (int status = o.script.check()) return status;
  if (o.function.empty() &&
      (!o.save.empty() || !o.expect.empty() || o.repeat_given || !o.loads.empty() || !o.time_file.empty()))
    return usage_error("--load, --save, --expect, --repeat and --time need --call FN");
  if (o.function.empty() && o.jit) return usage_error("--jit needs --call FN");
  if (o.repeat < 1) return usage_error("--repeat takes a positive number");
  EngineOptions options;
  options.defer = o.defer;
  options.max_nodes = o.max_nodes;
  options.check_bounds = o.check_bounds;
  if (!o.max_memory.empty() && !parse_bytes(o.max_memory, options.max_memory))
    return usage_error("--max-memory takes a number of bytes (K, M, G allowed), not '" + o.max_memory + "'");
  options.passes = o.passes;
  std::vector<std::string> asked = o.passes.without;
  if (!o.passes.print_after.empty() && o.passes.print_after != "all") asked.push_back(o.passes.print_after);
  for (const std::string& pass : asked) {
    std::vector<std::string> known;
    for (const PassInfo& p : passes()) known.push_back(p.name);
    if (std::find(known.begin(), known.end(), pass) != known.end()) continue;
    std::string near = neighbour(pass, known), all;
    for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
    return usage_error("there is no pass '" + pass + "'", near.empty() ? "the passes are " + all : near);
  }
  options.write_stdout = print_watched;
  std::unique_ptr<Session> session = open_session(o.script, options);
  if (!session) return kUsage;
  Engine& engine = session->engine;
  Program& program = session->program;
  if (o.explain && o.as_json)
    engine.on_call([](const ExplainedCall& c) {
      std::fprintf(stderr, "{\"op\": %s, \"operands\": %s, \"backend\": %s, \"library\": %s, \"provider\": %s}\n",
                   json(c.op).c_str(), json(c.operands).c_str(), json(c.backend).c_str(), json(c.library).c_str(),
                   json(c.provider).c_str());
    });
  else if (o.explain)
    engine.on_call([](const ExplainedCall& c) {
      std::fprintf(stderr, "explain: %-20s %-40s %s: %s (%s)\n", c.op.c_str(), c.operands.c_str(), c.backend.c_str(),
                   c.library.c_str(), c.provider.c_str());
    });
  struct Told {
    ~Told() {
      if (!active) return;
      Engine::Deferred d = engine.deferred();
      std::fprintf(stderr, "deferred: %lld recorded, %lld at once, %lld computed, %lld values needed\n",
                   static_cast<long long>(d.recorded), static_cast<long long>(d.at_once), static_cast<long long>(d.computed),
                   static_cast<long long>(d.demands));
    }
    Engine& engine;
    bool active;
  } told{engine, o.explain && !o.defer.empty()};
  int status = program.run();
  if (o.function.empty() || status != 0) return status;

  // ---- --call ----
  FunctionDescription function;
  if (int s = find_function(program, o.script.path, o.function, function)) return s;
  std::vector<Loaded> loaded;
  if (int s = load_arguments(engine, o.loads, "'" + o.function + "'", loaded)) return s;
  std::vector<Named> inputs;
  for (Loaded& l : loaded) {
    if (has_parameter(function, l.argument.name))
      inputs.push_back(std::move(l.argument));
    else if (!l.by_archive)
      return usage_error("'" + o.function + "' has no parameter '" + l.argument.name + "'",
                         neighbour(l.argument.name, function.parameters));
  }
  if (int s = check_given(function, inputs, "--load NAME=...")) return s;
  std::vector<double> times;
  Value result;
  std::vector<Named> arguments;
  if (o.jit && (o.repeat_given || !o.time_file.empty())) {
    // Compiling is told apart: the calls that are timed find everything compiled.
    for (const Named& n : inputs) arguments.push_back({n.name, engine.copy(n.value)});
    program.call_compiled(o.function, arguments);
  }
  for (int k = 0; k < o.repeat; ++k) {
    arguments.clear();
    for (const Named& n : inputs) arguments.push_back({n.name, engine.copy(n.value)});
    auto start = std::chrono::steady_clock::now();
    result = o.jit ? program.call_compiled(o.function, arguments) : program.call(o.function, arguments);
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  std::vector<std::pair<std::string, Array>> outputs;
  if (!o.save.empty() || !o.expect.empty()) {
    if (result.is_tuple()) {
      int i = 0;
      for (const Value& item : result.items()) outputs.emplace_back("return" + std::to_string(i++), item.array());
    } else if (!result.is_none()) {
      outputs.emplace_back("return", result.array());
    }
  }
  for (const Named& n : arguments)
    if (n.value.is_array()) outputs.emplace_back(n.name, n.value.array());
  if (!o.save.empty()) engine.save_npz(o.save == "-" ? "/dev/stdout" : o.save, outputs);
  if (!o.time_file.empty()) {
    char line[160];
    std::snprintf(line, sizeof line, "{\"seconds\": %.9g, \"compile_seconds\": %.9g, \"runs\": %d}\n", times[times.size() / 2],
                  o.jit ? program.compile_seconds(o.function) : 0.0, o.repeat);
    if (o.time_file == "-") {
      std::fputs(line, stdout);
    } else if (!write_file(o.time_file, line)) {
      std::fprintf(stderr, "autoray: error[E0601]: cannot write '%s': %s\n", o.time_file.c_str(), std::strerror(errno));
      return kScriptFailed;
    }
  }
  if (o.expect.empty()) return kOk;
  bool same = true;
  for (const Named& want : engine.load_npz(o.expect)) {
    auto found = std::find_if(outputs.begin(), outputs.end(), [&](const auto& p) { return p.first == want.name; });
    if (found == outputs.end()) {
      std::fprintf(stderr, "autoray: mismatch: '%s' is expected but the call gave no such value\n", want.name.c_str());
      same = false;
    } else {
      same &= compare(want.name, found->second, want.value.array(), o.rtol, o.atol, engine);
    }
  }
  return same ? kOk : kMismatch;
}

}  // namespace

int run_command(const std::vector<std::string>& given) {
  Options o;
  std::vector<std::string> arguments = given;
  o.script.take_arguments(arguments);
  if (!take_format(arguments, o.as_json)) return kUsage;
  CLI::App app("run a script, or one of its functions");
  app.name("autoray run");
  o.script.add_to(app);
  app.add_option("--call", o.function, "call this function after the module has run");
  app.add_option("--load", o.loads, "IN.npz, NAME=FILE.npy, NAME=LITERAL or NAME=random:SEED:DTYPE[SHAPE]")
      ->allow_extra_args(false);
  app.add_option("--save", o.save, "write the results and the array parameters to this .npz");
  app.add_option("--expect", o.expect, "compare with this .npz; status 4 when something differs");
  app.add_option("--rtol", o.rtol, "relative tolerance of --expect")->check(CLI::NonNegativeNumber);
  app.add_option("--atol", o.atol, "absolute tolerance of --expect")->check(CLI::NonNegativeNumber);
  auto* repeat = app.add_option("--repeat", o.repeat, "call N times, each from the loaded inputs");
  app.add_option("--time", o.time_file, "write {\"seconds\": median, ...} to this file; - is standard output");
  app.add_flag("--jit", o.jit, "--call through autojit: traced, compiled, then called");
  app.add_flag("--check-bounds", o.check_bounds,
               "compiled code checks every access to memory (slow; finds defects of the compiler)");
  app.add_flag("--explain", o.explain, "say on standard error which library computes each call");
  app.add_option("--max-memory", o.max_memory, "bytes that all arrays together may use (status 5)");
  app.add_option("--max-nodes", o.max_nodes, "nodes that graphs together may have (status 5)")->check(CLI::NonNegativeNumber);
  app.add_option("--defer", o.defer,
                 "record operations, compute when values are needed: passes (after all passes); for tests: "
                 "plain, shared, folded, or the name of a pass");
  app.add_option("--print-after", o.passes.print_after, "print lazy graphs on standard error after this pass, or after all");
  app.add_option("--without-pass", o.passes.without, "leave a pass over lazy graphs out")->allow_extra_args(false);
  app.add_flag("--time-passes", o.passes.time, "say on standard error how long each pass over lazy graphs takes");
  app.add_flag("--verify-graph", o.passes.verify, "check lazy graphs after each pass");
  bool shown_in_help;  // take_format has taken it out
  app.add_flag("--format", shown_in_help, "--format=json: errors and --explain as JSON on standard error");
  app.footer(
      "examples:\n  autoray run heat.ar --backend=eigen\n  autoray run f.ar --call f --load x=random:1:float64[50,50] --save "
      "out.npz\n  autoray run f.ar -- a b      (sys.argv[1:] is ['a', 'b'])");
  if (auto status = parse_options(app, "run", given, std::move(arguments))) return *status;
  o.repeat_given = repeat->count() > 0;
  return with_errors(o.as_json, [&] { return execute(o); });
}

}  // namespace autoray::tools
