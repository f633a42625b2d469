// Results with a checksum that fits, whose rows nobody could have swept.

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/app/run/run_results.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/results.hpp>
#include <moesweep/engine/store/run_directory.hpp>

#include "allocation_source.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::planning {
namespace {

records::CheckpointTensorRow tensor(const std::string& shape, const std::string& dtype,
                                    std::int64_t bytes) {
  records::CheckpointTensorRow row;
  row.name = "the.tensor";
  row.shape = shape;
  row.dtype = dtype;
  row.bytes = bytes;
  return row;
}

/// Whose checkpoint is gone, so that the rows alone tell what it was.
class HostileRun : public ::testing::Test {
 protected:
  HostileRun() {
    store::create_run_directory(run_);
    publish_file(run_.job(),
                 std::string_view("schema = 1\nkind = \"sensitivity\"\n[checkpoint]\npath = "
                                  "\"/no/such/checkpoint\"\n"));
  }

  AllocationSource open(const records::CheckpointTensorRow& row) {
    records::Tables tables;
    records::append_row(tables, row);
    store::write_results(run_.results(), tables, {{"complete", "yes"}});
    return open_allocation_source(run_.root, "generic");
  }

  test::TemporaryDirectory folder_;
  store::RunDirectory run_{folder_.path() / "run"};
};

TEST_F(HostileRun, CountsOfUnitsThatAreNoneAreErrorsThatDriveNoTerminal) {
  for (const auto* name : {"complete", "units_done", "units_failed", "units_total"}) {
    for (const std::string value : {"1 ", "-1", "many", "\x1b]0;x\x07", "99999999999999999999"}) {
      store::Attributes attributes = {{"complete", "no"}};
      attributes[name] = value;
      records::Tables tables;
      records::append_row(tables, tensor("3x4", "BF16", 24));
      store::write_results(run_.results(), tables, attributes);
      const auto results = store::read_results(run_.results());
      try {
        run::sweep_counts(results, run_.results().string());
        FAIL() << name << ' ' << printable(value);
      } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
        EXPECT_THAT(error.what(), ::testing::HasSubstr(name));
        EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\x1b")));
      }
    }
  }
}

TEST_F(HostileRun, ASoundRowIsATensor) {
  const auto source = open(tensor("3x4", "BF16", 24));
  ASSERT_EQ(source.tensors.size(), 1U);
  EXPECT_EQ(source.tensors[0].shape, (std::vector<std::int64_t>{3, 4}));
}

TEST_F(HostileRun, ShapesAndDtypesThatAreNoneAreErrorsNamingTheTensor) {
  const auto huge = std::to_string(std::numeric_limits<std::int64_t>::max());
  for (const auto& row :
       {tensor("axb", "BF16", 24), tensor("3x", "BF16", 24), tensor("-3x-4", "BF16", 24),
        tensor("99999999999999999999999x2", "BF16", 24), tensor(huge + "x" + huge, "BF16", 24),
        tensor("", "BF16", 24), tensor("0x0", "BF16", 24), tensor("3x4", "BF16", 25),
        tensor("3x4", "BF16", -1), tensor("3x4", "Q7", 24)}) {
    EXPECT_THAT([&] { open(row); },
                ::testing::ThrowsMessage<Error>(
                    ::testing::AllOf(::testing::HasSubstr("results.h5: checkpoint/tensors, row 1"),
                                     ::testing::HasSubstr("the.tensor"))))
        << row.shape << ' ' << row.dtype << ' ' << row.bytes;
  }
}

TEST_F(HostileRun, NamesThatNoTensorHasAreErrorsNamingTheRow) {
  for (const std::string name : {"", "a\nb", "\x1b]0;x\x07"}) {
    auto row = tensor("3x4", "BF16", 24);
    row.name = name;
    EXPECT_THAT([&] { open(row); },
                ::testing::ThrowsMessage<Error>(::testing::HasSubstr("checkpoint/tensors, row 1")));
  }
}

TEST_F(HostileRun, ErrorsThatAreNoSumsOfSquaresAreRefused) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const auto& [sse, sum_squares] :
       {std::pair(inf, 1.0), std::pair(-1.0, 1.0), std::pair(1.0, inf), std::pair(1.0, -1.0)}) {
    records::Tables tables;
    records::append_row(tables, tensor("3x4", "BF16", 24));
    records::DistortionRow row;
    row.tensor = "the.tensor";
    row.slice = -1;
    row.sse = sse;
    row.sum_squares = sum_squares;
    records::append_row(tables, row);
    store::write_results(run_.results(), tables, {{"complete", "yes"}});
    EXPECT_THAT(
        [&] { open_allocation_source(run_.root, "generic"); },
        ::testing::ThrowsMessage<Error>(::testing::HasSubstr("the.tensor has an error of")));
  }
}

}  // namespace
}  // namespace moesweep::planning
