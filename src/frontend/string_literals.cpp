#include "frontend/string_literals.h"

namespace autoray::frontend {

void append_utf8(std::string& text, std::uint32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xc0 | c >> 6);
    text += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    text += static_cast<char>(0xe0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    text += static_cast<char>(0xf0 | c >> 18);
    text += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (c & 0x3f));
  }
}

std::uint32_t code_point(std::string_view utf8) {
  auto u = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(utf8[i])); };
  if (utf8.empty()) return 0;
  if (u(0) < 0x80) return u(0);
  if (u(0) < 0xe0) return (u(0) & 31) << 6 | (u(1) & 63);
  if (u(0) < 0xf0) return (u(0) & 15) << 12 | (u(1) & 63) << 6 | (u(2) & 63);
  return (u(0) & 7) << 18 | (u(1) & 63) << 12 | (u(2) & 63) << 6 | (u(3) & 63);
}

bool is_printable(std::uint32_t c) {
  struct Range {
    std::uint32_t first, last;
  };
  static constexpr Range kHidden[] = {{0x00, 0x1f},     {0x7f, 0xa0},     {0xad, 0xad},       {0x378, 0x379},
                                      {0x600, 0x605},   {0x61c, 0x61c},   {0x6dd, 0x6dd},     {0x70f, 0x70f},
                                      {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f},   {0x2028, 0x202f},
                                      {0x205f, 0x206f}, {0x3000, 0x3000}, {0xd800, 0xf8ff},   {0xfeff, 0xfeff},
                                      {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff}};
  for (const Range& r : kHidden)
    if (c >= r.first && c <= r.last) return false;
  return true;
}

StringLiteral split_literal(std::string_view token, std::uint32_t offset) {
  StringLiteral literal;
  std::size_t i = 0;
  for (; token[i] != '\'' && token[i] != '"'; ++i) {
    char c = token[i] | 0x20;
    literal.bytes |= c == 'b';
    literal.raw |= c == 'r';
    literal.formatted |= c == 'f';
  }
  std::size_t quotes = token.size() - i >= 6 && token[i] == token[i + 1] && token[i] == token[i + 2] ? 3 : 1;
  literal.body = token.substr(i + quotes, token.size() - i - 2 * quotes);
  literal.body_begin = offset + static_cast<std::uint32_t>(i + quotes);
  return literal;
}

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool decode_escapes(std::string_view text, std::uint32_t offset, bool raw, bool bytes, std::string& result,
                    LiteralError& error) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (bytes && static_cast<unsigned char>(c) >= 0x80) {
      error = {"bytes can only contain ASCII literal characters", offset + static_cast<std::uint32_t>(i)};
      return false;
    }
    // Python reads every line break as \n.
    if (c == '\r') {
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
      result += '\n';
      continue;
    }
    if (c != '\\' || raw) {
      result += c;
      continue;
    }
    if (++i == text.size()) {
      result += '\\';
      break;
    }
    c = text[i];
    auto at = offset + static_cast<std::uint32_t>(i - 1);
    switch (c) {
      case '\n': break;
      case '\r':
        if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
        break;
      case '\\': result += '\\'; break;
      case '\'': result += '\''; break;
      case '"': result += '"'; break;
      case 'a': result += '\a'; break;
      case 'b': result += '\b'; break;
      case 'f': result += '\f'; break;
      case 'n': result += '\n'; break;
      case 'r': result += '\r'; break;
      case 't': result += '\t'; break;
      case 'v': result += '\v'; break;
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7': {
        std::uint32_t value = 0;
        std::size_t end = std::min(text.size(), i + 3);
        while (i < end && text[i] >= '0' && text[i] <= '7') value = 8 * value + static_cast<std::uint32_t>(text[i++] - '0');
        --i;
        if (bytes) {
          result += static_cast<char>(value);
        } else {
          append_utf8(result, value);
        }
        break;
      }
      case 'x':
      case 'u':
      case 'U': {
        if (bytes && c != 'x') {
          result += '\\';
          result += c;
          break;
        }
        std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        std::uint32_t value = 0;
        for (std::size_t k = 1; k <= digits; ++k) {
          int digit = i + k < text.size() ? hex_digit(text[i + k]) : -1;
          if (digit < 0) {
            error = {std::string("truncated \\") + c + std::string(digits, 'X') + " escape", at};
            return false;
          }
          value = 16 * value + static_cast<std::uint32_t>(digit);
        }
        i += digits;
        if (bytes) {
          result += static_cast<char>(value);
        } else if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
          error = {"illegal Unicode character in an escape", at};
          return false;
        } else {
          append_utf8(result, value);
        }
        break;
      }
      case 'N':
        if (!bytes) {
          error = {"\\N{...} escapes are not supported: write the character or its \\u escape", at};
          return false;
        }
        [[fallthrough]];
      default:
        // Unknown escapes stay as they are.
        result += '\\';
        result += c;
    }
  }
  return true;
}

bool split_format(std::string_view body, std::uint32_t offset, int depth, std::vector<FormatPiece>& pieces,
                  LiteralError& error) {
  std::size_t begin = 0, i = 0;
  auto fail = [&](const char* message, std::size_t at) {
    error = {std::string("f-string: ") + message, offset + static_cast<std::uint32_t>(at)};
    return false;
  };
  auto flush = [&](std::size_t end) {
    if (end > begin) {
      FormatPiece piece;
      piece.text = body.substr(begin, end - begin);
      piece.offset = offset + static_cast<std::uint32_t>(begin);
      pieces.push_back(piece);
    }
  };
  while (i < body.size()) {
    char c = body[i];
    if (c == '\\' && i + 2 < body.size() && body[i + 1] == 'N' && body[i + 2] == '{') {
      while (i < body.size() && body[i] != '}') ++i;
      ++i;
      continue;
    }
    if (c != '{' && c != '}') {
      ++i;
      continue;
    }
    if (depth == 0 && i + 1 < body.size() && body[i + 1] == c) {
      flush(i + 1);  // one of the two braces
      i += 2;
      begin = i;
      continue;
    }
    if (c == '}') return fail("single '}' is not allowed", i);
    if (depth >= 2) return fail("expressions nested too deeply", i);
    flush(i);
    // The expression: up to '!', ':', '=' or '}' outside brackets and quotes.
    std::size_t start = ++i;
    std::string brackets;
    char quote = 0;
    std::size_t quote_length = 0;
    FormatPiece piece;
    piece.field = true;
    for (;; ++i) {
      if (i >= body.size()) return fail("expecting '}'", body.size());
      c = body[i];
      if (c == '\\') return fail("expression part cannot include a backslash", i);
      if (quote) {
        if (c == quote && (quote_length == 1 || body.substr(i, 3) == std::string(3, quote))) {
          i += quote_length - 1;
          quote = 0;
        }
        continue;
      }
      if (c == '\'' || c == '"') {
        quote = c;
        quote_length = body.substr(i, 3) == std::string(3, c) ? 3 : 1;
        i += quote_length - 1;
        continue;
      }
      if (c == '(' || c == '[' || c == '{') {
        brackets += c;
        if (brackets.size() > 200) return fail("too many nested parentheses", i);
        continue;
      }
      if (c == '#') return fail("expression part cannot include '#'", i);
      if (brackets.empty() && (c == '}' || c == ':')) break;
      if (brackets.empty() && c == '!' && !(i + 1 < body.size() && body[i + 1] == '=')) break;
      if (brackets.empty() && c == '=') {
        char next = i + 1 < body.size() ? body[i + 1] : 0;
        char before = i > start ? body[i - 1] : 0;
        if (next == '=' || before == '=' || before == '!' || before == '<' || before == '>') continue;
        break;
      }
      if (c == ')' || c == ']' || c == '}') {
        if (brackets.empty()) return fail((std::string("unmatched '") + c + "'").c_str(), i);
        brackets.pop_back();
      }
    }
    piece.text = body.substr(start, i - start);
    piece.offset = offset + static_cast<std::uint32_t>(start);
    if (piece.text.find_first_not_of(" \t\r\n\f") == std::string_view::npos) return fail("empty expression not allowed", start);
    if (c == '=') {
      ++i;
      while (i < body.size() && (body[i] == ' ' || body[i] == '\t')) ++i;
      piece.self_documenting = true;
      piece.documentation = body.substr(start, i - start);
      if (i >= body.size()) return fail("expecting '}'", i);
      c = body[i];
    }
    if (c == '!') {
      ++i;
      if (i >= body.size() || (body[i] != 'r' && body[i] != 's' && body[i] != 'a'))
        return fail("invalid conversion character: expected 's', 'r', or 'a'", i);
      piece.conversion = body[i++];
      if (i >= body.size()) return fail("expecting '}'", i);
      c = body[i];
    }
    if (c == ':') {
      ++i;
      std::size_t spec_start = i;
      int nested = 0;
      for (; i < body.size(); ++i) {
        if (body[i] == '{') ++nested;
        if (body[i] == '}' && nested-- == 0) break;
      }
      if (i >= body.size()) return fail("expecting '}'", i);
      piece.has_spec = true;
      if (!split_format(body.substr(spec_start, i - spec_start), offset + static_cast<std::uint32_t>(spec_start), depth + 1,
                        piece.spec, error))
        return false;
    } else if (c != '}') {
      return fail("expecting '}'", i);
    }
    ++i;
    begin = i;
    pieces.push_back(std::move(piece));
  }
  flush(body.size());
  return true;
}

}  // namespace autoray::frontend
