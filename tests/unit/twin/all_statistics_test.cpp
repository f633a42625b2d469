// The whole inventory at scale 32, every weight: minutes, hence label soak.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "measured.hpp"

namespace moesweep::twin {
namespace {

double worst_of(const Statistics& found, const Statistics& wanted) {
  return std::max(test::deviation(found.excess_kurtosis, wanted.excess_kurtosis),
                  test::deviation(found.spectral_concentration, wanted.spectral_concentration));
}

void print_line(const Target& target, const Statistics& found) {
  fmt::print("{} | {:.5g} {:.5g} | {:.4f} {:.4f} | {}\n", target.name,
             target.wanted.excess_kurtosis, found.excess_kurtosis,
             target.wanted.spectral_concentration, found.spectral_concentration, target.reason);
}

TEST(AllStatistics, NinetyFivePercentAreWithinFivePercentAndTheOthersAreNamed) {
  const TwinOptions options{.scale = 32, .seed = 0};
  const auto inventory = read_inventory(test::inventory_file);
  const auto found = test::measured(open_twin(inventory, options), test::statistics_only({"*"}));
  std::int64_t within = 0;
  std::int64_t compared = 0;
  double worst_within = 0.0;
  for (const auto& tensor : inventory.tensors) {
    if (!tensor.statistics) continue;
    ASSERT_TRUE(found.contains(tensor.name)) << tensor.name;
    ++compared;
    const double worst = worst_of(found.at(tensor.name), *tensor.statistics);
    if (worst <= 0.05) {
      ++within;
      worst_within = std::max(worst_within, worst);
      continue;
    }
    const auto target = target_of(tensor, options);
    EXPECT_FALSE(target.reason.empty()) << tensor.name << " is off without a reason";
    print_line(target, found.at(tensor.name));
  }
  fmt::print("{} of {} within 5 %, the worst of them {:.2f} %\n", within, compared,
             100 * worst_within);
  EXPECT_EQ(compared, 2347);
  EXPECT_GE(static_cast<double>(within), 0.95 * static_cast<double>(compared));
}

}  // namespace
}  // namespace moesweep::twin
