#include <gtest/gtest.h>

#include <moesweep/core/base/utf8.hpp>

namespace moesweep {
namespace {

using namespace std::string_literals;

std::string cleaned(const std::string& text) {
  std::string scratch;
  return std::string(clean_text(text, scratch));
}

TEST(CleanText, LeavesWellFormedTextWhereItIs) {
  const std::string text = "caf\u00e9 \u4e13\u5bb6 \U0001f600 \u007f\t\n";
  std::string scratch;
  EXPECT_EQ(clean_text(text, scratch).data(), text.data());
  EXPECT_EQ(clean_text(text, scratch), text);
}

TEST(CleanText, ReplacesEveryByteThatIsNotUtf8) {
  EXPECT_EQ(cleaned("a\xff"
                    "b"),
            "a\ufffd"
            "b");
  EXPECT_EQ(cleaned("\xc3"), "\ufffd");                                // cut short
  EXPECT_EQ(cleaned("\xc0\xaf"), "\ufffd\ufffd");                      // overlong slash
  EXPECT_EQ(cleaned("\xe0\x80\xaf"), "\ufffd\ufffd\ufffd");            // overlong slash
  EXPECT_EQ(cleaned("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");            // surrogate
  EXPECT_EQ(cleaned("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");  // above U+10FFFF
  EXPECT_EQ(cleaned("\xe2\x82"), "\ufffd\ufffd");
}

TEST(CleanText, ReplacesNul) {
  EXPECT_EQ(cleaned("a\0b"s),
            "a\ufffd"
            "b");
}

TEST(CleanText, KeepsTheLimitsOfEachLength) {
  for (const std::string text :
       {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_EQ(cleaned(text), text);
  }
}

}  // namespace
}  // namespace moesweep
