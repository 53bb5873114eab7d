// Runs scripts: parses, resolves and evaluates modules, calls their functions, and turns an exception that nothing caught into
// a diagnostic. Values belong to the thread that runs the Interpreter, which must outlive every function value it made.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/ast.h"
#include "frontend/diagnostics.h"
#include "frontend/resolver.h"
#include "runtime/runtime.h"

namespace autoray::frontend {

// One script file or text: its source, tree and global variables.
struct ModuleUnit {
  std::string name;
  std::unique_ptr<Source> source;
  std::unique_ptr<Module> tree;
  GlobalTable globals;
  runtime::Value object;  // what `import` binds
};

struct FunctionInfo {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<bool> has_default;
};

struct Outcome {
  bool ok = true;
  int exit_status = 0;  // sys.exit's, or 1 when the script failed
  bool exited = false;  // by sys.exit
  bool limit = false;   // a limit stopped it (time, memory, recursion)
  bool interrupted = false;
  runtime::Value value;  // of a call
  std::optional<Diagnostic> error;
};

class Evaluator;

class Interpreter {
 public:
  Interpreter(runtime::Runtime& runtime, ir::Interner& interner);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;

  // Parses and resolves without running; the diagnostic when there is a problem.
  std::optional<Diagnostic> load(std::string name, std::string text, std::string directory);
  // Runs the loaded script's module code as __main__.
  Outcome run();
  Outcome call(std::string_view function, std::span<const runtime::Value> positional,
               std::span<const std::string_view> keyword_names, std::span<const runtime::Value> keyword_values);
  // A function or other value of the main script; Empty when there is none.
  runtime::Value global(std::string_view name) const;
  // The main script's variables, in the order in which its text names them.
  void for_each_global(const std::function<void(const runtime::Value&)>& visit) const;
  void set_global(std::string_view name, runtime::Value value);
  std::vector<FunctionInfo> functions() const;
  const ModuleUnit* unit_named(std::string_view file) const;  // null: none
  Evaluator& evaluator() { return *evaluator_; }

  runtime::Runtime& runtime;
  ir::Interner& interner;

 private:
  friend class Evaluator;
  class Recording;
  std::vector<std::unique_ptr<ModuleUnit>> units_;
  ModuleUnit* main_ = nullptr;
  std::string directory_;
  std::unique_ptr<Evaluator> evaluator_;
};

}  // namespace autoray::frontend
