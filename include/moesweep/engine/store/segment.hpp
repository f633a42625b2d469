#pragma once
// A segment: the rows of a group of units as one immutable HDF5 file, named by the hash of its
// bytes.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/base/ids.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/core/records/units.hpp>

namespace moesweep::store {

/// One finished unit and its rows.
struct UnitRecord {
  records::UnitRow unit;
  records::Tables rows;
};

/// Group per table as in results.h5, plus a column `unit_row` (index into /units) in each. Equal
/// records give equal bytes.
std::vector<std::byte> encode_segment(std::span<const UnitRecord> records);

/// Rows of all units of a segment, and for each row the place of its unit in /units: ascending, so
/// that the rows of one unit stand together.
struct SegmentTable {
  records::Table table;
  std::vector<std::size_t> units;
};

/// A segment as it is stored: table by table.
struct SegmentTables {
  std::vector<records::UnitRow> units;
  std::map<std::string, SegmentTable> tables;  ///< by name
};

using WantsTable = std::function<bool(const records::TableInfo&)>;

/// Throws Error(bad_input) when the bytes are not a segment. Reads the tables that are wanted.
SegmentTables read_segment(std::span<const std::byte> bytes, const std::string& name,
                           const WantsTable& is_wanted);

/// The same unit by unit: handy, and several times the memory.
std::vector<UnitRecord> decode_segment(std::span<const std::byte> bytes, const std::string& name);
/// All units, but of their rows only those that name files (output_file.hpp).
std::vector<UnitRecord> decode_segment_units(std::span<const std::byte> bytes,
                                             const std::string& name);

/// "e0002-r0003-s000012-<32 hex digits>.h5"
std::string segment_name(Epoch epoch, Rank rank, std::int64_t serial, const Hash128& hash);

struct SegmentName {
  Epoch epoch;
  Rank rank;
  std::int64_t serial = 0;
  std::string hash_hex;
};
/// Nothing when the name is not a segment's.
std::optional<SegmentName> parse_segment_name(const std::string& name);

/// The bytes of a segment whose hash equals its name; nothing when they do not (torn or rotten).
std::optional<std::vector<std::byte>> read_verified(const std::filesystem::path& path);

}  // namespace moesweep::store
