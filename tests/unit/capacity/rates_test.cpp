#include <gtest/gtest.h>

#include <moesweep/engine/capacity/cluster.hpp>
#include <moesweep/engine/capacity/rates.hpp>

namespace moesweep::capacity {
namespace {

config::Settings profile(const std::string& rates) {
  return parse_cluster(
      "schema = 1\nname = \"c\"\nnodes = 1\ntasks_per_node = 1\ncpus_per_task = 8\n"
      "memory_per_task = \"10GiB\"\nlauncher = \"none\"\n" +
          rates,
      "/clusters/c.toml");
}

TEST(Rates, OfAProfileThatNamesNoneAreTheDefaults) {
  const auto read = rates_from(profile(""));
  const Rates defaults;
  EXPECT_EQ(read.read_bytes_per_second_node, defaults.read_bytes_per_second_node);
  EXPECT_EQ(read.read_bytes_per_second_total, defaults.read_bytes_per_second_total);
  EXPECT_EQ(read.gram_flops_per_core, defaults.gram_flops_per_core);
  EXPECT_EQ(read.round_trips_per_second_core, defaults.round_trips_per_second_core);
  EXPECT_EQ(read.moments_per_second_core, defaults.moments_per_second_core);
  EXPECT_EQ(read.unit_overhead_seconds, defaults.unit_overhead_seconds);
  EXPECT_EQ(read.message_latency_seconds, defaults.message_latency_seconds);
  EXPECT_EQ(read.publish_seconds, defaults.publish_seconds);
}

TEST(Rates, ThatAProfileNamesReplaceTheirDefaultsAlone) {
  const auto read = rates_from(profile("[rates]\ngram_flops_per_core = 7e9\n"));
  EXPECT_EQ(read.gram_flops_per_core, 7e9);
  EXPECT_EQ(read.moments_per_second_core, Rates{}.moments_per_second_core);
}

TEST(Rates, EveryOptionOfARateHasADefaultOfTheTable) {
  int rates = 0;
  for (const auto& option : cluster_options()) {
    if (!option.key.starts_with("rates.")) continue;
    ++rates;
    ASSERT_TRUE(option.default_value) << option.key;
    EXPECT_GT(std::get<double>(*option.default_value), 0.0) << option.key;
  }
  EXPECT_EQ(rates, 8);
}

/// What docs/scaling.md says of them.
TEST(Rates, AreWhatTheDocumentationSays) {
  const Rates rates;
  EXPECT_EQ(rates.read_bytes_per_second_node, 1e9);
  EXPECT_EQ(rates.read_bytes_per_second_total, 1e9);
  EXPECT_EQ(rates.gram_flops_per_core, 1e10);
  EXPECT_EQ(rates.round_trips_per_second_core, 8e8);
  EXPECT_EQ(rates.moments_per_second_core, 6e8);
  EXPECT_EQ(rates.unit_overhead_seconds, 1e-3);
  EXPECT_EQ(rates.message_latency_seconds, 1e-3);
  EXPECT_EQ(rates.publish_seconds, 0.1);
}

}  // namespace
}  // namespace moesweep::capacity
