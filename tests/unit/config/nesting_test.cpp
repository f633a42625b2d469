#include "nesting.hpp"

#include <gtest/gtest.h>

namespace moesweep::config {
namespace {

std::optional<std::size_t> line_deeper_than_2(std::string_view toml) {
  return line_nested_deeper_than(toml, 2);
}

TEST(Nesting, CountsBracketsBracesAndDots) {
  EXPECT_EQ(line_deeper_than_2("x = [[1]]"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = [[[1]]]"), 1U);
  EXPECT_EQ(line_deeper_than_2("a.b.c = 1"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("\na.b.c.d = 1"), 2U);
  EXPECT_EQ(line_deeper_than_2("x = {a.b = {c = 1}}"), 1U);
  EXPECT_EQ(line_deeper_than_2("[a.b.c]"), 1U);
}

TEST(Nesting, SeparatorsEndAKey) {
  EXPECT_EQ(line_deeper_than_2("x = [1.5, 2.5, 3.5, 4.5]"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("a.b = 1.5\nc.d = 1.5\n"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = [\n1.5,\n2.5\n]\ny = [1]\n"), std::nullopt);
}

TEST(Nesting, IgnoresCommentsAndStrings) {
  EXPECT_EQ(line_deeper_than_2("# [[[[ .... \nx = 1"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = \"[[[[ \\\" [[[[\""), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = '[[[[ \\'"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = \"\"\"\n[[[[\n\\\"\"\"[[[[ \"\"\""), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = '''\n[[[['''"), std::nullopt);
}

TEST(Nesting, SeesWhatFollowsAString) {
  EXPECT_EQ(line_deeper_than_2("x = '''\n\n''', [[[1]]]"), 3U);
  EXPECT_EQ(line_deeper_than_2("x = \"\"\"a\"\"\"\"\"\ny = [[[1]]]"), 2U);
  EXPECT_EQ(line_deeper_than_2("x = {a = \"\"\"b\"\"\"\", c.d.e.f = 1}"), 1U);
  EXPECT_EQ(line_deeper_than_2("x = \"\", [[[1]]]"), 1U);
  EXPECT_EQ(line_deeper_than_2("x = \"open\n y = [[[1]]]"), 2U);
}

TEST(Nesting, EndsWithTheTextInTheMiddleOfAString) {
  EXPECT_EQ(line_deeper_than_2("x = \"a\\"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = \"\"\"a\\"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("x = '"), std::nullopt);
  EXPECT_EQ(line_deeper_than_2("]]]]}}}}"), std::nullopt);
}

}  // namespace
}  // namespace moesweep::config
