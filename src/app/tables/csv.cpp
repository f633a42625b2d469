#include <moesweep/core/arrays/csv_rows.hpp>

#include "buffered_text.hpp"
#include "writers.hpp"

namespace moesweep::tables {

void write_csv(const records::Table& table, FilePublisher& file) {
  BufferedText out(file);
  arrays::append_csv_header(out.text(), *table.info);
  out.end_line();
  for (std::size_t row = 0, rows = table.rows(); row < rows; ++row) {
    arrays::append_csv_row(out.text(), table, row);
    out.end_line();
  }
  out.flush();
}

}  // namespace moesweep::tables
