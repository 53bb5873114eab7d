// The text between a string literal's quotes, decoded; f-strings cut into literal parts and replacement fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/ast.h"

namespace autoray::frontend {

struct LiteralError {
  std::string message;
  std::uint32_t offset;  // in the source
};

struct StringLiteral {
  bool bytes = false, raw = false, formatted = false;
  std::string_view body;     // between the quotes
  std::uint32_t body_begin;  // its offset in the source
};
// Splits prefix and quotes off a STRING token.
StringLiteral split_literal(std::string_view token, std::uint32_t offset);

// Escapes resolved. `text` starts at `offset` in the source.
bool decode_escapes(std::string_view text, std::uint32_t offset, bool raw, bool bytes, std::string& result,
                    LiteralError& error);

// One piece of an f-string: literal text (escapes unresolved, braces doubled resolved) or a replacement field.
struct FormatPiece {
  bool field = false;
  std::string_view text;           // literal text, or the field's expression
  std::uint32_t offset = 0;        // of `text` in the source
  bool self_documenting = false;   // {x=}
  std::string_view documentation;  // the text up to and with '='
  char conversion = 0;
  bool has_spec = false;
  std::vector<FormatPiece> spec;
};
bool split_format(std::string_view body, std::uint32_t offset, int depth, std::vector<FormatPiece>& pieces,
                  LiteralError& error);

// Appends a code point as UTF-8.
// The first character of UTF-8 text; 0 for no text.
std::uint32_t code_point(std::string_view utf8);
// Whether repr shows the character itself: no control or format character, no blank but the space, no private use.
bool is_printable(std::uint32_t code_point);
void append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace autoray::frontend
