#pragma once
// Comma-separated values (RFC 4180): cells of one record after another.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep {

/// Reads `text`, which has to outlive it. A byte order mark at its beginning is passed over;
/// `place` names it in errors.
class CsvRecords {
 public:
  CsvRecords(std::string_view text, std::string_view place);

  /// Line on which the record that next() gave begins, from 1.
  std::int64_t line() const { return record_line_; }
  /// Error(bad_input) at that line.
  Error complaint(const std::string& problem) const;
  /// Nothing at the end. Empty lines are passed over; a quoted cell without end is
  /// Error(bad_input).
  std::optional<std::vector<std::string>> next();

 private:
  char take();
  /// Does another cell of the record follow?
  bool append_cell(std::vector<std::string>& cells);
  void append_quoted(std::string& cell);

  std::string_view rest_;
  std::string place_;
  std::int64_t line_ = 1;
  std::int64_t record_line_ = 1;
};

/// The whole cell as a number; NaN for an empty one, nothing for any other text.
std::optional<double> csv_number(std::string_view cell);

}  // namespace moesweep
