#include "ir/dtype.h"

#include <gtest/gtest.h>

namespace autoray::ir {
namespace {

std::vector<DType> all() {
  std::vector<DType> list;
  for (int i = 0; i < kDTypeCount; ++i) list.push_back(static_cast<DType>(i));
  return list;
}

TEST(DType, PromotionIsALattice) {
  for (DType a : all()) {
    EXPECT_EQ(promote(a, a), a);
    for (DType b : all()) {
      DType both = promote(a, b);
      EXPECT_EQ(both, promote(b, a)) << name(a) << " " << name(b);
      // Integers beside floats of few bits are numpy's own exceptions to "safe": what promotes keeps both kinds.
      EXPECT_EQ(promote(both, a), both);
      EXPECT_TRUE(can_cast(a, both, Casting::Safe)) << name(a) << " -> " << name(both);
    }
  }
}

TEST(DType, PromotionAsNumpyDocumentsIt) {
  EXPECT_EQ(promote(DType::Int64, DType::UInt64), DType::Float64);
  EXPECT_EQ(promote(DType::Int8, DType::UInt8), DType::Int16);
  EXPECT_EQ(promote(DType::Int32, DType::Float32), DType::Float64);
  EXPECT_EQ(promote(DType::Int8, DType::Float16), DType::Float16);
  EXPECT_EQ(promote(DType::Int16, DType::Float16), DType::Float32);
  EXPECT_EQ(promote(DType::Float64, DType::Complex64), DType::Complex128);
  EXPECT_EQ(promote(DType::Bool, DType::UInt8), DType::UInt8);
}

DType promoted(std::initializer_list<std::pair<DType, Kind>> operands) {
  Promotion promotion;
  for (auto [dtype, kind] : operands) promotion.add(dtype, kind);
  return promotion.result();
}

TEST(DType, PythonScalarsAreWeak) {
  EXPECT_EQ(promoted({{DType::Int8, Kind::Array}, {DType::Int64, Kind::Weak}}), DType::Int8);
  EXPECT_EQ(promoted({{DType::Float32, Kind::Array}, {DType::Float64, Kind::Weak}}), DType::Float32);
  EXPECT_EQ(promoted({{DType::Int8, Kind::Array}, {DType::Float64, Kind::Weak}}), DType::Float64);
  EXPECT_EQ(promoted({{DType::Float32, Kind::Array}, {DType::Complex128, Kind::Weak}}), DType::Complex64);
  EXPECT_EQ(promoted({{DType::Float16, Kind::Scalar}, {DType::Complex128, Kind::Weak}}), DType::Complex64);
  EXPECT_EQ(promoted({{DType::Bool, Kind::Array}, {DType::Int64, Kind::Weak}}), DType::Int64);
  // numpy scalars are not weak.
  EXPECT_EQ(promoted({{DType::Float32, Kind::Array}, {DType::Float64, Kind::Scalar}}), DType::Float64);
  // Weak operands alone give Python's own dtypes.
  EXPECT_EQ(promoted({{DType::Bool, Kind::Weak}, {DType::Int64, Kind::Weak}}), DType::Int64);
  EXPECT_EQ(promoted({{DType::Int64, Kind::Weak}, {DType::Float64, Kind::Weak}}), DType::Float64);
}

TEST(DType, CastingRules) {
  for (DType a : all())
    for (DType b : all()) {
      EXPECT_TRUE(can_cast(a, b, Casting::Unsafe));
      EXPECT_EQ(can_cast(a, b, Casting::Equiv), a == b);
      EXPECT_EQ(can_cast(a, b, Casting::No), a == b);
      if (can_cast(a, b, Casting::Safe)) {
        EXPECT_TRUE(can_cast(a, b, Casting::SameKind)) << name(a) << name(b);
      }
    }
  EXPECT_FALSE(can_cast(DType::Float64, DType::Int64, Casting::SameKind));
  EXPECT_TRUE(can_cast(DType::Float64, DType::Float16, Casting::SameKind));
  EXPECT_FALSE(can_cast(DType::Complex64, DType::Float64, Casting::SameKind));
  EXPECT_TRUE(can_cast(DType::Int64, DType::Float64, Casting::Safe));
  EXPECT_FALSE(can_cast(DType::Int64, DType::UInt64, Casting::Safe));
}

TEST(DType, NamesParseBack) {
  for (DType d : all()) {
    EXPECT_EQ(parse_dtype(name(d)), d);
    EXPECT_EQ(parse_dtype(std::string(1, type_code(d))), d);
    if (d != DType::Bool) {
      EXPECT_EQ(parse_dtype(std::string(1, kind_letter(d)) + std::to_string(itemsize(d))), d);
    }
    EXPECT_EQ(real_dtype(complex_dtype(d)),
              d == DType::Float32 || d == DType::Float16 || d == DType::Complex64 ? DType::Float32 : DType::Float64);
  }
  EXPECT_EQ(parse_dtype("<f8"), DType::Float64);
  EXPECT_EQ(parse_dtype("int"), DType::Int64);
  for (const char* text : {"", ">f8", "float65", "f", "object", "S3", "f8,f8", "float64 "}) {
    if (std::string_view(text) == "f") continue;  // float32's code
    EXPECT_EQ(parse_dtype(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace autoray::ir
