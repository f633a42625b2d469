#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/stats/numeric_csv.hpp>

namespace moesweep::stats {
namespace {

bool has_a_number(const NamedColumn& column) {
  for (const double value : column.values) {
    if (!std::isnan(value)) return true;
  }
  return false;
}

}  // namespace

std::vector<NamedColumn> parse_numeric_csv(std::string_view text, std::string_view place) {
  CsvRecords records(text, place);
  const auto header = records.next();
  if (!header) throw records.complaint("there is no header line");
  std::vector<std::optional<NamedColumn>> columns;
  for (const auto& name : *header) columns.emplace_back(NamedColumn{name, {}});
  std::int64_t rows = 0;
  while (const auto cells = records.next()) {
    if (cells->size() != columns.size()) {
      throw records.complaint(
          fmt::format("{} cells where the header has {}", cells->size(), columns.size()));
    }
    ++rows;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i]) continue;
      if (const auto value = csv_number((*cells)[i])) {
        columns[i]->values.push_back(*value);
      } else {
        columns[i].reset();
      }
    }
  }
  if (rows == 0) throw records.complaint("there are no rows below the header");
  std::vector<NamedColumn> numeric;
  for (auto& column : columns) {
    if (column && has_a_number(*column)) numeric.push_back(std::move(*column));
  }
  return numeric;
}

std::vector<NamedColumn> read_numeric_csv(const std::filesystem::path& file) {
  return parse_numeric_csv(read_text_file(file), file.string());
}

}  // namespace moesweep::stats
