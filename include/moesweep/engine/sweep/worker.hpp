#pragma once
// The worker: free functions over a plain state and three ports. Every rank runs one on its main
// thread, rank 0 too.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include <moesweep/engine/comm/comm.hpp>
#include <moesweep/engine/sweep/plan.hpp>
#include <moesweep/engine/sweep/ports.hpp>
#include <moesweep/engine/sweep/protocol.hpp>

namespace moesweep::sweep {

struct WorkerOptions {
  std::int32_t threads = 1;
  std::int64_t memory_bytes =
      0;  ///< sum of peak_bytes of the units that run at once never exceeds this
  std::string host;
  std::optional<double> deadline;         ///< Unix time, s: no unit starts that would end after it
  double deadline_margin_seconds = 60.0;  ///< kept free before the deadline for publishing
};

struct WorkerState {
  const Plan* plan = nullptr;
  WorkerOptions options;
  std::deque<UnitIndex> queue;                          ///< assigned, not started
  std::unordered_map<UnitIndex, std::int64_t> running;  ///< their peak_bytes
  std::int64_t bytes_running = 0;
  std::int64_t unpublished = 0;  ///< put into the sink, not yet durable
  std::int64_t unflushed = 0;    ///< put into the sink since the last flush that we asked for
  std::optional<UnitIndex> short_of_memory;  ///< first unit that does not fit beside what runs
  std::int64_t overtaken = 0;                ///< units that started while it waited
  double measured_seconds = 0.0;             ///< of units computed here, for the deadline
  double estimated_seconds = 0.0;
  bool queue_empty = false;  ///< the coordinator has nothing more in this stage
  bool draining = false;
  bool leaving = false;
  bool drained_sent = false;
  bool broken = false;  ///< the sink could not publish: nothing is waited for any more
  std::optional<ExitCode> finished;
};

/// Greets the coordinator.
WorkerState start_worker(const Plan& plan, WorkerOptions options, comm::Comm& comm);

/// One message of the coordinator.
void on_message(WorkerState& state, comm::Comm& comm, const Message& message);

/// Starts what fits, reports what was computed or published. `unix_now` is compared with the
/// deadline. Returns whether anything happened, so that the caller knows when it may sleep. A sink
/// that cannot publish ends the sweep (Broken), and so does a unit that failed for the system's
/// sake.
bool step(WorkerState& state, comm::Comm& comm, JobRunner& runner, ResultSink& sink,
          double unix_now);

/// Puts a failure into the sink without running the unit: a unit that ended the process twice must
/// not do so a third time.
void report_failed(WorkerState& state, comm::Comm& comm, ResultSink& sink, UnitIndex unit,
                   std::string error);

}  // namespace moesweep::sweep
