// The loop of a single rank on the local transport, with a runner and a sink that work at once.

#include <algorithm>
#include <deque>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/engine/sweep/drive.hpp>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep {
namespace {

using test::even_stage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InstantRunner final : public JobRunner {
 public:
  void start(UnitIndex unit) override {
    started.push_back(unit);
    finished.push_back({unit, failing.contains(unit) ? "tensor holds NaN" : "", 0.0, 0.0, 0, {}});
  }
  std::optional<Outcome> poll() override {
    if (finished.empty()) return std::nullopt;
    auto first = std::move(finished.front());
    finished.pop_front();
    return first;
  }
  std::vector<UnitIndex> started;
  std::set<UnitIndex> failing;

 private:
  std::deque<Outcome> finished;
};

// Publishes only when flushed: a missing flush would hang the test.
class FlushedSink final : public ResultSink {
 public:
  void put(Outcome outcome) override {
    waiting.push_back(outcome.unit);
    if (!outcome.error.empty()) errors.push_back(outcome.error);
  }
  void flush() override { published.push_back({"segment", std::exchange(waiting, {})}); }
  std::optional<Published> poll() override {
    if (published.empty()) return std::nullopt;
    if (full) throw Error(ExitCode::io_error, "segments", "disk full");
    auto first = std::move(published.front());
    published.pop_front();
    on_disk.insert(on_disk.end(), first.units.begin(), first.units.end());
    return first;
  }
  std::vector<UnitIndex> on_disk;
  std::vector<std::string> errors;
  bool full = false;

 private:
  std::vector<UnitIndex> waiting;
  std::deque<Published> published;
};

struct Rig {
  Plan plan{{even_stage("a", 5), even_stage("b", 3)}};
  std::unique_ptr<comm::Comm> comm = comm::make_local_comm();
  InstantRunner runner;
  FlushedSink sink;
  RankInputs inputs;

  Rig() {
    inputs.plan = &plan;
    inputs.worker = {2, 100, "node", std::nullopt, 60.0};
    inputs.stop_requested = [] { return Stop::none; };
  }
  RankResult drive() { return sweep::drive(*comm, runner, sink, inputs); }
};

TEST(Drive, RunsEveryUnitOnceStageByStage) {
  Rig rig;
  const auto result = rig.drive();
  EXPECT_EQ(result.exit_code, ExitCode::complete);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(rig.runner.started, ElementsAre(0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U));
  std::sort(rig.sink.on_disk.begin(), rig.sink.on_disk.end());
  EXPECT_THAT(rig.sink.on_disk, ElementsAre(0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U));
}

TEST(Drive, AnEmptyPlanIsComplete) {
  Rig rig;
  rig.plan = Plan();
  EXPECT_EQ(rig.drive().exit_code, ExitCode::complete);
}

TEST(Drive, RepeatsNothingThatIsDone) {
  Rig rig;
  for (const UnitIndex index : {0U, 1U, 2U, 3U, 4U, 6U}) {
    rig.inputs.done.insert(rig.plan.unit(index).id);
  }
  EXPECT_EQ(rig.drive().exit_code, ExitCode::complete);
  EXPECT_THAT(rig.runner.started, ElementsAre(5U, 7U));
}

TEST(Drive, FailuresDoNotStopTheSweep) {
  Rig rig;
  rig.runner.failing = {1, 6};
  EXPECT_EQ(rig.drive().exit_code, ExitCode::some_failed);
  EXPECT_EQ(rig.sink.on_disk.size(), 8U);
}

TEST(Drive, UnitsThatEndedTheProcessTwiceAreReportedWithTheirReasonAndNotRun) {
  Rig rig;
  rig.inputs.failed_without_run[rig.plan.unit(2).id] = "in flight at two crashes";
  rig.inputs.failed_without_run[rig.plan.unit(7).id] = "in flight at two crashes";
  EXPECT_EQ(rig.drive().exit_code, ExitCode::some_failed);
  EXPECT_THAT(rig.runner.started, ElementsAre(0U, 1U, 3U, 4U, 5U, 6U));
  EXPECT_THAT(rig.sink.errors, ElementsAre("in flight at two crashes", "in flight at two crashes"));
  EXPECT_EQ(rig.sink.on_disk.size(), 8U);
}

TEST(Drive, AStopBeforeTheFirstUnitRunsNothing) {
  for (const auto stop : {Stop::drain, Stop::leave}) {
    Rig rig;
    rig.inputs.stop_requested = [stop] { return stop; };
    EXPECT_EQ(rig.drive().exit_code, ExitCode::stopped_early);
    EXPECT_THAT(rig.sink.on_disk, ElementsAre()) << "nothing was computed";
  }
}

TEST(Drive, AStopPublishesWhatIsComputed) {
  Rig rig;
  rig.inputs.stop_requested = [&] {
    return rig.runner.started.size() >= 3 ? Stop::drain : Stop::none;
  };
  EXPECT_EQ(rig.drive().exit_code, ExitCode::stopped_early);
  std::sort(rig.sink.on_disk.begin(), rig.sink.on_disk.end());
  EXPECT_EQ(rig.sink.on_disk, rig.runner.started);
}

TEST(Drive, ADeadlineInThePastStopsEarlyWithoutRunning) {
  Rig rig;
  rig.inputs.worker.deadline = 1.0;
  EXPECT_EQ(rig.drive().exit_code, ExitCode::stopped_early);
  EXPECT_THAT(rig.runner.started, IsEmpty());
}

TEST(Drive, ASinkThatCannotPublishEndsTheSweepAndSaysWhy) {
  Rig rig;
  rig.sink.full = true;
  const auto result = rig.drive();
  EXPECT_EQ(result.exit_code, ExitCode::io_error);
  EXPECT_EQ(result.error, "segments: disk full");
}

TEST(Drive, ShowsTheEndToTheObserver) {
  Rig rig;
  std::int64_t done = 0;
  rig.inputs.observe = [&](const CoordinatorState& state, double) { done = state.done; };
  rig.drive();
  EXPECT_EQ(done, 8);
}

}  // namespace
}  // namespace moesweep::sweep
