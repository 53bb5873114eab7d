#include "ir/signature.h"

#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/suggest.h"

namespace autoray::ir {
namespace {

TEST(Signature, KindsAndDefaults) {
  Signature s = parse_signature("a, /, axis=None, *, keepdims=False, initial=1.5, mode='full', shape=(2, -1)");
  ASSERT_EQ(s.parameters.size(), 6u);
  EXPECT_EQ(s.parameters[0].kind, ParameterKind::PositionalOnly);
  EXPECT_TRUE(s.parameters[0].required);
  EXPECT_EQ(s.parameters[1].kind, ParameterKind::Positional);
  EXPECT_TRUE(s.parameters[1].default_value.none());
  EXPECT_EQ(s.parameters[2].kind, ParameterKind::KeywordOnly);
  EXPECT_EQ(*s.parameters[2].default_value.get<bool>(), false);
  EXPECT_EQ(*s.parameters[3].default_value.get<double>(), 1.5);
  EXPECT_EQ(*s.parameters[4].default_value.get<std::string>(), "full");
  EXPECT_EQ(*s.parameters[5].default_value.get<Dims>(), (Dims{2, -1}));
  EXPECT_EQ(s.positional_count, 2);
  EXPECT_EQ(s.index_of("axis"), 1);
  EXPECT_EQ(s.index_of("axes"), -1);
}

TEST(Signature, Variadic) {
  Signature s = parse_signature("*args, out=None, **kwargs");
  EXPECT_EQ(s.var_positional, 0);
  EXPECT_EQ(s.var_keyword, 2);
}

TEST(Signature, MalformedTextIsRefused) {
  for (const char* text : {"a,,b", "a=", "=1", "a, a b"}) EXPECT_THROW(parse_signature(text), Error) << text;
}

TEST(Attr, ValuesAreComparedWithTheirTypes) {
  EXPECT_FALSE(Attr(true) == Attr(std::int64_t{1}));
  EXPECT_FALSE(Attr(1.0) == Attr(std::int64_t{1}));
  EXPECT_TRUE(Attr(Dims{1, 2}) == Attr(Dims{1, 2}));
  EXPECT_THROW(as_int(Attr(1.5), "axis"), Error);
  EXPECT_EQ(as_int(Attr(true), "axis"), 1);
  EXPECT_THROW(as_shape(Attr(Dims{2, -1}), "shape"), Error);
}

TEST(Suggest, NearestWord) {
  std::vector<std::string_view> words = {"reshape", "ravel", "sqrt", "square"};
  EXPECT_EQ(did_you_mean("reshpae", words), "reshape");
  EXPECT_EQ(did_you_mean("sqr", words), "sqrt");
  EXPECT_EQ(did_you_mean("tensordot", words), "");
  EXPECT_EQ(did_you_mean("", words), "");
}

}  // namespace
}  // namespace autoray::ir
