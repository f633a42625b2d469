// Deadlines, stops and a sink that cannot publish.

#include <functional>
#include <new>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/sweep/worker_harness.hpp"

namespace moesweep::sweep {
namespace {

using test::all_of_kind;
using test::even_plan;
using test::unit;
using test::Worker;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

WorkerOptions options(int threads) {
  return {threads, 1000, "node", std::nullopt, 60.0};
}

TEST(WorkerDeadline, HandsBackWhatWouldEndAfterItAndStartsWhatFits) {
  auto with_deadline = options(3);
  with_deadline.deadline = 1000.0 + 60.0 + 10.0;
  Worker w(Plan({Stage{"s", {unit("a", 20.0), unit("b", 5.0), unit("c", 11.0)}}}), with_deadline);
  w.tell(Work{{0, 2, 1}});
  const auto back = all_of_kind<HandedBack>(w.step());
  ASSERT_THAT(back, SizeIs(1));
  EXPECT_THAT(back[0].units, ElementsAre(0U, 2U));
  EXPECT_THAT(w.runner.started, ElementsAre(1U));
}

TEST(WorkerDeadline, JudgesByMeasuredTimes) {
  auto with_deadline = options(1);
  with_deadline.deadline = 1000.0 + 60.0 + 10.0;
  Worker w(even_plan(2, /*seconds=*/1.0), with_deadline);
  w.tell(Work{{0, 1}});
  w.step();
  w.runner.finish(0, {}, /*seconds=*/30.0);
  EXPECT_THAT(all_of_kind<HandedBack>(w.step()), SizeIs(1)) << "units take 30 s, not 1 s";
  EXPECT_THAT(w.runner.started, ElementsAre(0U));
}

TEST(WorkerDeadline, LeavesRunningUnitsAlone) {
  auto with_deadline = options(1);
  with_deadline.deadline = 1000.0 + 60.0 + 10.0;
  Worker w(even_plan(2, 5.0), with_deadline);
  w.tell(Work{{0, 1}});
  w.step();
  w.unix_now += 100.0;
  EXPECT_THAT(w.step(), IsEmpty());
  const auto sent = w.finish(0);
  EXPECT_THAT(all_of_kind<Computed>(sent), SizeIs(1));
  EXPECT_THAT(all_of_kind<HandedBack>(sent), SizeIs(1));
}

TEST(WorkerDrain, HandsBackTheQueueAtOnceFinishesAndPublishes) {
  Worker w(even_plan(3), options(1));
  w.tell(Work{{0, 1, 2}});
  w.step();
  const auto back = all_of_kind<HandedBack>(w.tell(Drain{}));
  ASSERT_THAT(back, SizeIs(1));
  EXPECT_THAT(back[0].units, ElementsAre(1U, 2U));
  EXPECT_THAT(w.step(), IsEmpty()) << "unit 0 still runs";
  EXPECT_THAT(all_of_kind<Drained>(w.finish(0)), IsEmpty()) << "not on disk yet";
  EXPECT_EQ(w.sink.flushes, 1);
  w.sink.publish_waiting();
  const auto sent = w.step();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<Durable>(sent[0]));
  EXPECT_TRUE(std::holds_alternative<Drained>(sent[1]));
  EXPECT_THAT(w.step(), IsEmpty());
}

TEST(WorkerDrain, HandsBackWorkThatArrivesLater) {
  Worker w(even_plan(2), options(1));
  w.tell(Drain{});
  EXPECT_THAT(all_of_kind<HandedBack>(w.tell(Work{{0, 1}})), SizeIs(1));
  w.step();
  EXPECT_THAT(w.runner.started, IsEmpty());
}

TEST(WorkerDrain, AnIdleWorkerIsDrainedAtOnce) {
  Worker w(even_plan(1), options(1));
  w.tell(Drain{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
}

TEST(WorkerLeave, DoesNotWaitForRunningUnits) {
  Worker w(even_plan(2), options(2));
  w.tell(Work{{0, 1}});
  w.step();
  w.finish(0);
  w.tell(Leave{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), IsEmpty()) << "unit 0 is not on disk yet";
  EXPECT_EQ(w.sink.flushes, 1);
  w.sink.publish_waiting();
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
  EXPECT_THAT(w.runner.running, ElementsAre(1U));
}

TEST(WorkerLeave, AnswersAgainAfterADrainWasAnswered) {
  Worker w(even_plan(1), options(1));
  w.tell(Drain{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
  w.tell(Leave{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
}

TEST(WorkerLeave, AUnitThatFinishesMeanwhileIsStillPublished) {
  Worker w(even_plan(1), options(1));
  w.tell(Work{{0}});
  w.step();
  w.tell(Leave{});
  w.step();
  w.finish(0);
  EXPECT_EQ(w.sink.flushes, 1);
}

TEST(WorkerBroken, TellsTheCoordinatorWhatHappened) {
  Worker w(even_plan(1), options(1));
  w.tell(Work{{0}});
  w.step();
  w.finish(0);
  w.sink.broken = true;
  const auto broken = all_of_kind<Broken>(w.step());
  ASSERT_THAT(broken, SizeIs(1));
  EXPECT_EQ(broken[0].exit_code, ExitCode::io_error);
  EXPECT_EQ(broken[0].error, "segments: disk full");
  w.tell(Leave{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1)) << "nothing more can be published";
}

TEST(WorkerBroken, AUnitThatTheSystemFailedEndsTheSweepAndIsNotRecorded) {
  Worker w(even_plan(2), options(2));
  w.tell(Work{{0, 1}});
  w.step();
  w.runner.finish_for_the_systems_sake(0, "shard: no space");
  const auto sent = w.step();
  const auto broken = all_of_kind<Broken>(sent);
  ASSERT_THAT(broken, SizeIs(1));
  EXPECT_EQ(broken[0].exit_code, ExitCode::io_error);
  EXPECT_EQ(broken[0].error, "shard: no space");
  EXPECT_THAT(all_of_kind<Computed>(sent), SizeIs(0));
  EXPECT_THAT(w.sink.waiting, SizeIs(0));
  w.tell(Leave{});
  w.finish(1);
  EXPECT_THAT(w.sink.waiting, ElementsAre(1U)) << "what others have computed is published still";
}

TEST(WorkerBroken, ASegmentThatStillGetsThroughDoesNotKeepItFromLeaving) {
  Worker w(even_plan(2), options(2));
  w.tell(Work{{0, 1}});
  w.step();
  w.finish(0);
  w.finish(1);
  w.sink.broken = true;
  w.step();
  w.sink.published.push_back({"segment", {1}});  // in the queue behind the one that failed
  EXPECT_THAT(all_of_kind<Durable>(w.step()), SizeIs(1));
  w.tell(Leave{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
}

TEST(WorkerBroken, WhatIsComputedAfterwardsDoesNotKeepItFromLeaving) {
  Worker w(even_plan(2), options(2));
  w.tell(Work{{0, 1}});
  w.step();
  w.finish(0);
  w.sink.broken = true;
  w.step();
  w.finish(1);
  w.tell(Leave{});
  EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
}

// Threads and memory, not the unit's own input.
TEST(WorkerBroken, AUnitThatTheSystemDoesNotLetStartEndsTheEpochOrderly) {
  const std::vector<std::function<void()>> refusals = {
      [] {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      },
      [] { throw std::bad_alloc(); }};
  for (const auto& refusal : refusals) {
    Worker w(even_plan(3), options(2));
    w.runner.refuse = refusal;
    w.tell(Work{{0, 1}});
    const auto broken = all_of_kind<Broken>(w.step());
    ASSERT_THAT(broken, SizeIs(1));
    EXPECT_EQ(broken[0].exit_code, ExitCode::io_error);
    EXPECT_THAT(w.step(), IsEmpty()) << "it is told once, and nothing more is started";
    const auto back = all_of_kind<HandedBack>(w.tell(Leave{}));
    ASSERT_THAT(back, SizeIs(1));
    EXPECT_THAT(back[0].units, ElementsAre(0U, 1U));
    EXPECT_THAT(all_of_kind<Drained>(w.step()), SizeIs(1));
  }
}

TEST(WorkerFinish, SaysGoodbyeLastAndDoesNothingAfter) {
  Worker w(even_plan(2), options(1));
  w.tell(Work{{0}});
  w.step();
  w.tell(Leave{});
  w.step();
  EXPECT_THAT(all_of_kind<Goodbye>(w.tell(Finish{ExitCode::stopped_early})), SizeIs(1));
  EXPECT_EQ(w.state.finished, ExitCode::stopped_early);
  EXPECT_THAT(w.finish(0), IsEmpty());
}

TEST(WorkerDeathTest, CoordinatorsMessagesAndUnknownOutcomesAreBugs) {
  Worker w(even_plan(2), options(1));
  EXPECT_DEATH(w.tell(Drained{}), "coordinator");
  w.runner.running.push_back(1);
  EXPECT_DEATH(w.finish(1), "not running");
}

}  // namespace
}  // namespace moesweep::sweep
