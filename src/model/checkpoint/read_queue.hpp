#pragma once
// Threads that read files while others compute.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace moesweep::checkpoint {

/// Reads in the order in which they were started, except that a file never has more than its share
/// of them at once: reads of other files overtake those that wait for it.
class ReadQueue {
 public:
  /// `files` is their number; both limits are >= 1. Threads start when there is something to read.
  ReadQueue(std::size_t files, std::size_t most_threads, std::size_t most_reads_per_file);
  /// Waits for the reads under way; those that did not begin are dropped, and their futures broken.
  ~ReadQueue();
  ReadQueue(const ReadQueue&) = delete;
  ReadQueue& operator=(const ReadQueue&) = delete;

  /// The future holds what `read` throws. std::system_error when there is no thread to read with;
  /// then `read` is never called.
  std::future<void> start(std::size_t file, std::function<void()> read);

 private:
  struct Request {
    std::size_t file = 0;
    std::packaged_task<void()> read;
  };

  void start_thread();
  void serve();
  std::deque<Request>::iterator first_that_may_begin();

  std::size_t most_threads_;
  std::size_t most_reads_per_file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> waiting_;
  std::vector<std::size_t> reads_of_file_;
  std::size_t idle_threads_ = 0;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace moesweep::checkpoint
