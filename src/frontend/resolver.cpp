#include "frontend/resolver.h"

#include <set>

namespace autoray::frontend {
namespace {

struct Failure {
  SourceSpan span;
  std::string message;
};

struct Binding {
  std::uint32_t slot = 0;
  bool cell = false;
  std::vector<Name*> uses;  // resolved as Local so far; patched when the variable turns out to be captured
  Parameter* parameter = nullptr;
  FunctionScope* comprehension = nullptr;  // whose entry makes the cell; null: the function's
};

struct ScopeBuilder {
  ScopeBuilder* parent = nullptr;
  FunctionScope* out = nullptr;
  bool is_module = false;
  std::unordered_map<NameId, Binding> bindings;
  std::set<NameId> globals, nonlocals;
  std::set<NameId> used, assigned;  // of those two, before their declaration was reached
  // Comprehensions in this frame, outermost first: their names hide the frame's.
  std::vector<std::unordered_map<NameId, Binding>> overlays;
  std::unordered_map<NameId, std::uint32_t> free_index;
};

class Resolver {
 public:
  Resolver(Module& module, GlobalTable& globals, ir::Interner& interner)
      : module_(module), globals_(globals), interner_(interner) {}

  void run() {
    ScopeBuilder scope;
    scope.is_module = true;
    scope.out = module_.scope = module_.arena.make<FunctionScope>();
    scope_ = &scope;
    block(module_.body);
  }

 private:
  FunctionScope* new_scope() { return module_.arena.make<FunctionScope>(); }

  // ---- what a function binds ----
  void declare(ScopeBuilder& scope, NameId name) {
    if (scope.is_module || scope.globals.count(name) || scope.nonlocals.count(name)) return;
    auto [at, fresh] = scope.bindings.try_emplace(name);
    if (fresh) at->second.slot = new_slot(scope, name);
  }
  static std::uint32_t new_slot(ScopeBuilder& scope, NameId name) {
    scope.out->slot_names.push_back(name);
    return scope.out->slot_count++;
  }
  void collect_target(ScopeBuilder& scope, Expr* e) {
    switch (e->kind) {
      case ExprKind::Name: declare(scope, as<Name>(*e).id); break;
      case ExprKind::Starred: collect_target(scope, as<Starred>(*e).value); break;
      case ExprKind::Tuple:
      case ExprKind::List:
        for (Expr* element : as<Sequence>(*e).elements) collect_target(scope, element);
        break;
      default: collect_walrus(scope, e);
    }
  }
  // Assignment expressions inside an expression bind in the function, comprehensions included.
  void collect_walrus(ScopeBuilder& scope, Expr* e) {
    if (!e) return;
    std::vector<Expr*> work = {e};
    while (!work.empty()) {
      Expr* x = work.back();
      work.pop_back();
      if (x->kind == ExprKind::NamedExpr) declare(scope, as<NamedExpr>(*x).target->id);
      children(*x, work);
    }
  }
  static void children(Expr& e, std::vector<Expr*>& work) {
    auto add = [&](Expr* x) {
      if (x) work.push_back(x);
    };
    switch (e.kind) {
      case ExprKind::Constant:
      case ExprKind::Name:
      case ExprKind::Lambda: break;
      case ExprKind::Attribute: add(as<Attribute>(e).value); break;
      case ExprKind::Subscript:
        add(as<Subscript>(e).value);
        add(as<Subscript>(e).index);
        break;
      case ExprKind::Slice:
        add(as<SliceExpr>(e).lower);
        add(as<SliceExpr>(e).upper);
        add(as<SliceExpr>(e).step);
        break;
      case ExprKind::Call:
        add(as<Call>(e).function);
        for (Expr* x : as<Call>(e).args) add(x);
        for (Keyword& k : as<Call>(e).keywords) add(k.value);
        break;
      case ExprKind::Unary: add(as<Unary>(e).operand); break;
      case ExprKind::Binary:
        add(as<Binary>(e).left);
        add(as<Binary>(e).right);
        break;
      case ExprKind::BoolOp:
        for (Expr* x : as<BoolOp>(e).values) add(x);
        break;
      case ExprKind::Compare:
        add(as<Compare>(e).left);
        for (Expr* x : as<Compare>(e).comparators) add(x);
        break;
      case ExprKind::IfExp:
        add(as<IfExp>(e).test);
        add(as<IfExp>(e).body);
        add(as<IfExp>(e).orelse);
        break;
      case ExprKind::NamedExpr: add(as<NamedExpr>(e).value); break;
      case ExprKind::Starred: add(as<Starred>(e).value); break;
      case ExprKind::Tuple:
      case ExprKind::List:
      case ExprKind::Set:
        for (Expr* x : as<Sequence>(e).elements) add(x);
        break;
      case ExprKind::Dict:
        for (DictItem& item : as<DictExpr>(e).items) {
          add(item.key);
          add(item.value);
        }
        break;
      case ExprKind::Comprehension: {
        auto& c = as<Comprehension>(e);
        add(c.element);
        add(c.value);
        for (Generator& g : c.generators) {
          add(g.iterable);
          for (Expr* x : g.conditions) add(x);
        }
        break;
      }
      case ExprKind::JoinedStr:
        for (Expr* x : as<JoinedStr>(e).values) add(x);
        break;
      case ExprKind::FormattedValue:
        add(as<FormattedValue>(e).value);
        add(as<FormattedValue>(e).format_spec);
        break;
    }
  }
  void collect_declarations(ScopeBuilder& scope, Block body) {
    for (Stmt* s : body) {
      if (s->kind == StmtKind::Global)
        for (NameId n : as<ScopeDeclaration>(*s).names) scope.globals.insert(n);
      if (s->kind == StmtKind::Nonlocal)
        for (NameId n : as<ScopeDeclaration>(*s).names) scope.nonlocals.insert(n);
      for_blocks(*s, [&](Block b) { collect_declarations(scope, b); });
    }
  }
  template <class F>
  static void for_blocks(Stmt& s, F&& f) {
    switch (s.kind) {
      case StmtKind::If:
        for (Branch& b : as<If>(s).branches) f(b.body);
        f(as<If>(s).orelse);
        break;
      case StmtKind::While:
        f(as<While>(s).body);
        f(as<While>(s).orelse);
        break;
      case StmtKind::For:
        f(as<For>(s).body);
        f(as<For>(s).orelse);
        break;
      case StmtKind::Try:
        f(as<Try>(s).body);
        for (Handler& h : as<Try>(s).handlers) f(h.body);
        f(as<Try>(s).orelse);
        f(as<Try>(s).finalbody);
        break;
      case StmtKind::With: f(as<With>(s).body); break;
      default: break;
    }
  }
  void collect(ScopeBuilder& scope, Block body) {
    for (Stmt* s : body) {
      auto walrus = [&](Expr* e) { collect_walrus(scope, e); };
      switch (s->kind) {
        case StmtKind::Expr: walrus(as<ExprStmt>(*s).value); break;
        case StmtKind::Assign:
          for (Expr* t : as<Assign>(*s).targets) collect_target(scope, t);
          walrus(as<Assign>(*s).value);
          break;
        case StmtKind::AugAssign:
          collect_target(scope, as<AugAssign>(*s).target);
          walrus(as<AugAssign>(*s).value);
          break;
        case StmtKind::If:
          for (Branch& b : as<If>(*s).branches) walrus(b.test);
          break;
        case StmtKind::While: walrus(as<While>(*s).test); break;
        case StmtKind::For:
          collect_target(scope, as<For>(*s).target);
          walrus(as<For>(*s).iterable);
          break;
        case StmtKind::Try:
          for (Handler& h : as<Try>(*s).handlers)
            if (h.name) declare(scope, h.name->id);
          break;
        case StmtKind::With:
          for (WithItem& i : as<With>(*s).items) {
            walrus(i.context);
            if (i.target) collect_target(scope, i.target);
          }
          break;
        case StmtKind::FunctionDef: declare(scope, as<FunctionDef>(*s).target->id); break;
        case StmtKind::Return: walrus(as<Return>(*s).value); break;
        case StmtKind::Raise: walrus(as<Raise>(*s).exception); break;
        case StmtKind::Assert: walrus(as<Assert>(*s).test); break;
        case StmtKind::Delete:
          for (Expr* t : as<Delete>(*s).targets) collect_target(scope, t);
          break;
        case StmtKind::Import:
          for (ImportItem& i : as<Import>(*s).items) declare(scope, i.target->id);
          break;
        case StmtKind::ImportFrom:
          for (ImportItem& i : as<ImportFrom>(*s).items) declare(scope, i.target->id);
          break;
        default: break;
      }
      for_blocks(*s, [&](Block b) { collect(scope, b); });
    }
  }

  // ---- look-up ----
  void make_cell(ScopeBuilder& scope, Binding& b) {
    if (b.cell) return;
    b.cell = true;
    for (Name* use : b.uses) use->scope = Scope::Cell;
    if (b.parameter) b.parameter->is_cell = true;
    (b.comprehension ? b.comprehension : scope.out)->cell_slots.push_back(b.slot);
  }
  // Index into the scope's closure of an enclosing function's variable; nullopt when no function binds it.
  std::optional<std::uint32_t> capture(ScopeBuilder& scope, NameId name) {
    if (auto found = scope.free_index.find(name); found != scope.free_index.end()) return found->second;
    ScopeBuilder* outer = scope.parent;
    if (!outer) return std::nullopt;
    Capture capture_from{};
    Binding* binding = nullptr;
    for (auto overlay = outer->overlays.rbegin(); overlay != outer->overlays.rend() && !binding; ++overlay)
      if (auto b = overlay->find(name); b != overlay->end()) binding = &b->second;
    if (!binding && !outer->globals.count(name))
      if (auto b = outer->bindings.find(name); b != outer->bindings.end()) binding = &b->second;
    if (binding) {
      make_cell(*outer, *binding);
      capture_from = {true, binding->slot};
    } else {
      if (outer->globals.count(name) || outer->is_module) return std::nullopt;
      auto index = capture(*outer, name);
      if (!index) return std::nullopt;
      capture_from = {false, *index};
    }
    auto index = static_cast<std::uint32_t>(scope.out->captures.size());
    scope.out->captures.push_back(capture_from);
    scope.out->free_names.push_back(name);
    scope.free_index.emplace(name, index);
    return index;
  }
  void use(Binding& b, Name& name) {
    name.slot = b.slot;
    name.scope = b.cell ? Scope::Cell : Scope::Local;
    b.uses.push_back(&name);
  }
  void resolve_name(Name& name, bool skip_overlays = false) {
    ScopeBuilder& scope = *scope_;
    if (scope.globals.count(name.id) || scope.nonlocals.count(name.id)) scope.used.insert(name.id);
    if (!skip_overlays)
      for (auto overlay = scope.overlays.rbegin(); overlay != scope.overlays.rend(); ++overlay)
        if (auto b = overlay->find(name.id); b != overlay->end()) return use(b->second, name);
    if (auto b = scope.bindings.find(name.id); b != scope.bindings.end()) return use(b->second, name);
    if (!scope.globals.count(name.id) && !scope.is_module)
      if (auto index = capture(scope, name.id)) {
        name.scope = Scope::Free;
        name.slot = *index;
        return;
      }
    if (scope.nonlocals.count(name.id))
      throw Failure{name.span, "no binding for nonlocal '" + std::string(interner_.text(name.id)) + "' found"};
    name.scope = Scope::Global;
    name.slot = globals_.slot(name.id);
  }

  // ---- the walk ----
  void function(Function& f) {
    for (Parameter& p : f.parameters)
      if (p.default_value) expr(p.default_value);
    ScopeBuilder scope;
    scope.parent = scope_;
    scope.out = f.scope = new_scope();
    collect_declarations(scope, f.body);
    for (Parameter& p : f.parameters) {
      Binding& b = scope.bindings[p.name];
      b.slot = p.slot = new_slot(scope, p.name);
      b.parameter = &p;
    }
    collect(scope, f.body);
    if (f.expression) collect_walrus(scope, f.expression);
    ScopeBuilder* outer = std::exchange(scope_, &scope);
    block(f.body);
    if (f.expression) expr(f.expression);
    scope_ = outer;
  }
  void comprehension(Comprehension& c) {
    expr(c.generators[0].iterable);  // evaluated outside
    c.scope = new_scope();
    if (c.what == ComprehensionKind::Generator) {
      ScopeBuilder scope;
      scope.parent = scope_;
      scope.out = c.scope;
      for (Generator& g : c.generators) collect_target(scope, g.target);
      ScopeBuilder* outer = std::exchange(scope_, &scope);
      comprehension_inside(c);
      scope_ = outer;
      return;
    }
    auto& overlay = scope_->overlays.emplace_back();
    std::vector<NameId> names;
    for (Generator& g : c.generators) target_names(g.target, names);
    for (NameId name : names) {
      if (overlay.count(name)) continue;
      Binding b;
      b.slot = new_slot(*scope_, name);
      b.comprehension = c.scope;
      c.scope->own_slots.push_back(b.slot);
      overlay.emplace(name, b);
    }
    comprehension_inside(c);
    scope_->overlays.pop_back();
  }
  static void target_names(Expr* e, std::vector<NameId>& names) {
    if (e->kind == ExprKind::Name) names.push_back(as<Name>(*e).id);
    if (e->kind == ExprKind::Starred) target_names(as<Starred>(*e).value, names);
    if (e->kind == ExprKind::Tuple || e->kind == ExprKind::List)
      for (Expr* element : as<Sequence>(*e).elements) target_names(element, names);
  }
  void comprehension_inside(Comprehension& c) {
    bool first = true;
    for (Generator& g : c.generators) {
      if (!std::exchange(first, false)) expr(g.iterable);
      expr(g.target);
      for (Expr* x : g.conditions) expr(x);
    }
    expr(c.element);
    if (c.value) expr(c.value);
  }
  void expr(Expr* root) {
    if (!root) return;
    std::vector<Expr*> work = {root};
    while (!work.empty()) {
      Expr* e = work.back();
      work.pop_back();
      switch (e->kind) {
        case ExprKind::Name: resolve_name(as<Name>(*e)); break;
        case ExprKind::NamedExpr:
          resolve_name(*as<NamedExpr>(*e).target, true);
          work.push_back(as<NamedExpr>(*e).value);
          break;
        case ExprKind::Lambda: function(*as<Lambda>(*e).function); break;
        case ExprKind::Comprehension: comprehension(as<Comprehension>(*e)); break;
        default: children(*e, work);
      }
    }
  }
  void block(Block body) {
    for (Stmt* s : body) statement(*s);
  }
  void note_assigned(Expr* target) {
    ScopeBuilder& scope = *scope_;
    if (scope.globals.empty() && scope.nonlocals.empty()) return;
    std::vector<NameId> names;
    target_names(target, names);
    for (NameId name : names) scope.assigned.insert(name);
  }
  void declaration(ScopeDeclaration& s) {
    ScopeBuilder& scope = *scope_;
    const bool global = s.kind == StmtKind::Global;
    for (NameId id : s.names) {
      const std::string name = "name '" + std::string(interner_.text(id)) + "' ";
      if (scope.globals.count(id) && scope.nonlocals.count(id)) throw Failure{s.span, name + "is nonlocal and global"};
      if (auto bound = scope.bindings.find(id); bound != scope.bindings.end() && bound->second.parameter)
        throw Failure{s.span, name + "is parameter and " + (global ? "global" : "nonlocal")};
      if (scope.assigned.count(id) || scope.used.count(id))
        throw Failure{s.span, name + (scope.assigned.count(id) ? "is assigned to before " : "is used prior to ") +
                                  (global ? "global" : "nonlocal") + " declaration"};
      if (!global && !capture(scope, id))
        throw Failure{s.span, "no binding for nonlocal '" + std::string(interner_.text(id)) + "' found"};
    }
  }
  void statement(Stmt& s) {
    switch (s.kind) {
      case StmtKind::Expr: expr(as<ExprStmt>(s).value); break;
      case StmtKind::Assign:
        expr(as<Assign>(s).value);
        for (Expr* t : as<Assign>(s).targets) {
          note_assigned(t);
          expr(t);
        }
        break;
      case StmtKind::Global:
      case StmtKind::Nonlocal: declaration(as<ScopeDeclaration>(s)); break;
      case StmtKind::AugAssign:
        note_assigned(as<AugAssign>(s).target);
        expr(as<AugAssign>(s).target);
        expr(as<AugAssign>(s).value);
        break;
      case StmtKind::If:
        for (Branch& b : as<If>(s).branches) expr(b.test);
        break;
      case StmtKind::While: expr(as<While>(s).test); break;
      case StmtKind::For:
        expr(as<For>(s).iterable);
        expr(as<For>(s).target);
        break;
      case StmtKind::Try:
        for (Handler& h : as<Try>(s).handlers) {
          expr(h.type);
          if (h.name) resolve_name(*h.name);
        }
        break;
      case StmtKind::With:
        for (WithItem& i : as<With>(s).items) {
          expr(i.context);
          expr(i.target);
        }
        break;
      case StmtKind::FunctionDef: {
        auto& f = as<FunctionDef>(s);
        for (Expr* d : f.decorators) expr(d);
        resolve_name(*f.target);
        function(*f.function);
        break;
      }
      case StmtKind::Return: expr(as<Return>(s).value); break;
      case StmtKind::Raise:
        expr(as<Raise>(s).exception);
        expr(as<Raise>(s).cause);
        break;
      case StmtKind::Assert:
        expr(as<Assert>(s).test);
        expr(as<Assert>(s).message);
        break;
      case StmtKind::Delete:
        for (Expr* t : as<Delete>(s).targets) expr(t);
        break;
      case StmtKind::Import:
        for (ImportItem& i : as<Import>(s).items) resolve_name(*i.target);
        break;
      case StmtKind::ImportFrom:
        for (ImportItem& i : as<ImportFrom>(s).items) resolve_name(*i.target);
        break;
      default: break;
    }
    for_blocks(s, [&](Block b) { block(b); });
  }

  Module& module_;
  GlobalTable& globals_;
  ir::Interner& interner_;
  ScopeBuilder* scope_ = nullptr;
};

}  // namespace

std::optional<Diagnostic> resolve(Module& module, GlobalTable& globals, ir::Interner& interner, const Source& source) {
  try {
    Resolver(module, globals, interner).run();
    return std::nullopt;
  } catch (const Failure& failure) {
    Diagnostic d;
    d.code = 105;
    d.title = "SyntaxError: " + failure.message;
    d.labels = {{failure.span, ""}};
    locate(d, source);
    return d;
  }
}

}  // namespace autoray::frontend
