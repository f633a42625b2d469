#include <fmt/format.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/records/catalog.hpp>
#include <moesweep/store/results.hpp>

#include "hdf5_handle.hpp"
#include "hdf5_image.hpp"
#include "hdf5_table.hpp"

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

}  // namespace

void write_results(const std::filesystem::path& path, const records::Tables& tables,
                   const Attributes& attributes) {
  const auto image = build_image([&](hid_t file) {
    write_attribute(file, schema_attribute, results_schema_version);
    for (const auto& [name, value] : attributes) write_attribute(file, name, value);
    for (const auto& [name, table] : tables) write_table(file, name, table, Packing::compressed);
  });
  publish_file(path, image);
}

Results read_results(const std::filesystem::path& path) {
  Results results;
  const auto bytes = read_file(path);
  with_image(bytes, path.string(), [&](hid_t file) {
    results.attributes = read_attributes(file);
    const auto version = results.attributes[schema_attribute];
    if (version != results_schema_version) {
      throw Error(ExitCode::bad_input, path.string(),
                  fmt::format("has schema version \"{}\", this program reads {}", version,
                              results_schema_version));
    }
    for (const auto* info : records::all_tables()) {
      if (auto table = read_table(file, *info, path.string())) {
        results.tables.emplace(info->name, std::move(*table));
      }
    }
  });
  return results;
}

}  // namespace moesweep::store
