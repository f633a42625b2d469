// One NumPy array per column, named table/column: sensitivity/tensors/bits. Native types: ids are
// uint64, doubles keep NaN, infinities and -0; text is bytes of fixed length ('S'). Equal tables
// give equal files.

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include <moesweep/core/arrays/npy_text.hpp>
#include <moesweep/core/arrays/zip_writer.hpp>
#include <moesweep/core/base/utf8.hpp>

#include "table_format.hpp"

namespace moesweep::tables {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are written as they lie");

void add_text(arrays::ZipWriter& zip, std::string_view text) {
  zip.add(std::as_bytes(std::span(text)));
}

std::string_view dtype_of(const std::vector<std::int8_t>&) {
  return "|i1";
}
std::string_view dtype_of(const std::vector<std::int32_t>&) {
  return "<i4";
}
std::string_view dtype_of(const std::vector<std::int64_t>&) {
  return "<i8";
}
std::string_view dtype_of(const std::vector<std::uint64_t>&) {
  return "<u8";
}
std::string_view dtype_of(const std::vector<double>&) {
  return "<f8";
}

template <typename Value>
void add_column(arrays::ZipWriter& zip, const std::vector<Value>& values) {
  add_text(zip, arrays::npy_header(dtype_of(values), {static_cast<std::int64_t>(values.size())}));
  zip.add(std::as_bytes(std::span(values)));
}

void add_column(arrays::ZipWriter& zip, const std::vector<std::string>& values) {
  std::string scratch;
  std::size_t width = 1;  // numpy has no text of width 0 in files
  for (const auto& value : values) width = std::max(width, clean_text(value, scratch).size());
  add_text(zip, arrays::npy_header(fmt::format("|S{}", width),
                                   {static_cast<std::int64_t>(values.size())}));
  constexpr std::size_t flush_bytes = std::size_t{1} << 20;
  std::string cells;
  for (const auto& value : values) {
    const auto text = clean_text(value, scratch);
    cells.append(text).append(width - text.size(), '\0');
    if (cells.size() < flush_bytes) continue;
    add_text(zip, cells);
    cells.clear();
  }
  add_text(zip, cells);
}

void write(const Destination& destination, FilePublisher& file) {
  arrays::ZipWriter zip(file);
  for (const auto* table : destination.tables) {
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
      zip.begin(fmt::format("{}/{}.npy", table->info->name, table->info->columns[i].name));
      std::visit([&](const auto& values) { add_column(zip, values); }, table->columns[i]);
      zip.end();
    }
  }
  zip.finish();
}

}  // namespace

TableFormat npz_format() {
  return {.name = "npz", .is_one_file = true, .write = write};
}

}  // namespace moesweep::tables
