#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/stats/numeric_csv.hpp>

namespace moesweep::stats {
namespace {

/// Cells of one record after another.
class Records {
 public:
  Records(std::string_view text, std::string_view place) : rest_(text), place_(place) {}

  std::int64_t line() const { return record_line_; }
  Error complaint(const std::string& problem) const {
    return Error(ExitCode::bad_input, fmt::format("{}:{}", place_, record_line_), problem,
                 "give comma-separated values with a header line");
  }
  /// Nothing at the end. Empty lines are passed over.
  std::optional<std::vector<std::string>> next() {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) take();
    if (rest_.empty()) return std::nullopt;
    record_line_ = line_;
    std::vector<std::string> cells;
    for (bool more = true; more;) more = append_cell(cells);
    return cells;
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n') ++line_;
    return c;
  }
  /// Does another cell of the record follow?
  bool append_cell(std::vector<std::string>& cells) {
    auto& cell = cells.emplace_back();
    if (!rest_.empty() && rest_.front() == '"') append_quoted(cell);
    while (!rest_.empty()) {
      const char c = take();
      if (c == ',') return true;
      if (c == '\n') return false;
      if (c != '\r') cell += c;
    }
    return false;
  }
  void append_quoted(std::string& cell) {
    take();
    while (!rest_.empty()) {
      const char c = take();
      if (c != '"') {
        cell += c;
      } else if (!rest_.empty() && rest_.front() == '"') {
        cell += take();
      } else {
        return;
      }
    }
    throw complaint("a quoted cell has no end");
  }

  std::string_view rest_;
  std::string_view place_;
  std::int64_t line_ = 1;
  std::int64_t record_line_ = 1;
};

std::optional<double> number_in(std::string_view cell) {
  if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

bool has_a_number(const NamedColumn& column) {
  for (const double value : column.values) {
    if (!std::isnan(value)) return true;
  }
  return false;
}

}  // namespace

std::vector<NamedColumn> parse_numeric_csv(std::string_view text, std::string_view place) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Records records(text, place);
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
      if (const auto value = number_in((*cells)[i])) {
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
