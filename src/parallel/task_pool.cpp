#include <new>
#include <stdexcept>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/task_scheduler_observer.h>
#include <sched.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/base/signal_stack.hpp>
#include <moesweep/parallel/task_pool.hpp>

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
  int threads;
  tbb::global_control limit;
  tbb::task_arena arena;
  SignalStacks signal_stacks;
  tbb::task_group group;
};

TaskPool::TaskPool(int threads) {
  expect(threads >= 1, "a task pool needs a thread");
  state_ = std::make_unique<State>(threads);
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
    throw Error(ExitCode::io_error, "threads", refused.what(),
                "lower resources.threads or raise the limit of processes (ulimit -u)");
  }
}

int available_cpus() {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return CPU_COUNT(&mask);
}

}  // namespace moesweep::parallel
