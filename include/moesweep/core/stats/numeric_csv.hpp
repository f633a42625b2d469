#pragma once
// Columns of numbers from a CSV file (RFC 4180 with a header line), such as published records or
// our own exports.

#include <filesystem>
#include <string_view>
#include <vector>

#include <moesweep/core/stats/correlation.hpp>

namespace moesweep::stats {

/// Every column whose cells are all numbers or empty (NaN), with at least one number; columns of
/// text are left out. `place` names the text in errors. Error(bad_input) with the line for a ragged
/// line or an open quote, and for a text without data.
std::vector<NamedColumn> parse_numeric_csv(std::string_view text, std::string_view place);

/// The same from a file of at most largest_text_file bytes (base/file.hpp); Error(bad_input) when
/// it cannot be read.
std::vector<NamedColumn> read_numeric_csv(const std::filesystem::path& file);

}  // namespace moesweep::stats
