#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/file.hpp>

#include "every_type.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::test {
namespace {

using testing::ElementsAre;

records::Tables notes(std::initializer_list<std::string> texts) {
  records::Tables tables;
  for (const auto& text : texts) append_row(tables, NoteRow{text});
  return tables;
}

TEST(Markdown, HasAHeadingAHeaderAndOneLineARow) {
  records::Tables tables;
  append_row(tables, EveryTypeRow{"a", 1.0 / 3.0, 0xfedcba9876543210U, -4, 7, -128});
  append_row(tables, EveryTypeRow{"b", not_a_number, 1, 0, 0, 127});
  EXPECT_THAT(
      exported_lines(tables, "markdown"),
      ElementsAre("## every/type", "", "One column of every type", "",
                  "| text | real | id | big | middle | small |", "|---|---:|---:|---:|---:|---:|",
                  "| a | 0.333333 | 0xfedcba9876543210 | -4 | 7 | -128 |",
                  "| b |  | 0x0000000000000001 | 0 | 0 | 127 |"));
}

TEST(Markdown, NoTextEndsItsCellOrBecomesMarkup) {
  const auto lines =
      exported_lines(notes({"a|b", "two\nlines", "<script>", "*not bold*", "`code`", "snake_case",
                            "_edge_", "[x](y)", "a & b", "back\\slash", "a\x1b[2Jb"}),
                     "markdown");
  ASSERT_EQ(lines.size(), 17U);
  EXPECT_THAT(std::vector(lines.begin() + 6, lines.end()),
              ElementsAre("| a\\|b |", "| two lines |", "| &lt;script> |", "| \\*not bold\\* |",
                          "| \\`code\\` |", "| snake_case |", "| \\_edge\\_ |", "| \\[x\\](y) |",
                          "| a &amp; b |", "| back\\\\slash |", "| a\\\\x1b\\[2Jb |"));
}

TEST(Markdown, SeveralTablesAreOneDocument) {
  TemporaryDirectory folder;
  auto tables = notes({"a"});
  append_row(tables, EveryTypeRow{});
  const auto file = folder.path() / "results.md";
  const auto written = tables::export_tables(tables, {"markdown", file, {}, false});
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].file, file);
  EXPECT_EQ(written[1].file, file);
  const auto text = read_text_file(file);
  EXPECT_NE(text.find("## every/type\n"), std::string::npos);
  EXPECT_NE(text.find("|\n\n## notes\n"), std::string::npos);
}

}  // namespace
}  // namespace moesweep::test
