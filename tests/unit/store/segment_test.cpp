#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/engine/store/segment.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using records::DistortionRow;
using records::SliceRow;
using test::done_unit;
using test::failed_unit;
using test::write_bytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<UnitRecord> three_units() {
  auto first = done_unit("sensitivity/a/0-3", 4);
  SliceRow slice;
  slice.tensor = "a";
  slice.reason = "constant, \xC3\xA9tal\xC3\xA9";
  records::append_row(first.rows, slice);
  return {first, done_unit("sensitivity/b/0-0", 0), failed_unit("sensitivity/c/0-0", "holds NaN")};
}

TEST(Segment, EveryFieldOfEveryUnitSurvivesTheTrip) {
  auto written = three_units();
  written[0].unit.rank = 7;
  written[0].unit.host = "node7";
  written[0].unit.started = 1.75e9;
  written[0].unit.seconds = 0.125;
  written[0].unit.bytes_read = std::int64_t{1} << 40;
  written[0].unit.id = 0xfedcba9876543210U;
  const auto read = decode_segment(encode_segment(written), "segment");
  ASSERT_EQ(read.size(), 3U);
  const auto& unit = read[0].unit;
  EXPECT_EQ(unit.key, "sensitivity/a/0-3");
  EXPECT_EQ(unit.id, 0xfedcba9876543210U);
  EXPECT_EQ(unit.kind, "sensitivity");
  EXPECT_EQ(unit.status, "done");
  EXPECT_EQ(unit.payload_hash, written[0].unit.payload_hash);
  EXPECT_EQ(unit.rank, 7);
  EXPECT_EQ(unit.host, "node7");
  EXPECT_EQ(unit.epoch, 1);
  EXPECT_EQ(unit.started, 1.75e9);
  EXPECT_EQ(unit.seconds, 0.125);
  EXPECT_EQ(unit.bytes_read, std::int64_t{1} << 40);
  EXPECT_EQ(read[2].unit.status, "failed");
  EXPECT_EQ(read[2].unit.error, "holds NaN");
}

TEST(Segment, RowsComeBackToTheUnitTheyBelongTo) {
  const auto written = three_units();
  const auto read = decode_segment(encode_segment(written), "segment");
  ASSERT_EQ(read.size(), 3U);
  const auto rows = records::rows_of<DistortionRow>(read[0].rows);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3].sse, 3.5);
  EXPECT_EQ(rows[3].bits, 4);
  EXPECT_EQ(records::rows_of<SliceRow>(read[0].rows).at(0).reason, "constant, \xC3\xA9tal\xC3\xA9");
  EXPECT_THAT(read[1].rows, IsEmpty());
  EXPECT_EQ(digest_of(read[0].rows), digest_of(written[0].rows));
}

TEST(Segment, TablesWithoutRowsAndASegmentWithoutUnitsAreFine) {
  auto unit = done_unit("k", 0);
  unit.rows.emplace(records::table_info<DistortionRow>().name,
                    records::Table(records::table_info<DistortionRow>()));
  const std::vector<UnitRecord> one = {unit};
  const auto read = decode_segment(encode_segment(one), "segment");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_THAT(records::rows_of<DistortionRow>(read[0].rows), IsEmpty());
  EXPECT_THAT(decode_segment(encode_segment({}), "segment"), IsEmpty());
}

TEST(Segment, UnitsAloneAreTheSameAsUnitsWithRows) {
  const auto bytes = encode_segment(three_units());
  const auto rows = decode_segment_units(bytes, "segment");
  const auto records = decode_segment(bytes, "segment");
  ASSERT_EQ(rows.size(), records.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].unit.key, records[i].unit.key);
    EXPECT_THAT(rows[i].rows, IsEmpty());  // none of them names a file
  }
}

TEST(Segment, RowsThatNameFilesComeWithTheUnitsAlone) {
  auto units = three_units();
  records::ArtifactRow row;
  row.file = "heads.safetensors";
  records::append_row(units[1].rows, row);
  const auto read = decode_segment_units(encode_segment(units), "segment");
  ASSERT_EQ(read.size(), 3U);
  EXPECT_THAT(read[0].rows, IsEmpty());
  ASSERT_EQ(read[1].rows.size(), 1U);
  EXPECT_EQ(records::rows_of<records::ArtifactRow>(read[1].rows).at(0).file, row.file);
}

TEST(Segment, EqualRecordsGiveEqualBytesWhateverTheMemoryHeldBefore) {
  mallopt(M_PERTURB, 0x5a);
  const auto one = encode_segment(three_units());
  mallopt(M_PERTURB, 0xa5);
  const auto other = encode_segment(three_units());
  mallopt(M_PERTURB, 0);
  EXPECT_EQ(one, other);
  auto changed = three_units();
  changed[1].unit.seconds = 1.0;
  EXPECT_NE(encode_segment(changed), one);
}

TEST(SegmentDeathTest, ATableThatNoReaderKnowsIsABug) {
  static const records::TableInfo unknown{
      "unknown", "", true, {{"x", records::ColumnType::int64, "", ""}}};
  auto unit = done_unit("k", 0);
  unit.rows.emplace(unknown.name, records::Table(unknown));
  const std::vector<UnitRecord> one = {unit};
  EXPECT_DEATH(encode_segment(one), "catalog");
}

TEST(Segment, ThatIsReadWhereItsFileLiesIsNotConfusedWithIt) {
  const test::TemporaryDirectory folder;
  const auto name = test::write_segment(folder.path(), 1, three_units());
  const auto bytes = read_verified(folder.path() / name);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(decode_segment(*bytes, (folder.path() / name).string()).size(), 3U);
}

TEST(SegmentName, SurvivesTheTrip) {
  const auto hash = hash128(encode_segment({}));
  const auto name = segment_name(Epoch{2}, Rank{3}, 12, hash);
  EXPECT_EQ(name, "e0002-r0003-s000012-" + hash.hex() + ".h5");
  const auto parsed = parse_segment_name(name);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->epoch, Epoch{2});
  EXPECT_EQ(parsed->rank, Rank{3});
  EXPECT_EQ(parsed->serial, 12);
  EXPECT_EQ(parsed->hash_hex, hash.hex());
  EXPECT_TRUE(parse_segment_name(segment_name(Epoch{123456}, Rank{99999}, 12345678, hash)));
}

TEST(SegmentName, AnythingElseIsNotASegment) {
  const std::string hash(32, 'a');
  for (const auto& name :
       {std::string(), std::string(".tmp.0123"), "e0001-r0001-s000001-" + hash,
        "e0001-r0001-s000001-" + hash + ".h5.bak", "e0001-r0001-s000001-" + hash + "a.h5",
        "e0001-r0001-s000001-" + hash.substr(1) + ".h5",
        "e0001-r0001-s000001-" + std::string(32, 'A') + ".h5", "e1-r1-s1-" + hash + ".h5",
        "e 001-r0001-s000001-" + hash + ".h5", "e0001-r-001-s000001-" + hash + ".h5",
        "e99999999999999999999-r0001-s000001-" + hash + ".h5"}) {
    EXPECT_FALSE(parse_segment_name(name)) << name;
  }
}

TEST(SegmentFile, EveryFlippedByteIsFound) {
  const test::TemporaryDirectory folder;
  const std::vector<UnitRecord> one = {done_unit("k")};
  const auto path = folder.path() / test::write_segment(folder.path(), 1, one);
  const auto bytes = read_file(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto write_at = [&](std::size_t at, std::byte byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
  };
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    write_at(at, bytes[at] ^ std::byte{0x01});
    ASSERT_FALSE(read_verified(path)) << at;
    write_at(at, bytes[at]);
  }
  EXPECT_TRUE(read_verified(path));
}

TEST(SegmentFile, EveryTruncationAndExtensionIsFound) {
  const test::TemporaryDirectory folder;
  const std::vector<UnitRecord> one = {done_unit("k")};
  const auto path = folder.path() / test::write_segment(folder.path(), 1, one);
  const auto bytes = read_file(path);
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    write_bytes(path, std::span(bytes).first(size));
    ASSERT_FALSE(read_verified(path)) << size;
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  write_bytes(path, longer);
  EXPECT_FALSE(read_verified(path));
}

TEST(SegmentBytes, ThatAreNotASegmentAreRefusedByName) {
  const auto whole = encode_segment(three_units());
  const std::vector<std::byte> text(100, std::byte{'x'});
  for (const auto& bytes :
       {std::vector<std::byte>(), text, std::vector(whole.begin(), whole.begin() + 64),
        std::vector(whole.begin(), whole.end() - 1)}) {
    try {
      decode_segment(bytes, "e0001-of-a-test.h5");
      ADD_FAILURE() << bytes.size() << " bytes were taken for a segment";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("e0001-of-a-test.h5"));
    }
  }
}

}  // namespace
}  // namespace moesweep::store
