#include "read_queue.hpp"

#include <algorithm>
#include <system_error>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/signal_stack.hpp>

namespace moesweep::checkpoint {

ReadQueue::ReadQueue(std::size_t files, std::size_t most_threads, std::size_t most_reads_per_file)
    : most_threads_(most_threads),
      most_reads_per_file_(most_reads_per_file),
      reads_of_file_(files, 0) {
  expect(most_threads >= 1 && most_reads_per_file >= 1, "a read queue that never reads");
}

ReadQueue::~ReadQueue() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

std::future<void> ReadQueue::start(std::size_t file, std::function<void()> read) {
  Request request{file, std::packaged_task<void()>(std::move(read))};
  auto done = request.read.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (idle_threads_ <= waiting_.size() && threads_.size() < most_threads_) start_thread();
    waiting_.push_back(std::move(request));
  }
  changed_.notify_one();
  return done;
}

// Before the request is taken: a caller whose request is refused frees the buffer. Those that there
// are do the work of one that the system refuses.
void ReadQueue::start_thread() {
  try {
    threads_.emplace_back(on_own_signal_stack([this] { serve(); }));
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;
  }
}

std::deque<ReadQueue::Request>::iterator ReadQueue::first_that_may_begin() {
  return std::find_if(waiting_.begin(), waiting_.end(), [this](const Request& request) {
    return reads_of_file_[request.file] < most_reads_per_file_;
  });
}

void ReadQueue::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_threads_;
    changed_.wait(lock, [this] { return ends_ || first_that_may_begin() != waiting_.end(); });
    --idle_threads_;
    if (ends_) return;
    const auto next = first_that_may_begin();
    auto request = std::move(*next);
    waiting_.erase(next);
    ++reads_of_file_[request.file];
    lock.unlock();
    request.read();
    lock.lock();
    --reads_of_file_[request.file];
    // Another request may have waited for this file.
    changed_.notify_one();
  }
}

}  // namespace moesweep::checkpoint
