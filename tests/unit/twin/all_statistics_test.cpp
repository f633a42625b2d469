// The whole inventory at scale 32, every weight: minutes, hence label soak.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "measured.hpp"

namespace moesweep::twin {
namespace {

struct Result {
  Target target;
  Statistics found;

  double worst() const {
    return std::max(test::deviation(found.excess_kurtosis, target.wanted.excess_kurtosis),
                    test::deviation(found.spectral_concentration,
                                    target.wanted.spectral_concentration));
  }
};

void print_line(const Result& result) {
  fmt::print("{} | {:.5g} {:.5g} | {:.4f} {:.4f} | {}\n", result.target.name,
             result.target.wanted.excess_kurtosis, result.found.excess_kurtosis,
             result.target.wanted.spectral_concentration, result.found.spectral_concentration,
             result.target.reason);
}

TEST(AllStatistics, NinetyFivePercentAreWithinFivePercentAndTheOthersAreNamed) {
  const TwinOptions options{.scale = 32, .seed = 0};
  const auto inventory = read_inventory(test::inventory_file);
  const auto found = test::measured(open_twin(inventory, options), test::statistics_only({"*"}));
  std::int64_t within = 0;
  double worst_within = 0.0;
  std::vector<Result> results;
  for (const auto& tensor : inventory.tensors) {
    if (!tensor.statistics) continue;
    ASSERT_TRUE(found.contains(tensor.name)) << tensor.name;
    Result result{target_of(tensor, options), found.at(tensor.name)};
    if (result.worst() <= 0.05) {
      ++within;
      worst_within = std::max(worst_within, result.worst());
    } else {
      EXPECT_FALSE(result.target.reason.empty()) << tensor.name << " is off without a reason";
      print_line(result);
    }
    results.push_back(std::move(result));
  }
  fmt::print("{} of {} within 5 %, the worst of them {:.2f} %\n", within, results.size(),
             100 * worst_within);
  EXPECT_EQ(results.size(), 2347U);
  EXPECT_GE(static_cast<double>(within), 0.95 * static_cast<double>(results.size()));
}

}  // namespace
}  // namespace moesweep::twin
