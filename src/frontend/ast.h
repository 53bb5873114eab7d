// The tree of a script, with the field names of CPython's ast. Nodes live in their Module's arena, so a tree of any depth is
// freed at once and without recursion. The resolver fills the fields marked so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/operators.h"
#include "ir/interner.h"
#include "runtime/value.h"

namespace autoray::frontend {

using ir::NameId;
inline constexpr NameId kNoName = ~NameId{0};

// Byte offsets into the Source.
struct SourceSpan {
  std::uint32_t begin = 0, end = 0;
};

// Where a name lives; the resolver's answer.
enum class Scope : std::uint8_t {
  Unresolved,
  Local,   // a slot of the frame
  Cell,    // a slot of the frame that holds a Cell (captured by an inner function)
  Free,    // a Cell of an enclosing function: index into the function's closure
  Global,  // a slot of the module, else a builtin
};

enum class ExprKind : std::uint8_t {
  Constant,
  Name,
  Attribute,
  Subscript,
  Slice,
  Call,
  Unary,
  Binary,
  BoolOp,
  Compare,
  IfExp,
  NamedExpr,
  Starred,
  Tuple,
  List,
  Dict,
  Set,
  Comprehension,
  Lambda,
  JoinedStr,
  FormattedValue
};

struct Expr {
  ExprKind kind;
  SourceSpan span;
};

// A bump allocator; what it holds is trivially destructible or registered for destruction.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  ~Arena() {
    for (auto it = destructors_.rbegin(); it != destructors_.rend(); ++it) it->first(it->second);
  }
  template <class T, class... Args>
  T* make(Args&&... args) {
    T* object = new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
    if constexpr (!std::is_trivially_destructible_v<T>)
      destructors_.emplace_back([](void* p) { static_cast<T*>(p)->~T(); }, object);
    return object;
  }
  template <class T>
  std::span<T> copy(const std::vector<T>& items) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    T* place = static_cast<T*>(allocate(items.size() * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < items.size(); ++i) new (place + i) T(items[i]);
    return {place, items.size()};
  }

 private:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    used_ = (used_ + alignment - 1) & ~(alignment - 1);
    if (blocks_.empty() || used_ + bytes > capacity_) {
      capacity_ = std::max<std::size_t>(bytes, 64 << 10);
      blocks_.push_back(std::make_unique<std::byte[]>(capacity_));
      used_ = 0;
    }
    void* place = blocks_.back().get() + used_;
    used_ += bytes;
    return place;
  }
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<std::pair<void (*)(void*), void*>> destructors_;
  std::size_t used_ = 0, capacity_ = 0;
};

// ---- expressions ----

struct Constant : Expr {
  runtime::Value value;
};

struct Name : Expr {
  NameId id;
  Scope scope = Scope::Unresolved;  // resolver
  std::uint32_t slot = 0;           // resolver
};

// Inline caches of the evaluator; one a node, written while running.
struct SiteCache {
  const void* key = nullptr;
  const void* target = nullptr;
  std::uint64_t version = 0;
};

struct Attribute : Expr {
  Expr* value;
  NameId attr;
  SiteCache cache{};
};

struct Subscript : Expr {
  Expr* value;
  Expr* index;  // a Tuple for a[i, j]
};

struct SliceExpr : Expr {
  Expr *lower, *upper, *step;  // null: None
};

struct Keyword {
  NameId name = kNoName;  // kNoName: **value
  Expr* value = nullptr;
  SourceSpan span{};
};

struct Call : Expr {
  Expr* function;
  std::span<Expr*> args;  // Starred for *args
  std::span<Keyword> keywords;
  bool plain;  // no Starred, no keywords
  SiteCache cache{};
};

struct Unary : Expr {
  UnaryOperator op;
  Expr* operand;
};

struct Binary : Expr {
  BinaryOperator op;
  Expr *left, *right;
};

struct BoolOp : Expr {
  BoolOperator op;
  std::span<Expr*> values;
};

struct Compare : Expr {
  Expr* left;
  std::span<CompareOperator> ops;
  std::span<Expr*> comparators;
};

struct IfExp : Expr {
  Expr *test, *body, *orelse;
};

struct NamedExpr : Expr {
  Name* target;
  Expr* value;
};

struct Starred : Expr {
  Expr* value;
};

// Tuple, List, Set
struct Sequence : Expr {
  std::span<Expr*> elements;
  bool starred;  // some element is Starred
};

struct DictItem {
  Expr* key;  // null: **value
  Expr* value;
};
struct DictExpr : Expr {
  std::span<DictItem> items;
};

struct Generator {
  Expr* target;
  Expr* iterable;
  std::span<Expr*> conditions;
};
enum class ComprehensionKind : std::uint8_t { List, Set, Dict, Generator };
struct FunctionScope;
struct Comprehension : Expr {
  ComprehensionKind what;
  Expr* element;  // the key of a dict comprehension
  Expr* value;    // of a dict comprehension, else null
  std::span<Generator> generators;
  FunctionScope* scope = nullptr;  // resolver: its own scope, as in Python
};

struct FormattedValue : Expr {
  Expr* value;
  char conversion;    // 0, 'r', 's', 'a'
  Expr* format_spec;  // a JoinedStr or null
};
struct JoinedStr : Expr {
  std::span<Expr*> values;  // Constant strings and FormattedValues
};

// ---- functions ----

enum class ParameterKind : std::uint8_t { PositionalOnly, Positional, Variadic, KeywordOnly, Keywords };
struct Parameter {
  NameId name;
  ParameterKind kind;
  Expr* default_value;
  SourceSpan span;
  std::uint32_t slot = 0;  // resolver
  bool is_cell = false;    // resolver
};

struct Stmt;
using Block = std::span<Stmt*>;

struct Function {
  NameId name;
  std::string_view qualified_name{};  // "outer.<locals>.inner"
  std::span<Parameter> parameters{};
  Block body{};                // a lambda has none
  Expr* expression = nullptr;  // a lambda's result
  std::string_view docstring{};
  SourceSpan span{};
  FunctionScope* scope = nullptr;  // resolver
};

struct Lambda : Expr {
  Function* function;
};

// What the resolver finds out about one function, comprehension or module.
struct Capture {
  bool from_parent_cell;  // a Cell slot of the enclosing frame; else an entry of the enclosing closure
  std::uint32_t index;
};
struct FunctionScope {
  std::uint32_t slot_count = 0;
  std::vector<NameId> slot_names;         // of locals and cells, for messages
  std::vector<std::uint32_t> cell_slots;  // slots that hold Cells, made on entry
  std::vector<std::uint32_t> own_slots;   // of a comprehension that runs in its function's frame: emptied when it ends
  std::vector<Capture> captures;          // the closure, in order
  std::vector<NameId> free_names;
};

// ---- statements ----

enum class StmtKind : std::uint8_t {
  Expr,
  Assign,
  AugAssign,
  If,
  While,
  For,
  Try,
  With,
  FunctionDef,
  Return,
  Raise,
  Assert,
  Delete,
  Pass,
  Break,
  Continue,
  Import,
  ImportFrom,
  Global,
  Nonlocal
};

struct Stmt {
  StmtKind kind;
  SourceSpan span;
};
struct ExprStmt : Stmt {
  Expr* value;
};
struct Assign : Stmt {
  std::span<Expr*> targets;  // empty: an annotation without a value
  Expr* value;
};
struct AugAssign : Stmt {
  Expr* target;
  BinaryOperator op;
  Expr* value;
};
struct Branch {
  Expr* test;
  Block body;
};
struct If : Stmt {
  std::span<Branch> branches;  // if and elif
  Block orelse;
};
struct While : Stmt {
  Expr* test;
  Block body, orelse;
};
struct For : Stmt {
  Expr* target;
  Expr* iterable;
  Block body, orelse;
};
struct Handler {
  Expr* type;  // null: bare except
  Name* name;  // null: without `as`
  Block body;
  SourceSpan span;
};
struct Try : Stmt {
  Block body;
  std::span<Handler> handlers;
  Block orelse, finalbody;
};
struct WithItem {
  Expr* context;
  Expr* target;  // null: without `as`
};
struct With : Stmt {
  std::span<WithItem> items;
  Block body;
};
struct FunctionDef : Stmt {
  Function* function;
  Name* target;
  std::span<Expr*> decorators;
};
struct Return : Stmt {
  Expr* value;  // null: None
};
struct Raise : Stmt {
  Expr *exception, *cause;
};
struct Assert : Stmt {
  Expr *test, *message;
};
struct Delete : Stmt {
  std::span<Expr*> targets;
};
struct ImportItem {
  std::string_view module;  // "numpy.linalg"
  NameId name;              // ImportFrom: the imported name
  Name* target;             // what is bound
  bool bind_leaf;           // `import a.b as c` binds a.b, `import a.b` binds a
  SourceSpan span;
};
struct Import : Stmt {
  std::span<ImportItem> items;
};
struct ImportFrom : Stmt {
  std::string_view module;
  std::span<ImportItem> items;
  bool star;
};
struct ScopeDeclaration : Stmt {  // Global, Nonlocal
  std::span<NameId> names;
};
struct SimpleStmt : Stmt {};  // Pass, Break, Continue

struct Module {
  Arena arena;
  Block body;
  std::string_view docstring;
  FunctionScope* scope = nullptr;  // resolver: comprehension temporaries of the module's own code
};

template <class T>
T& as(Expr& expr) {
  return static_cast<T&>(expr);
}
template <class T>
T& as(Stmt& stmt) {
  return static_cast<T&>(stmt);
}

}  // namespace autoray::frontend
