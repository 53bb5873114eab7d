#include "frontend/source.h"

#include <gtest/gtest.h>

#include "frontend/string_literals.h"

namespace autoray::frontend {
namespace {

TEST(Source, Places) {
  Source source("a.ar", "x = 1\r\n\xc3\xa4 = 2\ny");
  EXPECT_EQ(source.line_count(), 3);
  EXPECT_EQ(source.line(1), "x = 1");
  EXPECT_EQ(source.line(2), "\xc3\xa4 = 2");
  Place place = source.place(static_cast<std::uint32_t>(source.text().find('2')));
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 5);
  EXPECT_EQ(source.place(static_cast<std::uint32_t>(source.text().size())).line, 3);
}

TEST(Source, BytesThatAreNoText) {
  EXPECT_EQ(Source("", "abc").first_bad_byte(), std::string::npos);
  EXPECT_EQ(Source("", std::string("a\0b", 3)).first_bad_byte(), 1u);
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_EQ(Source("", std::string("a") + bad).first_bad_byte(), 1u) << bad;
}

TEST(StringLiterals, Escapes) {
  auto decoded = [](std::string_view token) {
    StringLiteral literal = split_literal(token, 0);
    std::string result;
    LiteralError error;
    if (!decode_escapes(literal.body, literal.body_begin, literal.raw, literal.bytes, result, error))
      return "error: " + error.message;
    return result;
  };
  EXPECT_EQ(decoded(R"('a\n\x41\u00e4\0')"), std::string("a\nA\xc3\xa4\0", 6));
  EXPECT_EQ(decoded(R"(r'a\n')"), "a\\n");
  EXPECT_EQ(decoded("'''a'b'''"), "a'b");
  EXPECT_EQ(decoded(R"('\x4')").substr(0, 6), "error:");
  EXPECT_EQ(decoded(R"('\u12')").substr(0, 6), "error:");
  EXPECT_EQ(decoded(R"('\U00110000')").substr(0, 6), "error:");
}

TEST(StringLiterals, FormatPieces) {
  std::vector<FormatPiece> pieces;
  LiteralError error;
  ASSERT_TRUE(split_format("a{x!r:>{w}}{{}}{y=}", 0, 0, pieces, error));
  int fields = 0;
  for (const FormatPiece& piece : pieces) fields += piece.field;
  EXPECT_EQ(fields, 2);
  for (const char* bad : {"{", "}", "{x", "{}", "{x!z}", "{x!}"}) {
    pieces.clear();
    EXPECT_FALSE(split_format(bad, 0, 0, pieces, error)) << bad;
  }
}

}  // namespace
}  // namespace autoray::frontend
