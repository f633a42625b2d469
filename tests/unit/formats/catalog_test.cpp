#include <algorithm>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include <moesweep/model/formats/catalog.hpp>

namespace moesweep::formats {
namespace {

TEST(Catalog, HasEveryNameOnceAndFindsIt) {
  std::set<std::string_view> seen;
  for (const auto& format : catalog()) {
    EXPECT_TRUE(seen.insert(format.name).second) << format.name;
    EXPECT_EQ(find_format(format.name), &format);
    EXPECT_EQ(&format_named(format.name), &format);
  }
  EXPECT_EQ(names().size(), seen.size());
  EXPECT_EQ(find_format("q9"), nullptr);
  EXPECT_EQ(find_format(""), nullptr);
}

TEST(Catalog, BitsAndGroupsAreAscendingAndSomeAreThere) {
  for (const auto& format : catalog()) {
    ASSERT_FALSE(format.bits.empty()) << format.name;
    ASSERT_FALSE(format.groups.empty()) << format.name;
    EXPECT_TRUE(std::ranges::is_sorted(format.bits)) << format.name;
    EXPECT_TRUE(std::ranges::is_sorted(format.groups)) << format.name;
    EXPECT_GE(format.bits.front(), 2) << format.name;
    EXPECT_GE(format.relative_cost, 1) << format.name;
  }
}

TEST(Catalog, RulesOfMxfp4DifferInCodesNotInWhatIsStored) {
  for (const auto* name : {"mxfp4_ocp", "mxfp4_even", "mxfp4_rceil", "mxfp4_ggml"}) {
    EXPECT_EQ(format_named(name).stored_as, "mxfp4");
  }
  EXPECT_EQ(format_named("q4_k").stored_as, "q4_k");
}

TEST(Catalog, OffersOnlyWhatAFormatHas) {
  EXPECT_TRUE(format_named("affine").offers({"affine", 5, 64}));
  EXPECT_FALSE(format_named("affine").offers({"affine", 7, 64}));
  EXPECT_FALSE(format_named("affine").offers({"affine", 4, 16}));
  EXPECT_FALSE(format_named("affine").offers({"rtn", 4, 64}));
  EXPECT_TRUE(format_named("ct_int8").has_bits_of({"ct_int8", 8, 0}));
  EXPECT_FALSE(format_named("ct_int8").has_bits_of({"ct_int8", 4, 32}));
}

TEST(Catalog, ScalesHaveTheWeightsDtypeWhereAFileCanHoldIt) {
  EXPECT_EQ(scale_dtype(Dtype::bf16), Dtype::bf16);
  EXPECT_EQ(scale_dtype(Dtype::f16), Dtype::f16);
  EXPECT_EQ(scale_dtype(Dtype::f8_e4m3), Dtype::bf16);
  EXPECT_EQ(scale_dtype(Dtype::f64), Dtype::f32);
}

TEST(Encoding, IsOneWordingForAll) {
  EXPECT_EQ(text_of({"affine", 4, 64}), "affine 4 bits in groups of 64");
  EXPECT_EQ(text_of({}), "16 bits");
  EXPECT_TRUE(Encoding{}.keeps());
}

}  // namespace
}  // namespace moesweep::formats
