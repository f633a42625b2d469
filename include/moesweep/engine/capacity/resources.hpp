#pragma once
// What one rank may use.

#include <cstdint>
#include <string>

#include <moesweep/engine/capacity/memory_limits.hpp>
#include <moesweep/engine/comm/session.hpp>

namespace moesweep::capacity {

/// CPUs for this rank: its affinity mask, shared fairly with the ranks of the same host that have
/// the same mask.
int fair_threads(comm::Session& session);

/// What one rank may use that has the machine to itself.
MemoryShare usable_memory();

/// What this rank may use; limits are shared with the other ranks of the host that they hold.
MemoryShare fair_memory(comm::Session& session);

std::string host_name();

}  // namespace moesweep::capacity
