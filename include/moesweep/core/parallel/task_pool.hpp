#pragma once
// A TBB arena that runs independent tasks. The calling thread never computes: it talks MPI.

#include <functional>
#include <memory>

namespace moesweep::parallel {

class TaskPool {
 public:
  /// `threads` >= 1 workers. std::system_error when the system refuses so many threads.
  explicit TaskPool(int threads);
  /// Waits for the tasks that were started.
  ~TaskPool();
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  int threads() const;
  /// Runs `task` on a worker thread, in no particular order. It must not throw.
  void start(std::function<void()> task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CPUs that the affinity mask lets this process use.
int available_cpus();

}  // namespace moesweep::parallel
