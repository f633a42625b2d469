#include <chrono>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/store/scan.hpp>
#include <moesweep/engine/store/segment_writer.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using test::done_unit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double never = 1e8;  // s
constexpr std::int64_t no_limit = std::int64_t{1} << 60;

SegmentWriterOptions options(const fs::path& folder, double flush_seconds = never,
                             std::int64_t flush_bytes = no_limit) {
  return {folder, Epoch{4}, Rank{2}, flush_seconds, flush_bytes};
}

// Waits for the I/O thread; the test's timeout ends a wait for something that never comes.
SegmentWriter::Published next(SegmentWriter& writer) {
  while (true) {
    if (auto published = writer.poll()) return *published;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Error next_error(SegmentWriter& writer) {
  try {
    next(writer);
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("published although the folder is missing");
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(SegmentWriter, PublishesOnFlushWithTheTicketsInOrder) {
  const test::TemporaryDirectory folder;
  SegmentWriter writer(options(folder.path()));
  writer.put(7, done_unit("a"));
  writer.put(3, done_unit("b"));
  writer.flush();
  const auto published = next(writer);
  EXPECT_THAT(published.tickets, ElementsAre(7U, 3U));
  EXPECT_THAT(published.segment, HasSubstr("e0004-r0002-s000001-"));
  EXPECT_TRUE(read_verified(folder.path() / published.segment));
  EXPECT_FALSE(writer.poll());
}

TEST(SegmentWriter, WaitsWithoutAFlush) {
  const test::TemporaryDirectory folder;
  {
    SegmentWriter writer(options(folder.path()));
    writer.put(1, done_unit("a"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(writer.poll());
  }
  EXPECT_EQ(files_in(folder.path()), 0U) << "what was not reported may be dropped";
}

TEST(SegmentWriter, AFlushOfNothingPublishesNothingAndDoesNotHurryTheNext) {
  const test::TemporaryDirectory folder;
  SegmentWriter writer(options(folder.path()));
  writer.flush();
  writer.put(1, done_unit("a"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(writer.poll());
}

TEST(SegmentWriter, PublishesAfterTheInterval) {
  const test::TemporaryDirectory folder;
  SegmentWriter writer(options(folder.path(), /*flush_seconds=*/0.01));
  writer.put(1, done_unit("a"));
  EXPECT_THAT(next(writer).tickets, ElementsAre(1U));
  writer.put(2, done_unit("b"));
  EXPECT_THAT(next(writer).tickets, ElementsAre(2U));
}

TEST(SegmentWriter, PublishesWhenItHoldsEnoughBytes) {
  const test::TemporaryDirectory folder;
  SegmentWriter writer(options(folder.path(), never, /*flush_bytes=*/20'000));
  writer.put(1, done_unit("small"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(writer.poll());
  writer.put(2, done_unit("large", 1000));
  EXPECT_THAT(next(writer).tickets, ElementsAre(1U, 2U));
}

TEST(SegmentWriter, FillsInThePayloadHash) {
  const test::TemporaryDirectory folder;
  SegmentWriter writer(options(folder.path()));
  auto record = done_unit("a");
  record.unit.payload_hash = "";
  writer.put(1, record);
  writer.flush();
  next(writer);
  const auto scan = scan_segments(folder.path(), Rotten::leave_in_place);
  EXPECT_EQ(scan.units.at(UnitId{record.unit.id}).row.payload_hash, digest_of(record.rows).hex());
}

TEST(SegmentWriter, EveryUnitIsInExactlyOneSegmentUnderConstantFlushing) {
  const test::TemporaryDirectory folder;
  SegmentWriter writer(options(folder.path(), 0.001));
  std::multiset<std::uint64_t> seen;
  std::set<std::string> names;
  const auto take = [&](const SegmentWriter::Published& published) {
    seen.insert(published.tickets.begin(), published.tickets.end());
    EXPECT_TRUE(names.insert(published.segment).second);
  };
  constexpr std::size_t units = 200;
  for (std::uint64_t ticket = 0; ticket < units; ++ticket) {
    writer.put(ticket, done_unit("unit" + std::to_string(ticket)));
    if (ticket % 3 == 0) writer.flush();
    while (auto published = writer.poll()) take(*published);
  }
  writer.flush();
  while (seen.size() < units) take(next(writer));
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), units);
  EXPECT_EQ(scan_segments(folder.path(), Rotten::leave_in_place).units.size(), units);
  EXPECT_EQ(files_in(folder.path()), names.size()) << "temporary files were left behind";
}

TEST(SegmentWriter, AFailureSurfacesOnceEarlierSegmentsStayAndLaterOnesAreTried) {
  const test::TemporaryDirectory root;
  const auto folder = root.path() / "segments";
  const auto aside = root.path() / "aside";
  fs::create_directory(folder);
  SegmentWriter writer(options(folder));
  writer.put(1, done_unit("a"));
  writer.flush();
  const auto first = next(writer);

  fs::rename(folder, aside);
  writer.put(2, done_unit("b"));
  writer.flush();
  const auto error = next_error(writer);
  EXPECT_EQ(error.exit_code(), ExitCode::io_error);
  EXPECT_THAT(error.what(), HasSubstr(folder.string()));
  EXPECT_FALSE(writer.poll()) << "one failure is reported once";

  fs::rename(aside, folder);
  EXPECT_TRUE(read_verified(folder / first.segment));
  writer.put(3, done_unit("c"));
  writer.flush();
  EXPECT_THAT(next(writer).tickets, ElementsAre(3U));
}

// A folder where the segment of this one unit belongs: renaming a file onto it fails.
void block_name(const fs::path& folder, std::int64_t serial, const UnitRecord& record) {
  const auto image = encode_segment(std::span(&record, 1));
  fs::create_directory(folder / segment_name(Epoch{4}, Rank{2}, serial, hash128(image)));
}

TEST(SegmentWriter, AFailedAttemptIsRepeatedUnderANewName) {
  const test::TemporaryDirectory folder;
  block_name(folder.path(), 1, done_unit("a"));
  SegmentWriter writer(options(folder.path()));
  writer.put(1, done_unit("a"));
  writer.flush();
  const auto published = next(writer);
  EXPECT_THAT(published.segment, HasSubstr("-s000002-"));
  EXPECT_TRUE(read_verified(folder.path() / published.segment));
  EXPECT_EQ(files_in(folder.path()), 2U) << "the first attempt left its temporary file";
}

TEST(SegmentWriter, EndsAtOnceWithWorkWaiting) {
  const test::TemporaryDirectory folder;
  for (int i = 0; i < 50; ++i) {
    SegmentWriter writer(options(folder.path()));
    writer.put(1, done_unit("a"));
    if (i % 2 == 0) writer.flush();
  }
  SUCCEED();
}

}  // namespace
}  // namespace moesweep::store
