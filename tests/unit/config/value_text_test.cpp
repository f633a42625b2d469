#include "value_text.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace moesweep::config {
namespace {

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(20.0), "20.0");
  EXPECT_EQ(number_text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number_text(1e300), "1e+300");
  EXPECT_EQ(number_text(std::numeric_limits<double>::denorm_min()), "5e-324");
}

TEST(SizeText, TakesTheLargestPowerThatDivides) {
  EXPECT_EQ(size_text(0), "0");
  EXPECT_EQ(size_text(1023), "1023");
  EXPECT_EQ(size_text(1536), "1536");
  EXPECT_EQ(size_text(3 * 1024), "\"3KiB\"");
  EXPECT_EQ(size_text(std::int64_t{16} << 30), "\"16GiB\"");
  EXPECT_EQ(size_text(std::int64_t{2048} << 30), "\"2TiB\"");
}

TEST(QuotedToml, EscapesWhatABasicStringCannotHold) {
  EXPECT_EQ(quoted_toml("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000A\\u007F\"");
}

TEST(Shortened, NeverCutsACharacterInTwo) {
  EXPECT_EQ(shortened("short"), "short");
  EXPECT_EQ(shortened(std::string(79, 'a') + "ü" + "b"), std::string(79, 'a') + "...");
}

}  // namespace
}  // namespace moesweep::config
