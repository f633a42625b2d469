#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/catalog.hpp>
#include <moesweep/core/records/schema.hpp>

namespace moesweep::records {
namespace {

using testing::HasSubstr;

TEST(ResultsSchema, TheCommittedFileIsTheGeneratedText) {
  EXPECT_EQ(read_text_file(MOESWEEP_RESULTS_SCHEMA), results_schema_markdown())
      << "refresh it: moesweep_results_schema schemas/results.md";
}

TEST(ResultsSchema, ListsEveryTableAndColumn) {
  const auto text = results_schema_markdown();
  for (const auto* table : all_tables()) {
    const auto start = text.find("\n## `" + table->name + "`\n");
    ASSERT_NE(start, std::string::npos) << table->name;
    const auto section = text.substr(start, text.find("\n## ", start + 1) - start);
    EXPECT_THAT(section, HasSubstr(table->description));
    EXPECT_EQ(section.find("Not in the results digest") == std::string::npos, table->in_digest);
    for (const auto& column : table->columns) {
      EXPECT_THAT(section, HasSubstr("| `" + column.name + "` | " +
                                     std::string(column_type_name(column.type)) + " | " +
                                     column.unit + " | " + column.description));
    }
  }
}

}  // namespace
}  // namespace moesweep::records
