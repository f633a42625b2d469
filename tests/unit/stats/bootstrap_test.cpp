#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include <moesweep/core/stats/bootstrap.hpp>

#include "goldens.hpp"

namespace moesweep::stats {
namespace {

using ::testing::ElementsAre;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void expect_interval(const Interval& ours, const std::vector<double>& golden) {
  EXPECT_TRUE(agrees(ours.lo, golden.at(0)));
  EXPECT_TRUE(agrees(ours.hi, golden.at(1)));
}

TEST(Bootstrap, AgreesWithScipyOnTheSameResamples) {
  for_each_golden("bootstrap", [](const GoldenCase& golden) {
    const Replicates replicates{golden.cell("seed").get<std::uint64_t>(), golden.integer("first"),
                                golden.integer("count")};
    const auto found =
        bootstrap_mean(golden.numbers("values"), {}, replicates, golden.number("alpha"));
    EXPECT_TRUE(agrees(found.observed, golden.number("observed")));
    EXPECT_TRUE(agrees(found.standard_error, golden.number("standard_error")));
    expect_interval(found.percentile, golden.numbers("percentile"));
    expect_interval(found.bca, golden.numbers("bca"));
  });
}

TEST(Bootstrap, ClustersAreResampledAsAWhole) {
  const std::array values = {1.0, 1.0, 1.0, 5.0};
  const std::array<std::int64_t, 4> clusters = {7, 7, 7, 2};
  const auto sums = cluster_sums(values, clusters);
  EXPECT_THAT(sums.sums, ElementsAre(5.0, 3.0));
  EXPECT_THAT(sums.counts, ElementsAre(1.0, 3.0));
  auto means = bootstrap_replicates(mean_over(sums), 2, {1, 0, 200});
  std::sort(means.begin(), means.end());
  means.erase(std::unique(means.begin(), means.end()), means.end());
  EXPECT_THAT(means, ElementsAre(1.0, 2.0, 5.0));
  EXPECT_EQ(bootstrap_mean(values, clusters, {1, 0, 200}, 0.05).observed, 2.0);
}

TEST(Bootstrap, LeaveOneOutMeansAreThoseOfTheStatistic) {
  const std::array values = {1.0, 4.0, 2.5, -3.0, 8.0};
  const std::array<std::int64_t, 5> clusters = {1, 1, 2, 3, 3};
  const auto sums = cluster_sums(values, clusters);
  const auto quick = leave_one_out_means(sums);
  const auto plain = leave_one_out(mean_over(sums), 3);
  ASSERT_EQ(quick.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(agrees(quick[i], plain[i]));
  const auto by_statistic = bootstrap(mean_over(sums), 3, {5, 0, 300}, 0.05);
  const auto by_mean = bootstrap_mean(values, clusters, {5, 0, 300}, 0.05);
  EXPECT_TRUE(agrees(by_mean.bca.lo, by_statistic.bca.lo));
  EXPECT_TRUE(agrees(by_mean.bca.hi, by_statistic.bca.hi));
  EXPECT_TRUE(std::isnan(leave_one_out_means(cluster_sums(std::array{2.0}, {})).front()));
}

TEST(Bootstrap, DrawsAreUniform) {
  std::vector<std::int64_t> indices(7);
  std::array<int, 7> drawn{};
  for (std::int64_t replicate = 0; replicate < 10'000; ++replicate) {
    draw_resample(3, replicate, indices);
    for (const auto index : indices) ++drawn.at(static_cast<std::size_t>(index));
  }
  for (const int count : drawn) EXPECT_NEAR(count, 10'000, 500);
}

TEST(Bootstrap, OneElementHasNoInterval) {
  const auto one = bootstrap_mean(std::array{3.0}, {}, {1, 0, 50}, 0.05);
  EXPECT_EQ(one.observed, 3.0);
  EXPECT_TRUE(std::isnan(one.percentile.lo));
  EXPECT_TRUE(std::isnan(one.bca.hi));
  EXPECT_TRUE(std::isnan(one.standard_error));
  const auto none = bootstrap_mean({}, {}, {1, 0, 50}, 0.05);
  EXPECT_EQ(none.elements, 0);
  EXPECT_TRUE(std::isnan(none.observed));
  EXPECT_TRUE(std::isnan(none.percentile.hi));
}

TEST(Bootstrap, ResamplingAConstantHasNoInterval) {
  // The second is a constant but for rounding.
  for (const auto& values : {std::array{0.25, 0.25, 0.25}, std::array{0.1 + 0.2, 0.3, 0.3}}) {
    const auto found = bootstrap_mean(values, {}, {1, 0, 50}, 0.05);
    EXPECT_DOUBLE_EQ(found.observed, values[1]);
    EXPECT_TRUE(std::isnan(found.standard_error));
    EXPECT_TRUE(std::isnan(found.percentile.lo));
    EXPECT_TRUE(std::isnan(found.percentile.hi));
    EXPECT_TRUE(std::isnan(found.bca.lo));
    EXPECT_TRUE(std::isnan(found.bca.hi));
  }
}

TEST(Bootstrap, ReplicatesWithoutAStatisticAreCountedAndLeftOut) {
  const Statistic undefined_without_zero = [](std::span<const std::int64_t> indices) {
    const auto zeros = std::count(indices.begin(), indices.end(), 0);
    return zeros == 0 ? nan : static_cast<double>(zeros);
  };
  const auto found = bootstrap(undefined_without_zero, 4, {1, 0, 1000}, 0.05);
  EXPECT_NEAR(static_cast<double>(found.undefined), 316.0, 60.0);  // (3/4)^4
  EXPECT_EQ(found.percentile.lo, 1.0);
}

TEST(BcaInterval, InfiniteLeaveOneOutValuesHaveNone) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(
      bca_interval(std::array{1.0, 2.0, 3.0}, 2.0, std::array{1.0, infinity, 2.0}, 0.05).hi));
}

TEST(BcaInterval, AnEstimateBeyondAllReplicatesHasNone) {
  EXPECT_TRUE(std::isnan(bca_interval(std::array{1.0, 2.0}, 9.0, {}, 0.05).lo));
  EXPECT_TRUE(std::isnan(bca_interval({}, 9.0, {}, 0.05).lo));
}

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  const std::array ascending = {1.0, 2.0, 4.0};
  EXPECT_EQ(quantile(ascending, 0.0), 1.0);
  EXPECT_EQ(quantile(ascending, 0.75), 3.0);
  EXPECT_EQ(quantile(ascending, 1.0), 4.0);
  EXPECT_EQ(quantile(std::array{5.0}, 0.3), 5.0);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

}  // namespace
}  // namespace moesweep::stats
