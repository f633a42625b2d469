#include <bit>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <support/temporary_directory.hpp>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>

#include "every_type.hpp"

namespace moesweep::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

/// A database opened for reading, through the C API.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    database_.reset(opened);
    if (code != SQLITE_OK) throw std::runtime_error("cannot open " + file.string());
  }

  /// Each row as its cells joined by '|', NULL spelt out.
  std::vector<std::string> rows(const std::string& sql) const {
    const auto statement = prepare(sql);
    std::vector<std::string> rows;
    while (sqlite3_step(statement.get()) == SQLITE_ROW) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
        const auto* text = sqlite3_column_text(statement.get(), i);
        row += (i > 0 ? "|" : "");
        row += text == nullptr ? "NULL" : reinterpret_cast<const char*>(text);
      }
      rows.push_back(row);
    }
    return rows;
  }
  std::vector<double> reals(const std::string& sql) const {
    const auto statement = prepare(sql);
    std::vector<double> values;
    while (sqlite3_step(statement.get()) == SQLITE_ROW) {
      values.push_back(sqlite3_column_double(statement.get(), 0));
    }
    return values;
  }

 private:
  std::unique_ptr<sqlite3_stmt, Close> prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &statement, nullptr);
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database_.get()));
    return std::unique_ptr<sqlite3_stmt, Close>(statement);
  }
  std::unique_ptr<sqlite3, Close> database_;
};

class Sqlite : public testing::Test {
 protected:
  Reader exported(const records::Tables& tables, bool overwrite = false) {
    tables::export_tables(tables, {"sqlite", file_, {}, overwrite});
    return Reader(file_);
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "results.db";
};

TEST_F(Sqlite, HasOneTableATableWithTypedColumns) {
  records::Tables tables;
  append_row(tables, EveryTypeRow{"a", 1.5, 0xfedcba9876543210U, -4, 7, -128});
  append_row(tables, NoteRow{"n"});
  const auto reader = exported(tables);
  EXPECT_THAT(reader.rows("SELECT name FROM sqlite_master ORDER BY name"),
              ElementsAre("every_type", "notes"));
  EXPECT_THAT(reader.rows("SELECT name, type FROM pragma_table_info('every_type')"),
              ElementsAre("text|TEXT", "real|REAL", "id|TEXT", "big|INTEGER", "middle|INTEGER",
                          "small|INTEGER"));
  EXPECT_THAT(reader.rows("SELECT * FROM every_type"),
              ElementsAre("a|1.5|0xfedcba9876543210|-4|7|-128"));
  EXPECT_THAT(reader.rows("PRAGMA integrity_check"), ElementsAre("ok"));
}

TEST_F(Sqlite, DoublesReadBackBitForBit) {
  const auto values = exported(table_of_reals(hard_doubles)).reals("SELECT real FROM every_type");
  ASSERT_EQ(values.size(), hard_doubles.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(values[i]),
              std::bit_cast<std::uint64_t>(hard_doubles[i]));
  }
}

TEST_F(Sqlite, NotANumberIsNullAndInfinitiesAreReal) {
  const auto reader = exported(table_of_reals(std::array{not_a_number, infinity, -infinity}));
  EXPECT_THAT(reader.rows("SELECT typeof(real) FROM every_type"),
              ElementsAre("null", "real", "real"));
  EXPECT_THAT(reader.reals("SELECT real FROM every_type WHERE real IS NOT NULL"),
              ElementsAre(infinity, -infinity));
}

TEST_F(Sqlite, HostileTextIsAValueAndNothingElse) {
  const std::string hostile = "x'); DROP TABLE notes; --\"";
  records::Tables tables;
  append_row(tables, NoteRow{hostile});
  append_row(tables, NoteRow{"=1+1"});
  append_row(tables, NoteRow{std::string("a\0\xff", 3)});
  EXPECT_THAT(exported(tables).rows("SELECT note FROM notes"),
              ElementsAre(hostile, "=1+1", "a\ufffd\ufffd"));
}

TEST_F(Sqlite, HoldsOnlyTheTablesAskedFor) {
  records::Tables tables;
  append_row(tables, EveryTypeRow{});
  append_row(tables, NoteRow{"n"});
  tables::export_tables(tables, {"sqlite", file_, {"notes"}, false});
  EXPECT_THAT(Reader(file_).rows("SELECT name FROM sqlite_master"), ElementsAre("notes"));
}

TEST_F(Sqlite, AnEmptyTableKeepsItsColumns) {
  records::Tables tables;
  tables.emplace("notes", records::Table(records::table_info<NoteRow>()));
  const auto reader = exported(tables);
  EXPECT_THAT(reader.rows("SELECT count(*) FROM notes"), ElementsAre("0"));
  EXPECT_THAT(reader.rows("SELECT name FROM pragma_table_info('notes')"), ElementsAre("note"));
}

TEST_F(Sqlite, OverwritingReplacesTheWholeDatabase) {
  records::Tables before;
  append_row(before, EveryTypeRow{});
  exported(before);
  records::Tables after;
  append_row(after, NoteRow{"n"});
  EXPECT_THAT(exported(after, true).rows("SELECT name FROM sqlite_master"), ElementsAre("notes"));
}

TEST_F(Sqlite, AJournalOfAnotherDatabaseIsRefused) {
  records::Tables tables;
  append_row(tables, NoteRow{"n"});
  publish_file(directory_.path() / "results.db-journal", "old");
  try {
    exported(tables);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_usage);
    EXPECT_THAT(error.where(), HasSubstr("results.db-journal"));
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

}  // namespace
}  // namespace moesweep::test
