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

herr_t collect_attribute(hid_t root, const char* name, const H5A_info_t*, void* attributes) {
  if (const auto value = read_attribute(root, name)) {
    (*static_cast<Attributes*>(attributes))[name] = *value;
  }
  return 0;
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
    h5_check(H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_attribute,
                         &results.attributes),
             "H5Aiterate");
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
