#pragma once
// The coordinator: free functions over a plain state and the transport port. Rank 0 runs it on its
// main thread.
//
// A unit goes waiting -> assigned -> computed -> done, or -> failed. Longest expected unit first,
// neighbours in a file together; a worker's share shrinks towards the end (guided self-scheduling:
// Polychronopoulos and Kuck, IEEE Trans. Comput. 1987).

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/comm.hpp>
#include <moesweep/engine/sweep/cost_model.hpp>
#include <moesweep/engine/sweep/plan.hpp>
#include <moesweep/engine/sweep/protocol.hpp>

namespace moesweep::sweep {

enum class UnitState : std::uint8_t { waiting, assigned, computed, computed_failed, done, failed };

/// How a sweep ends before all is done, from mildest to most urgent.
enum class Stop : std::uint8_t { none, drain, leave };

struct RankState {
  bool greeted = false;
  bool drained = false;
  bool gone = false;
  std::int32_t threads = 0;
  std::string host;
  std::int64_t units_outstanding = 0;  ///< assigned, not computed
  double seconds_outstanding = 0.0;    ///< their estimates
  double last_durable = 0.0;           ///< clock of the last Durable, 0 for none
};

struct CoordinatorState {
  const Plan* plan = nullptr;
  std::vector<UnitState> units;
  std::vector<RankState> ranks;
  std::size_t stage = 0;
  std::vector<UnitIndex> queue;  ///< of the current stage, in the order to be handed out
  std::size_t queue_next = 0;
  double queue_seconds = 0.0;  ///< estimates from queue_next on
  double useful_threads =
      0.0;  ///< of all ranks together, in this stage: more do not end it earlier
  std::int64_t stage_open = 0;  ///< units of the stage that are neither done, failed nor declined
  bool queue_empty_sent = false;
  Stop stop = Stop::none;
  bool finish_sent = false;
  ExitCode exit_code = ExitCode::stopped_early;
  std::string broken;         ///< first error of a rank that could not publish
  std::int64_t computed = 0;  ///< computed, not yet on disk
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t declined = 0;     ///< handed back because they no longer fit before the deadline
  std::int64_t done_before = 0;  ///< done by earlier epochs
  std::int64_t bytes_read = 0;
  CostModel costs;
  double started = 0.0;
};

/// `done` are units that earlier epochs published. Units in `failed_by_rank0` are not handed out:
/// rank 0 itself reports them as failed (see worker.hpp, report_failed).
CoordinatorState start(const Plan& plan, int ranks, const std::unordered_set<UnitId>& done,
                       const std::unordered_set<UnitId>& failed_by_rank0, double now);

/// One message of a worker. Sends work, stage ends and the end of the sweep as they become due.
void on_message(CoordinatorState& state, comm::Comm& comm, Rank from, const Message& message);

/// A signal that arrived at rank 0, or the coordinator's own reason to stop. Never takes back a
/// more urgent stop.
void request_stop(CoordinatorState& state, comm::Comm& comm, Stop stop);

/// All ranks have said goodbye.
bool is_over(const CoordinatorState& state);

/// What progress lines and `status` show.
struct Progress {
  std::int64_t total = 0;
  std::int64_t done = 0;  ///< on disk, earlier epochs included
  std::int64_t failed = 0;
  std::int64_t computed = 0;          ///< computed, not yet on disk
  double elapsed_seconds = 0.0;       ///< of this epoch
  std::optional<double> eta_seconds;  ///< none before the first unit is computed
  std::optional<double>
      eta_low_seconds;  ///< 90 % interval: scatter of measured units, and threads idle at the end
  std::optional<double> eta_high_seconds;
};
Progress progress(const CoordinatorState& state, double now);

}  // namespace moesweep::sweep
