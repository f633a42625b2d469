#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/engine/store/scan.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using test::done_unit;
using test::failed_unit;
using test::write_bytes;
using test::write_segment;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

UnitId id_of(const std::string& key) {
  return UnitId{hash64(key)};
}

struct Folder {
  test::TemporaryDirectory root;
  const std::filesystem::path& path() const { return root.path(); }
  std::string add(std::int64_t serial, const std::vector<UnitRecord>& records) {
    return write_segment(path(), serial, records);
  }
  SegmentScan scan() const { return scan_segments(path(), Rotten::leave_in_place); }
};

TEST(Scan, IsTheUnionOfAllSegments) {
  Folder folder;
  folder.add(1, {done_unit("a"), failed_unit("b", "NaN")});
  const auto second = folder.add(2, {done_unit("c")});
  const auto scan = folder.scan();
  EXPECT_EQ(scan.segments, 2);
  EXPECT_GT(scan.bytes, 0);
  ASSERT_EQ(scan.units.size(), 3U);
  EXPECT_EQ(scan.units.at(id_of("b")).row.error, "NaN");
  EXPECT_EQ(scan.units.at(id_of("c")).segment, second);
  EXPECT_THAT(scan.rotten, IsEmpty());
}

TEST(Scan, KnowsTheFilesThatRowsName) {
  Folder folder;
  const auto hash = hash64("x");
  auto heads = done_unit("a", 0);
  records::ArtifactRow row;
  row.file = artifact_name("bf16-mlp", hash128(std::as_bytes(std::span(&hash, 1))), "safetensors");
  row.bytes = 8;
  records::append_row(heads.rows, row);
  heads.unit.payload_hash = digest_of(heads.rows).hex();
  folder.add(1, {heads, done_unit("b")});
  const auto scan = folder.scan();
  ASSERT_EQ(scan.units.at(id_of("a")).files.size(), 1U);
  const auto& file = scan.units.at(id_of("a")).files.front();
  EXPECT_EQ(file.name, row.file);
  EXPECT_EQ(file.bytes, 8);
  EXPECT_EQ(file.place, OutputFile::Place::artifacts);
  EXPECT_THAT(scan.units.at(id_of("b")).files, IsEmpty());
}

TEST(Scan, OfAnEmptyFolderFindsNothing) {
  EXPECT_THAT(Folder().scan().units, IsEmpty());
}

TEST(Scan, OfAMissingFolderIsAnErrorThatNamesIt) {
  try {
    scan_segments("no/such/segments", Rotten::quarantine);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "no/such/segments");
  }
}

TEST(Scan, IgnoresFilesThatAreNotSegments) {
  Folder folder;
  folder.add(1, {done_unit("a")});
  write_bytes(folder.path() / ".tmp.0123456789", {});
  write_bytes(folder.path() / "notes.txt", {});
  std::filesystem::create_directory(folder.path() / "quarantine");
  const auto scan = scan_segments(folder.path(), Rotten::quarantine);
  EXPECT_EQ(scan.segments, 1);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "notes.txt"));
}

TEST(Scan, DoneBeatsFailedInEitherOrder) {
  for (const bool failed_first : {true, false}) {
    Folder folder;
    folder.add(failed_first ? 1 : 2, {failed_unit("a", "NaN", /*epoch=*/9)});
    folder.add(failed_first ? 2 : 1, {done_unit("a")});
    const auto unit = folder.scan().units.at(id_of("a"));
    EXPECT_EQ(unit.row.status, "done");
    EXPECT_EQ(unit.last_epoch, 9);  // abnormal ends before it are nobody's fault
  }
}

TEST(Scan, OfTwoFailuresTheLaterEpochCounts) {
  for (const bool later_first : {true, false}) {
    Folder folder;
    folder.add(later_first ? 1 : 2, {failed_unit("a", "late", 3)});
    folder.add(later_first ? 2 : 1, {failed_unit("a", "early", 2)});
    EXPECT_EQ(folder.scan().units.at(id_of("a")).row.error, "late");
  }
}

TEST(Scan, AUnitDoneTwiceWithEqualRowsIsOneUnit) {
  Folder folder;
  folder.add(1, {done_unit("a", 2)});
  folder.add(2, {done_unit("a", 2), done_unit("b", 1)});
  const auto scan = folder.scan();
  EXPECT_EQ(scan.units.size(), 2U);
  const auto tables = gather(folder.path(), scan);
  EXPECT_EQ(records::rows_of<records::DistortionRow>(tables).size(), 3U);
  EXPECT_EQ(records::rows_of<records::UnitRow>(tables).size(), 2U);
}

TEST(Scan, AUnitDoneTwiceWithDifferentRowsIsAnErrorNamingBothSegments) {
  Folder folder;
  const auto one = folder.add(1, {done_unit("a", 1, 0.5)});
  const auto other = folder.add(2, {done_unit("a", 1, 0.75)});
  try {
    folder.scan();
    FAIL() << "one of the two results was dropped silently";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(one), HasSubstr(other), HasSubstr("a: ")));
  }
}

TEST(Scan, RottenSegmentsAreQuarantinedUnderTheirNameAndTheirUnitsAreOpen) {
  Folder folder;
  const auto good = folder.add(1, {done_unit("a")});
  const auto rotten = folder.add(2, {done_unit("b")});
  auto bytes = read_file(folder.path() / rotten);
  bytes.resize(bytes.size() / 2);
  write_bytes(folder.path() / rotten, bytes);

  const auto looked = folder.scan();
  EXPECT_THAT(looked.rotten, ElementsAre(rotten));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / rotten)) << "only a run may move it";

  const auto scan = scan_segments(folder.path(), Rotten::quarantine);
  EXPECT_THAT(scan.rotten, ElementsAre(rotten));
  EXPECT_EQ(scan.segments, 1);
  EXPECT_TRUE(scan.units.contains(id_of("a")));
  EXPECT_FALSE(scan.units.contains(id_of("b")));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "quarantine" / rotten));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / rotten));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / good));
  EXPECT_THAT(scan_segments(folder.path(), Rotten::quarantine).rotten, IsEmpty());
}

TEST(Gather, AppendsRowsInKeyOrderWhicheverSegmentHoldsThem) {
  Folder folder;
  folder.add(1, {done_unit("c", 2, 10.0), done_unit("a", 1, 20.0)});
  folder.add(2, {failed_unit("d", "NaN"), done_unit("b", 1, 30.0)});
  const auto tables = gather(folder.path(), folder.scan());
  std::vector<std::string> tensors;
  for (const auto& row : records::rows_of<records::DistortionRow>(tables))
    tensors.push_back(row.tensor);
  EXPECT_THAT(tensors, ElementsAre("a", "b", "c", "c"));
  std::vector<std::string> keys;
  for (const auto& row : records::rows_of<records::UnitRow>(tables)) keys.push_back(row.key);
  EXPECT_THAT(keys, ElementsAre("a", "b", "c", "d"));
  const auto failures = records::rows_of<records::FailureRow>(tables);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].key, "d");
  EXPECT_EQ(failures[0].error, "NaN");
}

TEST(Gather, LeavesOutAFailureThatWasMendedLater) {
  Folder folder;
  folder.add(1, {failed_unit("a", "NaN")});
  folder.add(2, {done_unit("a")});
  const auto tables = gather(folder.path(), folder.scan());
  EXPECT_THAT(records::rows_of<records::FailureRow>(tables), IsEmpty());
  EXPECT_EQ(records::rows_of<records::DistortionRow>(tables).size(), 1U);
}

TEST(Gather, GivesTheSameDigestHoweverUnitsAreSplitIntoSegments) {
  Folder together;
  together.add(1, {done_unit("b", 3), done_unit("a", 2)});
  Folder apart;
  apart.add(1, {done_unit("b", 3)});
  apart.add(2, {failed_unit("c", "NaN")});
  apart.add(3, {done_unit("a", 2)});
  EXPECT_EQ(digest_of(gather(together.path(), together.scan())),
            digest_of(gather(apart.path(), apart.scan())));
}

TEST(Gather, CountsAUnitOnceThatASegmentHasTwice) {
  Folder folder;
  folder.add(1, {done_unit("b"), done_unit("a", 2), done_unit("b"), done_unit("a", 2)});
  const auto tables = gather(folder.path(), folder.scan());
  std::vector<std::string> tensors;
  for (const auto& row : records::rows_of<records::DistortionRow>(tables))
    tensors.push_back(row.tensor);
  EXPECT_THAT(tensors, ElementsAre("a", "a", "b"));
}

TEST(Gather, LeavesOutRowsOfAFailureInASegmentWithOthers) {
  Folder folder;
  auto failed = failed_unit("b", "NaN");
  failed.rows = done_unit("b", 2).rows;
  folder.add(1, {done_unit("c"), failed, done_unit("a")});
  const auto tables = gather(folder.path(), folder.scan());
  std::vector<std::string> tensors;
  for (const auto& row : records::rows_of<records::DistortionRow>(tables))
    tensors.push_back(row.tensor);
  EXPECT_THAT(tensors, ElementsAre("a", "c"));
}

TEST(Gather, ASegmentThatChangedSinceTheScanIsAnError) {
  Folder folder;
  const auto name = folder.add(1, {done_unit("a")});
  const auto scan = folder.scan();
  write_bytes(folder.path() / name, {});
  EXPECT_THROW(gather(folder.path(), scan), Error);
}

}  // namespace
}  // namespace moesweep::store
