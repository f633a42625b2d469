#include <gtest/gtest.h>

#include "measured.hpp"

namespace moesweep::twin {
namespace {

void expect_within_five_percent(std::int64_t scale, const std::vector<std::string>& names) {
  const auto inventory = read_inventory(test::inventory_file);
  const auto found = test::measured(open_twin(inventory, {.scale = scale, .seed = 0}),
                                    test::statistics_only(names));
  std::size_t checked = 0;
  for (const auto& tensor : inventory.tensors) {
    const auto made = found.find(tensor.name);
    if (made == found.end() || !tensor.statistics) continue;
    ++checked;
    EXPECT_LE(test::deviation(made->second.excess_kurtosis, tensor.statistics->excess_kurtosis),
              0.05)
        << tensor.name;
    EXPECT_LE(test::deviation(made->second.spectral_concentration,
                              tensor.statistics->spectral_concentration),
              0.05)
        << tensor.name;
  }
  EXPECT_EQ(checked, found.size());
  EXPECT_GE(checked, names.size());
}

TEST(TwinStatistics, SmallTwinHasThePublishedOnesAcrossTheirRange) {
  expect_within_five_percent(
      32, {"model.language_model.layers.3.self_attn.*_proj.weight",
           "model.language_model.layers.5?.mlp.shared_expert.*_proj.weight",
           "model.language_model.layers.5?.linear_attn.*",
           "model.language_model.layers.20.mlp.experts.*", "model.visual.blocks.1?.*.weight",
           "model.visual.pos_embed.weight", "mtp.layers.0.mlp.experts.2?.*"});
}

TEST(TwinStatistics, FullSizeTwinHasThePublishedOnes) {
  expect_within_five_percent(1, {"model.language_model.layers.3.self_attn.k_proj.weight",
                                 "model.language_model.layers.10.linear_attn.in_proj_a.weight",
                                 "mtp.layers.0.mlp.experts.10.down_proj.weight"});
}

}  // namespace
}  // namespace moesweep::twin
