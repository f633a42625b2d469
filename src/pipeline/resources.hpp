#pragma once
// What one rank may use.

#include <cstdint>
#include <string>

#include <moesweep/comm/session.hpp>

namespace moesweep::pipeline {

/// CPUs for this rank: its affinity mask, shared fairly with the ranks of the same host that have
/// the same mask.
int fair_threads(comm::Session& session);

/// 80 % of the smallest limit that holds here: cgroup v2 or v1, SLURM_MEM_PER_NODE, physical
/// memory.
std::int64_t usable_memory();

/// The same, shared among the ranks of the host.
std::int64_t fair_memory(comm::Session& session);

std::string host_name();

}  // namespace moesweep::pipeline
