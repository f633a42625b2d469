#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/foreign_name.hpp>

namespace moesweep {
namespace {

TEST(ForeignName, PlainNamesAreLettersDigitsDotsAndDashesThatDoNotBeginWithADot) {
  for (const auto* name : {"a", "Q4_K_M", "fc1.weight", "model-00001-of-00002.safetensors", "-x"}) {
    EXPECT_TRUE(is_plain_file_name(name)) << name;
    EXPECT_EQ(plain_file_name(name), name);
  }
  for (const std::string name : {"", ".", "..", ".hidden", "a/b", "../x", "/etc/passwd", "a b",
                                 "a\nb", "a\x1b[2J", "a\x7f", "a\xc2\x9b", "ü", "a\\b", "a:b"}) {
    EXPECT_FALSE(is_plain_file_name(name)) << printable(name);
  }
  EXPECT_FALSE(is_plain_file_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_plain_file_name(std::string(255, 'x')));
  EXPECT_FALSE(is_plain_file_name(std::string(256, 'x')));
}

TEST(ForeignName, EveryTextBecomesAPlainName) {
  EXPECT_EQ(plain_file_name(""), "_");
  EXPECT_EQ(plain_file_name("../../x"), "_._.._x");
  EXPECT_EQ(plain_file_name("\x1b]0;x\x07"), "__0_x_");
  EXPECT_EQ(plain_file_name("ü"), "__");
  EXPECT_EQ(plain_file_name(std::string(1000, 'x')).size(), longest_file_name);
  EXPECT_EQ(plain_file_name("abcdef", 3), "abc");
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_TRUE(is_plain_file_name(plain_file_name(std::string(3, static_cast<char>(byte)))));
  }
}

TEST(ForeignName, ControlCharactersAreThoseOfAsciiAndOfUnicode) {
  for (const std::string text : {"\n", "a\tb", "\x1b", "\x7f", "x\xc2\x80", "\xc2\x9f"}) {
    EXPECT_TRUE(has_control_characters(text)) << printable(text);
  }
  for (const std::string text : {"", "plain", "ü", "\xc2\xa0", "\xe2\x80\xa8", "\x80"}) {
    EXPECT_FALSE(has_control_characters(text)) << text;
  }
}

TEST(ForeignName, LinesStayLinesWhenTheyArePrinted) {
  EXPECT_EQ(printable_lines("a\x1b[2J\nb\n\nc"), "a\\x1b[2J\nb\n\nc");
  EXPECT_EQ(printable_lines(""), "");
  EXPECT_EQ(printable_lines("a\n"), "a\n");
}

}  // namespace
}  // namespace moesweep
