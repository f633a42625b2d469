#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>

#include <moesweep/app/estimate/calibrate.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/capacity/cluster.hpp>
#include <moesweep/engine/capacity/rates.hpp>

namespace moesweep::estimate {
namespace {

using ::testing::HasSubstr;

TEST(CalibratedProfile, IsAClusterFileWithTheRatesThatWereMeasured) {
  const capacity::Rates measured{.read_bytes_per_second_node = 1.5e9,
                                 .gram_flops_per_core = 2.25e10,
                                 .round_trips_per_second_core = 3.5e8,
                                 .moments_per_second_core = 4.75e8,
                                 .unit_overhead_seconds = 0.0125,
                                 .read_bytes_per_second_total = 1.5e9};
  const auto profile = capacity::parse_cluster(calibrated_profile(measured, 48), "/node.toml");
  EXPECT_EQ(profile.integer("cpus_per_task"), 48);
  EXPECT_GE(profile.integer("memory_per_task"), std::int64_t{1} << 20);
  EXPECT_EQ(profile.number("rates.read_bytes_per_second_total"), 1.5e9);
  const auto read = capacity::rates_from(profile);
  EXPECT_EQ(read.read_bytes_per_second_node, measured.read_bytes_per_second_node);
  EXPECT_EQ(read.gram_flops_per_core, measured.gram_flops_per_core);
  EXPECT_EQ(read.round_trips_per_second_core, measured.round_trips_per_second_core);
  EXPECT_EQ(read.moments_per_second_core, measured.moments_per_second_core);
  EXPECT_EQ(read.unit_overhead_seconds, measured.unit_overhead_seconds);
}

void expect_refused(const std::filesystem::path& read_from, const char* problem) {
  try {
    calibrate(read_from, 1);
    ADD_FAILURE() << "measured reading from " << read_from;
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr(read_from.string()));
    EXPECT_THAT(error.what(), HasSubstr(problem));
  }
}

TEST(Calibrate, NothingToReadIsRefused) {
  const test::TemporaryDirectory folder;
  expect_refused(folder.path(), "holds nothing to read");
  publish_file(folder.path() / "empty", "");
  expect_refused(folder.path() / "empty", "holds nothing to read");
}

TEST(Calibrate, MissingFileIsRefused) {
  const test::TemporaryDirectory folder;
  expect_refused(folder.path() / "missing", "cannot open");
}

}  // namespace
}  // namespace moesweep::estimate
