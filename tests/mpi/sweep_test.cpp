// The whole engine over real MPI: drive() on every rank, with runners and sinks that need no
// checkpoint and no disk.

#include <algorithm>
#include <deque>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/engine/sweep/drive.hpp>

#include "mpi/ranks.hpp"
#include "unit/sweep/plans.hpp"

namespace moesweep::sweep {
namespace {

using moesweep::test::barrier;
using moesweep::test::rank;
using moesweep::test::ranks;
using moesweep::test::session;
using test::even_stage;

class InstantRunner final : public JobRunner {
 public:
  void start(UnitIndex unit) override { finished_.push_back({unit, "", 0.0, 0.0, 0, {}}); }
  std::optional<Outcome> poll() override {
    if (finished_.empty()) return std::nullopt;
    auto first = std::move(finished_.front());
    finished_.pop_front();
    return first;
  }

 private:
  std::deque<Outcome> finished_;
};

class FlushedSink final : public ResultSink {
 public:
  void put(Outcome outcome) override { waiting_.push_back(outcome.unit); }
  void flush() override { published_.push_back({"segment", std::exchange(waiting_, {})}); }
  std::optional<Published> poll() override {
    if (published_.empty()) return std::nullopt;
    if (full) throw Error(ExitCode::io_error, "segments", "disk full");
    auto first = std::move(published_.front());
    published_.pop_front();
    on_disk.insert(on_disk.end(), first.units.begin(), first.units.end());
    return first;
  }
  std::vector<UnitIndex> on_disk;
  bool full = false;

 private:
  std::vector<UnitIndex> waiting_;
  std::deque<Published> published_;
};

struct Rig {
  Plan plan{{even_stage("a", 300, 0.001), even_stage("b", 200, 0.001)}};
  InstantRunner runner;
  FlushedSink sink;
  RankInputs inputs;

  Rig() {
    inputs.plan = &plan;
    inputs.worker = {2, 100, "node", std::nullopt, 60.0};
    inputs.stop_requested = [] { return Stop::none; };
  }
  RankResult drive() { return sweep::drive(session().comm(), runner, sink, inputs); }

  /// Units on disk anywhere, sorted, on rank 0.
  std::vector<UnitIndex> all_on_disk() const {
    std::ostringstream mine;
    for (const auto unit : sink.on_disk) mine << unit << ' ';
    std::vector<UnitIndex> all;
    for (const auto& text : session().gather(mine.str())) {
      std::istringstream units(text);
      for (UnitIndex unit = 0; units >> unit;) all.push_back(unit);
    }
    std::sort(all.begin(), all.end());
    return all;
  }
};

void expect_same_on_every_rank(ExitCode code) {
  const auto mine = std::to_string(static_cast<int>(code));
  EXPECT_EQ(session().share(mine), mine);
}

TEST(MpiSweep, EveryUnitIsOnDiskOnceAndEveryRankEndsWithZero) {
  Rig rig;
  EXPECT_EQ(rig.drive().exit_code, ExitCode::complete);
  const auto all = rig.all_on_disk();
  barrier();
  if (rank() != 0) return;
  ASSERT_EQ(all.size(), 500U);
  for (UnitIndex unit = 0; unit < all.size(); ++unit) EXPECT_EQ(all[unit], unit);
}

TEST(MpiSweep, ASignalOnTheLastRankStopsAllWithOneCodeAndLosesNothingComputed) {
  for (const auto stop : {Stop::drain, Stop::leave}) {
    Rig rig;
    const bool here = rank() == ranks() - 1;
    rig.inputs.stop_requested = [&] { return here ? stop : Stop::none; };
    const auto code = rig.drive().exit_code;
    expect_same_on_every_rank(code);
    EXPECT_TRUE(code == ExitCode::stopped_early || code == ExitCode::complete);
    const auto all = rig.all_on_disk();
    barrier();
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  }
}

TEST(MpiSweep, ARankWhoseDiskIsFullStopsAllWith74) {
  Rig rig;
  rig.sink.full = true;  // everywhere: otherwise a fast rank might do all the work
  const auto result = rig.drive();
  barrier();
  EXPECT_EQ(result.exit_code, ExitCode::io_error);
  EXPECT_EQ(result.error, rank() == 0 ? "segments: disk full" : "");
}

TEST(MpiSweep, ManySweepsOfOneSessionDoNotMixTheirMessages) {
  for (int round = 0; round < 20; ++round) {
    Rig rig;
    EXPECT_EQ(rig.drive().exit_code, ExitCode::complete);
    barrier();  // a rank that is ahead must not greet a coordinator of the sweep before
  }
}

}  // namespace
}  // namespace moesweep::sweep
