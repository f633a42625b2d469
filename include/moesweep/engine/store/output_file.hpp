#pragma once
// Files that a finished unit leaves beside its rows: trained heads below artifacts/, shards of a
// written checkpoint. Its rows name each with its size and hash; without them it isn't done.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::store {

struct OutputFile {
  enum class Place : std::uint8_t {
    artifacts,  ///< of the run
    checkpoint  ///< that the run writes
  };
  Place place = Place::artifacts;
  std::string name;  ///< of a file right in that folder
  std::int64_t bytes = 0;
  Hash128 hash;
};

/// "<stem>-<32 hex digits>.<suffix>" of letters, digits, '.', '_' and '-'.
std::string artifact_name(std::string_view stem, const Hash128& hash, std::string_view suffix);
/// The hash in such a name; nothing for any other text, a path among them.
std::optional<Hash128> artifact_hash(std::string_view name);

/// Names of the tables whose rows name files.
const std::vector<std::string>& tables_of_output_files();

/// What the rows of a unit, or of all, name. Error(bad_input) for a name that leads elsewhere or
/// has no hash, with `place` as its place.
std::vector<OutputFile> output_files(const records::Tables& rows, const std::string& place);

/// How far a look goes.
enum class Look : std::uint8_t {
  size,  ///< asks the file system
  bytes  ///< reads all and compares the hash
};
/// What is wrong with the file at `path`, as a predicate ("is missing"); empty when it is as it was
/// written. Error for one that is there and cannot be read.
std::string damage_of(const OutputFile& file, const std::filesystem::path& path, Look look);

}  // namespace moesweep::store
