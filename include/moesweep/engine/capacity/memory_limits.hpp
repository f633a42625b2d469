#pragma once
// How much memory the system lets this process use, and who says so.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace moesweep::capacity {

struct MemoryLimit {
  std::int64_t bytes = 0;
  std::string source;  ///< "/sys/fs/cgroup/memory.max", "SLURM_MEM_PER_NODE", "physical memory"
  /// All processes of a host for which this text is the same share the limit.
  std::string scope;
};

/// Value of an environment variable, nothing when it is not set.
using Variables = std::function<std::optional<std::string>(const char*)>;
Variables environment();

/// Limits of control groups: of the own group and its ancestors as far as they are mounted, with
/// version 2 (memory.max, memory.high) and version 1 of the memory controller
/// (memory.limit_in_bytes, hierarchical_memory_limit), also when both are mounted. Where the own
/// group is not below what is mounted (a container without a namespace of groups) the mounted root
/// counts. `root` is the folder that stands for "/", so that tests can have files of their own.
std::vector<MemoryLimit> cgroup_limits(const std::filesystem::path& root = "/");

/// SLURM_MEM_PER_NODE, and SLURM_MEM_PER_CPU times the CPUs that the job has on this node:
/// SLURM_CPUS_ON_NODE, else this node's entry of SLURM_JOB_CPUS_PER_NODE, else SLURM_CPUS_PER_TASK
/// times the tasks of this node, else `cpus_here`. Mebibytes unless they have a unit; 0 is all of
/// the node's memory (srun(1), sbatch(1)).
std::vector<MemoryLimit> slurm_limits(const Variables& variables, int cpus_here);

/// Of all of the above and physical memory.
std::vector<MemoryLimit> memory_limits();

/// What one rank may use.
struct MemoryShare {
  std::int64_t bytes = 0;  ///< 80 % of its part of the limit that leaves it the least
  std::string source;      ///< "80 % of 24.00 MiB (/sys/fs/cgroup/memory.max), shared by 2 ranks"
};

/// Different scopes of the limits, sorted.
std::vector<std::string> scopes_of(std::span<const MemoryLimit> limits);

/// Each limit is divided by the number of ranks that have its scope. `scopes` are the scopes_of()
/// all ranks of this host, one after the other, this one's included.
MemoryShare share_of(std::span<const MemoryLimit> limits, std::span<const std::string> scopes);

}  // namespace moesweep::capacity
