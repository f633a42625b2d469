#pragma once
// results.h5: derived from the segments, replaced atomically.

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <moesweep/records/table.hpp>

namespace moesweep::store {

inline constexpr auto results_schema_version = "1";

using Attributes = std::map<std::string, std::string>;

/// Writes one group a table and one 1-D dataset a column (chunked, shuffle, deflate), with
/// `schema_version` and `attributes` at the root.
void write_results(const std::filesystem::path& path, const records::Tables& tables,
                   const Attributes& attributes);

struct Results {
  records::Tables tables;
  Attributes attributes;
};
/// Reads every table of the catalog that the file has. Error(bad_input) for a file that is not
/// ours, of a newer schema or hostile.
Results read_results(const std::filesystem::path& path);

}  // namespace moesweep::store
