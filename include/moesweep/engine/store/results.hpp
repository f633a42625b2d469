#pragma once
// results.h5: derived from the segments, replaced atomically. The file begins with a user block of
// 512 bytes that holds the hash of the others (`head -3 results.h5`); nothing is read that does not
// match it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/table.hpp>

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
/// The file is missing, or its bytes are not those that were written: what the segments give may
/// replace it.
class DamagedResults : public Error {
 public:
  using Error::Error;
};

/// Reads every table of the catalog that the file has. The bytes that are parsed are the ones that
/// were hashed: the file is read once, into memory, where it takes less than its tables. Throws
/// DamagedResults before HDF5 sees a byte, and Error(bad_input) for a file that is not ours or of
/// an older version (there is no hash in it), of another schema or hostile; all with the remedy.
Results read_results(const std::filesystem::path& path);

}  // namespace moesweep::store
