#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/engine/store/lock.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::store {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr UnitId a{11};
constexpr UnitId b{22};
constexpr UnitId c{33};

// Epochs that were started by processes that are gone.
struct Lock {
  test::TemporaryDirectory root;
  const std::filesystem::path& path() const { return root.path(); }
  Epoch next_epoch() {
    EpochStart start;
    start.owner = this_process();
    start.owner.start_ticks = 1;
    return acquire(path(), start, {});
  }
  std::unordered_map<UnitId, int> ends() const {
    return abnormal_ends(path(), [](UnitId) { return Epoch{0}; });
  }
};

TEST(InFlight, UnitsThatWereRunningAtACrashAreBlamedAndFinishedOnesAreNot) {
  Lock lock;
  {
    InFlightNotes notes(lock.path(), lock.next_epoch(), Rank{0}, 2);
    notes.started(a);
    notes.started(b);
    notes.finished(a);
    notes.started(c);
  }
  EXPECT_THAT(lock.ends(), UnorderedElementsAre(Pair(b, 1), Pair(c, 1)));
}

TEST(InFlight, EveryRankAndEveryCrashCounts) {
  Lock lock;
  for (int crash = 0; crash < 2; ++crash) {
    const auto epoch = lock.next_epoch();
    InFlightNotes(lock.path(), epoch, Rank{0}, 1).started(a);
    InFlightNotes(lock.path(), epoch, Rank{1}, 1).started(crash == 0 ? b : c);
  }
  EXPECT_THAT(lock.ends(), UnorderedElementsAre(Pair(a, 2), Pair(b, 1), Pair(c, 1)));
}

TEST(InFlight, OneCrashIsOneCrashHoweverManySlotsNameTheUnit) {
  Lock lock;
  const auto epoch = lock.next_epoch();
  InFlightNotes(lock.path(), epoch, Rank{0}, 1).started(a);
  InFlightNotes(lock.path(), epoch, Rank{1}, 1).started(a);
  EXPECT_THAT(lock.ends(), UnorderedElementsAre(Pair(a, 1)));
}

TEST(InFlight, AnOrderlyEndBlamesNobody) {
  Lock lock;
  const auto epoch = lock.next_epoch();
  InFlightNotes(lock.path(), epoch, Rank{0}, 1).started(a);
  record_end(lock.path(), epoch, {});
  EXPECT_THAT(lock.ends(), IsEmpty());
}

TEST(InFlight, OnlyEpochsAfterTheGivenOneCount) {
  Lock lock;
  InFlightNotes(lock.path(), lock.next_epoch(), Rank{0}, 1).started(a);
  InFlightNotes(lock.path(), lock.next_epoch(), Rank{0}, 1).started(a);
  const auto since = [](UnitId unit) { return unit == a ? Epoch{1} : Epoch{0}; };
  EXPECT_THAT(abnormal_ends(lock.path(), since), UnorderedElementsAre(Pair(a, 1)));
}

TEST(InFlight, ASlotIsFreeAgainWhenItsUnitIsFinished) {
  Lock lock;
  InFlightNotes notes(lock.path(), lock.next_epoch(), Rank{0}, 1);
  for (std::uint64_t unit = 1; unit <= 100; ++unit) {
    notes.started(UnitId{unit});
    notes.finished(UnitId{unit});
  }
  EXPECT_THAT(lock.ends(), IsEmpty());
}

TEST(InFlightDeathTest, MoreUnitsThanThreadsIsABug) {
  Lock lock;
  InFlightNotes notes(lock.path(), lock.next_epoch(), Rank{0}, 1);
  notes.started(a);
  EXPECT_DEATH(notes.started(b), "threads");
  EXPECT_DEATH(notes.finished(b), "not noted");
}

TEST(InFlight, AMissingFolderIsAnError) {
  EXPECT_THROW(InFlightNotes("no/such/lock", Epoch{1}, Rank{0}, 1), Error);
}

}  // namespace
}  // namespace moesweep::store
