#pragma once
// Tables: a row struct with typed columns, and the same data column by column. Store, export,
// digest and the schema document work on the columns; the domain works on the structs.

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep::records {

/// In the order of the alternatives of ColumnValues.
enum class ColumnType : std::uint8_t { int8, int32, int64, uint64, float64, text };

using ColumnValues =
    std::variant<std::vector<std::int8_t>, std::vector<std::int32_t>, std::vector<std::int64_t>,
                 std::vector<std::uint64_t>, std::vector<double>, std::vector<std::string>>;

std::string_view column_type_name(ColumnType type);
ColumnValues empty_column(ColumnType type);

struct ColumnInfo {
  std::string name;
  ColumnType type;
  std::string unit;  ///< "1" for pure numbers, "" for text and ids
  std::string description;
};

struct TableInfo {
  std::string name;  ///< path of its group in results.h5, e.g. "sensitivity/tensors"
  std::string description;
  bool in_digest;  ///< takes part in the results digest
  std::vector<ColumnInfo> columns;
};

/// Equal-length columns in the order of info->columns.
struct Table {
  const TableInfo* info = nullptr;
  std::vector<ColumnValues> columns;

  explicit Table(const TableInfo& table_info);
  std::size_t rows() const;
  /// Column by name; an unknown name is a bug.
  const ColumnValues& column(std::string_view name) const;
};

/// Appends all rows of `more` (same info).
void append(Table& table, const Table& more);

/// Keeps the rows that `rows` names, each at most once, in its order.
void keep_rows(Table& table, std::span<const std::uint32_t> rows);

/// Room for so many rows in all.
void reserve(Table& table, std::size_t rows);

/// A row of a table that is there in pieces.
struct PieceRow {
  std::uint32_t piece;
  std::uint32_t row;
};
/// One table of the rows that `order` names, each at most once, in its order. Takes the pieces
/// apart column by column, so that little more than they occupied is needed.
Table joined(std::vector<Table> pieces, std::span<const PieceRow> order);

/// Tables by name.
using Tables = std::map<std::string, Table, std::less<>>;

/// Appends every table of `more`, creating those that are missing.
void append(Tables& tables, const Tables& more);

/// Bytes the columns occupy, about.
std::int64_t approximate_bytes(const Tables& tables);

/// One column of a row struct.
template <typename Row, typename Value>
struct Column {
  const char* name;
  Value Row::*member;
  const char* unit;
  const char* description;
};
template <typename Row, typename Value>
Column(const char*, Value Row::*, const char*, const char*) -> Column<Row, Value>;

/// Specialised beside each row struct: `name`, `description`, `in_digest`, `columns` (a tuple of
/// Column).
template <typename Row>
struct TableOf;

template <typename Value>
constexpr ColumnType column_type() {
  if constexpr (std::is_same_v<Value, std::int8_t>)
    return ColumnType::int8;
  else if constexpr (std::is_same_v<Value, std::int32_t>)
    return ColumnType::int32;
  else if constexpr (std::is_same_v<Value, std::int64_t>)
    return ColumnType::int64;
  else if constexpr (std::is_same_v<Value, std::uint64_t>)
    return ColumnType::uint64;
  else if constexpr (std::is_same_v<Value, double>)
    return ColumnType::float64;
  else {
    static_assert(std::is_same_v<Value, std::string>, "no column type for this member");
    return ColumnType::text;
  }
}

template <typename Row>
const TableInfo& table_info() {
  static const TableInfo info = [] {
    TableInfo made{TableOf<Row>::name, TableOf<Row>::description, TableOf<Row>::in_digest, {}};
    std::apply(
        [&]<typename... Values>(const Column<Row, Values>&... columns) {
          (made.columns.push_back(
               {columns.name, column_type<Values>(), columns.unit, columns.description}),
           ...);
        },
        TableOf<Row>::columns);
    return made;
  }();
  return info;
}

/// Appends one row to its table.
template <typename Row>
void append_row(Table& table, const Row& row) {
  expect(table.info == &table_info<Row>(), "row appended to the table of another record");
  std::apply(
      [&]<typename... Values>(const Column<Row, Values>&... columns) {
        std::size_t i = 0;
        (std::get<std::vector<Values>>(table.columns[i++]).push_back(row.*(columns.member)), ...);
      },
      TableOf<Row>::columns);
}

template <typename Row>
void append_row(Tables& tables, const Row& row) {
  const auto& info = table_info<Row>();
  auto found = tables.find(info.name);
  if (found == tables.end()) found = tables.emplace(info.name, Table(info)).first;
  append_row(found->second, row);
}

/// All rows of a table as structs.
template <typename Row>
std::vector<Row> rows_of(const Table& table) {
  expect(table.info == &table_info<Row>(), "table read as another record");
  std::vector<Row> rows(table.rows());
  std::apply(
      [&]<typename... Values>(const Column<Row, Values>&... columns) {
        std::size_t i = 0;
        const auto fill = [&]<typename Value>(const Column<Row, Value>& column) {
          const auto& values = std::get<std::vector<Value>>(table.columns[i++]);
          for (std::size_t r = 0; r < rows.size(); ++r) rows[r].*(column.member) = values[r];
        };
        (fill(columns), ...);
      },
      TableOf<Row>::columns);
  return rows;
}

/// Rows of the table if present, none otherwise.
template <typename Row>
std::vector<Row> rows_of(const Tables& tables) {
  const auto found = tables.find(table_info<Row>().name);
  return found == tables.end() ? std::vector<Row>{} : rows_of<Row>(found->second);
}

}  // namespace moesweep::records
