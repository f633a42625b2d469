#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/records/catalog.hpp>
#include <moesweep/engine/store/results.hpp>

#include "checksum_block.hpp"
#include "hdf5_create.hpp"
#include "hdf5_dataset.hpp"
#include "hdf5_handle.hpp"
#include "hdf5_image.hpp"
#include "hdf5_table.hpp"
#include "isolated.hpp"
#include "results_frames.hpp"

namespace moesweep::store {
namespace {

constexpr auto schema_attribute = "schema_version";

herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

// Names first: an error must not be thrown through HDF5's own frames.
Attributes read_attributes(hid_t root) {
  std::vector<std::string> names;
  h5_check(H5Aiterate2(root, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names),
           "H5Aiterate");
  Attributes attributes;
  for (const auto& name : names) {
    if (auto value = read_attribute(root, name)) attributes.emplace(name, std::move(*value));
  }
  return attributes;
}

// Several matrices share a group.
H5Handle open_or_create_group(hid_t file, const std::string& name) {
  for (std::size_t slash = name.find('/');; slash = name.find('/', slash + 1)) {
    const auto parent = name.substr(0, slash);
    if (h5_check(H5Lexists(file, parent.c_str(), H5P_DEFAULT), "H5Lexists") == 0) {
      return create_group(file, name);
    }
    if (slash == std::string::npos) break;
  }
  return {H5Gopen2(file, name.c_str(), H5P_DEFAULT), H5Gclose, "H5Gopen " + name};
}

std::string remedy_for(const std::filesystem::path& path) {
  return fmt::format("`moesweep aggregate {}` makes it again from the segments",
                     path.parent_path().string());
}

// Column by column: those that are here already are taken out of the frames while HDF5 unpacks the
// next.
void send_results(hid_t file, const std::filesystem::path& path, FrameWriter& frames) {
  auto attributes = read_attributes(file);
  const auto version = attributes[schema_attribute];
  if (version != results_schema_version) {
    throw Error(ExitCode::bad_input, path.string(),
                fmt::format("has schema version \"{}\", this program reads {}", version,
                            results_schema_version),
                remedy_for(path));
  }
  ResultsWriter out(frames);
  out.attributes(attributes);
  for (const auto* info : records::all_tables()) {
    if (!has_path(file, info->name, path.string())) continue;
    out.begin_table(*info);
    read_columns(file, *info, path.string(),
                 [&](const records::ColumnValues& values) { out.column(values); });
  }
  out.end();
}

void write_matrix(hid_t file, const ByteMatrix& matrix) {
  const auto slash = matrix.path.rfind('/');
  expect(slash != std::string::npos, "a matrix lies in a group");
  auto group = open_or_create_group(file, matrix.path.substr(0, slash));
  const std::vector<hsize_t> dims = {checked_cast<hsize_t>(matrix.rows),
                                     checked_cast<hsize_t>(matrix.columns)};
  expect(matrix.values.size() == dims[0] * dims[1] && dims[0] > 0 && dims[1] > 0,
         "a matrix has as many values as its sides tell");
  const std::vector<hsize_t> chunk = {1, dims[1]};
  auto dataset = create_dataset(group, matrix.path.substr(slash + 1), H5T_STD_I8LE, dims, chunk,
                                matrix.values.data());
  write_attribute(dataset, "description", matrix.description);
  dataset.close("H5Dclose " + matrix.path);
  group.close("H5Gclose " + matrix.path);
}

bool starts_as_hdf5(std::span<const std::byte> bytes) {
  constexpr std::array<unsigned char, 8> signature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  const auto expected = std::as_bytes(std::span(signature));
  return bytes.size() >= expected.size() &&
         std::ranges::equal(bytes.first(expected.size()), expected);
}

std::vector<std::byte> read_checked(const std::filesystem::path& path) {
  const auto place = path.string();
  if (!std::filesystem::exists(status_of(path, ExitCode::bad_input))) {
    throw DamagedResults(ExitCode::bad_input, place, "does not exist", remedy_for(path));
  }
  auto bytes = read_file(path);
  if (starts_as_hdf5(bytes)) {
    throw Error(ExitCode::bad_input, place,
                "has no checksum: an older version or another program wrote it", remedy_for(path));
  }
  if (!matches_checksum_block(bytes)) {
    throw DamagedResults(ExitCode::bad_input, place, "does not match its checksum",
                         remedy_for(path));
  }
  return bytes;
}

}  // namespace

void write_results(const std::filesystem::path& path, const records::Tables& tables,
                   const Attributes& attributes, std::span<const ByteMatrix> matrices) {
  const auto image = build_image(
      [&](hid_t file) {
        write_attribute(file, schema_attribute, results_schema_version);
        for (const auto& [name, value] : attributes) write_attribute(file, name, value);
        for (const auto& [name, table] : tables)
          write_table(file, name, table, Packing::compressed);
        for (const auto& matrix : matrices) write_matrix(file, matrix);
      },
      checksum_block_bytes);
  const auto block = checksum_block(image);
  FilePublisher file(path);
  file.write(std::as_bytes(std::span(block)));
  file.write(image);
  file.publish();
}

Results read_results(const std::filesystem::path& path) {
  Results results;
  const auto bytes = read_checked(path);
  records::all_tables();  // made now, not in the reader
  const auto most_bytes = results_bytes_for(bytes.size());
  const ReaderLimits limits{checked_cast<std::int64_t>(most_bytes), cpu_seconds_for(most_bytes)};
  const auto read = [&](FrameWriter& frames) {
    with_image(bytes, path.string(), [&](hid_t file) { send_results(file, path, frames); });
  };
  const auto take = [&](FrameReader& frames) {
    results = receive_results(frames, path.string(), most_bytes);
  };
  read_isolated(path.string(), limits, read, take);
  return results;
}

}  // namespace moesweep::store
