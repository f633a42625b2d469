#include <array>

#include <gtest/gtest.h>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep {
namespace {

TEST(ParseSize, TakesBytesAndBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("1048576"), 1048576);
  EXPECT_EQ(parse_size("256MiB"), 256LL << 20);
  EXPECT_EQ(parse_size("16 GiB"), 16LL << 30);
  EXPECT_EQ(parse_size("2GB"), 2'000'000'000);
}

TEST(ParseSize, RefusesWhatItCannotRepresent) {
  for (const auto* text :
       {"", "-1", "1e9", "1.5GiB", "GiB", "9000000000000 TiB", "1 gib", "99999999999999999999"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Format, IsReadable) {
  EXPECT_EQ(format_size(1536), "1.50 KiB");
  EXPECT_EQ(format_size(12), "12 B");
  EXPECT_EQ(format_count(403397928944), "403,397,928,944");
  EXPECT_EQ(format_count(-1234), "-1,234");
  EXPECT_EQ(format_duration(93784), "1 d 02:03:04");
}

TEST(Glob, MatchesTheWholeText) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("model.*.weight", "model.layers.0.mlp.weight"));
  EXPECT_TRUE(matches_glob("layers.?.x", "layers.3.x"));
  EXPECT_FALSE(matches_glob("layers.?.x", "layers.13.x"));
  EXPECT_FALSE(matches_glob("weight", "a.weight"));
  EXPECT_FALSE(matches_glob("*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(NearestName, FindsTheTypoAndOnlyTheTypo) {
  const std::array<std::string, 3> names = {"bits", "group_sizes", "quantizers"};
  EXPECT_EQ(nearest_name("bist", names), "bits");
  EXPECT_EQ(nearest_name("group_size", names), "group_sizes");
  EXPECT_EQ(nearest_name("temperature", names), std::nullopt);
}

TEST(Dtype, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(Dtype::f8_e5m2fnuz); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(parse_dtype("F5"), std::nullopt);
}

TEST(Dtype, PackedElementsFillWholeBytesTogether) {
  EXPECT_EQ(bytes_of_elements(Dtype::f4, 64), 32);
  EXPECT_EQ(bytes_of_elements(Dtype::f4, 3), 2);
  EXPECT_EQ(bytes_of_elements(Dtype::f6_e2m3, 4), 3);
  EXPECT_EQ(bytes_of_elements(Dtype::f8_e4m3fnuz, 5), 5);
  EXPECT_EQ(bytes_of_elements(Dtype::c64, 5), 40);
  // The product with bits would not fit.
  EXPECT_EQ(bytes_of_elements(Dtype::f32, std::int64_t{1} << 60), std::int64_t{1} << 62);
}

TEST(Dtype, OnlyTypesThatAreDecodedAreFloatingPoint) {
  for (const auto dtype : {Dtype::f8_e8m0, Dtype::f8_e4m3fnuz, Dtype::f8_e5m2fnuz, Dtype::f4,
                           Dtype::f6_e2m3, Dtype::f6_e3m2, Dtype::c64}) {
    EXPECT_FALSE(is_floating_point(dtype)) << dtype_name(dtype);
    EXPECT_FALSE(is_integer(dtype)) << dtype_name(dtype);
  }
}

TEST(NumberOrder, LayersFollowTheirNumbers) {
  EXPECT_TRUE(is_before_by_number("L2", "L10"));
  EXPECT_FALSE(is_before_by_number("L10", "L2"));
  EXPECT_FALSE(is_before_by_number("L2", "L2"));
  EXPECT_TRUE(is_before_by_number("L02", "L2"));
  EXPECT_TRUE(is_before_by_number("a", "b1"));
}

TEST(SplitText, KeepsEmptyPartsAndFindsNoneInEmptyText) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split_text("a,b", ','), (Parts{"a", "b"}));
  EXPECT_EQ(split_text("a", ','), (Parts{"a"}));
  EXPECT_EQ(split_text(",a,", ','), (Parts{"", "a", ""}));
  EXPECT_EQ(split_text("", ','), Parts{});
}

}  // namespace
}  // namespace moesweep
