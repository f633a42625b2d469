#include "text_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::cli {
namespace {

bool looks_numeric(const std::string& cell) {
  return !cell.empty() && cell.find_first_of("0123456789") == (cell[0] == '-' ? 1U : 0U) &&
         cell.find(':') == std::string::npos;
}

}  // namespace

void TextTable::print() const {
  std::vector<std::size_t> width(rows_.front().size(), 0);
  std::vector<bool> right(width.size(), rows_.size() > 1);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < width.size(); ++c) {
      width[c] = std::max(width[c], rows_[r][c].size());
      if (r > 0 && !looks_numeric(rows_[r][c]) && rows_[r][c] != "-") right[c] = false;
    }
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const auto cell = printable(row[c]);
      line +=
          right[c] ? fmt::format("{:>{}}", cell, width[c]) : fmt::format("{:<{}}", cell, width[c]);
      if (c + 1 < row.size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

}  // namespace moesweep::cli
