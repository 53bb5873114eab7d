// The evaluator: walks the resolved tree. Expressions give a value or a pending exception (false), statements a completion
// code; C++ exceptions come only from native calls and are turned into pending ones where the call stands.
#pragma once

#include <cstddef>
#include <cstdlib>

#include "frontend/interpreter.h"
#include "frontend/protocol.h"

namespace autoray::frontend {

using runtime::Ref;

class Evaluator;

// A function of a script.
class ScriptFunction final : public runtime::Callable {
 public:
  ScriptFunction(Evaluator& e, Function& f, ModuleUnit& u) : evaluator(e), code(f), unit(u) {}
  Value call(Runtime& runtime, const Arguments& arguments) override;
  std::string callable_name() const override { return name; }
  std::string_view callable_type() const override { return "function"; }
  std::string qualified_name() const;
  bool get_attribute(Runtime& runtime, std::string_view attribute, Value& result) override;
  bool set_attribute(Runtime& runtime, std::string_view attribute, const Value& value) override;
  void clear() override;

  Evaluator& evaluator;
  Function& code;
  ModuleUnit& unit;
  std::string name;
  std::vector<Ref<runtime::Cell>> closure;
  std::vector<Value> defaults;  // one a parameter; Empty without
  Ref<runtime::Dict> attributes;
};

// Where an exception came from: the failing expression and the frames it passed, innermost first.
struct Trace final : public runtime::NativeObject {
  std::string native_type() const override { return "traceback"; }
  bool get_attribute(Runtime&, std::string_view, Value&) override { return false; }
  struct Entry {
    const ModuleUnit* unit;
    std::string_view function;
    std::uint32_t offset;
  };
  const ModuleUnit* unit = nullptr;
  std::vector<Label> labels;
  std::vector<Entry> entries;  // innermost first; lines are worked out when somebody reads them
};

enum class Completion : std::uint8_t { Normal, Break, Continue, Return, Raise };

struct Frame {
  Value* slots = nullptr;
  const Ref<runtime::Cell>* closure = nullptr;
  ModuleUnit* unit = nullptr;
  const char* function = "<module>";
  const FunctionScope* scope = nullptr;  // names of the slots, for messages
  Frame* caller = nullptr;
  SourceSpan call_site{};                // in this frame: where the innermost call stands
  std::uint32_t callers = kNotInterned;  // the call stack below, in the recorder's tables
  static constexpr std::uint32_t kNotInterned = 0xffffffffu;
};

class Evaluator {
 public:
  explicit Evaluator(Interpreter& interpreter);
  ~Evaluator();

  bool run_module(ModuleUnit& unit);
  bool call(const Value& callable, const Arguments& arguments, Value& result);
  // The pending exception, taken.
  Value take_exception() { return std::move(pending_); }
  Diagnostic diagnose(const Value& exception);

  // A generator expression's next value; `frame` is its own.
  bool eval(Expr& e, Frame& frame, Value& out);
  bool eval_other(Expr& e, Frame& frame, Value& out);
  bool too_deep(Expr& e, Frame& frame);
  bool assign(Expr& target, Frame& frame, Value value);
  bool call_script(ScriptFunction& function, const Arguments& arguments, Value& result);
  void set_raised(const SourceSpan& span, Frame& frame);  // called in a catch block: makes the C++ exception pending
  bool condition(Expr& e, Frame& frame, bool& result);
  [[noreturn]] void rethrow_pending();  // into native code

  // The running script's call stack, for what records (Runtime::current_source).
  std::uint32_t source();

  Runtime& runtime() { return interpreter_.runtime; }
  Interpreter& interpreter() { return interpreter_; }

 private:
  Completion exec_block(Block body, Frame& frame);
  Completion exec(Stmt& s, Frame& frame);
  Completion exec_expression(ExprStmt& s, Frame& frame);
  Completion exec_assign(Assign& s, Frame& frame);
  Completion exec_other(Stmt& s, Frame& frame);
  Completion exec_for(For& s, Frame& frame);
  Completion exec_try(Try& s, Frame& frame);
  Completion exec_with(With& s, Frame& frame, std::size_t item);
  bool exec_import(Import& s, Frame& frame);
  bool exec_import_from(ImportFrom& s, Frame& frame);
  bool exec_aug_assign(AugAssign& s, Frame& frame);
  bool exec_raise(Raise& s, Frame& frame);
  bool exec_delete(Expr& target, Frame& frame);
  bool import_module(std::string_view name, Frame& frame, const SourceSpan& span, Value& module);
  bool matches(Handler& handler, const Value& exception, Frame& frame, bool& result);

  bool eval_name(Name& e, Frame& frame, Value& out);
  // Of a global or free name while autojit traces: what the trace sees of it; may be Empty.
  bool capture(Name& e, Frame& frame, Value& out);
  // A global or free name is about to change while autojit traces: raises unless it is the trace's own.
  bool may_write(Name& name, Frame& frame);
  bool name_error(Name& e, Frame& frame);
  bool eval_call(Call& e, Frame& frame, Value& out);
  bool eval_any_call(Call& e, Frame& frame, Value& out);
  static bool lend(Call& e, Frame& frame, std::byte* to);
  bool invoke(Call& e, runtime::Callable& callable, const runtime::Arguments& arguments, Frame& frame, Value& out);
  bool eval_binary(Binary& e, Frame& frame, Value& out);
  bool eval_compare(Compare& e, Frame& frame, Value& out);
  bool eval_subscript(Subscript& e, Frame& frame, Value& out);
  bool eval_index(Expr& index, Frame& frame, Value& out);
  bool eval_sequence(Sequence& e, Frame& frame, std::vector<Value>& items);
  bool eval_dict(DictExpr& e, Frame& frame, Value& out);
  bool eval_comprehension(Comprehension& e, Frame& frame, Value& out);
  bool comprehension_level(Comprehension& e, std::size_t level, Value iterable, Frame& frame, Value& target);
  bool eval_joined(JoinedStr& e, Frame& frame, Value& out);
  bool make_function(Function& f, Frame& frame, Value& out);
  // A local's or constant's value without a copy; null when it must be evaluated.
  static const Value* peek(Expr& e, Frame& frame) {
    if (e.kind == ExprKind::Constant) return &as<Constant>(e).value;
    if (e.kind != ExprKind::Name) return nullptr;
    auto& name = as<Name>(e);
    if (name.scope != Scope::Local) return nullptr;
    const Value* slot = &frame.slots[name.slot];
    return slot->empty() ? nullptr : slot;
  }
  // A small int that follows from locals and constants by at most one operator; false, without any effect, where it has to be
  // evaluated.
  static bool peek_int(Expr& e, Frame& frame, std::int64_t& v);
  bool compare_values(CompareOperator op, const Value& a, const Value& b, Compare& e, Expr& left, Expr& right, Frame& frame,
                      Value& out);
  bool assign_name(Name& name, Frame& frame, Value value);
  bool unpack(Sequence& target, Frame& frame, const Value& value);

  bool bind(ScriptFunction& function, const Arguments& arguments, Value* slots);
  bool run_function(ScriptFunction& function, Frame& frame, Value& result);
  bool raise(ir::Error error, const SourceSpan& span, Frame& frame);
  void add_trace(const SourceSpan& span, Frame& frame);
  void add_recorded(Trace& trace, const runtime::Exception& exception);
  // The two operands' types under their own carets.
  void label_operands(Expr& left, Expr& right);
  void poll_every(unsigned& counter) {
    if ((++counter & 255) == 0) interpreter_.runtime.poll();
  }
  // The exceptions that led to this one, the latest first.
  std::vector<std::string> notes_of(const runtime::Exception& exception);

  struct SourceCache {
    const ModuleUnit* unit = nullptr;
    std::uint32_t begin = 0, end = 0, callers = 0, id = 0;
  };
  SourceCache source_cache_[64];
  std::uint32_t source_of(const Frame& frame);
  void name_lazy(const Value& value, NameId name);
  std::vector<NameId> graph_names_;  // by variable: its name in the graph's tables; 0: not asked for yet

  // Frames' slots come from one stack; its pages are touched as they are used.
  Value* push_slots(std::size_t count);
  void pop_slots(Value* slots, std::size_t count);

  Interpreter& interpreter_;
  Value pending_;               // the exception on its way
  Value result_;                // of a return statement
  std::vector<Value> handled_;  // exceptions being handled, innermost last (for a bare raise)
  Frame* current_ = nullptr;
  int depth_ = 0;
  Value* slot_base_ = nullptr;
  std::size_t slot_used_ = 0;
  friend class ScriptFunction;
  friend class GeneratorIterator;
};

}  // namespace autoray::frontend
