#include <atomic>
#include <barrier>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include <moesweep/core/parallel/task_pool.hpp>

namespace moesweep::parallel {
namespace {

TEST(TaskPool, RunsEveryTaskBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    TaskPool pool(2);
    for (int i = 0; i < 1000; ++i) pool.start([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(TaskPool, RunsAsManyTasksAtOnceAsItHasThreadsAndNoneOnTheCaller) {
  constexpr int threads = 3;
  std::barrier meeting(threads);  // passes only when `threads` tasks are inside at the same time
  std::mutex mutex;
  std::set<std::thread::id> seen;
  {
    TaskPool pool(threads);
    for (int i = 0; i < threads; ++i) {
      pool.start([&] {
        meeting.arrive_and_wait();
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
      });
    }
    while (true) {
      const std::lock_guard lock(mutex);
      if (seen.size() == threads) break;
    }
  }
  EXPECT_EQ(seen.count(std::this_thread::get_id()), 0U);
}

TEST(AvailableCpus, IsAtLeastOne) {
  EXPECT_GE(available_cpus(), 1);
}

}  // namespace
}  // namespace moesweep::parallel
