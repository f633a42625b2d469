#pragma once
// Writes tables of results.h5 for other programs.
//
// One representation everywhere:
// - float64: the shortest decimal that reads back as the same double. Not a number: an empty cell
//   in CSV, null in JSON and SQL. Infinities: inf and -inf in CSV, the strings "Infinity" and
//   "-Infinity" in JSON (it has no such numbers), REAL infinities in SQL. SQLite itself stores -0
//   as 0; the text formats keep it.
// - uint64: ids, never counts. Text such as 0x00c0ffee00c0ffee: most readers of JSON round integers
//   above 2^53, spreadsheets above 10^15, and SQLite has no integer above 2^63-1.
// - text: UTF-8; malformed bytes and NUL become U+FFFD.
//
// What each format is stands in its file below src/app/tables.
// Names of files and SQL tables are the table's with '/' replaced: sensitivity_tensors.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/records/table.hpp>

namespace moesweep::tables {

/// In the order of help: "csv".
std::span<const std::string> format_names();
/// Error(bad_usage) with the nearest name when unknown.
void require_format(std::string_view name);

/// "sensitivity/tensors" -> "sensitivity_tensors".
std::string flat_name(std::string_view table);

struct ExportOptions {
  std::string format = "csv";
  /// The file for formats that hold all tables in one. For the others the file when exactly one
  /// table is named, unless it is a folder or ends in a slash; otherwise the folder, created when
  /// missing, for one file a table: <output>/<flat name>.<format>.
  std::filesystem::path output;
  std::vector<std::string> tables;  ///< empty: all that the results hold
  bool overwrite = false;           ///< replace existing files
};

struct ExportedTable {
  std::string table;
  std::int64_t rows = 0;
  std::filesystem::path file;
};

/// Writes the tables row by row and returns what was written where. No file shows under its name
/// before all are complete, and none is left half-written. Error(bad_usage) for an unknown table, a
/// file that exists and may not be replaced, an output that can't be one, or sqlite in a build
/// without it; Error(bad_input) for results without tables; Error(io_error) when writing fails.
std::vector<ExportedTable> export_tables(const records::Tables& tables,
                                         const ExportOptions& options);

}  // namespace moesweep::tables
