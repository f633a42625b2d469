// How a sweep ends, and what progress it shows until then.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/sweep/coordinator_harness.hpp"

namespace moesweep::sweep {
namespace {

using test::Coordinator;
using test::count_of;
using test::even_plan;
using test::even_stage;
using test::finish_codes;
using test::work_for;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CoordinatorEnd, FinishesOnlyWhenAllRanksHaveDrained) {
  Coordinator c(even_plan(1), 2);
  c.hello(0, 1);
  c.hello(1, 1);
  EXPECT_EQ(count_of<Drain>(c.finish(0, 0)), 2U);
  EXPECT_THAT(c.say(0, Drained{}), IsEmpty());
  EXPECT_THAT(finish_codes(c.say(1, Drained{})),
              ElementsAre(ExitCode::complete, ExitCode::complete));
  c.say(0, Goodbye{});
  EXPECT_FALSE(is_over(c.state));
  c.say(1, Goodbye{});
  EXPECT_TRUE(is_over(c.state));
}

TEST(CoordinatorEnd, ASweepWithNothingLeftEndsAtOnce) {
  const auto plan = even_plan(2);
  Coordinator resumed(plan, 1, {plan.unit(0).id, plan.unit(1).id});
  EXPECT_EQ(count_of<Drain>(resumed.hello(0, 1)), 1U);
  EXPECT_THAT(finish_codes(resumed.say(0, Drained{})), ElementsAre(ExitCode::complete));
  Coordinator empty(Plan(), 1);
  empty.hello(0, 1);
  EXPECT_THAT(finish_codes(empty.say(0, Drained{})), ElementsAre(ExitCode::complete));
}

TEST(CoordinatorEnd, RankThatGreetsAfterTheEndBeganIsWaitedFor) {
  Coordinator c(Plan(), 2);
  c.hello(0, 1);
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), IsEmpty());
  c.hello(1, 1);
  EXPECT_THAT(finish_codes(c.say(1, Drained{})),
              ElementsAre(ExitCode::complete, ExitCode::complete));
}

TEST(CoordinatorEnd, FailedUnitsEndWith80) {
  Coordinator c(even_plan(2), 1);
  c.hello(0, 2);
  c.compute(0, 0, /*failed=*/true);
  c.compute(0, 1);
  c.publish(0, {0, 1});
  EXPECT_EQ(c.state.failed, 1);
  EXPECT_EQ(c.state.done, 1);
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), ElementsAre(ExitCode::some_failed));
}

TEST(CoordinatorEnd, DrainStopsHandingOutAndEndsWith75) {
  Coordinator c(even_plan(3), 1);
  c.hello(0, 2);
  EXPECT_EQ(count_of<Drain>(c.say(0, StopRequested{false})), 1U);
  c.say(0, HandedBack{{1}});
  EXPECT_THAT(c.finish(0, 0), IsEmpty());
  EXPECT_EQ(c.state.declined, 0) << "handed back for the stop, not for a deadline";
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), ElementsAre(ExitCode::stopped_early));
}

TEST(CoordinatorEnd, ADrainThatFindsAllDoneIsComplete) {
  Coordinator c(even_plan(1), 1);
  c.hello(0, 1);
  c.say(0, StopRequested{false});
  c.finish(0, 0);
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), ElementsAre(ExitCode::complete));
}

TEST(CoordinatorEnd, LeaveFollowsDrainButDrainNeverFollowsLeave) {
  Coordinator c(even_plan(2), 2);
  c.hello(0, 1);
  c.hello(1, 1);
  c.say(0, StopRequested{false});
  EXPECT_THAT(c.say(1, StopRequested{false}), IsEmpty()) << "one Drain is enough";
  EXPECT_EQ(count_of<Leave>(c.say(1, StopRequested{true})), 2U);
  EXPECT_THAT(c.say(0, StopRequested{false}), IsEmpty());
  EXPECT_THAT(c.say(0, StopRequested{true}), IsEmpty());
}

TEST(CoordinatorEnd, LeaveDoesNotWaitForUnitsThatRun) {
  Coordinator c(even_plan(2), 1);
  c.hello(0, 2);
  c.say(0, StopRequested{true});
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), ElementsAre(ExitCode::stopped_early));
}

TEST(CoordinatorEnd, AnswersToDrainDoNotCountAsAnswersToLeave) {
  Coordinator c(even_plan(2), 2);
  c.hello(0, 1);
  c.hello(1, 1);
  c.say(0, StopRequested{false});
  c.say(0, Drained{});
  c.say(1, StopRequested{true});
  EXPECT_THAT(finish_codes(c.say(1, Drained{})), IsEmpty());
  EXPECT_EQ(finish_codes(c.say(0, Drained{})).size(), 2U);
}

TEST(CoordinatorEnd, ARankThatCannotPublishEndsTheSweepWithItsCode) {
  Coordinator c(even_plan(4), 2);
  c.hello(0, 1);
  c.hello(1, 1);
  EXPECT_EQ(count_of<Leave>(c.say(1, Broken{ExitCode::io_error, "disk full"})), 2U);
  c.say(0, Broken{ExitCode::bug, "too late to matter"});
  c.say(1, Drained{});
  EXPECT_THAT(finish_codes(c.say(0, Drained{})),
              ElementsAre(ExitCode::io_error, ExitCode::io_error));
  EXPECT_EQ(c.state.broken, "disk full");
}

TEST(CoordinatorEnd, BrokenAfterAStopStillNamesTheError) {
  Coordinator c(even_plan(2), 1);
  c.hello(0, 1);
  c.say(0, StopRequested{true});
  c.say(0, Broken{ExitCode::io_error, "disk full"});
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), ElementsAre(ExitCode::io_error));
}

TEST(CoordinatorEnd, DeclinedUnitsEndWith75AndLaterStagesStayClosed) {
  Coordinator c(Plan({even_stage("a", 2), even_stage("b", 1)}), 1);
  c.hello(0, 2);
  c.say(0, HandedBack{{0}});
  const auto sent = c.finish(0, 1);
  EXPECT_THAT(work_for(sent, 0), IsEmpty());
  EXPECT_EQ(count_of<Drain>(sent), 1U);
  EXPECT_THAT(finish_codes(c.say(0, Drained{})), ElementsAre(ExitCode::stopped_early));
}

TEST(CoordinatorEnd, NothingIsSentAfterFinish) {
  Coordinator c(even_plan(1), 2);
  c.hello(0, 1);
  c.hello(1, 1);
  c.finish(0, 0);
  c.say(0, Drained{});
  ASSERT_EQ(finish_codes(c.say(1, Drained{})).size(), 2U);
  EXPECT_THAT(c.say(0, StopRequested{true}), IsEmpty());
  EXPECT_THAT(c.say(1, Drained{}), IsEmpty());
  EXPECT_THAT(c.say(1, Goodbye{}), IsEmpty());
}

TEST(Progress, HasNoEtaBeforeTheFirstUnitAndScalesEstimatesAfter) {
  Coordinator c(even_plan(11, 2.0), 1);
  c.hello(0, 2);
  EXPECT_FALSE(progress(c.state, 1.0).eta_seconds);
  c.say(0, Computed{0, false, 6.0, 0});  // three times the estimate
  const auto shown = progress(c.state, 5.0);
  EXPECT_EQ(shown.total, 11);
  EXPECT_EQ(shown.computed, 1);
  EXPECT_EQ(shown.done, 0);
  EXPECT_EQ(shown.elapsed_seconds, 5.0);
  ASSERT_TRUE(shown.eta_seconds);
  // Ten units of 6 s on two threads, two of them half done; busy for 6 s and twice 3 of 2 x 5.
  EXPECT_NEAR(*shown.eta_seconds, (10 * 6.0 - 6.0) / 2, 0.5);
  EXPECT_LE(*shown.eta_low_seconds, *shown.eta_seconds);
  EXPECT_GE(*shown.eta_high_seconds, *shown.eta_seconds);
}

TEST(Progress, CountsEarlierEpochsAsDone) {
  const auto plan = even_plan(4);
  Coordinator c(plan, 1, {plan.unit(0).id});
  EXPECT_EQ(progress(c.state, 0.0).done, 1);
  EXPECT_EQ(c.state.done_before, 1);
}

}  // namespace
}  // namespace moesweep::sweep
