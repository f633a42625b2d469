#pragma once
// What a rank has to compute with, and what a forecast assumes that it has.

#include <cstdint>
#include <string>

#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/sweep/simulate.hpp>

namespace moesweep::capacity {

/// Threads and memory of a rank that has this machine to itself: the CPUs of the affinity mask
/// (resources.threads of the job, if it says), and resources.memory or 80 % of the limit that holds
/// here.
struct RankResources {
  int threads = 1;
  std::int64_t memory_bytes = 0;
  /// What memory_bytes follows from: "80 % of 24.00 MiB (/sys/fs/cgroup/memory.max)"; empty when
  /// resources.memory says it.
  std::string memory_source{};
};
RankResources resources_here(const config::Settings& job);
/// RankResources::memory_source of what machine_from() assumes.
std::string memory_source(const config::Settings* cluster, const config::Settings& job);

/// Seconds a finished unit may wait for its segment: output.flush_seconds, longer on many ranks so
/// that they do not storm the metadata server.
double flush_seconds(const config::Settings& job, int ranks);

/// What a sweep of `job` meets on `ranks` ranks of `threads` threads; 0 threads are those of a task
/// of the cluster. `cluster` may be null: every rank then has a node like this machine, with the
/// default rates.
sweep::Machine machine_from(const config::Settings* cluster, const config::Settings& job, int ranks,
                            int threads);

}  // namespace moesweep::capacity
