#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/folds.hpp>

namespace moesweep::training {
namespace {

std::vector<std::int64_t> each_its_own(std::int64_t samples) {
  std::vector<std::int64_t> groups(static_cast<std::size_t>(samples));
  std::iota(groups.begin(), groups.end(), std::int64_t{0});
  return groups;
}

TEST(Folds, DifferByAtMostOneGroup) {
  const auto folds = assign_folds(each_its_own(1202), 5, 7);
  for (std::int64_t fold = 0; fold < 5; ++fold) {
    const auto members = std::count(folds.begin(), folds.end(), fold);
    EXPECT_TRUE(members == 240 || members == 241) << members;
  }
}

TEST(Folds, AreAPermutationByTheSeed) {
  const auto groups = each_its_own(100);
  EXPECT_EQ(assign_folds(groups, 5, 1), assign_folds(groups, 5, 1));
  EXPECT_NE(assign_folds(groups, 5, 1), assign_folds(groups, 5, 2));
  EXPECT_NE(assign_folds(groups, 5, 1), assign_folds(groups, 5, std::uint64_t{1} << 32 | 1));
}

TEST(Folds, AGroupIsNeverTornApart) {
  const std::vector<std::int64_t> groups{0, 1, 0, 2, 1, 0, 3, 4, 4, 2};
  const auto folds = assign_folds(groups, 3, 0);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (groups[i] != groups[j]) continue;
      EXPECT_EQ(folds[i], folds[j]) << i << ", " << j;
    }
  }
}

TEST(Folds, SamplesWithoutAClusterNameAreTheirOwnGroup) {
  const std::vector<std::string> clusters{"a", "", "b", "a", "", "b"};
  EXPECT_THAT(sample_groups(clusters), testing::ElementsAre(0, 1, 2, 0, 3, 2));
}

}  // namespace
}  // namespace moesweep::training
