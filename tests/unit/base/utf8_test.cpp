#include <gtest/gtest.h>

#include <moesweep/core/base/utf8.hpp>

namespace moesweep {
namespace {

TEST(Utf8, WellFormedTextOfEveryLengthPasses) {
  EXPECT_EQ(first_invalid_utf8("a \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 "
                               "\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"),
            std::nullopt);
}

TEST(Utf8, IllFormedSequencesAreFoundAtTheirFirstByte) {
  for (const std::string_view bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                     "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                     "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2z"}) {
    EXPECT_EQ(first_invalid_utf8("ab" + std::string(bad)), 2U) << bad;
  }
}

TEST(PlainText, HasNoControlCharacters) {
  EXPECT_TRUE(is_plain_text("a ü"));
  EXPECT_FALSE(is_plain_text("a\tb"));
  EXPECT_FALSE(is_plain_text("a\x7f"));
  EXPECT_FALSE(is_plain_text("a\xff"));
}

}  // namespace
}  // namespace moesweep
