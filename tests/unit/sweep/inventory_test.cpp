// The promise of docs/scaling.md on the inventory of Qwen3.5-397B-A17B, with the storage of
// cluster/example-1024.toml and slower cores.

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/engine/sweep/simulate.hpp>

namespace moesweep::sweep::test {
namespace {

constexpr double node_bytes_per_second = 2.5e9;

checkpoint::Checkpoint inventory() {
  checkpoint::Checkpoint out;
  std::ifstream file(MOESWEEP_TEST_DATA "/qwen35-397b-patterns.csv");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#') || line.starts_with("pattern,")) continue;
    std::istringstream fields(line);
    std::string pattern, count, shape, side;
    std::getline(fields, pattern, ',');
    std::getline(fields, count, ',');
    std::getline(fields, shape, ',');
    checkpoint::Tensor tensor;
    std::istringstream sides(shape);
    while (std::getline(sides, side, 'x')) tensor.shape.push_back(std::stoll(side));
    for (int i = 0; i < std::stoi(count); ++i) {
      tensor.name = pattern + "." + std::to_string(i);
      tensor.shard = out.tensors.size() % 94;
      tensor.byte_end = static_cast<std::uint64_t>(2 * tensor.params());
      out.tensors.push_back(tensor);
    }
  }
  return out;
}

Plan plan_of_inventory() {
  sensitivity::Options options;
  for (const auto family : {kernels::QuantizerFamily::rtn, kernels::QuantizerFamily::affine}) {
    for (const int bits : {2, 3, 4, 5, 6, 8}) {
      for (const int group : {32, 64, 128}) options.quantizers.push_back({family, bits, group});
    }
  }
  const auto checkpoint = inventory();
  Stage stage{"sensitivity", {}};
  for (const auto& item : sensitivity::cut(checkpoint, options)) {
    const double seconds = static_cast<double>(item.bytes_read) / node_bytes_per_second +
                           static_cast<double>(item.gram_flops) / 2e10 +
                           static_cast<double>(item.round_trips) / 4e8 +
                           static_cast<double>(item.weights) / 5e8 + 0.005;
    const auto& tensor = checkpoint.tensors[item.tensor];
    stage.units.push_back({UnitId{stage.units.size() + 1},
                           sensitivity::key_of(item, checkpoint, options),
                           {item.bytes_read, item.flops(), item.peak_bytes, seconds},
                           {static_cast<std::uint32_t>(tensor.shard), 0}});
  }
  return Plan({std::move(stage)});
}

Forecast forecast(int ranks, double total_bytes_per_second) {
  Machine machine;
  machine.ranks = ranks;
  machine.threads = 64;
  machine.memory_bytes = std::int64_t{200} << 30;
  machine.node_bytes_per_second = machine.estimate_bytes_per_second = node_bytes_per_second;
  machine.total_bytes_per_second = total_bytes_per_second;
  machine.flush_seconds = std::max(20.0, 0.25 * ranks);
  machine.publish_seconds = 0.1;
  return simulate(plan_of_inventory(), machine);
}

TEST(Inventory397B, IsComplete) {
  const auto checkpoint = inventory();
  EXPECT_EQ(checkpoint.tensors.size(), 2924U);
  EXPECT_EQ(checkpoint.params(), 403'397'928'944);
}

TEST(Inventory397B, EfficiencyIsAtLeast95PercentOn64Ranks) {
  for (const double storage : {1e10, 2e11}) EXPECT_GE(forecast(64, storage).efficiency(), 0.95);
}

TEST(Inventory397B, EfficiencyIsAtLeast90PercentOn1024Ranks) {
  for (const double storage : {1e10, 2e11}) EXPECT_GE(forecast(1024, storage).efficiency(), 0.90);
}

}  // namespace
}  // namespace moesweep::sweep::test
