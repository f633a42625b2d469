#include "hdf5_table.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

#include "hdf5_create.hpp"
#include "hdf5_dataset.hpp"
#include "hdf5_handle.hpp"
#include "hdf5_rows.hpp"

namespace moesweep::store {
namespace {

using records::ColumnType;

constexpr hsize_t chunk_rows = 1 << 16;

hid_t memory_type(ColumnType type) {
  switch (type) {
    case ColumnType::int8:
      return H5T_STD_I8LE;
    case ColumnType::int32:
      return H5T_STD_I32LE;
    case ColumnType::int64:
      return H5T_STD_I64LE;
    case ColumnType::uint64:
      return H5T_STD_U64LE;
    case ColumnType::float64:
      return H5T_IEEE_F64LE;
    case ColumnType::text:
      break;
  }
  bug("texts have a type of their own length");
}

H5Handle new_column(hid_t group, const std::string& name, hid_t type, hsize_t rows,
                    const void* data, Packing packing) {
  std::vector<hsize_t> chunk;
  if (packing == Packing::compressed && rows > 0) chunk.push_back(std::min(rows, chunk_rows));
  return create_dataset(group, name, type, {rows}, chunk, data);
}

void describe_and_close(H5Handle dataset, const std::string& name,
                        const records::ColumnInfo* column) {
  if (column != nullptr) {
    write_attribute(dataset, "unit", column->unit);
    write_attribute(dataset, "description", column->description);
  }
  dataset.close("H5Dclose " + name);
}

// A chunk at a time: one long text among short ones pads all of them.
void write_texts(hid_t group, const std::string& name, std::span<const std::string> texts,
                 Packing packing, const records::ColumnInfo* described) {
  const auto length = longest(texts);
  const auto type = text_type(length);
  auto dataset = new_column(group, name, type, texts.size(), nullptr, packing);
  for (std::size_t first = 0; first < texts.size(); first += chunk_rows) {
    const auto some = texts.subspan(first, std::min<std::size_t>(chunk_rows, texts.size() - first));
    RowSelection(dataset, first, {some.size()}).write(type, pad(some, length).bytes.data(), name);
  }
  describe_and_close(std::move(dataset), name, described);
}

void write_column(hid_t group, const records::ColumnInfo& column,
                  const records::ColumnValues& values, Packing packing) {
  // Segments are ours alone; results are read by people, who want the descriptions.
  const auto* described = packing == Packing::compressed ? &column : nullptr;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&values)) {
    write_texts(group, column.name, *texts, packing, described);
    return;
  }
  std::visit(
      [&]<typename Value>(const std::vector<Value>& numbers) {
        if constexpr (!std::is_same_v<Value, std::string>) {
          describe_and_close(new_column(group, column.name, memory_type(column.type),
                                        numbers.size(), numbers.data(), packing),
                             column.name, described);
        }
      },
      values);
}

bool is_of_type(hid_t type, ColumnType column) {
  if (column == ColumnType::text) {
    return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  }
  return h5_check(H5Tequal(type, memory_type(column)), "H5Tequal") > 0;
}

OpenDataset open_column(hid_t group, const std::string& name, ColumnType column_type,
                        const std::string& file_name) {
  const DatasetPlace place{file_name, name};
  auto open = open_dataset(group, place);
  if (open.dims.size() != 1) refuse(place, "is not one-dimensional");
  if (!is_of_type(open.type, column_type)) refuse(place, "has another type");
  return open;
}

std::vector<std::string> read_padded(const OpenDataset& open, const DatasetPlace& place) {
  std::vector<std::string> texts;
  texts.reserve(open.elements());
  std::vector<std::byte> padded;
  hsize_t next_row = 0;
  read_rows(open, place, open.type, open.element_bytes, chunk_rows * open.element_bytes, padded,
            next_row, [&] {
              const auto* text = reinterpret_cast<const char*>(padded.data());
              const auto* const end = text + padded.size();
              for (; text < end; text += open.element_bytes) {
                texts.emplace_back(text, ::strnlen(text, open.element_bytes));
              }
            });
  return texts;
}

records::ColumnValues read_column(hid_t group, const records::ColumnInfo& column,
                                  const std::string& file_name) {
  const auto open = open_column(group, column.name, column.type, file_name);
  auto values = records::empty_column(column.type);
  if (open.elements() == 0) return values;
  if (column.type == ColumnType::text) return read_padded(open, {file_name, column.name});
  std::visit(
      [&]<typename Value>(std::vector<Value>& numbers) {
        if constexpr (!std::is_same_v<Value, std::string>) {
          numbers.resize(open.elements());
          h5_check(H5Dread(open.dataset, memory_type(column.type), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           numbers.data()),
                   "H5Dread " + column.name);
        }
      },
      values);
  return values;
}

}  // namespace

void write_table(hid_t file, const std::string& name, const records::Table& table,
                 Packing packing) {
  auto group = create_group(file, name);
  if (packing == Packing::compressed) {
    write_attribute(group, "description", table.info->description);
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    write_column(group, table.info->columns[i], table.columns[i], packing);
  }
  group.close("H5Gclose " + name);
}

void write_int64_column(hid_t file, const std::string& table, const std::string& column,
                        const std::vector<std::int64_t>& values) {
  const H5Handle group(H5Gopen2(file, table.c_str(), H5P_DEFAULT), H5Gclose, "H5Gopen " + table);
  describe_and_close(
      new_column(group, column, H5T_STD_I64LE, values.size(), values.data(), Packing::contiguous),
      column, nullptr);
}

std::vector<std::int64_t> read_int64_column(hid_t file, const std::string& table,
                                            const std::string& column,
                                            const std::string& file_name) {
  const H5Handle group(H5Gopen2(file, table.c_str(), H5P_DEFAULT), H5Gclose, "H5Gopen " + table);
  const records::ColumnInfo info{column, ColumnType::int64, "", ""};
  return std::get<std::vector<std::int64_t>>(read_column(group, info, file_name + ":" + table));
}

bool read_columns(hid_t file, const records::TableInfo& info, const std::string& file_name,
                  const std::function<void(records::ColumnValues)>& take) {
  if (!has_path(file, info.name, file_name)) return false;
  const H5Handle group(H5Gopen2(file, info.name.c_str(), H5P_DEFAULT), H5Gclose,
                       "H5Gopen " + info.name);
  std::optional<std::size_t> rows;
  for (const auto& column : info.columns) {
    auto values = read_column(group, column, file_name + ":" + info.name);
    const auto size = std::visit([](const auto& v) { return v.size(); }, values);
    if (rows.value_or(size) != size) {
      throw Error(ExitCode::bad_input, file_name, "columns of " + info.name + " differ in length");
    }
    rows = size;
    take(std::move(values));
  }
  return true;
}

std::optional<records::Table> read_table(hid_t file, const records::TableInfo& info,
                                         const std::string& file_name) {
  records::Table table(info);
  std::size_t next = 0;
  const bool is_there = read_columns(file, info, file_name, [&](records::ColumnValues values) {
    table.columns[next++] = std::move(values);
  });
  if (!is_there) return std::nullopt;
  return table;
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const auto type = text_type(value.size());
  const H5Handle space(H5Screate(H5S_SCALAR), H5Sclose, "H5Screate");
  H5Handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                     H5Aclose, "H5Acreate " + name);
  std::string padded = value;
  padded.resize(std::max<std::size_t>(value.size(), 1), '\0');
  h5_check(H5Awrite(attribute, type, padded.data()), "H5Awrite " + name);
  attribute.close("H5Aclose " + name);
}

namespace {

// h5py writes texts of variable length. What the library allocates for one is no longer than the
// heap object in the file.
std::string read_variable_text(hid_t attribute, hid_t type, hid_t space) {
  char* text = nullptr;
  h5_check(H5Aread(attribute, type, &text), "H5Aread");
  const std::string copy = text == nullptr ? "" : text;
  h5_check(H5Dvlen_reclaim(type, space, H5P_DEFAULT, &text), "H5Dvlen_reclaim");
  return copy;
}

}  // namespace

std::optional<std::string> read_attribute(hid_t object, const std::string& name) {
  if (h5_check(H5Aexists(object, name.c_str()), "H5Aexists") == 0) return std::nullopt;
  const H5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "H5Aopen " + name);
  const H5Handle type(H5Aget_type(attribute), H5Tclose, "H5Aget_type");
  if (H5Tget_class(type) != H5T_STRING) return std::nullopt;
  const H5Handle space(H5Aget_space(attribute), H5Sclose, "H5Aget_space");
  if (H5Sget_simple_extent_npoints(space) != 1) return std::nullopt;
  if (H5Tis_variable_str(type) > 0) return read_variable_text(attribute, type, space);
  std::string padded(H5Tget_size(type), '\0');
  h5_check(H5Aread(attribute, type, padded.data()), "H5Aread " + name);
  padded.resize(::strnlen(padded.data(), padded.size()));
  return padded;
}

void write_int64_attribute(hid_t object, const std::string& name, std::int64_t value) {
  const H5Handle space(H5Screate(H5S_SCALAR), H5Sclose, "H5Screate");
  H5Handle attribute(
      H5Acreate2(object, name.c_str(), H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      "H5Acreate " + name);
  h5_check(H5Awrite(attribute, H5T_NATIVE_INT64, &value), "H5Awrite " + name);
  attribute.close("H5Aclose " + name);
}

std::optional<std::int64_t> read_int64_attribute(hid_t object, const std::string& name) {
  if (h5_check(H5Aexists(object, name.c_str()), "H5Aexists") == 0) return std::nullopt;
  const H5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "H5Aopen " + name);
  const H5Handle type(H5Aget_type(attribute), H5Tclose, "H5Aget_type");
  const H5Handle space(H5Aget_space(attribute), H5Sclose, "H5Aget_space");
  if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != 1) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  h5_check(H5Aread(attribute, H5T_NATIVE_INT64, &value), "H5Aread " + name);
  return value;
}

}  // namespace moesweep::store
