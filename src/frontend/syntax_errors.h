// What a syntax error says: from the place where the parser stopped to CPython's wording, the span to mark and what to write
// instead. Works on plain tokens; it knows nothing of ANTLR and runs only when a text is wrong.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast.h"

namespace autoray::frontend {

struct SyntaxProblem {
  ir::ErrorClass error_class = ir::ErrorClass::SyntaxError;
  int code = 101;
  std::string message, hint;
  std::vector<std::pair<SourceSpan, std::string>> labels;
};

enum class TokenKind { Name, Keyword, Number, String, Operator, Newline, Indent, Dedent, End };
struct PlainToken {
  TokenKind kind;
  SourceSpan span;
  std::string_view text;  // empty for layout
};

struct ParserStop {
  std::size_t at = 0;  // the token that fits nowhere
  bool expects_colon = false, expects_indent = false, in_format = false;
};
SyntaxProblem explain_syntax(std::string_view text, std::span<const PlainToken> tokens, const ParserStop& stop);

// A number glued to letters or digits ("012", "1abc", "0b2"): CPython's message.
std::string bad_number(std::string_view glued);
// What to write instead of a character that begins no token; empty when there is nothing to say.
std::string character_hint(std::string_view character);
// "invalid character '“' (U+201C)".
std::string character_message(std::string_view character);
// Whether a code point beyond ASCII may stand in a name. By blocks: letters of all scripts, but no punctuation, symbols,
// blanks.
bool is_name_character(std::uint32_t code_point);

}  // namespace autoray::frontend
