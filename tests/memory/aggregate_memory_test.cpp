// What aggregating a large sweep may take, by the kernel's own account.

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/app/run/aggregate.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/digest.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/segment.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep {
namespace {

constexpr std::int64_t slices = 200'000;
constexpr std::int64_t slices_of_segment = 1000;
constexpr std::int64_t most_bytes = std::int64_t{300} << 20;
constexpr auto tensor = "model.language_model.layers.17.mlp.experts.gate_up_proj";
constexpr auto job_text = R"(
schema = 1
kind = "sensitivity"
[checkpoint]
path = "nowhere"
[sensitivity]
quantizers = ["affine"]
bits = [4]
group_sizes = [64]
)";

std::int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  constexpr std::string_view name = "VmHWM:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stoll(line.substr(name.size())) << 10;
  }
  return -1;
}

void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}

store::UnitRecord finished(const std::string& fingerprint, const std::string& key,
                           records::Tables rows) {
  store::UnitRecord record;
  record.unit.key = key;
  record.unit.id = jobs::unit_id(fingerprint, key).value;
  record.unit.kind = "sensitivity";
  record.unit.status = "done";
  record.unit.host = "node0123";
  record.unit.epoch = 1;
  record.unit.payload_hash = store::digest_of(rows).hex();
  record.rows = std::move(rows);
  return record;
}

store::UnitRecord description(const std::string& fingerprint) {
  records::CheckpointTensorRow row;
  row.name = tensor;
  row.shape = "200000x64x64";
  row.dtype = "BF16";
  row.role = "expert";
  row.slices = slices;
  row.rows = row.columns = 64;
  records::Tables rows;
  records::append_row(rows, row);
  return finished(fingerprint, "checkpoint/tensors", std::move(rows));
}

store::UnitRecord measured_slice(const std::string& fingerprint, std::int64_t number) {
  records::SliceRow slice;
  slice.tensor = tensor;
  slice.slice = number;
  slice.params = 64 * 64;
  slice.mean = slice.variance = slice.sum_squares = static_cast<double>(number);
  records::DistortionRow distortion;
  distortion.tensor = tensor;
  distortion.slice = number;
  distortion.quantizer = "affine";
  distortion.bits = 4;
  distortion.group_size = 64;
  distortion.sse = distortion.sum_squares = static_cast<double>(number);
  records::Tables rows;
  records::append_row(rows, slice);
  records::append_row(rows, distortion);
  return finished(fingerprint, "sensitivity/" + std::string(tensor) + "/" + std::to_string(number),
                  std::move(rows));
}

void write_segment(const store::RunDirectory& run, std::int64_t serial,
                   const std::vector<store::UnitRecord>& units) {
  const auto image = store::encode_segment(units);
  publish_file(run.segments() / store::segment_name(Epoch{1}, Rank{0}, serial, hash128(image)),
               image);
}

void write_sweep(const store::RunDirectory& run) {
  store::create_run_directory(run);
  const auto settings = jobs::parse_job(job_text, "job.toml", {});
  publish_file(run.job(), jobs::to_toml(settings));
  store::EpochStart start;
  start.owner = store::this_process();
  start.fingerprint = jobs::job_fingerprint(settings, {}).hex();
  start.units = slices + 1;
  store::acquire(run.lock(), start, {});
  write_segment(run, 0, {description(start.fingerprint)});
  for (std::int64_t first = 0; first < slices; first += slices_of_segment) {
    std::vector<store::UnitRecord> units;
    for (std::int64_t i = 0; i < slices_of_segment; ++i) {
      units.push_back(measured_slice(start.fingerprint, first + i));
    }
    write_segment(run, 1 + first / slices_of_segment, units);
  }
}

TEST(AggregateMemory, TwoHundredThousandUnitsTakeAtMost300MiB) {
  const test::TemporaryDirectory folder;
  const store::RunDirectory run{folder.path() / "run"};
  write_sweep(run);
  forget_peak();
  const auto made = run::write_aggregate(run.root);
  const auto peak = peak_bytes();
  RecordProperty("peak_mib", std::to_string(peak >> 20));
  EXPECT_TRUE(made.complete());
  EXPECT_EQ(made.units_done, slices + 1);
  EXPECT_GT(peak, 0);
  EXPECT_LE(peak, most_bytes) << (peak >> 20) << " MiB";
}

}  // namespace
}  // namespace moesweep
