// One SQL table per table, with INTEGER, REAL and TEXT columns.

#include <cmath>
#include <concepts>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

#include <moesweep/app/tables/export.hpp>
#include <moesweep/core/arrays/id_text.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/utf8.hpp>

#include "table_format.hpp"

namespace moesweep::tables {
namespace {

using records::ColumnType;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class Database {
 public:
  Database(const std::filesystem::path& file, std::filesystem::path target)
      : target_(std::move(target)) {
    // Nobody else knows the file yet, so no locks: they fail on some cluster file systems.
    // Absolute, since a relative name that starts with file: could be read as a URI.
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(std::filesystem::absolute(file).c_str(), &opened,
                                     SQLITE_OPEN_READWRITE, "unix-none");
    handle_.reset(opened);
    check(code);
  }

  void check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_DONE) return;
    throw Error(ExitCode::io_error, target_.string(),
                fmt::format("SQLite cannot write it: {}", sqlite3_errmsg(handle_.get())),
                code == SQLITE_FULL ? "free some space or quota and export again" : "");
  }
  void run(const std::string& sql) const {
    check(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr));
  }
  std::unique_ptr<sqlite3_stmt, Close> prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &statement, nullptr));
    return std::unique_ptr<sqlite3_stmt, Close>(statement);
  }
  void close() {
    const int code = sqlite3_close(handle_.get());
    check(code);
    [[maybe_unused]] auto* const closed = handle_.release();
  }

 private:
  std::filesystem::path target_;
  std::unique_ptr<sqlite3, Close> handle_;
};

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::int8:
    case ColumnType::int32:
    case ColumnType::int64:
      return "INTEGER";
    case ColumnType::float64:
      return "REAL";
    case ColumnType::uint64:
    case ColumnType::text:
      return "TEXT";
  }
  bug("unknown column type");
}

int bind_text(sqlite3_stmt* statement, int place, std::string_view text) {
  return sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8);
}

int bind_value(sqlite3_stmt* statement, int place, const std::string& value) {
  std::string scratch;
  return bind_text(statement, place, clean_text(value, scratch));
}

int bind_value(sqlite3_stmt* statement, int place, double value) {
  return std::isnan(value) ? sqlite3_bind_null(statement, place)
                           : sqlite3_bind_double(statement, place, value);
}

int bind_value(sqlite3_stmt* statement, int place, std::uint64_t value) {
  std::string text;
  arrays::append_id(text, value);
  return bind_text(statement, place, text);
}

template <std::signed_integral Integer>
int bind_value(sqlite3_stmt* statement, int place, Integer value) {
  return sqlite3_bind_int64(statement, place, std::int64_t{value});
}

void write_rows(const Database& database, const records::Table& table, const std::string& sql) {
  const auto insert = database.prepare(sql);
  for (std::size_t row = 0, rows = table.rows(); row < rows; ++row) {
    int place = 0;
    for (const auto& column : table.columns) {
      ++place;
      database.check(std::visit(
          [&](const auto& values) { return bind_value(insert.get(), place, values[row]); },
          column));
    }
    database.check(sqlite3_step(insert.get()));
    database.check(sqlite3_reset(insert.get()));
  }
}

void write_table(const Database& database, const records::Table& table) {
  std::string columns;
  std::string places;
  for (const auto& column : table.info->columns) {
    const std::string_view separator = columns.empty() ? "" : ", ";
    columns += fmt::format("{}{} {}", separator, sql_name(column.name), sql_type(column.type));
    places += fmt::format("{}?", separator);
  }
  const auto flat = sql_name(flat_name(table.info->name));
  database.run(fmt::format("CREATE TABLE {} ({})", flat, columns));
  write_rows(database, table, fmt::format("INSERT INTO {} VALUES ({})", flat, places));
}

/// SQLite would play the journal of an older database into the new one.
void refuse_stale_journal(const std::filesystem::path& database) {
  for (const auto* suffix : {"-journal", "-wal"}) {
    const auto journal = database.string() + suffix;
    if (link_status_of(journal).type() == std::filesystem::file_type::not_found) continue;
    throw Error(ExitCode::bad_usage, journal,
                "belongs to a database that is in use or was not closed",
                "close it, or name another output");
  }
}

void write(const Destination& destination, FilePublisher& file) {
  Database database(file.temporary(), destination.file);
  // A file that fails is thrown away, and a complete one is fsynced once, when it is published.
  database.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
  for (const auto* table : destination.tables) write_table(database, *table);
  database.run("COMMIT");
  database.close();
}

}  // namespace

TableFormat sqlite_format() {
  return {.name = "sqlite", .is_one_file = true, .check = refuse_stale_journal, .write = write};
}

}  // namespace moesweep::tables
