#include <gtest/gtest.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/capacity/cluster.hpp>
#include <moesweep/engine/capacity/machine.hpp>
#include <moesweep/engine/capacity/rates.hpp>

namespace moesweep::capacity {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

config::Settings job(const std::string& resources = "") {
  return jobs::parse_job(
      "schema = 1\nkind = \"sensitivity\"\n[checkpoint]\npath = \"c\"\n[resources]\n" + resources,
      "/jobs/job.toml");
}

config::Settings cluster() {
  return parse_cluster(
      "schema = 1\nname = \"c\"\nnodes = 4\ntasks_per_node = 2\ncpus_per_task = 8\n"
      "memory_per_task = \"10GiB\"\nlauncher = \"srun\"\n[rates]\n"
      "read_bytes_per_second_node = 3e9\nread_bytes_per_second_total = 5e9\n"
      "message_latency_seconds = 0.002\npublish_seconds = 0.3\n",
      "/clusters/c.toml");
}

TEST(MachineFrom, ARankIsATaskOfTheCluster) {
  const auto profile = cluster();
  const auto machine = machine_from(&profile, job(), 6, 0);
  EXPECT_EQ(machine.ranks, 6);
  EXPECT_EQ(machine.ranks_per_node, 2);
  EXPECT_EQ(machine.threads, 8);
  EXPECT_EQ(machine.memory_bytes, 8 * gib);
  EXPECT_EQ(machine.node_bytes_per_second, 3e9);
  EXPECT_EQ(machine.total_bytes_per_second, 5e9);
  EXPECT_EQ(machine.latency_seconds, 0.002);
  EXPECT_EQ(machine.publish_seconds, 0.3);
}

TEST(MachineFrom, ReadsAsFastAsTheEstimatesOfItsPlanAssume) {
  const auto profile = cluster();
  EXPECT_EQ(machine_from(&profile, job(), 1, 0).estimate_bytes_per_second,
            rates_from(profile).read_bytes_per_second_node);
  EXPECT_EQ(machine_from(nullptr, job(), 1, 0).estimate_bytes_per_second,
            Rates{}.read_bytes_per_second_node);
}

TEST(MachineFrom, ThreadsAndMemoryThatWereAskedForReplaceThoseOfATask) {
  const auto profile = cluster();
  const auto machine = machine_from(&profile, job("memory = \"3GiB\"\n"), 1, 5);
  EXPECT_EQ(machine.threads, 5);
  EXPECT_EQ(machine.memory_bytes, 3 * gib);
}

TEST(MachineFrom, WithoutAClusterARankHasWhatRunWouldUseHere) {
  const auto machine = machine_from(nullptr, job(), 1, 0);
  EXPECT_EQ(machine.threads, parallel::available_cpus());
  EXPECT_EQ(machine.memory_bytes, resources_here(job()).memory_bytes);
  EXPECT_GT(machine.memory_bytes, 1 << 20);
  EXPECT_LT(machine.memory_bytes, std::int64_t{1} << 50);
  EXPECT_EQ(machine_from(nullptr, job("memory = \"3GiB\"\n"), 1, 0).memory_bytes, 3 * gib);
  EXPECT_EQ(machine_from(nullptr, job("threads = 7\n"), 1, 0).threads, 7);
  EXPECT_EQ(machine_from(nullptr, job("threads = 7\n"), 1, 3).threads, 3);
}

TEST(MachineFrom, AProfileWithoutRatesIsAsFastAsNone) {
  const auto silent = parse_cluster(
      "schema = 1\nname = \"c\"\nnodes = 1\ntasks_per_node = 1\ncpus_per_task = 8\n"
      "memory_per_task = \"10GiB\"\nlauncher = \"none\"\n",
      "/clusters/c.toml");
  const auto with = machine_from(&silent, job(), 4, 2);
  const auto without = machine_from(nullptr, job(), 4, 2);
  EXPECT_EQ(with.node_bytes_per_second, without.node_bytes_per_second);
  EXPECT_EQ(with.total_bytes_per_second, without.total_bytes_per_second);
  EXPECT_EQ(with.estimate_bytes_per_second, without.estimate_bytes_per_second);
  EXPECT_EQ(with.latency_seconds, without.latency_seconds);
  EXPECT_EQ(with.publish_seconds, without.publish_seconds);
  const auto rates = rates_from(silent);
  EXPECT_EQ(rates.gram_flops_per_core, Rates{}.gram_flops_per_core);
  EXPECT_EQ(rates.round_trips_per_second_core, Rates{}.round_trips_per_second_core);
  EXPECT_EQ(rates.moments_per_second_core, Rates{}.moments_per_second_core);
  EXPECT_EQ(rates.unit_overhead_seconds, Rates{}.unit_overhead_seconds);
}

TEST(MachineFrom, ManyRanksPublishLessOften) {
  EXPECT_EQ(machine_from(nullptr, job(), 80, 0).flush_seconds, 20.0);
  EXPECT_EQ(machine_from(nullptr, job(), 1024, 0).flush_seconds, 256.0);
}

}  // namespace
}  // namespace moesweep::capacity
