#include "resources.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>
#include <sched.h>
#include <unistd.h>

#include <moesweep/parallel/task_pool.hpp>

namespace moesweep::pipeline {
namespace {

using nlohmann::json;

std::string affinity_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  ::sched_getaffinity(0, sizeof mask, &mask);
  std::string text;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) text += std::to_string(cpu) + ' ';
  }
  return text;
}

// How many ranks, this one included, gave the same text.
int ranks_like_this(comm::Session& session, const std::string& text) {
  const auto all = json::parse(session.share(json(session.gather(text)).dump()));
  return static_cast<int>(std::count(all.begin(), all.end(), json(text)));
}

// A number in a file of one line; "max" and a missing file are no limit.
std::int64_t limit_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t bytes = 0;
  return file >> bytes ? bytes : std::numeric_limits<std::int64_t>::max();
}

// cgroup v2: the strictest of this group and its parents.
std::int64_t cgroup_limit() {
  auto limit = limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    for (std::string group = line.substr(3); group.size() > 1; group.resize(group.rfind('/'))) {
      limit = std::min(limit, limit_in("/sys/fs/cgroup" + group + "/memory.max"));
    }
  }
  return limit;
}

std::int64_t slurm_limit() {
  const char* mebibytes = std::getenv("SLURM_MEM_PER_NODE");
  const auto count = mebibytes == nullptr ? 0 : std::strtoll(mebibytes, nullptr, 10);
  return count > 0 ? count << 20 : std::numeric_limits<std::int64_t>::max();
}

std::int64_t physical_memory() {
  return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  // Several Slurm nodes may be one host (tests); their names differ.
  const char* node = std::getenv("SLURMD_NODENAME");
  return node != nullptr ? node : name;
}

int fair_threads(comm::Session& session) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const int sharing = ranks_like_this(session, std::string(host) + ": " + affinity_mask());
  return std::max(1, parallel::available_cpus() / sharing);
}

std::int64_t usable_memory() {
  return std::min({cgroup_limit(), slurm_limit(), physical_memory()}) / 10 * 8;
}

std::int64_t fair_memory(comm::Session& session) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return usable_memory() / ranks_like_this(session, host);
}

}  // namespace moesweep::pipeline
