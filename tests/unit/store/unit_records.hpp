#pragma once
// Finished units with a few rows each.

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/digest.hpp>
#include <moesweep/engine/store/segment.hpp>

namespace moesweep::test {

using store::UnitRecord;

inline records::DistortionRow distortion(const std::string& tensor, double sse) {
  return {tensor, 3, "rtn", 4, 128, 4.5, sse, 2.0, 0.25};
}

/// A done unit with `rows` rows whose values start at `value`.
inline UnitRecord done_unit(const std::string& key, std::size_t rows = 1, double value = 0.5) {
  UnitRecord record;
  record.unit.key = key;
  record.unit.id = hash64(key);
  record.unit.kind = "sensitivity";
  record.unit.status = "done";
  record.unit.epoch = 1;
  for (std::size_t i = 0; i < rows; ++i) {
    records::append_row(record.rows, distortion(key, value + static_cast<double>(i)));
  }
  record.unit.payload_hash = store::digest_of(record.rows).hex();
  return record;
}

inline UnitRecord failed_unit(const std::string& key, const std::string& error, int epoch = 1) {
  auto record = done_unit(key, 0);
  record.unit.status = "failed";
  record.unit.error = error;
  record.unit.epoch = epoch;
  return record;
}

inline void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// Writes a segment as a rank would, without the durability. Returns its name.
inline std::string write_segment(const std::filesystem::path& directory, std::int64_t serial,
                                 const std::vector<UnitRecord>& records) {
  const auto bytes = store::encode_segment(records);
  const auto name = store::segment_name(Epoch{1}, Rank{0}, serial, hash128(bytes));
  write_bytes(directory / name, bytes);
  return name;
}

}  // namespace moesweep::test
