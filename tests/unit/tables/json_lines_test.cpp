#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "every_type.hpp"

namespace moesweep::test {
namespace {

using testing::ElementsAre;

TEST(JsonLines, EachLineIsAnObjectWithTheKeysInColumnOrder) {
  records::Tables tables;
  append_row(tables, EveryTypeRow{"a", 1.5, 0xfedcba9876543210U, -4, 7, -128});
  append_row(tables, EveryTypeRow{"b", not_a_number, 1, 5, 6, 7});
  EXPECT_THAT(
      exported_lines(tables, "jsonl"),
      ElementsAre(
          R"({"text":"a","real":1.5,"id":"0xfedcba9876543210","big":-4,"middle":7,"small":-128})",
          R"({"text":"b","real":null,"id":"0x0000000000000001","big":5,"middle":6,"small":7})"));
}

TEST(JsonLines, DoublesReadBackBitForBit) {
  const auto lines = exported_lines(table_of_reals(hard_doubles), "jsonl");
  ASSERT_EQ(lines.size(), hard_doubles.size());
  for (std::size_t i = 0; i < hard_doubles.size(); ++i) {
    EXPECT_EQ(nlohmann::json::parse(lines[i]).at("real").get<double>(), hard_doubles[i])
        << lines[i];
  }
}

TEST(JsonLines, NegativeZeroKeepsItsSign) {
  const auto lines = exported_lines(table_of_reals(std::array{-0.0}), "jsonl");
  EXPECT_TRUE(std::signbit(nlohmann::json::parse(lines.at(0)).at("real").get<double>()));
}

TEST(JsonLines, InfinitiesAreStrings) {
  const auto lines = exported_lines(table_of_reals(std::array{infinity, -infinity}), "jsonl");
  EXPECT_EQ(nlohmann::json::parse(lines.at(0)).at("real"), "Infinity");
  EXPECT_EQ(nlohmann::json::parse(lines.at(1)).at("real"), "-Infinity");
}

TEST(JsonLines, HostileTextStaysInItsString) {
  const std::string hostile = "\"},{\"a\":\"\\\n\r\t\x1b[2J\u2028";
  records::Tables tables;
  append_row(tables, NoteRow{hostile});
  append_row(tables, NoteRow{"bad \xff"});
  const auto lines = exported_lines(tables, "jsonl");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(lines[0]).at("note"), hostile);
  EXPECT_EQ(nlohmann::json::parse(lines[1]).at("note"), "bad \ufffd");
}

}  // namespace
}  // namespace moesweep::test
