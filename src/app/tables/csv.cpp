// Comma separated, header line, lines end in LF, RFC 4180 quoting. A text that starts with = + - @
// TAB or CR gets a leading apostrophe, since spreadsheets would run it as a formula.

#include <moesweep/core/arrays/csv_rows.hpp>

#include "buffered_text.hpp"
#include "table_format.hpp"

namespace moesweep::tables {
namespace {

void write(const Destination& destination, FilePublisher& file) {
  const auto& table = *destination.tables.front();
  BufferedText out(file);
  arrays::append_csv_header(out.text(), *table.info);
  out.end_line();
  for (std::size_t row = 0, rows = table.rows(); row < rows; ++row) {
    arrays::append_csv_row(out.text(), table, row);
    out.end_line();
  }
  out.flush();
}

}  // namespace

TableFormat csv_format() {
  return {.name = "csv", .write = write};
}

}  // namespace moesweep::tables
