#include "read_queue.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace moesweep::checkpoint {
namespace {

TEST(ReadQueue, GivesWhatAReadThrows) {
  ReadQueue queue(1, 2, 2);
  auto good = queue.start(0, [] {});
  auto bad = queue.start(0, [] { throw std::runtime_error("disk gone"); });
  EXPECT_NO_THROW(good.get());
  EXPECT_THROW(bad.get(), std::runtime_error);
}

// Without one a stack overflow in a reading thread ends the program without a word.
TEST(ReadQueue, ReadsHaveASignalStack) {
  ReadQueue queue(1, 1, 1);
  stack_t stack{};
  queue.start(0, [&] { ::sigaltstack(nullptr, &stack); }).get();
  EXPECT_EQ(stack.ss_flags & SS_DISABLE, 0);
  EXPECT_GT(stack.ss_size, 0U);
}

TEST(ReadQueue, NeverHasMoreReadsOfAFileThanItsShare) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  ReadQueue queue(1, 8, 2);
  std::vector<std::future<void>> reads;
  for (int i = 0; i < 200; ++i) {
    reads.push_back(queue.start(0, [&] {
      const int now = ++at_once;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::yield();
      --at_once;
    }));
  }
  for (auto& read : reads) read.get();
  EXPECT_LE(most, 2);
}

TEST(ReadQueue, ReadsOfAnotherFileOvertakeThoseThatWaitForTheirShare) {
  ReadQueue queue(2, 2, 1);
  std::latch other_file_was_read(1);
  auto first = queue.start(0, [&] { other_file_was_read.wait(); });
  auto waits = queue.start(0, [] {});
  auto other = queue.start(1, [&] { other_file_was_read.count_down(); });
  other.get();
  first.get();
  waits.get();
}

TEST(ReadQueue, ReadsOfOneFileBeginInOrder) {
  std::vector<int> order;
  ReadQueue queue(1, 4, 1);
  std::vector<std::future<void>> reads;
  for (int i = 0; i < 100; ++i)
    reads.push_back(queue.start(0, [&order, i] { order.push_back(i); }));
  for (auto& read : reads) read.get();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(order.size(), 100U);
}

TEST(ReadQueue, EndWaitsForTheReadUnderWayAndDropsTheRest) {
  std::atomic<bool> ended = false;
  std::atomic<bool> ran_late = false;
  std::future<void> dropped;
  {
    std::latch began(1);
    ReadQueue queue(1, 1, 1);
    queue.start(0, [&] {
      began.count_down();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ended = true;
    });
    began.wait();
    dropped = queue.start(0, [&] { ran_late = true; });
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(ran_late);
  EXPECT_THROW(dropped.get(), std::future_error);
}

}  // namespace
}  // namespace moesweep::checkpoint
