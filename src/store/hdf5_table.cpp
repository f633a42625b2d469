#include "hdf5_table.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>

#include "hdf5_handle.hpp"

namespace moesweep::store {
namespace {

using records::ColumnType;

constexpr hsize_t chunk_rows = 1 << 16;
constexpr unsigned deflate_level = 4;
// Deflate cannot expand a byte to more than 1,032; shuffled constant columns come close.
constexpr std::uint64_t max_expansion = 1100;

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

H5Handle text_type(std::size_t length) {
  H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "H5Tcopy");
  h5_check(H5Tset_size(type, std::max<std::size_t>(length, 1)), "H5Tset_size");
  h5_check(H5Tset_strpad(type, H5T_STR_NULLPAD), "H5Tset_strpad");
  h5_check(H5Tset_cset(type, H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

H5Handle dataset_properties(hsize_t rows, Packing packing) {
  H5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_obj_track_times(properties, false), "H5Pset_obj_track_times");
  if (packing == Packing::compressed && rows > 0) {
    const hsize_t chunk = std::min(rows, chunk_rows);
    h5_check(H5Pset_chunk(properties, 1, &chunk), "H5Pset_chunk");
    h5_check(H5Pset_shuffle(properties), "H5Pset_shuffle");
    h5_check(H5Pset_deflate(properties, deflate_level), "H5Pset_deflate");
  }
  return properties;
}

void write_dataset(hid_t group, const std::string& name, hid_t type, hsize_t rows, const void* data,
                   Packing packing, const records::ColumnInfo* column) {
  const H5Handle space(H5Screate_simple(1, &rows, nullptr), H5Sclose, "H5Screate_simple");
  const auto properties = dataset_properties(rows, packing);
  H5Handle dataset(
      H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose,
      "H5Dcreate " + name);
  if (rows > 0) {
    h5_check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "H5Dwrite " + name);
  }
  if (column != nullptr) {
    write_attribute(dataset, "unit", column->unit);
    write_attribute(dataset, "description", column->description);
  }
  dataset.close("H5Dclose " + name);
}

void write_column(hid_t group, const records::ColumnInfo& column,
                  const records::ColumnValues& values, Packing packing) {
  // Segments are ours alone; results are read by people, who want the descriptions.
  const auto* described = packing == Packing::compressed ? &column : nullptr;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&values)) {
    std::size_t length = 1;
    for (const auto& text : *texts) length = std::max(length, text.size());
    std::vector<char> padded(texts->size() * length, '\0');
    for (std::size_t i = 0; i < texts->size(); ++i) {
      (*texts)[i].copy(&padded[i * length], length);
    }
    write_dataset(group, column.name, text_type(length), texts->size(), padded.data(), packing,
                  described);
    return;
  }
  std::visit(
      [&]<typename Value>(const std::vector<Value>& numbers) {
        if constexpr (!std::is_same_v<Value, std::string>) {
          write_dataset(group, column.name, memory_type(column.type), numbers.size(),
                        numbers.data(), packing, described);
        }
      },
      values);
}

H5Handle create_group(hid_t file, const std::string& name) {
  const H5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_create_intermediate_group(links, 1), "H5Pset_create_intermediate_group");
  const H5Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_obj_track_times(properties, false), "H5Pset_obj_track_times");
  return {H5Gcreate2(file, name.c_str(), links, properties, H5P_DEFAULT), H5Gclose,
          "H5Gcreate " + name};
}

// By hard links only: external and soft links could lead to any file.
bool has_object(hid_t location, const std::string& name, const std::string& file_name) {
  if (h5_check(H5Lexists(location, name.c_str(), H5P_DEFAULT), "H5Lexists") == 0) return false;
  H5L_info_t info;
  h5_check(H5Lget_info(location, name.c_str(), &info, H5P_DEFAULT), "H5Lget_info");
  if (info.type != H5L_TYPE_HARD) {
    throw Error(ExitCode::bad_input, file_name, fmt::format("{} is a link to elsewhere", name));
  }
  return true;
}

bool has_group(hid_t file, const std::string& name, const std::string& file_name) {
  for (std::size_t slash = name.find('/');; slash = name.find('/', slash + 1)) {
    if (!has_object(file, name.substr(0, slash), file_name)) return false;
    if (slash == std::string::npos) return true;
  }
}

// Fletcher32 too is foreign: HDF5 1.10 reads out of bounds when a chunk is shorter than its
// checksum.
bool has_only_our_filters(hid_t properties) {
  const int filters = h5_check(H5Pget_nfilters(properties), "H5Pget_nfilters");
  for (int i = 0; i < filters; ++i) {
    std::size_t parameters = 0;
    const auto filter = H5Pget_filter2(properties, static_cast<unsigned>(i), nullptr, &parameters,
                                       nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE) return false;
  }
  return true;
}

bool is_of_type(hid_t type, ColumnType column) {
  if (column == ColumnType::text) {
    return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  }
  return h5_check(H5Tequal(type, memory_type(column)), "H5Tequal") > 0;
}

// What an honest file of this size can hold, whatever its headers declare.
std::optional<std::uint64_t> most_bytes_held(hid_t dataset) {
  const H5Handle file(H5Iget_file_id(dataset), H5Fclose, "H5Iget_file_id");
  hsize_t file_bytes = 0;
  h5_check(H5Fget_filesize(file, &file_bytes), "H5Fget_filesize");
  return checked_product(std::min(file_bytes, H5Dget_storage_size(dataset)), max_expansion);
}

struct OpenColumn {
  H5Handle dataset;
  H5Handle type;
  std::size_t rows;
  std::size_t element_bytes;
};

OpenColumn open_column(hid_t group, const std::string& name, ColumnType column_type,
                       const std::string& file_name) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ExitCode::bad_input, file_name, fmt::format("column {} {}", name, why));
  };
  if (!has_object(group, name, file_name)) refuse("is missing");
  H5Handle dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose, "H5Dopen " + name);
  const H5Handle properties(H5Dget_create_plist(dataset), H5Pclose, "H5Dget_create_plist");
  if (H5Pget_layout(properties) == H5D_VIRTUAL) refuse("is a virtual dataset");
  if (H5Pget_external_count(properties) != 0) refuse("is stored in another file");
  if (!has_only_our_filters(properties)) refuse("has a filter that is not ours");
  const H5Handle space(H5Dget_space(dataset), H5Sclose, "H5Dget_space");
  if (H5Sget_simple_extent_ndims(space) != 1) refuse("is not one-dimensional");
  hsize_t rows = 0;
  h5_check(H5Sget_simple_extent_dims(space, &rows, nullptr), "H5Sget_simple_extent_dims");
  H5Handle type(H5Dget_type(dataset), H5Tclose, "H5Dget_type");
  if (!is_of_type(type, column_type)) refuse("has another type");
  const std::size_t element_bytes = H5Tget_size(type);
  const auto bytes = checked_product(rows, element_bytes);
  const auto held = most_bytes_held(dataset);
  if (!bytes || !held || *bytes > *held) refuse("declares more rows than the file holds");
  return {std::move(dataset), std::move(type), rows, element_bytes};
}

records::ColumnValues read_column(hid_t group, const records::ColumnInfo& column,
                                  const std::string& file_name) {
  const auto open = open_column(group, column.name, column.type, file_name);
  auto values = records::empty_column(column.type);
  const auto read = [&](hid_t type, void* data) {
    if (open.rows == 0) return;
    h5_check(H5Dread(open.dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data),
             "H5Dread " + column.name);
  };
  if (auto* texts = std::get_if<std::vector<std::string>>(&values)) {
    std::vector<char> padded(open.rows * open.element_bytes);
    read(open.type, padded.data());
    for (std::size_t i = 0; i < open.rows; ++i) {
      const char* text = &padded[i * open.element_bytes];
      texts->emplace_back(text, ::strnlen(text, open.element_bytes));
    }
    return values;
  }
  std::visit(
      [&]<typename Value>(std::vector<Value>& numbers) {
        if constexpr (!std::is_same_v<Value, std::string>) {
          numbers.resize(open.rows);
          read(memory_type(column.type), numbers.data());
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
  write_dataset(group, column, H5T_STD_I64LE, values.size(), values.data(), Packing::contiguous,
                nullptr);
}

std::vector<std::int64_t> read_int64_column(hid_t file, const std::string& table,
                                            const std::string& column,
                                            const std::string& file_name) {
  const H5Handle group(H5Gopen2(file, table.c_str(), H5P_DEFAULT), H5Gclose, "H5Gopen " + table);
  const records::ColumnInfo info{column, ColumnType::int64, "", ""};
  return std::get<std::vector<std::int64_t>>(read_column(group, info, file_name + ":" + table));
}

std::optional<records::Table> read_table(hid_t file, const records::TableInfo& info,
                                         const std::string& file_name) {
  if (!has_group(file, info.name, file_name)) return std::nullopt;
  const H5Handle group(H5Gopen2(file, info.name.c_str(), H5P_DEFAULT), H5Gclose,
                       "H5Gopen " + info.name);
  records::Table table(info);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    table.columns[i] = read_column(group, info.columns[i], file_name + ":" + info.name);
    const auto rows = std::visit([](const auto& v) { return v.size(); }, table.columns[i]);
    if (rows != table.rows()) {
      throw Error(ExitCode::bad_input, file_name, "columns of " + info.name + " differ in length");
    }
  }
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

std::optional<std::string> read_attribute(hid_t object, const std::string& name) {
  if (h5_check(H5Aexists(object, name.c_str()), "H5Aexists") == 0) return std::nullopt;
  const H5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "H5Aopen " + name);
  const H5Handle type(H5Aget_type(attribute), H5Tclose, "H5Aget_type");
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) return std::nullopt;
  const H5Handle space(H5Aget_space(attribute), H5Sclose, "H5Aget_space");
  if (H5Sget_simple_extent_npoints(space) != 1) return std::nullopt;
  std::string padded(H5Tget_size(type), '\0');
  h5_check(H5Aread(attribute, type, padded.data()), "H5Aread " + name);
  padded.resize(::strnlen(padded.data(), padded.size()));
  return padded;
}

}  // namespace moesweep::store
