#pragma once
// results.h5: derived from the segments, replaced atomically.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moesweep/records/table.hpp>

namespace moesweep::store {

inline constexpr auto results_schema_version = "1";

using Attributes = std::map<std::string, std::string>;

/// Bytes in two dimensions, for readers that want an array: made of a table, and not read back.
struct ByteMatrix {
  std::string path;  ///< of the dataset
  std::string description;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::int8_t> values;  ///< row by row
};

/// Writes one group a table and one 1-D dataset a column (chunked, shuffle, deflate), with
/// `schema_version` and `attributes` at the root.
void write_results(const std::filesystem::path& path, const records::Tables& tables,
                   const Attributes& attributes, std::span<const ByteMatrix> matrices = {});

struct Results {
  records::Tables tables;
  Attributes attributes;
};
/// Reads every table of the catalog that the file has. Error(bad_input) for a file that is not
/// ours, of a newer schema or hostile.
Results read_results(const std::filesystem::path& path);

}  // namespace moesweep::store
