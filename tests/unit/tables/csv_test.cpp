#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "every_type.hpp"

namespace moesweep::test {
namespace {

using testing::ElementsAre;

records::Tables notes(std::initializer_list<std::string> texts) {
  records::Tables tables;
  for (const auto& text : texts) append_row(tables, NoteRow{text});
  return tables;
}

TEST(Csv, HasAHeaderAndOneLineARow) {
  records::Tables tables;
  append_row(tables, EveryTypeRow{"a", 1.5, 0xfedcba9876543210U, -4, 7, -128});
  append_row(tables, EveryTypeRow{"b", -2, 1, std::numeric_limits<std::int64_t>::min(),
                                  std::numeric_limits<std::int32_t>::max(), 127});
  EXPECT_THAT(exported_lines(tables, "csv"),
              ElementsAre("text,real,id,big,middle,small", "a,1.5,0xfedcba9876543210,-4,7,-128",
                          "b,-2,0x0000000000000001,-9223372036854775808,2147483647,127"));
}

TEST(Csv, DoublesReadBackBitForBit) {
  const auto lines = exported_lines(table_of_reals(hard_doubles), "csv");
  ASSERT_EQ(lines.size(), hard_doubles.size() + 1);
  for (std::size_t i = 0; i < hard_doubles.size(); ++i) {
    EXPECT_EQ(std::strtod(lines[i + 1].c_str() + 2, nullptr), hard_doubles[i]) << lines[i + 1];
  }
}

TEST(Csv, NotANumberIsAnEmptyCellAndInfinitiesAreWords) {
  const auto lines =
      exported_lines(table_of_reals(std::array{not_a_number, infinity, -infinity, -0.0}), "csv");
  EXPECT_THAT(lines,
              ElementsAre("text,real,id,big,middle,small", "x,,0x0000000000000000,0,0,0",
                          "x,inf,0x0000000000000000,0,0,0", "x,-inf,0x0000000000000000,0,0,0",
                          "x,-0,0x0000000000000000,0,0,0"));
}

TEST(Csv, QuotesSeparatorsQuotesAndLineBreaks) {
  EXPECT_THAT(exported_lines(notes({"a,b", "say \"no\"", "plain text"}), "csv"),
              ElementsAre("note", "\"a,b\"", "\"say \"\"no\"\"\"", "plain text"));
  EXPECT_THAT(exported_lines(notes({"two\nlines"}), "csv"),
              ElementsAre("note", "\"two", "lines\""));
  EXPECT_THAT(exported_lines(notes({"a\rb"}), "csv"), ElementsAre("note", "\"a\rb\""));
}

TEST(Csv, TextCannotBecomeAFormula) {
  EXPECT_THAT(
      exported_lines(notes({"=1+1", "+1", "-1", "@a", "\tx", "a=b", "\r=1", "=\"a,b\""}), "csv"),
      ElementsAre("note", "'=1+1", "'+1", "'-1", "'@a", "'\tx", "a=b", "\"'\r=1\"",
                  "\"'=\"\"a,b\"\"\""));
}

TEST(Csv, NegativeNumbersAreNotGuarded) {
  const auto lines = exported_lines(table_of_reals(std::array{-2.5}), "csv");
  EXPECT_EQ(lines.at(1), "x,-2.5,0x0000000000000000,0,0,0");
}

TEST(Csv, AnEmptyTextInASingleColumnIsStillARow) {
  EXPECT_THAT(exported_lines(notes({"", "a"}), "csv"), ElementsAre("note", "\"\"", "a"));
}

TEST(Csv, MalformedBytesAndNulBecomeReplacementCharacters) {
  EXPECT_THAT(exported_lines(notes({std::string("a\xff\0", 3)}), "csv"),
              ElementsAre("note", "a\ufffd\ufffd"));
}

}  // namespace
}  // namespace moesweep::test
