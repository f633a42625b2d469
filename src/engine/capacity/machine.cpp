#include <algorithm>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/capacity/machine.hpp>
#include <moesweep/engine/capacity/rates.hpp>
#include <moesweep/engine/capacity/resources.hpp>

namespace moesweep::capacity {
namespace {

// A rank publishes at most this often, so that 1,024 ranks do not storm the metadata server.
constexpr double flush_seconds_per_rank = 0.25;

}  // namespace

double flush_seconds(const config::Settings& job, int ranks) {
  return std::max(job.number("output.flush_seconds"), flush_seconds_per_rank * ranks);
}

RankResources resources_here(const config::Settings& job) {
  RankResources here;
  const auto threads = job.integer("resources.threads");
  here.threads = threads > 0 ? checked_cast<int>(threads) : parallel::available_cpus();
  here.memory_bytes = job.integer("resources.memory");
  if (here.memory_bytes > 0) return here;
  const auto usable = usable_memory();
  here.memory_bytes = usable.bytes;
  here.memory_source = usable.source;
  return here;
}

std::string memory_source(const config::Settings* cluster, const config::Settings& job) {
  if (job.integer("resources.memory") > 0) return {};
  return cluster == nullptr ? resources_here(job).memory_source
                            : "80 % of memory_per_task of the cluster profile";
}

sweep::Machine machine_from(const config::Settings* cluster, const config::Settings& job, int ranks,
                            int threads) {
  const auto here = resources_here(job);
  const auto rates = cluster == nullptr ? Rates{} : rates_from(*cluster);
  sweep::Machine machine;
  machine.ranks = ranks;
  machine.threads = threads > 0 ? threads : here.threads;
  machine.memory_bytes = here.memory_bytes;
  machine.flush_seconds = flush_seconds(job, ranks);
  machine.node_bytes_per_second = rates.read_bytes_per_second_node;
  machine.total_bytes_per_second = rates.read_bytes_per_second_total;
  machine.estimate_bytes_per_second = rates.read_bytes_per_second_node;
  machine.latency_seconds = rates.message_latency_seconds;
  machine.publish_seconds = rates.publish_seconds;
  if (cluster == nullptr) return machine;
  machine.ranks_per_node = checked_cast<int>(cluster->integer("tasks_per_node"));
  if (threads == 0 && job.integer("resources.threads") == 0) {
    machine.threads = checked_cast<int>(cluster->integer("cpus_per_task"));
  }
  // As a rank would: 80 % of what it is given.
  if (job.integer("resources.memory") == 0) {
    machine.memory_bytes = cluster->integer("memory_per_task") / 10 * 8;
  }
  return machine;
}

}  // namespace moesweep::capacity
