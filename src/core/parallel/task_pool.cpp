#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/task_scheduler_observer.h>
#include <sched.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/signal_stack.hpp>
#include <moesweep/core/parallel/task_pool.hpp>

namespace moesweep::parallel {
namespace {

/// A stack overflow in a worker is told as it is in the main thread.
class SignalStacks : public tbb::task_scheduler_observer {
 public:
  explicit SignalStacks(tbb::task_arena& arena) : tbb::task_scheduler_observer(arena) {
    observe(true);
  }
  ~SignalStacks() override { observe(false); }
  void on_scheduler_entry(bool is_worker) override {
    if (is_worker) use_signal_stack();
  }
};

}  // namespace

// TBB counts the caller among its threads: one more is needed for `threads` workers beside it.
struct TaskPool::State {
  explicit State(int thread_count)
      : threads(thread_count),
        limit(tbb::global_control::max_allowed_parallelism, checked_cast<std::size_t>(threads + 1)),
        arena(threads, /*reserved_for_masters=*/0),
        signal_stacks(arena) {}
  void start_workers();
  int threads;
  tbb::global_control limit;
  tbb::task_arena arena;
  SignalStacks signal_stacks;
  tbb::task_group group;
};

namespace {

// TBB starts a thread when there is work for it, and ends the program where the system has none.
// Asked for beforehand, a refusal is an exception that can be told.
void require_threads(int count) {
  std::atomic<bool> all_started = false;
  std::vector<std::thread> threads;
  const auto end = [&] {
    all_started = true;
    all_started.notify_all();
    for (auto& thread : threads) thread.join();
  };
  try {
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&all_started] {
        // The allocator reserves address space for each thread that allocates, and keeps it: it
        // must not be what TBB's threads lack later, who end the program then.
        ::operator delete(::operator new(1));
        all_started.wait(false);
      });
    }
  } catch (const std::system_error& refused) {
    const auto error = system_error_of(refused);  // before the others give their memory back
    end();
    throw error;
  }
  end();
}

}  // namespace

// Has TBB start its threads now, while the system is known to have them: later ones of readers are
// refused where that is told. Each keeps its task until all are there; a pool that other limits
// make smaller does not wait for ever.
void TaskPool::State::start_workers() {
  constexpr auto longest_wait = std::chrono::milliseconds(100);
  std::mutex mutex;
  std::condition_variable arrival;
  int arrived = 0;
  for (int i = 0; i < threads; ++i) {
    arena.enqueue(group.defer([&] {
      std::unique_lock lock(mutex);
      ++arrived;
      arrival.notify_all();
      arrival.wait_for(lock, longest_wait, [&] { return arrived == threads; });
    }));
  }
  arena.execute([this] { group.wait(); });
}

TaskPool::TaskPool(int threads) {
  expect(threads >= 1, "a task pool needs a thread");
  require_threads(threads);
  state_ = std::make_unique<State>(threads);
  state_->start_workers();
}

TaskPool::~TaskPool() {
  state_->arena.execute([this] { state_->group.wait(); });
}

int TaskPool::threads() const {
  return state_->threads;
}

void TaskPool::start(std::function<void()> task) {
  try {
    state_->arena.enqueue(state_->group.defer(std::move(task)));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::runtime_error& refused) {  // TBB's own word for a thread it cannot start
    throw Error(ExitCode::io_error, "threads", refused.what(), remedy_for_threads());
  }
}

int available_cpus() {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return CPU_COUNT(&mask);
}

}  // namespace moesweep::parallel
