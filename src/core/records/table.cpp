#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

std::string_view column_type_name(ColumnType type) {
  constexpr std::array<std::string_view, 6> names = {"int8",   "int32",   "int64",
                                                     "uint64", "float64", "text"};
  return names[static_cast<std::size_t>(type)];
}

ColumnValues empty_column(ColumnType type) {
  switch (type) {
    case ColumnType::int8:
      return std::vector<std::int8_t>{};
    case ColumnType::int32:
      return std::vector<std::int32_t>{};
    case ColumnType::int64:
      return std::vector<std::int64_t>{};
    case ColumnType::uint64:
      return std::vector<std::uint64_t>{};
    case ColumnType::float64:
      return std::vector<double>{};
    case ColumnType::text:
      return std::vector<std::string>{};
  }
  bug("unknown column type");
}

Table::Table(const TableInfo& table_info) : info(&table_info) {
  columns.reserve(table_info.columns.size());
  for (const auto& column : table_info.columns) columns.push_back(empty_column(column.type));
}

std::size_t Table::rows() const {
  return std::visit([](const auto& values) { return values.size(); }, columns.front());
}

const ColumnValues& Table::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (info->columns[i].name == name) return columns[i];
  }
  bug("table has no such column");
}

void append(Table& table, const Table& more) {
  expect(table.info == more.info, "tables of different records appended");
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::visit(
        [&](auto& values) {
          const auto& added = std::get<std::decay_t<decltype(values)>>(more.columns[i]);
          values.insert(values.end(), added.begin(), added.end());
        },
        table.columns[i]);
  }
}

void reserve(Table& table, std::size_t rows) {
  for (auto& column : table.columns) {
    std::visit([&](auto& values) { values.reserve(rows); }, column);
  }
}

Table joined(std::vector<Table> pieces, std::span<const PieceRow> order) {
  expect(!pieces.empty(), "a table of no pieces");
  Table table(*pieces.front().info);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::visit(
        [&]<typename Values>(Values& values) {
          values.reserve(order.size());
          for (const auto& [piece, row] : order) {
            values.push_back(std::move(std::get<Values>(pieces[piece].columns[i])[row]));
          }
        },
        table.columns[i]);
    for (auto& piece : pieces) piece.columns[i] = empty_column(table.info->columns[i].type);
  }
  return table;
}

void keep_rows(Table& table, std::span<const std::uint32_t> rows) {
  for (auto& column : table.columns) {
    std::visit(
        [&](auto& values) {
          std::decay_t<decltype(values)> ordered;
          ordered.reserve(rows.size());
          for (const auto row : rows) ordered.push_back(std::move(values[row]));
          values = std::move(ordered);
        },
        column);
  }
}

void append(Tables& tables, const Tables& more) {
  for (const auto& [name, table] : more) {
    const auto [found, created] = tables.emplace(name, table);
    if (!created) append(found->second, table);
  }
}

std::int64_t approximate_bytes(const Tables& tables) {
  std::size_t bytes = 0;
  for (const auto& [name, table] : tables) {
    for (const auto& column : table.columns) {
      std::visit(
          [&]<typename Value>(const std::vector<Value>& values) {
            if constexpr (std::is_same_v<Value, std::string>) {
              for (const auto& text : values) bytes += text.size() + sizeof(std::string);
            } else {
              bytes += values.size() * sizeof(Value);
            }
          },
          column);
    }
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace moesweep::records
