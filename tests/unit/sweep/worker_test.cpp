// What a worker starts and what it reports.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/sweep/worker_harness.hpp"

namespace moesweep::sweep {
namespace {

using test::all_of_kind;
using test::even_plan;
using test::even_stage;
using test::unit;
using test::Worker;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

WorkerOptions options(int threads, std::int64_t memory_bytes) {
  return {threads, memory_bytes, "node7", std::nullopt, 60.0};
}

Plan plan_of_sizes(const std::vector<std::int64_t>& peak_bytes) {
  Stage stage{"s", {}};
  for (std::size_t i = 0; i < peak_bytes.size(); ++i) {
    stage.units.push_back(unit(std::to_string(i), 1.0, {}, peak_bytes[i]));
  }
  return Plan({stage});
}

TEST(Worker, GreetsWithThreadsAndHost) {
  Worker w(even_plan(1), options(3, 100));
  ASSERT_EQ(w.greeting.size(), 1U);
  const auto hello = std::get<Hello>(w.greeting.front());
  EXPECT_EQ(hello.threads, 3);
  EXPECT_EQ(hello.host, "node7");
}

TEST(Worker, StartsInTheOrderGivenAndNoMoreThanThreads) {
  Worker w(even_plan(4), options(2, 100));
  w.tell(Work{{2, 0, 3, 1}});
  w.step();
  EXPECT_THAT(w.runner.started, ElementsAre(2U, 0U));
  w.finish(0);
  EXPECT_THAT(w.runner.started, ElementsAre(2U, 0U, 3U));
}

TEST(Worker, UnitsThatRunTogetherNeverExceedTheMemory) {
  Worker w(plan_of_sizes({60, 30, 20, 10, 50, 40}), options(8, 100));
  w.tell(Work{{0, 1, 2, 3, 4, 5}});
  std::size_t most_at_once = 0;
  for (w.step(); !w.runner.running.empty(); w.finish(w.runner.running.front())) {
    std::int64_t bytes = 0;
    for (const auto running : w.runner.running) bytes += w.plan.unit(running).cost.peak_bytes;
    EXPECT_LE(bytes, 100);
    EXPECT_EQ(bytes, w.state.bytes_running);
    most_at_once = std::max(most_at_once, w.runner.running.size());
  }
  EXPECT_EQ(w.runner.started.size(), 6U);
  EXPECT_GE(most_at_once, 3U);
  EXPECT_EQ(w.state.bytes_running, 0);
}

TEST(Worker, ASmallerUnitMayPassOneThatDoesNotFitNow) {
  Worker w(plan_of_sizes({80, 50, 10}), options(4, 100));
  w.tell(Work{{0, 1, 2}});
  w.step();
  EXPECT_THAT(w.runner.started, ElementsAre(0U, 2U));
  w.finish(0);
  EXPECT_THAT(w.runner.started, ElementsAre(0U, 2U, 1U));
}

TEST(Worker, AUnitAboveTheMemoryStillRunsAlone) {
  Worker w(plan_of_sizes({500, 10}), options(4, 100));
  w.tell(Work{{0, 1}});
  w.step();
  EXPECT_THAT(w.runner.running, ElementsAre(0U));
  w.finish(0);
  EXPECT_THAT(w.runner.running, ElementsAre(1U));
}

TEST(Worker, SmallUnitsCannotKeepALargeOneWaitingForEver) {
  std::vector<std::int64_t> sizes(200, 10);
  sizes[1] = 95;
  Worker w(plan_of_sizes(sizes), options(2, 100));
  std::vector<UnitIndex> all(sizes.size());
  for (UnitIndex i = 0; i < all.size(); ++i) all[i] = i;
  w.tell(Work{all});
  w.step();
  // Finishing the older of two leaves the younger running, so memory for the large one never falls
  // free by itself.
  while (w.state.queue.size() > 100 && w.runner.running.front() != 1) {
    w.finish(w.runner.running.front());
  }
  EXPECT_THAT(w.runner.running, ElementsAre(1U));
}

TEST(Worker, ReportsComputedAtOnceAndDurableWhenPublished) {
  Worker w(even_plan(1), options(1, 100));
  w.tell(Work{{0}});
  w.step();
  const auto computed = all_of_kind<Computed>(w.finish(0));
  ASSERT_EQ(computed.size(), 1U);
  EXPECT_FALSE(computed[0].failed);
  EXPECT_EQ(computed[0].bytes_read, 10);
  EXPECT_THAT(w.step(), IsEmpty());
  w.sink.publish_waiting();
  const auto durable = all_of_kind<Durable>(w.step());
  ASSERT_EQ(durable.size(), 1U);
  EXPECT_THAT(durable[0].units, ElementsAre(0U));
}

TEST(Worker, AUnitThatThrowsIsReportedFailedAndPublishedLikeTheOthers) {
  Worker w(even_plan(1), options(1, 100));
  w.tell(Work{{0}});
  w.step();
  const auto computed = all_of_kind<Computed>(w.finish(0, "tensor holds NaN"));
  ASSERT_EQ(computed.size(), 1U);
  EXPECT_TRUE(computed[0].failed);
  EXPECT_THAT(w.sink.waiting, ElementsAre(0U));
}

TEST(Worker, FailureWithoutRunIsPublishedToo) {
  Worker w(even_plan(1), options(1, 100));
  report_failed(w.state, w.comm, w.sink, 0, "ended the process twice");
  EXPECT_TRUE(all_of_kind<Computed>(w.take_sent()).at(0).failed);
  EXPECT_THAT(w.runner.started, IsEmpty());
  w.tell(QueueEmpty{});
  w.step();
  EXPECT_EQ(w.sink.flushes, 1);
}

TEST(Worker, FlushesAtOnceWhenIdleAfterQueueEmptyAndNotBefore) {
  Worker w(even_plan(2), options(2, 100));
  w.tell(Work{{0, 1}});
  w.step();
  w.finish(0);
  w.tell(QueueEmpty{});
  w.step();
  EXPECT_EQ(w.sink.flushes, 0) << "unit 1 still runs";
  w.finish(1);
  EXPECT_EQ(w.sink.flushes, 1);
  w.step();
  EXPECT_EQ(w.sink.flushes, 1) << "nothing new to flush";
}

TEST(Worker, DoesNotFlushWhileMoreWorkMayCome) {
  Worker w(even_plan(2), options(1, 100));
  w.tell(Work{{0}});
  w.step();
  w.finish(0);
  EXPECT_EQ(w.sink.flushes, 0);
  w.tell(QueueEmpty{});
  w.tell(Work{{1}});  // of the next stage
  w.step();
  EXPECT_EQ(w.sink.flushes, 0);
}

TEST(Worker, SleepsWhenNothingHappens) {
  Worker w(even_plan(1), options(1, 100));
  EXPECT_FALSE(step(w.state, w.comm, w.runner, w.sink, w.unix_now));
  w.tell(Work{{0}});
  EXPECT_TRUE(step(w.state, w.comm, w.runner, w.sink, w.unix_now));
  EXPECT_FALSE(step(w.state, w.comm, w.runner, w.sink, w.unix_now));
}

}  // namespace
}  // namespace moesweep::sweep
