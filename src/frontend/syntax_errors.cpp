#include "frontend/syntax_errors.h"

#include <algorithm>
#include <cstdio>

#include "frontend/string_literals.h"

namespace autoray::frontend {
namespace {

using ir::ErrorClass;

constexpr std::string_view kBlockKeywords[] = {"if", "elif", "else", "while", "for", "try", "except", "finally", "with", "def"};
bool is_block_keyword(std::string_view word) {
  return std::find(std::begin(kBlockKeywords), std::end(kBlockKeywords), word) != std::end(kBlockKeywords);
}

// One error's tokens, read around the place where the parser stopped.
class Explanation {
 public:
  Explanation(std::string_view text, std::span<const PlainToken> tokens, const ParserStop& stop)
      : text_(text), tokens_(tokens), stop_(stop), at_(tokens[stop.at]) {
    line_ = stop.at;
    while (line_ > 0 && !is_layout(tokens[line_ - 1])) --line_;
    for (std::size_t i = line_; i < stop.at; ++i) {
      if (is("(", i) || is("[", i) || is("{", i)) open_.push_back(i);
      if ((is(")", i) || is("]", i) || is("}", i)) && !open_.empty()) open_.pop_back();
    }
  }

  SyntaxProblem explain() {
    say("invalid syntax");
    mark(at_.span);
    if (at_.kind == TokenKind::End || at_.kind == TokenKind::Newline) mark(end_of_line());
    bool found = layout() || unsupported() || print_statement() || headers() || assignments() || clauses() ||
                 foreign_operators() || foreign_words() || missing_comma() || keyword_as_name() || unfinished();
    if (!found && before() && ends_operand(*before()) && starts_operand(at_))
      problem_.hint = "an operator, a comma or parentheses may be missing before this";
    if (stop_.in_format) problem_.message = "f-string: " + problem_.message;
    return problem_;
  }

 private:
  static bool is_layout(const PlainToken& t) {
    return t.kind == TokenKind::Newline || t.kind == TokenKind::Indent || t.kind == TokenKind::Dedent;
  }
  static bool ends_operand(const PlainToken& t) {
    return t.kind == TokenKind::Name || t.kind == TokenKind::Number || t.kind == TokenKind::String || t.text == ")" ||
           t.text == "]" || t.text == "}" || t.text == "None" || t.text == "True" || t.text == "False" || t.text == "...";
  }
  static bool starts_operand(const PlainToken& t) {
    return t.kind == TokenKind::Name || t.kind == TokenKind::Number || t.kind == TokenKind::String || t.text == "(" ||
           t.text == "[" || t.text == "{" || t.text == "None" || t.text == "True" || t.text == "False" || t.text == "lambda";
  }
  bool is(std::string_view text, std::size_t i) const { return i < tokens_.size() && tokens_[i].text == text; }
  const PlainToken* before(std::size_t n = 1) const { return stop_.at >= line_ + n ? &tokens_[stop_.at - n] : nullptr; }
  bool after(std::string_view text, std::size_t n = 1) const { return before(n) && before(n)->text == text; }
  const PlainToken& first() const { return tokens_[line_]; }

  bool say(std::string message, std::string hint = {}, int code = 101) {
    problem_.message = std::move(message);
    problem_.hint = std::move(hint);
    problem_.code = code;
    return true;
  }
  bool hint(std::string text) {
    problem_.hint = std::move(text);
    return true;
  }
  void mark(SourceSpan span) { problem_.labels = {{span, ""}}; }
  int line_number(std::uint32_t offset) const {
    return 1 + static_cast<int>(std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  }
  // Behind the last token of the line.
  SourceSpan end_of_line() const {
    std::uint32_t end = before() ? before()->span.end : at_.span.begin;
    return {end, end + 1};
  }

  // ---- the families of errors ----

  bool layout() {
    if (at_.kind == TokenKind::Indent) {
      problem_.error_class = ErrorClass::IndentationError;
      // The blanks themselves are what is wrong; the caret stands where the statement begins.
      return say("unexpected indent", "statements of one block begin in one column", 102);
    }
    if (!stop_.expects_indent || at_.kind == TokenKind::Newline) return false;
    problem_.error_class = ErrorClass::IndentationError;
    std::size_t header = stop_.at;
    while (header > 0 && is_layout(tokens_[header - 1])) --header;
    std::size_t end = header;
    while (header > 0 && !is_layout(tokens_[header - 1])) --header;
    std::string what(tokens_[header].text);
    std::string opener = what == "def" ? "function definition" : "'" + what + "' statement";
    if (at_.kind == TokenKind::End && end > 0) mark({tokens_[end - 1].span.end, tokens_[end - 1].span.end + 1});
    return say(
        "expected an indented block after " + opener + " on line " + std::to_string(line_number(tokens_[header].span.begin)),
        "", 102);
  }

  bool unsupported() {
    if (after("except") && at_.text == "*")
      return say("'except*' is not supported", "use except with a tuple of exception classes", 201);
    const PlainToken& head = first();
    if (head.kind != TokenKind::Name || stop_.at == line_) return false;
    // match and type are names until a statement follows them.
    if (head.text == "match" && (stop_.at <= line_ + 2 || line_opens_block())) {
      mark(head.span);
      return say("'match' is not supported", "use if and elif", 201);
    }
    if (head.text == "type" && stop_.at == line_ + 1 && at_.kind == TokenKind::Name) {
      mark(head.span);
      return say("'type' statements are not supported", "annotations are read and ignored: leave the alias out", 201);
    }
    return false;
  }

  bool line_opens_block() const {
    std::size_t end = stop_.at;
    while (end < tokens_.size() && !is_layout(tokens_[end]) && tokens_[end].kind != TokenKind::End) ++end;
    return end > 0 && tokens_[end - 1].text == ":";
  }

  bool print_statement() {
    if (!before() || stop_.at != line_ + 1 || (first().text != "print" && first().text != "exec")) return false;
    if (!starts_operand(at_)) return false;
    std::string name(first().text);
    mark({first().span.begin, at_.span.end});
    return say("Missing parentheses in call to '" + name + "'. Did you mean " + name + "(...)?");
  }

  // The line that opens a block.
  bool headers() {
    if (at_.kind == TokenKind::Keyword && at_.text == "if" && after("else")) return hint("write 'elif'");
    bool line_ends = at_.kind == TokenKind::Newline || at_.kind == TokenKind::End;
    if (stop_.expects_colon && is_block_keyword(first().text) && open_.empty()) {
      if (line_ends) return say("expected ':'", "a line that opens a block ends with ':'");
      if (at_.text == "then" || at_.text == "do")
        return say("expected ':'", "write ':' instead of '" + std::string(at_.text) + "'");
      if (at_.text == "{") return say("expected ':'", "a block is opened by ':' and marked by its indentation");
      if (at_.text == "=") return maybe_equality();
      if (first().text == "except" && at_.text == ",")
        return mark_from_first(), say("multiple exception types must be parenthesized", "write except (A, B):");
      return hint("':' may be missing before this");
    }
    if (first().text == "except" && at_.text == ",") {
      mark_from_first();
      return say("multiple exception types must be parenthesized", "write except (A, B):");
    }
    if ((at_.kind == TokenKind::Keyword && stop_.at == line_) && (at_.text == "else" || at_.text == "elif"))
      return hint("'" + std::string(at_.text) + "' belongs to an 'if' in the same column" +
                  (at_.text == "else" ? " (or to a loop or a try)" : ""));
    if (stop_.at == line_ && (at_.text == "except" || at_.text == "finally"))
      return hint("'" + std::string(at_.text) + "' belongs to a 'try' in the same column");
    if (needs_handler()) return say("expected 'except' or 'finally' block", "a 'try' needs at least one of them");
    if (first().text == "for" && (after("for") || after(",")) &&
        (at_.kind == TokenKind::Number || at_.kind == TokenKind::String))
      return say("cannot assign to literal", "", 105);
    if (first().text == "with" && after("as") && (at_.kind == TokenKind::Number || at_.kind == TokenKind::String))
      return say("cannot assign to literal", "", 105);
    return false;
  }
  void mark_from_first() {
    std::size_t begin = line_ + 1;
    std::size_t end = stop_.at;
    while (end + 1 < tokens_.size() && tokens_[end + 1].text != ":" && !is_layout(tokens_[end + 1]) &&
           tokens_[end + 1].kind != TokenKind::End)
      ++end;
    mark({tokens_[begin].span.begin, tokens_[end].span.end});
  }
  // The block before this line was a try's.
  bool needs_handler() const {
    if (stop_.at != line_ || stop_.at == 0) return false;
    std::size_t i = stop_.at;
    int depth = 0;
    while (i > 0) {
      --i;
      if (tokens_[i].kind == TokenKind::Dedent) ++depth;
      if (tokens_[i].kind == TokenKind::Indent && --depth == 0) break;
      if (depth == 0 && !is_layout(tokens_[i])) return false;
    }
    std::size_t end = i;
    while (end > 0 && is_layout(tokens_[end - 1])) --end;
    while (end > 0 && !is_layout(tokens_[end - 1])) --end;
    return end < tokens_.size() && tokens_[end].text == "try";
  }

  bool maybe_equality() { return say("invalid syntax. Maybe you meant '==' or ':=' instead of '='?"); }
  bool assignments() {
    if (at_.text != "=") return false;
    if (after("=") || after("==")) return hint("Python compares with '=='");
    if (!before() || !ends_operand(*before())) {
      if (before() && before()->kind == TokenKind::Keyword)
        return hint("'" + std::string(before()->text) + "' is a keyword and can't be a name");
      return false;
    }
    bool call = !open_.empty() && is("(", open_.back()) && open_.back() > line_ && ends_operand(tokens_[open_.back() - 1]);
    if (!call) return maybe_equality();
    std::size_t begin = stop_.at;
    while (begin > open_.back() + 1 && tokens_[begin - 1].text != ",") --begin;
    mark({tokens_[begin].span.begin, at_.span.end});
    return say("expression cannot contain assignment, perhaps you meant \"==\"?");
  }

  bool clauses() {
    // a if b, without its else.
    if (first().text != "if" && first().text != "elif" && first().text != "while") {
      for (std::size_t i = stop_.at, nested = 0; i > line_; --i) {
        const PlainToken& t = tokens_[i - 1];
        if (t.text == ")" || t.text == "]" || t.text == "}") ++nested;
        if (t.text == "(" || t.text == "[" || t.text == "{" || t.text == "for") {
          if (nested == 0) break;
          if (t.text != "for") --nested;
        }
        if (nested == 0 && (t.text == "else" || t.text == ",")) break;
        if (nested == 0 && t.text == "if" && i > line_ + 1 && i - 1 + 1 < stop_.at) {
          if (at_.text != ")" && at_.kind != TokenKind::Newline && at_.kind != TokenKind::End && at_.text != "]") break;
          return say("expected 'else' after 'if' expression", "write a if condition else b");
        }
      }
    }
    if (first().text == "raise" && at_.text == ",") return hint("call the class: raise ValueError(\"...\")");
    if ((first().text == "import" || first().text == "from") && at_.kind == TokenKind::Newline && after(","))
      return say("trailing comma not allowed without surrounding parentheses");
    if (first().text == "import" && at_.text == "from") return hint("write from module import name");
    if (first().text == "def" && (at_.kind == TokenKind::Number || at_.kind == TokenKind::String) && !open_.empty())
      return hint("a parameter is a name");
    return false;
  }

  bool foreign_operators() {
    if ((after("&") && at_.text == "&") || (after("|") && at_.text == "|")) {
      mark({before()->span.begin, at_.span.end});
      return hint(at_.text == "&" ? "write 'and'" : "write 'or'");
    }
    if (after("<") && at_.text == ">") {
      mark({before()->span.begin, at_.span.end});
      return hint("write '!='");
    }
    bool doubled = (after("+") && after("+", 2)) || (after("-") && after("-", 2));
    if (doubled && before()->span.begin == before(2)->span.end) {
      mark({before(2)->span.begin, before()->span.end});
      std::string sign(before()->text);
      return hint("write x " + sign + "= 1");
    }
    return false;
  }

  bool foreign_words() {
    if (stop_.at != line_ + 1 || first().kind != TokenKind::Name) return false;
    std::string_view word = first().text;
    auto instead = [&](const char* text) {
      mark(first().span);
      return hint(text);
    };
    if (word == "function" || word == "func" || word == "fn" || word == "sub")
      return instead("functions are defined with 'def'");
    if (word == "switch" || word == "case") return instead("use if and elif");
    if (word == "const" || word == "let" || word == "var" || word == "auto" || word == "int" || word == "double")
      return instead("variables need no declaration: write name = value");
    if (word == "elseif" || word == "elsif") return instead("write 'elif'");
    if (word == "foreach") return instead("write for x in xs:");
    if (word == "use" || word == "include" || word == "using") return instead("write import module");
    if (word == "throw") return instead("write 'raise'");
    if (word == "end") return instead("blocks end where their indentation ends");
    return false;
  }

  bool missing_comma() {
    if (open_.empty() || !before() || !ends_operand(*before()) || !starts_operand(at_)) return false;
    if (before()->text == "print") return false;
    std::size_t begin = stop_.at - 1;
    // The operand before: from its opening bracket, if it closes one.
    for (int nested = 0; begin > open_.back(); --begin) {
      std::string_view t = tokens_[begin].text;
      if (t == ")" || t == "]" || t == "}") ++nested;
      if (t == "(" || t == "[" || t == "{") --nested;
      if (nested == 0) break;
    }
    mark({tokens_[begin].span.begin, at_.span.end});
    return say("invalid syntax. Perhaps you forgot a comma?");
  }

  bool keyword_as_name() {
    if (after("def") && at_.kind != TokenKind::Keyword) return hint("a name is missing after 'def'");
    if (at_.kind != TokenKind::Keyword) return false;
    bool wants_name = after("def") || after("as") || after("import") || after(".") || after("global") || after("nonlocal") ||
                      after("lambda") || is("=", stop_.at + 1) || (first().text == "def" && !open_.empty()) ||
                      (first().text == "for" && after("for"));
    return wants_name && hint("'" + std::string(at_.text) + "' is a keyword and can't be a name");
  }

  bool unfinished() {
    bool line_ends = at_.kind == TokenKind::Newline || at_.kind == TokenKind::End || at_.text == ")" || at_.text == "]" ||
                     at_.text == "}" || at_.text == ":";
    if (!line_ends || !before() || is_layout(*before())) return false;
    if (before()->kind == TokenKind::Operator && !ends_operand(*before()) && before()->text != "," && before()->text != ".")
      return hint("an operand is missing after '" + std::string(before()->text) + "'");
    if (before()->text == ".") return hint("a name is missing after '.'");
    if (before()->text == "import" || before()->text == "as" || before()->text == "from" || before()->text == "def" ||
        before()->text == "global" || before()->text == "nonlocal")
      return hint("a name is missing after '" + std::string(before()->text) + "'");
    if (before()->kind == TokenKind::Keyword && !ends_operand(*before()))
      return hint("an expression is missing after '" + std::string(before()->text) + "'");
    return false;
  }

  std::string_view text_;
  std::span<const PlainToken> tokens_;
  const ParserStop& stop_;
  const PlainToken& at_;
  std::size_t line_ = 0;           // the logical line's first token
  std::vector<std::size_t> open_;  // brackets open at the stop
  SyntaxProblem problem_;
};

}  // namespace

SyntaxProblem explain_syntax(std::string_view text, std::span<const PlainToken> tokens, const ParserStop& stop) {
  return Explanation(text, tokens, stop).explain();
}

std::string bad_number(std::string_view glued) {
  char kind = glued.size() > 1 && glued[0] == '0' ? glued[1] | 0x20 : ' ';
  const char* base = kind == 'x' ? "hexadecimal" : kind == 'o' ? "octal" : kind == 'b' ? "binary" : "decimal";
  if (kind == 'o' || kind == 'b')
    for (char c : glued.substr(2)) {
      if (c == '_' || (c >= '0' && c <= (kind == 'o' ? '7' : '1'))) continue;
      if (c >= '0' && c <= '9') return std::string("invalid digit '") + c + "' in " + base + " literal";
      break;
    }
  bool digits = std::all_of(glued.begin(), glued.end(), [](char c) { return (c >= '0' && c <= '9') || c == '_'; });
  if (digits && glued.size() > 1 && glued[0] == '0' && glued.find("__") == std::string_view::npos && glued.back() != '_')
    return "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers";
  return std::string("invalid ") + base + " literal";
}

std::string character_message(std::string_view character) {
  const std::uint32_t code = code_point(character);
  if (code < 0x80) return "invalid character '" + std::string(character) + "'";
  char number[16];
  std::snprintf(number, sizeof number, "U+%04X", code);
  bool printable = !(code < 0xa1 || (code >= 0x2000 && code < 0x2010) || (code >= 0x2028 && code < 0x2030) || code == 0x3000 ||
                     code == 0xfeff);
  if (!printable) return std::string("invalid non-printable character ") + number;
  return "invalid character '" + std::string(character) + "' (" + number + ")";
}

std::string character_hint(std::string_view character) {
  static constexpr std::pair<std::string_view, std::string_view> kInstead[] = {
      {"!", "write 'not'"},
      {"?", "write a if condition else b"},
      {"$", "a name has letters, digits and underscores"},
      {"`", "use repr(x) or quotes"},
      {"“", "use the plain quotes ' or \""},
      {"”", "use the plain quotes ' or \""},
      {"‘", "use the plain quotes ' or \""},
      {"’", "use the plain quotes ' or \""},
      {"«", "use the plain quotes ' or \""},
      {"»", "use the plain quotes ' or \""},
      {"×", "write '*'"},
      {"·", "write '*'"},
      {"÷", "write '/'"},
      {"−", "write '-'"},
      {"–", "write '-'"},
      {"—", "write '-'"},
      {"≤", "write '<='"},
      {"≥", "write '>='"},
      {"≠", "write '!='"},
      {"√", "write sqrt(x)"},
      {"²", "write '**2'"},
      {"³", "write '**3'"},
      {"…", "write '...'"},
      {"，", "write ','"},
      {"：", "write ':'"},
      {"（", "write '('"},
      {"）", "write ')'"}};
  for (auto [from, to] : kInstead)
    if (from == character) return std::string(to);
  return {};
}

bool is_name_character(std::uint32_t c) {
  struct Range {
    std::uint32_t first, last;
  };
  static constexpr Range kOthers[] = {
      {0x80, 0xa9},     {0xab, 0xb4},       {0xb6, 0xb6},       {0xb8, 0xb9},     {0xbb, 0xbf},     {0xd7, 0xd7},
      {0xf7, 0xf7},     {0x2000, 0x203e},   {0x2041, 0x2053},   {0x2055, 0x2070}, {0x2072, 0x207e}, {0x2080, 0x208f},
      {0x20a0, 0x20cf}, {0x2190, 0x2bff},   {0x2e00, 0x2e7f},   {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030},
      {0xd800, 0xf8ff}, {0xfd3e, 0xfd3f},   {0xfe10, 0xfe1f},   {0xfe30, 0xfe32}, {0xfe45, 0xfe4c}, {0xfe50, 0xfe6f},
      {0xfeff, 0xfeff}, {0xff01, 0xff0f},   {0xff1a, 0xff20},   {0xff3b, 0xff3e}, {0xff40, 0xff40}, {0xff5b, 0xff65},
      {0xffe0, 0xffff}, {0x1f000, 0x1faff}, {0xe0000, 0x10ffff}};
  for (const Range& r : kOthers)
    if (c >= r.first && c <= r.last) return false;
  return true;
}

}  // namespace autoray::frontend
