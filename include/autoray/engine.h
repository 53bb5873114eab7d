// The embedding API. An Engine owns everything that scripts make and know: backends, memory, random streams, compiled names.
// One thread uses an Engine at a time; engines are independent of each other. From any thread may come the calls of a
// CompiledFunction, and request_stop.
//
//   autoray::Engine engine;
//   auto program = engine.load("def f(x):\n    return x * 2 + 1\n");
//   program.run();
//   autoray::Array y = program.call("f", {x}).array();
//   auto f = program.jit("f");  // compiled
//   autoray::Array z = f(x);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autoray/array.h"
#include "autoray/compiled.h"
#include "autoray/diagnostic.h"
#include "autoray/export.h"
#include "autoray/graph.h"
#include "autoray/object.h"
#include "autoray/span.h"

namespace autoray {

namespace detail {
struct EngineState;
struct ValueState;
}  // namespace detail

// How lazy graphs are prepared before they run. Names are those of `passes()`.
struct PassOptions {
  std::vector<std::string> without = {};  // passes to leave out
  std::string print_after = {};           // a pass, or "all": the graph as text, to standard error
  bool time = false;                      // how long each pass took, to standard error
  bool verify = false;                    // check the graph after each pass
};

struct EngineOptions {
  std::string backend = "numpy";  // what scripts' `import numpy` is bound to: "numpy" or "eigen"
  std::int64_t max_nodes = -1;    // of graphs that stand at one time; -1: 268 million
  std::int64_t max_memory = -1;   // bytes of all live arrays together; -1: no limit
  // Operations are recorded, and computed when the script needs their values. Empty: at once. "passes": after all passes over
  // what was recorded. For tests: "plain" without passes, "shared" with equal operations shared, "folded" with constants
  // folded, and the name of a pass for that one alone.
  std::string defer = {};
  std::function<void(std::string_view)> write_stdout = {};  // the scripts' print; empty text: flush; none: standard output
  std::function<void(std::string_view)> write_stderr = {};
  PassOptions passes = {};
  // The directory in which compiled kernels stay for the next process; empty: cache.h's; "off": none. When it cannot be used,
  // kernels are compiled as if it was empty.
  std::string kernel_cache = {};
  bool check_bounds = false;  // compiled code checks every access to memory: for finding defects
};

// The passes in their order.
struct PassInfo {
  std::string name, summary;
};
AUTORAY_API std::vector<PassInfo> passes();

// A value of the language: an array, a number, a string, a tuple ... Belongs to its Engine, which lives on while it does.
class AUTORAY_API Value {
 public:
  Value() = default;
  bool empty() const { return !state_; }
  bool is_array() const;   // arrays and numpy scalars
  bool is_number() const;  // Python's int, float, complex and bool
  bool is_tuple() const;
  bool is_none() const;
  std::vector<Value> items() const;  // of a tuple or list; Error for other values
  Array array() const;               // Error when it cannot be one
  std::string repr() const;

 private:
  friend class Engine;
  friend class Program;
  friend struct detail::EngineState;
  std::shared_ptr<detail::ValueState> state_;
};

struct Named {
  std::string name;
  Value value;
};

struct FunctionDescription {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<bool> has_default;
};

// A parsed script.
class AUTORAY_API Program {
 public:
  // Runs the module's code. Returns sys.exit's status (0 without); throws Error when the script fails.
  int run();
  // Calls a function by name. Throws Error; sys.exit in it too, with its status.
  Value call(std::string_view function, Span<const Array> arguments);
  Value call(std::string_view function, const std::vector<Named>& keywords);
  // The arrays that a function returns: one, or those of a tuple or list.
  std::vector<Array> call_arrays(std::string_view function, Span<const Array> arguments);
  // The same into arrays of the caller's. Throws Error (ValueError, TypeError) when their number, shapes or dtypes are not the
  // results'; they are untouched whenever it throws.
  void call_into(std::string_view function, Span<const Array> arguments, Span<const Array> outputs);
  // Calls a function on variables (Engine::variable) and literals, computing nothing of the variables: the graph of what it
  // returns and of the arguments that it writes. `shared`: equal operations become one node. Throws Error when the function
  // needs a value.
  Graph trace(std::string_view function, const std::vector<Named>& arguments, bool shared = false);
  // The graph of the lazy arrays that the module's global variables hold.
  Graph recorded(std::string_view title);
  // A function as native code: traced and compiled at the first call with arguments of a kind. Throws Error when there is no
  // function of that name.
  CompiledFunction jit(std::string_view function);
  // The same by name, for arguments of every kind; `backend` of a string is autojit's: how this call runs.
  Value call_compiled(std::string_view function, const std::vector<Named>& keywords);
  // Seconds that tracing and compiling for jit and call_compiled took.
  double compile_seconds(std::string_view function) const;
  // The function as machine code that needs no runtime, for arguments as trace takes them; Python floats are passed by value.
  // Throws Error (status 3) naming the operation and its line where something needs a runtime, prints, or branches on data.
  ObjectCode compile(std::string_view function, const std::vector<Named>& arguments, const ObjectOptions& options = {});
  std::vector<FunctionDescription> functions() const;
  void set_arguments(const std::vector<std::string>& arguments);  // sys.argv[1:]

 private:
  friend class Engine;
  friend class CompiledFunction;
  struct Impl;
  std::shared_ptr<detail::EngineState> engine_;
  std::size_t index_ = 0;
  std::string name_;
};

struct BackendDescription {
  std::string name, based_on, library, note;
  std::vector<std::pair<std::string, std::string>> kernels;  // op path -> backend that provides it
};
struct OpDescription {
  std::string name, signature, op_class, operands;
  std::vector<std::string> aliases;
};
struct ExplainedCall {
  std::string op, operands, backend, provider, library;
};

class AUTORAY_API Engine {
 public:
  explicit Engine(EngineOptions options = {});
  // Parses and resolves; throws Error (status 3) when the text is no program.
  Program load(std::string text, std::string name = "<script>", std::string directory = {});

  // ---- calling operations directly ----
  Array call(std::string_view op, Span<const Array> operands);

  // Registers a C++ function for `do(name, ...)` on a backend; a wrapper is given the function that it replaces. What it throws
  // is the script's exception.
  using Function = std::function<Array(Span<const Array>)>;
  void register_function(const std::string& backend, const std::string& name, Function function);
  void register_wrapper(const std::string& backend, const std::string& name,
                        std::function<Array(const Function& old, Span<const Array>)> wrapper);

  // ---- values ----
  Value value(const Array& array);
  Value literal(const std::string& text);  // a literal of the language: "3", "[1.0, 2.0]", "'text'"; Error otherwise
  Value load_npy(const std::string& path);
  std::vector<Named> load_npz(const std::string& path);
  // A failed write leaves the old file.
  void save_npz(const std::string& path, const std::vector<std::pair<std::string, Array>>& arrays);
  Value standard_normal(std::uint64_t seed, std::string_view dtype, const std::vector<std::int64_t>& shape);
  Value variable(std::string_view dtype, const std::vector<std::int64_t>& shape);  // a lazy array without elements, for trace
  Value sequence(const std::vector<Value>& items, bool tuple = false);
  Value copy(const Value& value);  // a deep copy of arrays and containers

  // ---- looking ----
  std::vector<BackendDescription> backends() const;
  void on_call(std::function<void(const ExplainedCall&)> listener);  // empty: nobody listens
  std::int64_t peak_memory() const;
  // With EngineOptions::defer: operations recorded and computed at once, nodes computed, and how often the script asked for a
  // value other than to show it.
  struct Deferred {
    std::int64_t recorded = 0, at_once = 0, computed = 0, demands = 0;
  };
  Deferred deferred() const;

  // Async-signal-safe: the running script stops with an error at the next chance.
  enum class Stop { Interrupt, Timeout };
  void request_stop(Stop reason);
  bool stop_requested() const;  // and not yet seen by the running script

 private:
  std::shared_ptr<detail::EngineState> state_;
};

AUTORAY_API std::string version();  // "0.1.0"
AUTORAY_API std::vector<OpDescription> operations();
// The explanation of an error code ("E0401"); nullopt for none.
AUTORAY_API std::optional<std::string> explain_error(std::string_view code);
// The labels and tokens of grammar/Autoray.g4 that a script uses: what the tests' coverage is counted in. Empty when it does
// not parse.
AUTORAY_API std::vector<std::string> grammar_of(std::string_view text);
AUTORAY_API std::vector<std::string> backend_names();
AUTORAY_API std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace autoray
