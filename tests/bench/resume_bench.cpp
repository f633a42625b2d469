// How long a resume takes to learn what is done: 1,000,000 units in 2,000 segments, their hashes
// verified, the files in the page cache. Exits with 1 when the figure in docs/scaling.md is not
// met.

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/digest.hpp>
#include <moesweep/engine/store/scan.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::store {
namespace {

constexpr std::int32_t segments = 2000;
constexpr std::int64_t units_of_segment = 500;
constexpr int quantizers = 9;  // makes about 2 GB
constexpr double most_seconds = 5.0;

UnitRecord unit_of(std::int64_t number) {
  UnitRecord record;
  auto& unit = record.unit;
  unit.key = "sensitivity/model.language_model.layers." + std::to_string(number % 60) +
             ".mlp.experts.gate_up_proj/" + std::to_string(number);
  unit.id = static_cast<std::uint64_t>(number) + 1;
  unit.kind = "sensitivity";
  unit.status = "done";
  unit.host = "node0123";
  unit.epoch = 1;
  unit.started = 1.7e9;
  unit.seconds = 12.5;
  unit.bytes_read = 1 << 28;
  records::SliceRow slice;
  slice.tensor = unit.key;
  slice.slice = number;
  records::append_row(record.rows, slice);
  records::DistortionRow distortion;
  distortion.tensor = unit.key;
  distortion.slice = number;
  for (int i = 0; i < quantizers; ++i) records::append_row(record.rows, distortion);
  unit.payload_hash = digest_of(record.rows).hex();
  return record;
}

void write_segments(const std::filesystem::path& directory) {
  for (std::int32_t serial = 0; serial < segments; ++serial) {
    std::vector<UnitRecord> units;
    for (std::int64_t i = 0; i < units_of_segment; ++i) {
      units.push_back(unit_of(serial * units_of_segment + i));
    }
    const auto image = encode_segment(units);
    const auto name = segment_name(Epoch{1}, Rank{serial % 64}, serial, hash128(image));
    publish_file(directory / name, image);
  }
}

}  // namespace
}  // namespace moesweep::store

int main() {
  using namespace moesweep;
  const test::TemporaryDirectory directory;
  store::write_segments(directory.path());
  const auto cpu_begin = std::clock();
  const auto begin = std::chrono::steady_clock::now();
  const auto scan = store::scan_segments(directory.path(), store::Rotten::leave_in_place);
  const double cpu_seconds = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%zu units in %lld segments, %.2f GB: %.2f s, %.2f s of CPU\n", scan.units.size(),
              static_cast<long long>(scan.segments), 1e-9 * static_cast<double>(scan.bytes),
              seconds, cpu_seconds);
  const bool all = scan.units.size() == store::segments * store::units_of_segment;
  return all && seconds <= store::most_seconds ? 0 : 1;
}
