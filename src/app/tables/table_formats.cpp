#include <array>

#include "table_format.hpp"

namespace moesweep::tables {

TableFormat csv_format();
TableFormat json_lines_format();
TableFormat sqlite_format();
TableFormat npz_format();
TableFormat markdown_format();

std::span<const TableFormat> table_formats() {
  static const std::array formats = {csv_format(), json_lines_format(), sqlite_format(),
                                     npz_format(), markdown_format()};
  return formats;
}

}  // namespace moesweep::tables
