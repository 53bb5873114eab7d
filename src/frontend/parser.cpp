#include "frontend/parser.h"

// Before ANTLR, whose headers undefine EOF.
#include "runtime/bigint.h"
#include "runtime/objects.h"

#include <AutorayLexer.h>
#include <AutorayParser.h>
#include <antlr4-runtime.h>

#include <charconv>
#include <functional>
#include <mutex>
#include <optional>
#include <set>

#include "frontend/string_literals.h"
#include "frontend/token_source.h"

namespace autoray::frontend {
namespace {

using antlr4::ParserRuleContext;
using antlr4::Token;
using antlr4::tree::ParseTree;
using antlr4::tree::TerminalNodeImpl;
using grammar::AutorayLexer;
using grammar::AutorayParser;
using ir::ErrorClass;
using runtime::Value;
using P = AutorayParser;

constexpr std::size_t kNoToken = ~std::size_t{0};
// A chain of operators makes a left-deep tree that the evaluator descends.
constexpr int kTreeDepth = 20'000;

struct Failure {
  SyntaxProblem problem;
};

// ---- reading ANTLR's tree by its shape: cheaper than a cast for every labelled alternative ----

// One copy of a class's type_info is in a program, so its address is its identity; comparing would compare names.
bool is_terminal(const ParseTree* tree) { return &typeid(*tree) == &typeid(TerminalNodeImpl); }
// The base is virtual: the most derived object's address is what a terminal is.
Token* token_of(ParseTree* terminal) { return static_cast<TerminalNodeImpl*>(dynamic_cast<void*>(terminal))->symbol; }
std::size_t token_type(ParseTree* tree) { return is_terminal(tree) ? token_of(tree)->getType() : kNoToken; }
ParserRuleContext* rule(ParseTree* tree) { return static_cast<ParserRuleContext*>(tree); }
bool is_rule(ParseTree* tree, std::size_t index) { return !is_terminal(tree) && rule(tree)->getRuleIndex() == index; }

// Where the LL stage stops for the first time. Nothing is repaired: a text with an error is not run.
class FirstError final : public antlr4::DefaultErrorStrategy {
 public:
  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& error) override {
    if (!token) note(parser, error.getOffendingToken());
  }
  void recover(antlr4::Parser*, std::exception_ptr) override { throw antlr4::ParseCancellationException(); }
  Token* recoverInline(antlr4::Parser* parser) override {
    if (!token) note(parser, parser->getCurrentToken());
    throw antlr4::ParseCancellationException();
  }
  void sync(antlr4::Parser*) override {}

  Token* token = nullptr;
  ParserStop stop;

 private:
  void note(antlr4::Parser* parser, Token* at) {
    token = at;
    auto expected = parser->getExpectedTokens();
    stop.expects_colon = expected.contains(std::size_t{P::COLON});
    stop.expects_indent = expected.contains(std::size_t{P::INDENT});
  }
};

TokenKind kind_of(std::size_t type) {
  if (type == Token::EOF) return TokenKind::End;
  if (type == P::NEWLINE) return TokenKind::Newline;
  if (type == P::INDENT) return TokenKind::Indent;
  if (type == P::DEDENT) return TokenKind::Dedent;
  if (type == P::NAME) return TokenKind::Name;
  if (type == P::STRING) return TokenKind::String;
  if (type == P::INTEGER || type == P::REAL || type == P::IMAGINARY) return TokenKind::Number;
  return type >= P::AND && type <= P::YIELD ? TokenKind::Keyword : TokenKind::Operator;
}

class Builder {
 public:
  Builder(const Source& source, const OffsetMap& offsets, std::uint32_t base, ir::Interner& interner, Arena& arena)
      : source_(source), offsets_(offsets), base_(base), interner_(interner), arena_(arena) {}

  // A statement of the module, or a whole module, goes behind what `body` holds.
  void module(ParserRuleContext* tree, std::vector<Stmt*>& body) {
    if (tree->getRuleIndex() == P::RuleStatement) {
      statement(tree, body);
      return;
    }
    for (ParseTree* child : tree->children)
      if (!is_terminal(child)) statement(rule(child), body);
  }
  Block block(const std::vector<Stmt*>& body) { return arena_.copy(body); }

  Expr* star_expressions(ParserRuleContext* tree) { return sequence(tree, ExprKind::Tuple); }
  int function_depth = 0;
  int loop_depth = 0;
  std::set<std::string>* used_grammar = nullptr;  // null: nobody asks

 private:
  // ---- places and failures ----
  SourceSpan span(const Token* token) const {
    return {base_ + offsets_.byte(token->getStartIndex()), base_ + offsets_.byte(token->getStopIndex() + 1)};
  }
  SourceSpan span(ParserRuleContext* tree) const {
    Token* stop = tree->getStop() ? tree->getStop() : tree->getStart();
    return {base_ + offsets_.byte(tree->getStart()->getStartIndex()), base_ + offsets_.byte(stop->getStopIndex() + 1)};
  }
  SourceSpan span(ParseTree* tree) const { return is_terminal(tree) ? span(token_of(tree)) : span(rule(tree)); }
  std::string_view text(ParseTree* terminal) const {
    SourceSpan s = span(token_of(terminal));
    return source_.text().substr(s.begin, s.end - s.begin);
  }
  [[noreturn]] void fail(SourceSpan where, std::string message, std::string hint = {}, int code = 105) const {
    Failure failure;
    failure.problem.code = code;
    failure.problem.message = std::move(message);
    failure.problem.hint = std::move(hint);
    failure.problem.labels = {{where, ""}};
    throw failure;
  }
  NameId name_id(ParseTree* terminal) { return interner_.intern(text(terminal)); }
  std::string_view kept(std::string text) { return arena_.make<std::string>(std::move(text))->c_str(); }
  Name* make_name(NameId id, SourceSpan where) { return arena_.make<Name>(Expr{ExprKind::Name, where}, id); }
  Name* make_name(ParseTree* terminal) { return make_name(name_id(terminal), span(terminal)); }
  Constant* constant(Value value, SourceSpan where) {
    return arena_.make<Constant>(Expr{ExprKind::Constant, where}, std::move(value));
  }

  // ---- statements ----
  void statement(ParserRuleContext* tree, std::vector<Stmt*>& body) {
    auto* first = rule(tree->children[0]);
    if (first->getRuleIndex() == P::RuleCompound) {
      body.push_back(compound(first));
      return;
    }
    simple_list(tree, body);
  }
  void simple_list(ParserRuleContext* tree, std::vector<Stmt*>& body) {
    for (ParseTree* child : tree->children)
      if (is_rule(child, P::RuleSimple)) body.push_back(simple(rule(child)));
  }
  Block block(ParserRuleContext* tree) {
    std::vector<Stmt*> body;
    if (is_rule(tree->children[0], P::RuleSimple)) {
      simple_list(tree, body);
    } else {
      for (ParseTree* child : tree->children)
        if (!is_terminal(child)) statement(rule(child), body);
    }
    return arena_.copy(body);
  }

  Stmt* simple(ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree);
    auto optional_expression = [&](std::size_t i) { return i < c.size() ? expression(rule(c[i])) : nullptr; };
    switch (token_type(c[0])) {
      case kNoToken: return expression_or_assignment(tree);
      case P::PASS: return arena_.make<SimpleStmt>(Stmt{StmtKind::Pass, where});
      case P::BREAK:
        if (!loop_depth) fail(where, "'break' outside loop");
        return arena_.make<SimpleStmt>(Stmt{StmtKind::Break, where});
      case P::CONTINUE:
        if (!loop_depth) fail(where, "'continue' not properly in loop");
        return arena_.make<SimpleStmt>(Stmt{StmtKind::Continue, where});
      case P::RETURN:
        if (!function_depth) fail(where, "'return' outside function");
        return arena_.make<Return>(Stmt{StmtKind::Return, where}, c.size() > 1 ? star_expressions(rule(c[1])) : nullptr);
      case P::RAISE: return arena_.make<Raise>(Stmt{StmtKind::Raise, where}, optional_expression(1), optional_expression(3));
      case P::ASSERT: {
        Expr* test = expression(rule(c[1]));
        if (test->kind == ExprKind::Tuple && !as<Sequence>(*test).elements.empty())
          fail(span(c[1]), "assertion is always true, perhaps remove parentheses?");
        return arena_.make<Assert>(Stmt{StmtKind::Assert, where}, test, optional_expression(3));
      }
      case P::DEL: {
        std::vector<Expr*> targets;
        for (ParseTree* child : rule(c[1])->children)
          if (!is_terminal(child)) {
            Expr* t = target(rule(child));
            check_target(t, "delete");
            targets.push_back(t);
          }
        return arena_.make<Delete>(Stmt{StmtKind::Delete, where}, arena_.copy(targets));
      }
      case P::GLOBAL:
      case P::NONLOCAL: {
        bool global = token_type(c[0]) == P::GLOBAL;
        if (!global && !function_depth) fail(where, "nonlocal declaration not allowed at module level");
        std::vector<NameId> names;
        for (std::size_t i = 1; i < c.size(); i += 2) names.push_back(name_id(c[i]));
        return arena_.make<ScopeDeclaration>(Stmt{global ? StmtKind::Global : StmtKind::Nonlocal, where}, arena_.copy(names));
      }
      case P::IMPORT: {
        std::vector<ImportItem> items;
        for (std::size_t i = 1; i < c.size(); i += 2) {
          auto* item = rule(c[i]);
          std::string_view module = dotted(rule(item->children[0]));
          bool renamed = item->children.size() > 1;
          Name* bound = renamed ? make_name(item->children[2])
                                : make_name(interner_.intern(module.substr(0, module.find('.'))), span(item));
          items.push_back({module, kNoName, bound, renamed, span(item)});
        }
        return arena_.make<Import>(Stmt{StmtKind::Import, where}, arena_.copy(items));
      }
      default: return import_from(tree);
    }
  }

  std::string_view dotted(ParserRuleContext* tree) {
    std::string name;
    for (ParseTree* child : tree->children) name += text(child);
    return kept(name);
  }

  Stmt* import_from(ParserRuleContext* tree) {
    auto& c = tree->children;
    std::string_view module;
    std::vector<ImportItem> items;
    bool star = false;
    for (ParseTree* child : c) {
      std::size_t type = token_type(child);
      if (type == P::DOT || type == P::ELLIPSIS)
        fail(span(child), "relative imports are not supported", "name the module or the script file beside this one", 201);
      if (type == P::STAR) star = true;
      if (is_rule(child, P::RuleDottedName)) module = dotted(rule(child));
      if (is_rule(child, P::RuleImportAs)) {
        auto& parts = rule(child)->children;
        Name* bound = make_name(parts.size() > 1 ? parts[2] : parts[0]);
        items.push_back({module, name_id(parts[0]), bound, true, span(child)});
      }
    }
    return arena_.make<ImportFrom>(Stmt{StmtKind::ImportFrom, span(tree)}, module, arena_.copy(items), star);
  }

  Stmt* expression_or_assignment(ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree);
    Expr* first = star_expressions(rule(c[0]));
    if (c.size() == 1) {
      if (first->kind == ExprKind::Starred) fail(first->span, "can't use starred expression here");
      return arena_.make<ExprStmt>(Stmt{StmtKind::Expr, where}, first);
    }
    if (is_rule(c[1], P::RuleAugmented)) {
      static constexpr std::pair<std::size_t, BinaryOperator> kOperators[] = {
          {P::PLUS_ASSIGN, BinaryOperator::Add},           {P::MINUS_ASSIGN, BinaryOperator::Sub},
          {P::STAR_ASSIGN, BinaryOperator::Mult},          {P::AT_ASSIGN, BinaryOperator::MatMult},
          {P::SLASH_ASSIGN, BinaryOperator::Div},          {P::PERCENT_ASSIGN, BinaryOperator::Mod},
          {P::AMPERSAND_ASSIGN, BinaryOperator::BitAnd},   {P::PIPE_ASSIGN, BinaryOperator::BitOr},
          {P::CARET_ASSIGN, BinaryOperator::BitXor},       {P::SHIFT_LEFT_ASSIGN, BinaryOperator::LShift},
          {P::SHIFT_RIGHT_ASSIGN, BinaryOperator::RShift}, {P::POWER_ASSIGN, BinaryOperator::Pow},
          {P::FLOOR_ASSIGN, BinaryOperator::FloorDiv}};
      if (first->kind != ExprKind::Name && first->kind != ExprKind::Attribute && first->kind != ExprKind::Subscript)
        fail(first->span, "'" + describe(first) + "' is an illegal expression for augmented assignment");
      std::size_t type = token_type(rule(c[1])->children[0]);
      BinaryOperator op = BinaryOperator::Add;
      for (auto [token, value] : kOperators)
        if (token == type) op = value;
      return arena_.make<AugAssign>(Stmt{StmtKind::AugAssign, where}, first, op, star_expressions(rule(c[2])));
    }
    if (token_type(c[1]) == P::COLON) {
      if (first->kind != ExprKind::Name && first->kind != ExprKind::Attribute && first->kind != ExprKind::Subscript)
        fail(first->span,
             first->kind == ExprKind::Tuple || first->kind == ExprKind::List ? "only single target (not tuple) can be annotated"
                                                                             : "illegal target for annotation",
             first->kind == ExprKind::Name ? "" : "a line that opens a block starts with if, for, while, def, with or try");
      if (c.size() < 5) return arena_.make<Assign>(Stmt{StmtKind::Assign, where}, std::span<Expr*>{}, nullptr);
      return arena_.make<Assign>(Stmt{StmtKind::Assign, where}, arena_.copy(std::vector<Expr*>{first}),
                                 star_expressions(rule(c[4])));
    }
    std::vector<Expr*> targets = {first};
    for (std::size_t i = 2; i + 1 < c.size(); i += 2) targets.push_back(star_expressions(rule(c[i])));
    for (Expr* t : targets) check_target(t, "assign to");
    Expr* value = star_expressions(rule(c.back()));
    if (value->kind == ExprKind::Starred) fail(value->span, "can't use starred expression here");
    return arena_.make<Assign>(Stmt{StmtKind::Assign, where}, arena_.copy(targets), value);
  }

  static std::string describe(const Expr* e) {
    switch (e->kind) {
      case ExprKind::Constant: {
        const Value& v = static_cast<const Constant*>(e)->value;
        if (v.is_none()) return "None";
        if (v.is_bool()) return v.as_bool() ? "True" : "False";
        if (v.is_ellipsis()) return "ellipsis";
        return "literal";
      }
      case ExprKind::Call: return "function call";
      case ExprKind::Compare: return "comparison";
      case ExprKind::IfExp: return "conditional expression";
      case ExprKind::Lambda: return "lambda";
      case ExprKind::Dict: return "dict literal";
      case ExprKind::Set: return "set display";
      case ExprKind::Tuple: return "tuple";
      case ExprKind::List: return "list";
      case ExprKind::JoinedStr: return "f-string expression";
      case ExprKind::NamedExpr: return "named expression";
      case ExprKind::Starred: return "starred";
      case ExprKind::Comprehension: return "comprehension";
      default: return "expression";
    }
  }

  void check_target(Expr* e, const char* verb, bool nested = false) {
    switch (e->kind) {
      case ExprKind::Name:
      case ExprKind::Attribute:
      case ExprKind::Subscript: return;
      case ExprKind::Starred:
        if (!nested) fail(e->span, "starred assignment target must be in a list or tuple");
        check_target(as<Starred>(*e).value, verb, false);
        return;
      case ExprKind::Tuple:
      case ExprKind::List: {
        int stars = 0;
        for (Expr* element : as<Sequence>(*e).elements) {
          stars += element->kind == ExprKind::Starred;
          if (stars > 1) fail(element->span, "multiple starred expressions in assignment");
          check_target(element, verb, true);
        }
        return;
      }
      default: {
        std::string what = describe(e);
        bool comparison = std::string(verb) == "assign to" && what != "None" && what != "True" && what != "False";
        fail(e->span,
             std::string("cannot ") + verb + " " + what + (comparison ? " here. Maybe you meant '==' instead of '='?" : ""));
      }
    }
  }

  Stmt* compound(ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree->getStart());
    auto else_block = [&](ParseTree* t) { return block(rule(rule(t)->children[2])); };
    switch (token_type(c[0])) {
      case P::IF: {
        std::vector<Branch> branches = {{named(rule(c[1])), block(rule(c[3]))}};
        Block orelse;
        for (std::size_t i = 4; i < c.size(); ++i) {
          auto* part = rule(c[i]);
          if (part->getRuleIndex() == P::RuleElif) {
            branches.push_back({named(rule(part->children[1])), block(rule(part->children[3]))});
          } else {
            orelse = else_block(part);
          }
        }
        return arena_.make<If>(Stmt{StmtKind::If, where}, arena_.copy(branches), orelse);
      }
      case P::WHILE: {
        Expr* test = named(rule(c[1]));
        ++loop_depth;
        Block body = block(rule(c[3]));
        --loop_depth;
        return arena_.make<While>(Stmt{StmtKind::While, where}, test, body, c.size() > 4 ? else_block(c[4]) : Block{});
      }
      case P::FOR: {
        Expr* item = target_list(rule(c[1]));
        check_target(item, "assign to");
        Expr* iterable = star_expressions(rule(c[3]));
        ++loop_depth;
        Block body = block(rule(c[5]));
        --loop_depth;
        return arena_.make<For>(Stmt{StmtKind::For, where}, item, iterable, body, c.size() > 6 ? else_block(c[6]) : Block{});
      }
      case P::TRY: {
        Block body = block(rule(c[2])), orelse, finalbody;
        std::vector<Handler> handlers;
        for (std::size_t i = 3; i < c.size(); ++i) {
          auto* part = rule(c[i]);
          if (part->getRuleIndex() == P::RuleExceptClause) {
            auto& e = part->children;
            if (!handlers.empty() && !handlers.back().type) fail(handlers.back().span, "default 'except:' must be last");
            Handler handler{};
            handler.span = span(e[0]);
            if (token_type(e[1]) != P::COLON) handler.type = expression(rule(e[1]));
            if (token_type(e[2]) == P::AS) handler.name = make_name(e[3]);
            handler.body = block(rule(e.back()));
            handlers.push_back(handler);
          } else if (part->getRuleIndex() == P::RuleElseBlock) {
            orelse = else_block(part);
          } else {
            finalbody = else_block(part);
          }
        }
        return arena_.make<Try>(Stmt{StmtKind::Try, where}, body, arena_.copy(handlers), orelse, finalbody);
      }
      case P::WITH: {
        std::vector<WithItem> items;
        for (ParseTree* child : c)
          if (is_rule(child, P::RuleWithItem)) {
            auto& parts = rule(child)->children;
            Expr* t = parts.size() > 1 ? target(rule(parts[2])) : nullptr;
            if (t) check_target(t, "assign to");
            items.push_back({expression(rule(parts[0])), t});
          }
        return arena_.make<With>(Stmt{StmtKind::With, where}, arena_.copy(items), block(rule(c.back())));
      }
      default: break;
    }
    std::vector<Expr*> decorators;
    std::size_t i = 0;
    for (; is_rule(c[i], P::RuleDecorator); ++i) decorators.push_back(named(rule(rule(c[i])->children[1])));
    ParseTree* name = c[i + 1];
    auto* function = arena_.make<Function>(name_id(name));
    function->qualified_name = kept(enclosing_ + std::string(text(name)));
    function->span = {span(c[i]).begin, span(name).end};
    if (is_rule(c[i + 3], P::RuleParameters)) function->parameters = parameters(rule(c[i + 3]));
    int outer_loop = std::exchange(loop_depth, 0);
    ++function_depth;
    std::string outer = std::exchange(enclosing_, std::string(function->qualified_name) + ".<locals>.");
    function->body = block(rule(c.back()));
    enclosing_ = std::move(outer);
    --function_depth;
    loop_depth = outer_loop;
    function->docstring = docstring_of(function->body);
    return arena_.make<FunctionDef>(Stmt{StmtKind::FunctionDef, function->span}, function, make_name(name),
                                    arena_.copy(decorators));
  }

 public:
  std::string_view docstring_of(Block body) {
    if (body.empty() || body[0]->kind != StmtKind::Expr) return {};
    Expr* e = as<ExprStmt>(*body[0]).value;
    if (e->kind != ExprKind::Constant) return {};
    auto* str = as<Constant>(*e).value.get_if<runtime::Str>();
    return str ? std::string_view(str->text) : std::string_view();
  }

 private:
  // Parameters of def and lambda have the same shape.
  std::span<Parameter> parameters(ParserRuleContext* tree) {
    std::vector<Parameter> list;
    std::set<NameId> seen;
    bool keyword_only = false, defaults = false, slash = false;
    std::optional<SourceSpan> bare_star;
    for (ParseTree* child : tree->children) {
      if (is_terminal(child)) continue;
      auto& c = rule(child)->children;
      SourceSpan where = span(child);
      std::size_t first = token_type(c[0]);
      if (!list.empty() && list.back().kind == ParameterKind::Keywords)
        fail(where, "arguments cannot follow var-keyword argument");
      if (first == P::SLASH) {
        if (slash) fail(where, "/ may appear only once");
        if (keyword_only) fail(where, "/ must be ahead of *");
        if (list.empty()) fail(where, "at least one argument must precede /");
        slash = true;
        for (Parameter& p : list) p.kind = ParameterKind::PositionalOnly;
        continue;
      }
      Parameter p{};
      p.span = where;
      if (first == P::STAR) {
        if (keyword_only) fail(where, "* argument may appear only once");
        keyword_only = true;
        if (c.size() == 1) {
          bare_star = where;
          continue;
        }
        p.kind = ParameterKind::Variadic;
        p.name = name_id(c[1]);
      } else if (first == P::POWER) {
        p.kind = ParameterKind::Keywords;
        p.name = name_id(c[1]);
      } else {
        p.kind = keyword_only ? ParameterKind::KeywordOnly : ParameterKind::Positional;
        p.name = name_id(c[0]);
        for (std::size_t i = 1; i + 1 < c.size(); ++i)
          if (token_type(c[i]) == P::ASSIGN) p.default_value = expression(rule(c[i + 1]));
        if (p.default_value && !keyword_only) defaults = true;
        if (!p.default_value && defaults && !keyword_only) fail(where, "non-default argument follows default argument");
      }
      if (!seen.insert(p.name).second)
        fail(where, "duplicate argument '" + std::string(interner_.text(p.name)) + "' in function definition");
      list.push_back(p);
    }
    if (bare_star) {
      bool named_follow = false;
      for (const Parameter& p : list) named_follow |= p.kind == ParameterKind::KeywordOnly;
      if (!named_follow) fail(*bare_star, "named arguments must follow bare *");
    }
    return arena_.copy(list);
  }

  // ---- targets ----
  Expr* target_list(ParserRuleContext* tree) {
    std::vector<Expr*> items;
    bool comma = false;
    for (ParseTree* child : tree->children) {
      if (is_terminal(child)) {
        comma = true;
      } else {
        items.push_back(target(rule(child)));
      }
    }
    if (!comma) return items[0];
    return make_sequence(ExprKind::Tuple, items, span(tree));
  }
  Expr* target(ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree);
    switch (token_type(c[0])) {
      case P::NAME: return make_name(c[0]);
      case P::STAR: return arena_.make<Starred>(Expr{ExprKind::Starred, where}, target(rule(c[1])));
      case P::LPAREN:
        if (c.size() == 2) return make_sequence(ExprKind::Tuple, {}, where);
        return target_list(rule(c[1]));
      case P::LBRACKET: {
        std::vector<Expr*> items;
        if (c.size() > 2)
          for (ParseTree* child : rule(c[1])->children)
            if (!is_terminal(child)) items.push_back(target(rule(child)));
        return make_sequence(ExprKind::List, items, where);
      }
      default: break;
    }
    return trailer(target(rule(c[0])), tree);
  }

  // ---- expressions ----
  Expr* make_sequence(ExprKind kind, const std::vector<Expr*>& items, SourceSpan where) {
    bool starred = false;
    for (Expr* item : items) starred |= item->kind == ExprKind::Starred;
    return arena_.make<Sequence>(Expr{kind, where}, arena_.copy(items), starred);
  }

  // starExpressions: one expression, or a tuple without parentheses.
  Expr* sequence(ParserRuleContext* tree, ExprKind kind) {
    auto& c = tree->children;
    if (c.size() == 1) return star_expression(rule(c[0]));
    std::vector<Expr*> items;
    for (ParseTree* child : c)
      if (!is_terminal(child)) items.push_back(star_expression(rule(child)));
    return make_sequence(kind, items, span(tree));
  }
  Expr* star_expression(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (is_terminal(c[0])) return arena_.make<Starred>(Expr{ExprKind::Starred, span(tree)}, disjunction(rule(c[1])));
    return expression(rule(c[0]));
  }
  // namedExpression
  Expr* named(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (c.size() == 1) return expression(rule(c[0]));
    return arena_.make<NamedExpr>(Expr{ExprKind::NamedExpr, span(tree)}, make_name(c[0]), expression(rule(c[2])));
  }
  Expr* expression(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (c.size() == 1) return disjunction(rule(c[0]));
    if (token_type(c[0]) == P::LAMBDA) {
      auto* function = arena_.make<Function>(interner_.intern("<lambda>"));
      function->qualified_name = kept(enclosing_ + "<lambda>");
      function->span = span(tree);
      if (is_rule(c[1], P::RuleLambdaParameters)) function->parameters = parameters(rule(c[1]));
      int outer_loop = std::exchange(loop_depth, 0);
      ++function_depth;
      std::string outer = std::exchange(enclosing_, std::string(function->qualified_name) + ".<locals>.");
      function->expression = expression(rule(c.back()));
      enclosing_ = std::move(outer);
      --function_depth;
      loop_depth = outer_loop;
      return arena_.make<Lambda>(Expr{ExprKind::Lambda, span(tree)}, function);
    }
    return arena_.make<IfExp>(Expr{ExprKind::IfExp, span(tree)}, disjunction(rule(c[2])), disjunction(rule(c[0])),
                              expression(rule(c[4])));
  }

  // The left spine of a chain is walked with a loop: a + b + c + ... is as deep as it is long.
  Expr* disjunction(ParserRuleContext* tree) {
    std::vector<ParserRuleContext*> spine;
    while (!is_terminal(tree->children[0]) && rule(tree->children[0])->getRuleIndex() == P::RuleDisjunction) {
      spine.push_back(tree);
      tree = rule(tree->children[0]);
    }
    if (spine.size() > kTreeDepth)
      fail(span(spine[0]->getStart()), "expression is too long: a chain of more than 20,000 operators",
           "split it over several statements", 701);
    Expr* left = leaf(tree);
    while (!spine.empty()) {
      left = step(left, spine.back());
      spine.pop_back();
    }
    return left;
  }
  Expr* leaf(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (c.size() == 1) return atom(rule(c[0]));
    UnaryOperator op = UnaryOperator::Not;
    switch (token_type(c[0])) {
      case P::PLUS: op = UnaryOperator::UAdd; break;
      case P::MINUS: op = UnaryOperator::USub; break;
      case P::TILDE: op = UnaryOperator::Invert; break;
      default: break;
    }
    Expr* operand = disjunction(rule(c[1]));
    // -1 is a constant, as in CPython's own folding.
    if (op == UnaryOperator::USub && operand->kind == ExprKind::Constant) {
      Value& v = as<Constant>(*operand).value;
      if (v.is_int() && v.as_int() != 0) return constant(Value::integer(-v.as_int()), span(tree));
      if (v.is_float()) return constant(Value::real(-v.as_float()), span(tree));
    }
    return arena_.make<Unary>(Expr{ExprKind::Unary, span(tree)}, op, operand);
  }

  // left <trailer or operator> ...
  Expr* step(Expr* left, ParserRuleContext* tree) {
    auto& c = tree->children;
    if (!is_terminal(c[1])) return comparison(left, rule(c[1]), tree);
    auto binary = [&](BinaryOperator op) -> Expr* {
      Expr* right = operand(rule(c[2]));
      return arena_.make<Binary>(Expr{ExprKind::Binary, span(tree)}, op, left, right);
    };
    switch (token_type(c[1])) {
      case P::PLUS: return binary(BinaryOperator::Add);
      case P::MINUS: return binary(BinaryOperator::Sub);
      case P::STAR: return binary(BinaryOperator::Mult);
      case P::AT: return binary(BinaryOperator::MatMult);
      case P::SLASH: return binary(BinaryOperator::Div);
      case P::PERCENT: return binary(BinaryOperator::Mod);
      case P::FLOOR: return binary(BinaryOperator::FloorDiv);
      case P::POWER: return binary(BinaryOperator::Pow);
      case P::SHIFT_LEFT: return binary(BinaryOperator::LShift);
      case P::SHIFT_RIGHT: return binary(BinaryOperator::RShift);
      case P::AMPERSAND: return binary(BinaryOperator::BitAnd);
      case P::CARET: return binary(BinaryOperator::BitXor);
      case P::PIPE: return binary(BinaryOperator::BitOr);
      case P::AND:
      case P::OR: {
        BoolOperator op = token_type(c[1]) == P::AND ? BoolOperator::And : BoolOperator::Or;
        Expr* values[] = {left, disjunction(rule(c[2]))};
        return arena_.make<BoolOp>(Expr{ExprKind::BoolOp, span(tree)}, op, arena_.copy(std::vector<Expr*>(values, values + 2)));
      }
      default: return trailer(left, tree);
    }
  }
  // Python has no `a + not b`.
  Expr* operand(ParserRuleContext* tree) {
    if (token_type(tree->children[0]) == P::NOT)
      fail(span(tree->children[0]), "invalid syntax", "put 'not ...' in parentheses", 101);
    return disjunction(tree);
  }

  Expr* comparison(Expr* left, ParserRuleContext* op, ParserRuleContext* tree) {
    CompareOperator which = CompareOperator::Eq;
    switch (token_type(op->children[0])) {
      case P::LESS: which = CompareOperator::Lt; break;
      case P::GREATER: which = CompareOperator::Gt; break;
      case P::LESS_EQUAL: which = CompareOperator::LtE; break;
      case P::GREATER_EQUAL: which = CompareOperator::GtE; break;
      case P::NOT_EQUAL: which = CompareOperator::NotEq; break;
      case P::IN: which = CompareOperator::In; break;
      case P::NOT: which = CompareOperator::NotIn; break;
      case P::IS: which = op->children.size() > 1 ? CompareOperator::IsNot : CompareOperator::Is; break;
      default: break;
    }
    Expr* right = operand(rule(tree->children[2]));
    std::vector<CompareOperator> ops = {which};
    std::vector<Expr*> comparators = {right};
    // a < b < c: the left side is a comparison without parentheses (those are atoms).
    if (left->kind == ExprKind::Compare && !parenthesized(rule(tree->children[0]))) {
      auto& chain = as<Compare>(*left);
      ops.insert(ops.begin(), chain.ops.begin(), chain.ops.end());
      comparators.insert(comparators.begin(), chain.comparators.begin(), chain.comparators.end());
      left = chain.left;
    }
    return arena_.make<Compare>(Expr{ExprKind::Compare, span(tree)}, left, arena_.copy(ops), arena_.copy(comparators));
  }
  static bool parenthesized(ParserRuleContext* tree) { return tree->children.size() == 1; }

  Expr* trailer(Expr* left, ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree);
    where.begin = std::min(where.begin, left->span.begin);
    switch (token_type(c[1])) {
      case P::DOT: return arena_.make<Attribute>(Expr{ExprKind::Attribute, where}, left, name_id(c[2]));
      case P::LPAREN: return call(left, c.size() > 3 ? rule(c[2]) : nullptr, where);
      default: return arena_.make<Subscript>(Expr{ExprKind::Subscript, where}, left, subscripts(rule(c[2])));
    }
  }

  Expr* call(Expr* function, ParserRuleContext* arguments, SourceSpan where) {
    std::vector<Expr*> args;
    std::vector<Keyword> keywords;
    bool plain = true, unpacked = false;
    if (arguments)
      for (ParseTree* child : arguments->children) {
        if (is_terminal(child)) continue;
        auto& c = rule(child)->children;
        std::size_t first = token_type(c[0]);
        if (first == P::NAME) {
          Keyword keyword{name_id(c[0]), expression(rule(c[2])), span(child)};
          for (const Keyword& k : keywords)
            if (k.name == keyword.name) fail(keyword.span, "keyword argument repeated: " + std::string(interner_.text(k.name)));
          keywords.push_back(keyword);
          plain = false;
        } else if (first == P::STAR) {
          if (unpacked) fail(span(child), "iterable argument unpacking follows keyword argument unpacking");
          args.push_back(arena_.make<Starred>(Expr{ExprKind::Starred, span(child)}, expression(rule(c[1]))));
          plain = false;
        } else if (first == P::POWER) {
          keywords.push_back({kNoName, expression(rule(c[1])), span(child)});
          plain = false;
          unpacked = true;
        } else {
          if (!keywords.empty())
            fail(span(child), unpacked ? "positional argument follows keyword argument unpacking"
                                       : "positional argument follows keyword argument");
          Expr* value = named(rule(c[0]));
          if (c.size() > 1) {
            if (arguments->children.size() > 1) fail(span(child), "Generator expression must be parenthesized");
            value = comprehension(ComprehensionKind::Generator, value, nullptr, c, 1, span(child));
          }
          args.push_back(value);
        }
      }
    return arena_.make<Call>(Expr{ExprKind::Call, where}, function, arena_.copy(args), arena_.copy(keywords), plain);
  }

  Expr* subscripts(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (c.size() == 1 && token_type(rule(c[0])->children[0]) != P::STAR) return subscript_item(rule(c[0]));
    std::vector<Expr*> items;
    for (ParseTree* child : c)
      if (!is_terminal(child)) items.push_back(subscript_item(rule(child)));
    return make_sequence(ExprKind::Tuple, items, span(tree));
  }
  Expr* subscript_item(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (token_type(c[0]) == P::STAR) return arena_.make<Starred>(Expr{ExprKind::Starred, span(tree)}, disjunction(rule(c[1])));
    Expr *lower = nullptr, *upper = nullptr, *step_value = nullptr;
    ParserRuleContext* rest = nullptr;
    if (rule(c[0])->getRuleIndex() == P::RuleNamedExpression) {
      lower = named(rule(c[0]));
      if (c.size() == 1) return lower;
      rest = rule(c[1]);
    } else {
      rest = rule(c[0]);
    }
    int colons = 0;
    for (ParseTree* child : rest->children) {
      if (is_terminal(child)) {
        ++colons;
      } else {
        (colons == 1 ? upper : step_value) = expression(rule(child));
      }
    }
    return arena_.make<SliceExpr>(Expr{ExprKind::Slice, span(tree)}, lower, upper, step_value);
  }

  Expr* comprehension(ComprehensionKind kind, Expr* element, Expr* value, const std::vector<ParseTree*>& children,
                      std::size_t first, SourceSpan where) {
    if (element->kind == ExprKind::Starred) fail(element->span, "iterable unpacking cannot be used in comprehension");
    std::vector<Generator> generators;
    for (std::size_t i = first; i < children.size() && is_rule(children[i], P::RuleComprehension); ++i) {
      auto& c = rule(children[i])->children;
      Expr* item = target_list(rule(c[1]));
      check_target(item, "assign to");
      Expr* iterable = disjunction(rule(c[3]));
      std::vector<Expr*> conditions;
      for (std::size_t k = 5; k < c.size(); k += 2) conditions.push_back(disjunction(rule(c[k])));
      generators.push_back({item, iterable, arena_.copy(conditions)});
    }
    return arena_.make<Comprehension>(Expr{ExprKind::Comprehension, where}, kind, element, value, arena_.copy(generators));
  }

  Expr* item(ParserRuleContext* tree) {
    auto& c = tree->children;
    if (is_terminal(c[0])) return arena_.make<Starred>(Expr{ExprKind::Starred, span(tree)}, disjunction(rule(c[1])));
    return named(rule(c[0]));
  }

  Expr* atom(ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree);
    switch (token_type(c[0])) {
      case P::NAME: return make_name(c[0]);
      case P::INTEGER: return integer(c[0]);
      case P::REAL: return constant(Value::real(real(text(c[0]))), where);
      case P::IMAGINARY: {
        std::string_view digits = text(c[0]);
        digits.remove_suffix(1);
        return constant(runtime::make_complex({0, real(digits)}), where);
      }
      case P::STRING: return strings(tree);
      case P::NONE: return constant(Value::none(), where);
      case P::TRUE: return constant(Value::boolean(true), where);
      case P::FALSE: return constant(Value::boolean(false), where);
      case P::ELLIPSIS: return constant(Value::ellipsis(), where);
      case P::LBRACE: return braces(tree);
      default: break;
    }
    bool list = token_type(c[0]) == P::LBRACKET;
    ExprKind kind = list ? ExprKind::List : ExprKind::Tuple;
    if (c.size() == 2) return make_sequence(kind, {}, where);
    Expr* first = item(rule(c[1]));
    if (is_rule(c[2], P::RuleComprehension))
      return comprehension(list ? ComprehensionKind::List : ComprehensionKind::Generator, first, nullptr, c, 2, where);
    if (!list && c.size() == 3) {
      if (first->kind == ExprKind::Starred) fail(first->span, "cannot use starred expression here");
      return first;
    }
    std::vector<Expr*> items = {first};
    for (std::size_t i = 2; i < c.size(); ++i)
      if (!is_terminal(c[i])) items.push_back(item(rule(c[i])));
    return make_sequence(kind, items, where);
  }

  Expr* braces(ParserRuleContext* tree) {
    auto& c = tree->children;
    SourceSpan where = span(tree);
    if (c.size() == 2) return arena_.make<DictExpr>(Expr{ExprKind::Dict, where}, std::span<DictItem>{});
    std::vector<DictItem> pairs;
    std::vector<Expr*> items;
    bool dict = false, set = false;
    for (std::size_t i = 1; i < c.size(); ++i) {
      if (!is_rule(c[i], P::RuleBraceItem)) continue;
      auto& b = rule(c[i])->children;
      std::size_t first = token_type(b[0]);
      if (first == P::POWER) {
        dict = true;
        pairs.push_back({nullptr, disjunction(rule(b[1]))});
      } else if (first == P::STAR) {
        set = true;
        items.push_back(arena_.make<Starred>(Expr{ExprKind::Starred, span(c[i])}, disjunction(rule(b[1]))));
      } else if (b.size() > 1) {
        dict = true;
        pairs.push_back({named(rule(b[0])), expression(rule(b[2]))});
      } else {
        set = true;
        items.push_back(named(rule(b[0])));
      }
      if (dict && set)
        fail(span(c[i]),
             dict && items.size() == 1 && pairs.size() >= 1 ? "':' expected after dictionary key" : "invalid syntax", "", 101);
    }
    if (is_rule(c[2], P::RuleComprehension)) {
      if (dict && !pairs[0].key) fail(where, "dict unpacking cannot be used in dict comprehension");
      return dict ? comprehension(ComprehensionKind::Dict, pairs[0].key, pairs[0].value, c, 2, where)
                  : comprehension(ComprehensionKind::Set, items[0], nullptr, c, 2, where);
    }
    if (dict) return arena_.make<DictExpr>(Expr{ExprKind::Dict, where}, arena_.copy(pairs));
    return make_sequence(ExprKind::Set, items, where);
  }

  // ---- literals ----
  static std::string without_underscores(std::string_view text) {
    std::string digits;
    for (char c : text)
      if (c != '_') digits += c;
    return digits;
  }
  static double real(std::string_view text) {
    std::string digits = without_underscores(text);
    return std::strtod(digits.c_str(), nullptr);
  }
  Expr* integer(ParseTree* terminal) {
    std::string digits = without_underscores(text(terminal));
    SourceSpan where = span(terminal);
    int base = 10;
    const char* begin = digits.data();
    if (digits.size() > 1 && digits[0] == '0') {
      char c = digits[1] | 0x20;
      base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
      if (base != 10) begin += 2;
    }
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(begin, digits.data() + digits.size(), value, base);
    if (error == std::errc()) return constant(Value::integer(value), where);
    if (digits.size() > 4300 && base == 10)
      fail(where, "Exceeds the limit (4300 digits) for integer string conversion", "write it in hexadecimal", 104);
    if (base != 2) {
      if (base == 8) digits.erase(1, 1);  // Boost reads 0o17 as 017
      return constant(runtime::make_int(runtime::BigInteger(digits)), where);
    }
    runtime::BigInteger big = 0;
    for (const char* p = begin; *p; ++p) big = big * 2 + (*p - '0');
    return constant(runtime::make_int(big), where);
  }

  [[noreturn]] void literal_error(const LiteralError& error) const {
    fail({error.offset, error.offset + 1}, error.message, "", 104);
  }

  Expr* strings(ParserRuleContext* tree) {
    std::vector<Expr*> values;
    std::string pending;
    SourceSpan where = span(tree);
    bool formatted = false, bytes = false, plain = false;
    for (ParseTree* child : tree->children) {
      StringLiteral literal = split_literal(text(child), span(child).begin);
      (literal.bytes ? bytes : plain) = true;
      if (bytes && plain) fail(where, "cannot mix bytes and nonbytes literals", "", 104);
      if (!literal.formatted) {
        LiteralError error;
        if (!decode_escapes(literal.body, literal.body_begin, literal.raw, literal.bytes, pending, error)) literal_error(error);
        continue;
      }
      formatted = true;
      std::vector<FormatPiece> pieces;
      LiteralError error;
      if (!split_format(literal.body, literal.body_begin, 0, pieces, error)) literal_error(error);
      add_pieces(pieces, literal.raw, pending, values);
    }
    if (!formatted) {
      Value value = bytes ? Value(runtime::make<runtime::Bytes>(std::move(pending))) : runtime::make_str(std::move(pending));
      return constant(std::move(value), where);
    }
    flush(pending, values, where);
    return arena_.make<JoinedStr>(Expr{ExprKind::JoinedStr, where}, arena_.copy(values));
  }
  void flush(std::string& pending, std::vector<Expr*>& values, SourceSpan where) {
    if (!pending.empty()) values.push_back(constant(runtime::make_str(std::exchange(pending, {})), where));
  }
  void add_pieces(const std::vector<FormatPiece>& pieces, bool raw, std::string& pending, std::vector<Expr*>& values) {
    for (const FormatPiece& piece : pieces) {
      SourceSpan where{piece.offset, piece.offset + static_cast<std::uint32_t>(piece.text.size())};
      if (!piece.field) {
        LiteralError error;
        if (!decode_escapes(piece.text, piece.offset, raw, false, pending, error)) literal_error(error);
        continue;
      }
      if (piece.self_documenting) pending += piece.documentation;
      flush(pending, values, where);
      Expr* spec = nullptr;
      if (piece.has_spec) {
        std::vector<Expr*> parts;
        std::string text;
        add_pieces(piece.spec, raw, text, parts);
        flush(text, parts, where);
        spec = arena_.make<JoinedStr>(Expr{ExprKind::JoinedStr, where}, arena_.copy(parts));
      }
      char conversion = piece.conversion;
      if (piece.self_documenting && !conversion && !piece.has_spec) conversion = 'r';
      values.push_back(
          arena_.make<FormattedValue>(Expr{ExprKind::FormattedValue, where}, format_expression(piece), conversion, spec));
    }
  }
  Expr* format_expression(const FormatPiece& piece);

  const Source& source_;
  const OffsetMap& offsets_;
  std::uint32_t base_;
  ir::Interner& interner_;
  Arena& arena_;
  std::string enclosing_;  // "outer.<locals>." of the function that is being built
};

// The labels of the alternatives and the names of the tokens that a tree is made of. A label's class is called after it.
void collect_grammar(ParseTree* root, const antlr4::dfa::Vocabulary& vocabulary, std::set<std::string>& used) {
  std::vector<ParseTree*> work = {root};
  while (!work.empty()) {
    ParseTree* tree = work.back();
    work.pop_back();
    if (is_terminal(tree)) {
      used.insert(vocabulary.getSymbolicName(token_type(tree)));
      continue;
    }
    // "N7autoray7grammar13AutorayParser12AtomicContextE"
    std::string_view name = typeid(*tree).name();
    std::size_t end = name.rfind("Context"), begin = name.find("AutorayParser");
    begin = begin == std::string_view::npos ? end : name.find_first_not_of("0123456789", begin + 13);
    if (end != std::string_view::npos && begin < end) {
      std::string label(name.substr(begin, end - begin));
      label[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(label[0])));
      used.insert(std::move(label));
    }
    for (ParseTree* child : tree->children) work.push_back(child);
  }
}

// One ANTLR run over a text: the whole script, or the expression in an f-string's braces (`base` is its offset). A script's
// statements are given to `build` one by one, and each tree is dropped before the next is read: a tree is thirty times its
// text, and freeing all of it at the end took a third of the time. `restart` is called before the whole is built once more.
template <class Build>
void with_tree(std::string_view text, bool one_expression, std::uint32_t base, std::set<std::string>* used, Build&& build,
               const std::function<void()>& restart = {}) {
  OffsetMap offsets(text);
  antlr4::ANTLRInputStream input;
  // ANTLR drops a byte order mark at the start of its text, and with it the count of characters; the file's own is gone
  // already.
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  input.load(std::string(text.starts_with(byte_order_mark) ? byte_order_mark : "") + std::string(text));
  AutorayLexer lexer(&input);
  lexer.removeErrorListeners();
  std::vector<std::unique_ptr<Token>> tokens;
  SyntaxProblem problem;
  auto shift = [&](SyntaxProblem& p) {
    for (auto& label : p.labels) {
      label.first.begin += base;
      label.first.end += base;
    }
  };
  if (!lay_out(lexer.getAllTokens(), text, offsets, one_expression, tokens, problem)) {
    shift(problem);
    throw Failure{problem};
  }
  antlr4::ListTokenSource list(std::move(tokens));
  antlr4::CommonTokenStream stream(&list);
  AutorayParser parser(&stream);
  parser.removeErrorListeners();
  ParserRuleContext* tree = nullptr;
  auto run = [&]() -> ParserRuleContext* {
    return one_expression ? static_cast<ParserRuleContext*>(parser.formatExpression()) : parser.module();
  };
  // SLL is twice as fast and right for nearly all texts; where it fails, LL decides.
  auto* interpreter = parser.getInterpreter<antlr4::atn::ParserATNSimulator>();
  interpreter->setPredictionMode(antlr4::atn::PredictionMode::SLL);
  parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  // What the builder refuses comes after every syntax error, wherever they stand.
  std::optional<Failure> refused;
  auto statements = [&] {
    for (std::size_t next; (next = stream.LA(1)) != Token::EOF;) {
      if (next == P::NEWLINE) {
        stream.consume();
        continue;
      }
      ParserRuleContext* statement = parser.statement();
      if (used) collect_grammar(statement, parser.getVocabulary(), *used);
      if (!refused) try {
          build(offsets, statement);
        } catch (Failure& failure) {
          refused = std::move(failure);
        }
      parser.getTreeTracker().reset();
    }
  };
  try {
    if (!one_expression) {
      statements();
      if (refused) throw *refused;
      return;
    }
    tree = run();
  } catch (const antlr4::ParseCancellationException&) {
    if (restart) restart();
    stream.seek(0);
    parser.reset();
    auto first = std::make_shared<FirstError>();
    parser.setErrorHandler(first);
    interpreter->setPredictionMode(antlr4::atn::PredictionMode::LL);
    try {
      tree = run();
    } catch (const antlr4::ParseCancellationException&) {
      stream.fill();
      std::vector<PlainToken> plain;
      for (std::size_t i = 0; i < stream.size(); ++i) {
        Token* token = stream.get(i);
        TokenKind kind = kind_of(token->getType());
        SourceSpan span{offsets.byte(token->getStartIndex()), offsets.byte(token->getStopIndex() + 1)};
        bool layout = kind == TokenKind::Newline || kind == TokenKind::Indent || kind == TokenKind::Dedent;
        plain.push_back({kind, span, layout || kind == TokenKind::End ? "" : text.substr(span.begin, span.end - span.begin)});
        if (token == first->token) first->stop.at = i;
      }
      first->stop.in_format = one_expression;
      problem = explain_syntax(text, plain, first->stop);
      shift(problem);
      throw Failure{problem};
    }
  }
  if (used) collect_grammar(tree, parser.getVocabulary(), *used);
  build(offsets, tree);
}

Expr* Builder::format_expression(const FormatPiece& piece) {
  Expr* result = nullptr;
  with_tree(piece.text, true, piece.offset, used_grammar, [&](const OffsetMap& offsets, ParserRuleContext* tree) {
    Builder inner(source_, offsets, piece.offset, interner_, arena_);
    inner.function_depth = function_depth;
    inner.used_grammar = used_grammar;
    result = inner.star_expressions(rule(tree->children[0]));
  });
  return result;
}

// ANTLR's generated parsers share lazily filled tables; 4.9's are not safe under concurrent prediction.
std::mutex& antlr_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

ParseResult parse(const Source& source, ir::Interner& interner, std::set<std::string>* used_grammar) {
  ParseResult result;
  SyntaxProblem problem;
  bool failed = false;
  if (std::size_t bad = source.first_bad_byte(); bad != std::string::npos) {
    failed = true;
    problem.code = 106;
    problem.message = source.text()[bad] == 0 ? "source code cannot contain null bytes" : "the file is not valid UTF-8 text";
    problem.labels = {{{static_cast<std::uint32_t>(bad), static_cast<std::uint32_t>(bad + 1)}, ""}};
  } else {
    std::lock_guard lock(antlr_mutex());
    try {
      auto module = std::make_unique<Module>();
      std::vector<Stmt*> body;
      std::optional<Builder> builder;
      auto build = [&](const OffsetMap& offsets, ParserRuleContext* tree) {
        if (!builder) {
          builder.emplace(source, offsets, 0, interner, module->arena);
          builder->used_grammar = used_grammar;
        }
        builder->module(tree, body);
      };
      with_tree(source.text(), false, 0, used_grammar, build, [&] {
        builder.reset();
        body.clear();
      });
      if (builder) {
        module->body = builder->block(body);
        module->docstring = builder->docstring_of(module->body);
      }
      result.module = std::move(module);
    } catch (const Failure& failure) {
      failed = true;
      problem = failure.problem;
    }
  }
  if (failed) {
    Diagnostic d;
    d.code = problem.code;
    d.title = std::string(ir::name(problem.error_class)) + ": " + problem.message;
    d.hint = problem.hint;
    for (auto& [span, text] : problem.labels) d.labels.push_back({span, text});
    locate(d, source);
    result.error = std::move(d);
  }
  return result;
}

}  // namespace autoray::frontend
