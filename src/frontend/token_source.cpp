#include "frontend/token_source.h"

#include "frontend/string_literals.h"

#include <AutorayLexer.h>
#include <AutorayParser.h>

namespace autoray::frontend {

using antlr4::CommonToken;
using antlr4::Token;
using grammar::AutorayLexer;
using grammar::AutorayParser;

OffsetMap::OffsetMap(std::string_view text) {
  bool ascii = true;
  for (char c : text) ascii &= static_cast<unsigned char>(c) < 0x80;
  if (ascii) return;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) starts_.push_back(static_cast<std::uint32_t>(i));
  starts_.push_back(static_cast<std::uint32_t>(text.size()));
}

namespace {

constexpr std::size_t kBrackets = 200;      // CPython's MAXSTACK for parentheses
constexpr std::size_t kIndentations = 100;  // CPython's MAXINDENT
constexpr int kPrefixRun = 200;             // - - - x, not not x: in all open brackets together
constexpr int kRightChain = 500;            // a ** b ** c, x if c else y if d else z, lambda: lambda: ..., x in not y: a line

struct Column {
  int tabs_at_8 = 0, tabs_at_1 = 0;
};

Column column_of(std::string_view text, std::size_t from, std::size_t to) {
  Column column;
  for (std::size_t i = from; i < to; ++i) {
    if (text[i] == '\t') {
      column.tabs_at_8 = (column.tabs_at_8 / 8 + 1) * 8;
      ++column.tabs_at_1;
    } else if (text[i] == '\f') {
      column = {};
    } else {
      ++column.tabs_at_8;
      ++column.tabs_at_1;
    }
  }
  return column;
}

char closer(std::size_t type) { return type == AutorayLexer::LPAREN ? ')' : type == AutorayLexer::LBRACKET ? ']' : '}'; }

bool binds_tighter_than_not(std::size_t type) {
  switch (type) {
    case AutorayLexer::PLUS:
    case AutorayLexer::MINUS:
    case AutorayLexer::TILDE:
    case AutorayLexer::SLASH:
    case AutorayLexer::FLOOR:
    case AutorayLexer::PERCENT:
    case AutorayLexer::AT:
    case AutorayLexer::AMPERSAND:
    case AutorayLexer::PIPE:
    case AutorayLexer::CARET:
    case AutorayLexer::SHIFT_LEFT:
    case AutorayLexer::SHIFT_RIGHT:
    case AutorayLexer::LESS:
    case AutorayLexer::GREATER:
    case AutorayLexer::LESS_EQUAL:
    case AutorayLexer::GREATER_EQUAL:
    case AutorayLexer::EQUAL:
    case AutorayLexer::NOT_EQUAL: return true;
    default: return false;
  }
}

bool refuse(const std::string& name, const char* hint, SourceSpan span, SyntaxProblem& problem) {
  problem.code = 201;
  problem.message = "'" + name + "' is not supported";
  problem.hint = hint;
  problem.labels = {{span, ""}};
  return false;
}

bool is_number(std::size_t type) {
  return type == AutorayLexer::INTEGER || type == AutorayLexer::REAL || type == AutorayLexer::IMAGINARY;
}

// Names hold only letters, digits and underscores of some script; a number is not glued to what follows it. (The lexer itself
// takes every character beyond ASCII for a letter and splits "012" in two.)
template <class Fail>
bool check_word(const Token& token, std::string_view text, SourceSpan span, std::uint32_t previous_end, bool after_number,
                Fail&& fail) {
  if (after_number && previous_end == span.begin) {
    std::uint32_t begin = span.begin, end = span.end;
    auto part_of_word = [&](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; };
    while (begin > 0 && part_of_word(text[begin - 1])) --begin;
    return fail(ir::ErrorClass::SyntaxError, 104, bad_number(text.substr(begin, end - begin)), SourceSpan{begin, end}, "");
  }
  if (token.getType() != AutorayLexer::NAME) return true;
  for (std::uint32_t i = span.begin; i < span.end;) {
    auto c = static_cast<unsigned char>(text[i]);
    std::uint32_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    std::string_view character = text.substr(i, length);
    if (length > 1 && !is_name_character(code_point(character)))
      return fail(ir::ErrorClass::SyntaxError, 104, character_message(character), SourceSpan{i, i + length},
                  character_hint(character));
    i += length;
  }
  return true;
}

}  // namespace

bool lay_out(std::vector<std::unique_ptr<Token>> raw, std::string_view text, const OffsetMap& offsets, bool one_expression,
             std::vector<std::unique_ptr<Token>>& tokens, SyntaxProblem& problem) {
  std::vector<Column> indents = {{0, 0}};
  struct Bracket {
    const Token* token;
    int prefixes;  // that stand directly before it: they end after it
  };
  std::vector<Bracket> brackets;
  bool line_started = false;
  int prefix_run = 0, open_prefixes = 0, right_chain = 0;
  std::uint32_t previous_end = 0;
  std::size_t previous = Token::INVALID_TYPE;
  auto span_of = [&](const Token& t) {
    return SourceSpan{offsets.byte(t.getStartIndex()), offsets.byte(t.getStopIndex() + 1)};
  };
  auto emit_layout = [&](std::size_t type, const Token& at) {
    auto token = std::make_unique<CommonToken>(type);
    token->setStartIndex(at.getStartIndex());
    token->setStopIndex(at.getStartIndex());
    token->setLine(at.getLine());
    tokens.push_back(std::move(token));
  };
  auto fail = [&](ir::ErrorClass c, int code, std::string message, SourceSpan span, std::string hint = {}) {
    problem.error_class = c;
    problem.code = code;
    problem.message = std::move(message);
    problem.labels = {{span, ""}};
    problem.hint = std::move(hint);
    return false;
  };
  auto line_of = [&](std::size_t offset) {
    return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  };
  auto unterminated_triple = [&](std::uint32_t begin) {
    std::size_t end = text.ends_with('\n') ? text.size() - 1 : text.size();
    return fail(ir::ErrorClass::SyntaxError, 104,
                "unterminated triple-quoted string literal (detected at line " + std::to_string(line_of(end)) + ")",
                {begin, begin + 3});
  };
  tokens.reserve(raw.size() + 16);
  auto end = std::make_unique<CommonToken>(Token::EOF);
  end->setStartIndex(raw.empty() ? 0 : raw.back()->getStopIndex() + 1);
  end->setStopIndex(end->getStartIndex());
  for (auto& token : raw) {
    std::size_t type = token->getType();
    if (type == AutorayLexer::LINE_BREAK) {
      if (one_expression || !brackets.empty() || !line_started) continue;
      emit_layout(AutorayParser::NEWLINE, *token);
      line_started = false;
      right_chain = 0;
      previous = Token::INVALID_TYPE;
      continue;
    }
    SourceSpan span = span_of(*token);
    if (type == AutorayLexer::ANY) {
      char c = text[span.begin];
      if (c == '\'' || c == '"') {
        // A triple quote opens where three stand; the lexer has taken the first two for an empty string.
        bool triple = span.begin >= 2 && text[span.begin - 1] == c && text[span.begin - 2] == c;
        return triple ? unterminated_triple(span.begin - 2)
                      : fail(ir::ErrorClass::SyntaxError, 104,
                             "unterminated string literal (detected at line " + std::to_string(line_of(span.begin)) + ")",
                             {span.begin, span.begin + 1}, "a string ends on its line, unless it is triple-quoted");
      }
      if (c == '\\')
        return fail(ir::ErrorClass::SyntaxError, 104, "unexpected character after line continuation character", span);
      std::string_view character = text.substr(span.begin, span.end - span.begin);
      return fail(ir::ErrorClass::SyntaxError, 104, character_message(character), span, character_hint(character));
    }
    if (type == AutorayLexer::STRING && span.end < text.size()) {
      // "" followed by " is the start of a triple-quoted string that never ends.
      char quote = text[span.end - 1];
      bool empty = text[span.end - 2] == quote &&
                   (span.end - span.begin == 2 ||
                    text.substr(span.begin, span.end - span.begin).find(quote) == span.end - span.begin - 2);
      if (empty && text[span.end] == quote) return unterminated_triple(span.end - 2);
    }
    if (type == AutorayLexer::NAME || is_number(type))
      if (!check_word(*token, text, span, previous_end, is_number(previous), fail)) return false;
    previous_end = span.end;
    if (!line_started && brackets.empty() && !one_expression) {
      line_started = true;
      std::size_t line = span.begin;
      while (line > 0 && text[line - 1] != '\n' && text[line - 1] != '\r') --line;
      Column column = column_of(text, line, span.begin);
      auto inconsistent = [&] {
        return fail(ir::ErrorClass::TabError, 102, "inconsistent use of tabs and spaces in indentation", span,
                    "indent with spaces only");
      };
      if (column.tabs_at_8 == indents.back().tabs_at_8) {
        if (column.tabs_at_1 != indents.back().tabs_at_1) return inconsistent();
      } else if (column.tabs_at_8 > indents.back().tabs_at_8) {
        if (column.tabs_at_1 <= indents.back().tabs_at_1) return inconsistent();
        if (indents.size() >= kIndentations)
          return fail(ir::ErrorClass::IndentationError, 701, "too many levels of indentation", span);
        indents.push_back(column);
        emit_layout(AutorayParser::INDENT, *token);
      } else {
        while (column.tabs_at_8 < indents.back().tabs_at_8) {
          indents.pop_back();
          emit_layout(AutorayParser::DEDENT, *token);
        }
        if (column.tabs_at_8 != indents.back().tabs_at_8)
          return fail(ir::ErrorClass::IndentationError, 102, "unindent does not match any outer indentation level", span);
        if (column.tabs_at_1 != indents.back().tabs_at_1) return inconsistent();
      }
    }
    switch (type) {
      case AutorayLexer::LPAREN:
      case AutorayLexer::LBRACKET:
      case AutorayLexer::LBRACE:
        if (brackets.size() >= kBrackets)
          return fail(ir::ErrorClass::SyntaxError, 701, "too many nested parentheses", span,
                      "at most 200 brackets may be open at once");
        brackets.push_back({token.get(), prefix_run});
        open_prefixes += prefix_run;
        break;
      case AutorayLexer::RPAREN:
      case AutorayLexer::RBRACKET:
      case AutorayLexer::RBRACE: {
        char c = text[span.begin];
        if (brackets.empty()) return fail(ir::ErrorClass::SyntaxError, 103, std::string("unmatched '") + c + "'", span);
        const Token& open = *brackets.back().token;
        if (closer(open.getType()) != c) {
          fail(ir::ErrorClass::SyntaxError, 103,
               std::string("closing parenthesis '") + c + "' does not match opening parenthesis '" + text[span_of(open).begin] +
                   "'",
               span);
          problem.labels.push_back({span_of(open), "opened here"});
          return false;
        }
        open_prefixes -= brackets.back().prefixes;
        brackets.pop_back();
        break;
      }
      case AutorayLexer::CLASS:
        return refuse("class", "use functions, closures and dictionaries: the language has no classes of its own", span,
                      problem);
      case AutorayLexer::ASYNC:
      case AutorayLexer::AWAIT: return refuse(token->getText(), "write plain functions", span, problem);
      case AutorayLexer::YIELD: return refuse("yield", "return a list, or use a generator expression", span, problem);
      default: break;
    }
    bool prefix_place = previous == Token::INVALID_TYPE || previous == AutorayLexer::NOT || previous == AutorayLexer::MINUS ||
                        previous == AutorayLexer::PLUS || previous == AutorayLexer::TILDE || previous == AutorayLexer::STAR;
    bool prefix = type == AutorayLexer::NOT || type == AutorayLexer::MINUS || type == AutorayLexer::PLUS ||
                  type == AutorayLexer::TILDE || type == AutorayLexer::STAR;
    prefix_run = prefix && prefix_place ? prefix_run + 1 : prefix ? 1 : 0;
    // What `not` negates goes on to the right: it may stand where an expression begins, after an operator only in brackets.
    if (type == AutorayLexer::NOT && binds_tighter_than_not(previous))
      return fail(ir::ErrorClass::SyntaxError, 101, "invalid syntax", span, "put the negation in parentheses");
    if (type == AutorayLexer::NOT &&
        (previous == AutorayLexer::IN || previous == AutorayLexer::STAR || previous == AutorayLexer::POWER))
      ++right_chain;
    if (type == AutorayLexer::POWER || type == AutorayLexer::ELSE || type == AutorayLexer::LAMBDA) ++right_chain;
    if (open_prefixes + prefix_run > kPrefixRun || right_chain > kRightChain)
      return fail(ir::ErrorClass::SyntaxError, 701, "expression nested too deeply", span,
                  "at most 200 prefix operators in a row, and 500 of '**', 'else' and 'lambda' in one line");
    // `is not` is one operator.
    bool is_not = type == AutorayLexer::NOT && previous == AutorayLexer::IS;
    previous = is_not ? static_cast<std::size_t>(AutorayLexer::NOT_EQUAL) : type;
    tokens.push_back(std::move(token));
  }
  if (!brackets.empty()) {
    SourceSpan span = span_of(*brackets.back().token);
    return fail(ir::ErrorClass::SyntaxError, 103, std::string("'") + text[span.begin] + "' was never closed", span);
  }
  if (!one_expression) {
    if (line_started) emit_layout(AutorayParser::NEWLINE, *end);
    for (; indents.size() > 1; indents.pop_back()) emit_layout(AutorayParser::DEDENT, *end);
  }
  tokens.push_back(std::move(end));
  return true;
}

}  // namespace autoray::frontend
