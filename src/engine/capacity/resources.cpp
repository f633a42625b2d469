#include <algorithm>
#include <cstdlib>
#include <vector>

#include <nlohmann/json.hpp>
#include <sched.h>
#include <unistd.h>

#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/capacity/resources.hpp>

namespace moesweep::capacity {
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

MemoryShare usable_memory() {
  const auto limits = memory_limits();
  return share_of(limits, scopes_of(limits));
}

MemoryShare fair_memory(comm::Session& session) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const auto limits = memory_limits();
  const json mine = {{"host", host}, {"scopes", scopes_of(limits)}};
  const auto dump = [](const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  };
  const auto all = json::parse(session.share(dump(json(session.gather(dump(mine))))));
  std::vector<std::string> scopes;
  for (const auto& text : all) {
    const auto rank = json::parse(text.get<std::string>());
    if (rank.at("host") != mine.at("host")) continue;
    for (const auto& scope : rank.at("scopes")) scopes.push_back(scope.get<std::string>());
  }
  return share_of(limits, scopes);
}

}  // namespace moesweep::capacity
