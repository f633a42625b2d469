#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>

#include <moesweep/core/base/error.hpp>

#include "every_type.hpp"

namespace moesweep::test {
namespace {

TEST(WithoutSqlite, ExportToItIsBadUsageAndLeavesNothing) {
  const TemporaryDirectory directory;
  records::Tables tables;
  append_row(tables, NoteRow{"a"});
  try {
    tables::export_tables(tables, {"sqlite", directory.path() / "r.db", {}, false});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_usage);
    EXPECT_THAT(error.what(), testing::HasSubstr("no SQLite"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace moesweep::test
