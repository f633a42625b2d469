#pragma once
// The loop of one rank's main thread: messages, worker, coordinator (rank 0), signals. It sleeps at
// most 1 ms and never computes.

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/comm.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>
#include <moesweep/engine/sweep/plan.hpp>
#include <moesweep/engine/sweep/ports.hpp>
#include <moesweep/engine/sweep/worker.hpp>

namespace moesweep::sweep {

/// What a rank is given.
struct RankInputs {
  const Plan* plan = nullptr;
  WorkerOptions worker;
  std::function<Stop()> stop_requested;  ///< most urgent signal so far; called often
  // Rank 0 only:
  std::unordered_set<UnitId> done;                             ///< published by earlier epochs
  std::unordered_map<UnitId, std::string> failed_without_run;  ///< with the reason
  std::function<void(const CoordinatorState&, double now)>
      observe;  ///< called about ten times a second, and at the end
};

/// How it ended, the same code on every rank.
struct RankResult {
  ExitCode exit_code = ExitCode::stopped_early;
  bool units_still_running = false;  ///< on this rank: it left without waiting for them
  std::string error;                 ///< rank 0: why nothing more could be published
};

RankResult drive(comm::Comm& comm, JobRunner& runner, ResultSink& sink, const RankInputs& inputs);

}  // namespace moesweep::sweep
