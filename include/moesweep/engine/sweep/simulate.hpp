#pragma once
// A sweep on a virtual cluster: the production coordinator and workers over a virtual clock. What
// is modelled is what surrounds them: messages take `latency_seconds`, units read and compute,
// storage has a bandwidth per node and in total, publishing takes time.
//
// A unit alternates between reading a block and computing its share, like the streams of the real
// kernels. Blocks pass two servers in the order in which they were asked for, the node's and the
// file system's; with every thread waiting for at most one block, that shares both fairly. Rank 0
// handles one message at a time.

#include <cstdint>
#include <optional>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::sweep {

struct Machine {
  int ranks = 1;
  int ranks_per_node = 1;
  int threads = 1;                ///< of a rank, each with a core of its own
  std::int64_t memory_bytes = 0;  ///< of a rank
  double node_bytes_per_second = 1e9;
  double total_bytes_per_second = 1e9;
  /// The reading speed inside the plan's `seconds_estimate`; the rest of an estimate is computing.
  double estimate_bytes_per_second = 1e9;
  double latency_seconds = 1e-3;      ///< of a message, the receiver's sleep included
  double seconds_per_message = 5e-6;  ///< of rank 0, for each that it receives
  double flush_seconds = 20.0;        ///< longest time a finished unit waits for its segment
  double publish_seconds = 0.05;      ///< of a segment: encoding, fsync, rename
  std::int64_t read_block_bytes = std::int64_t{8} << 20;
};

struct Forecast {
  ExitCode exit_code = ExitCode::complete;
  double makespan_seconds = 0.0;     ///< until the last rank says goodbye
  double lower_bound_seconds = 0.0;  ///< the largest of the next three
  double work_seconds = 0.0;         ///< work / cores
  double storage_seconds = 0.0;      ///< bytes / bandwidth
  double longest_seconds = 0.0;      ///< of one unit that has its node to itself
  std::optional<UnitIndex> longest_unit;
  double utilisation = 0.0;     ///< share of cores x makespan in which a unit computes
  std::int64_t peak_bytes = 0;  ///< of the rank that held most: sum of peak_bytes of its units
  std::int64_t file_opens = 0;  ///< each rank opens a file once
  std::int64_t messages = 0;    ///< received by rank 0
  std::int64_t segments = 0;

  double efficiency() const {
    return makespan_seconds > 0.0 ? lower_bound_seconds / makespan_seconds : 1.0;
  }
};

/// No ranks and no threads, bandwidths that are not positive and negative times are bugs. Equal
/// arguments give equal forecasts.
Forecast simulate(const Plan& plan, const Machine& machine);

/// The three bounds that no schedule beats, without simulating.
Forecast bounds(const Plan& plan, const Machine& machine);

}  // namespace moesweep::sweep
