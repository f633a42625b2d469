#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/numeric_csv.hpp>

namespace moesweep::stats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string complaint_about(std::string_view text) {
  try {
    parse_numeric_csv(text, "a.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    return error.what();
  }
  return "no error";
}

TEST(NumericCsv, KeepsColumnsOfNumbersAndLeavesOutText) {
  const auto columns =
      parse_numeric_csv("name,x,\"y, z\"\r\n\"a \"\"b\"\"\n\",1e-3,-2\r\nc,,0.5\n", "a.csv");
  ASSERT_EQ(columns.size(), 2U);
  EXPECT_EQ(columns[0].name, "x");
  EXPECT_EQ(columns[0].values[0], 1e-3);
  EXPECT_TRUE(std::isnan(columns[0].values[1]));
  EXPECT_EQ(columns[1].name, "y, z");
  EXPECT_THAT(columns[1].values, ElementsAre(-2.0, 0.5));
}

TEST(NumericCsv, ALastLineWithoutEndCounts) {
  EXPECT_THAT(parse_numeric_csv("\xef\xbb\xbfx\n1\n2", "a.csv").at(0).values,
              ElementsAre(1.0, 2.0));
}

TEST(NumericCsv, RaggedLinesAreRefusedByNumber) {
  EXPECT_THAT(complaint_about("x,y\n1,2\n3\n"),
              HasSubstr("a.csv:3: 1 cells where the header has 2"));
}

TEST(NumericCsv, OpenQuotesAndEmptyFilesAreRefused) {
  EXPECT_THAT(complaint_about("x\n\"1\n"), HasSubstr("a.csv:2: a quoted cell has no end"));
  EXPECT_THAT(complaint_about(""), HasSubstr("no header line"));
  EXPECT_THAT(complaint_about("x\n"), HasSubstr("no rows"));
}

TEST(NumericCsv, AMissingFileIsBadInput) {
  EXPECT_THROW(read_numeric_csv("/nonexistent/a.csv"), Error);
}

}  // namespace
}  // namespace moesweep::stats
