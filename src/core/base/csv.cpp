#include <charconv>
#include <limits>

#include <fmt/format.h>

#include <moesweep/core/base/csv.hpp>

namespace moesweep {

CsvRecords::CsvRecords(std::string_view text, std::string_view place) : rest_(text), place_(place) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
}

Error CsvRecords::complaint(const std::string& problem) const {
  return Error(ExitCode::bad_input, fmt::format("{}:{}", place_, record_line_), problem,
               "give comma-separated values with a header line");
}

std::optional<std::vector<std::string>> CsvRecords::next() {
  while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) take();
  if (rest_.empty()) return std::nullopt;
  record_line_ = line_;
  std::vector<std::string> cells;
  for (bool more = true; more;) more = append_cell(cells);
  return cells;
}

char CsvRecords::take() {
  const char c = rest_.front();
  rest_.remove_prefix(1);
  if (c == '\n') ++line_;
  return c;
}

bool CsvRecords::append_cell(std::vector<std::string>& cells) {
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

void CsvRecords::append_quoted(std::string& cell) {
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

std::optional<double> csv_number(std::string_view cell) {
  if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

}  // namespace moesweep
