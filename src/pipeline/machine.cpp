#include <algorithm>

#include <moesweep/base/cast.hpp>
#include <moesweep/pipeline/job.hpp>

namespace moesweep::pipeline {
namespace {

// A rank publishes at most this often, so that 1,024 ranks do not storm the metadata server.
constexpr double flush_seconds_per_rank = 0.25;
// Without a profile, memory limits nothing.
constexpr std::int64_t unknown_memory_bytes = std::int64_t{1} << 60;

}  // namespace

double flush_seconds(const config::Settings& job, int ranks) {
  return std::max(job.number("output.flush_seconds"), flush_seconds_per_rank * ranks);
}

sweep::Machine machine_from(const config::Settings* cluster, const config::Settings& job, int ranks,
                            int threads) {
  sweep::Machine machine;
  machine.ranks = ranks;
  machine.threads = std::max(threads, 1);
  machine.memory_bytes = job.integer("resources.memory");
  machine.flush_seconds = flush_seconds(job, ranks);
  if (cluster == nullptr) {
    const Rates guesses;
    if (machine.memory_bytes == 0) machine.memory_bytes = unknown_memory_bytes;
    machine.node_bytes_per_second = guesses.read_bytes_per_second;
    machine.total_bytes_per_second = guesses.read_bytes_per_second;
    machine.estimate_bytes_per_second = guesses.read_bytes_per_second;
    return machine;
  }
  machine.ranks_per_node = checked_cast<int>(cluster->integer("tasks_per_node"));
  if (threads == 0) machine.threads = checked_cast<int>(cluster->integer("cpus_per_task"));
  // As a rank would: 80 % of what it is given.
  const auto memory = cluster->integer("memory_per_task") / 10 * 8;
  if (machine.memory_bytes == 0) machine.memory_bytes = memory;
  machine.node_bytes_per_second = cluster->number("rates.read_bytes_per_second_node");
  machine.total_bytes_per_second = cluster->number("rates.read_bytes_per_second_total");
  machine.estimate_bytes_per_second = rates_from(*cluster).read_bytes_per_second;
  machine.latency_seconds = cluster->number("rates.message_latency_seconds");
  machine.publish_seconds = cluster->number("rates.publish_seconds");
  return machine;
}

}  // namespace moesweep::pipeline
