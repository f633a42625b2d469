#pragma once
// Rows of a table as CSV (RFC 4180): cells that a spreadsheet would take for a formula begin with
// an apostrophe, text is UTF-8 whatever the table holds, NaN is empty.

#include <cstddef>
#include <string>

#include <moesweep/core/records/table.hpp>

namespace moesweep::arrays {

/// Without the end of the line.
void append_csv_header(std::string& out, const records::TableInfo& info);
void append_csv_row(std::string& out, const records::Table& table, std::size_t row);

}  // namespace moesweep::arrays
