// The article's formulas on the published metrics of 2,347 tensors (tests/data/swan/README.md).

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/stats/numeric_csv.hpp>

namespace moesweep::sensitivity {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

struct Published {
  std::vector<double> svd, kurtosis, noise, error;
};

Published published() {
  std::map<std::string, std::vector<double>> columns;
  for (auto& column :
       stats::read_numeric_csv(MOESWEEP_TEST_DATA "/swan/qwen35-397b-published.csv")) {
    columns[column.name] = std::move(column.values);
  }
  return {columns.at("svd_concentration"), columns.at("excess_kurtosis"),
          columns.at("output_delta"), columns.at("nrmse_4bit_g128")};
}

std::vector<double> composites(const Published& metrics) {
  const Weights weights;
  std::vector<double> composites;
  for (std::size_t i = 0; i < metrics.svd.size(); ++i) {
    composites.push_back(weights.svd * score_svd(metrics.svd[i]) +
                         weights.kurtosis * score_kurtosis(metrics.kurtosis[i]) +
                         weights.noise * score_noise(metrics.noise[i]) +
                         weights.error * score_error(metrics.error[i]));
  }
  return composites;
}

TEST(PublishedScores, NoTensorGetsTwoBits) {
  // Matrices of at least 1,024 weights without patterns, so that the composite alone decides. The
  // published code compares the number of weights of the whole tensor.
  const MatrixView view{.slices = 1, .rows = 1024, .columns = 1024, .skipped_because = {}};
  std::map<int, int> tensors_with_bits;
  for (const double composite : composites(published())) {
    ++tensors_with_bits[decide_bits("tensor", view, composite, Options{}).bits];
  }
  EXPECT_THAT(tensors_with_bits, ElementsAre(Pair(4, 1963), Pair(8, 335), Pair(16, 49)));
}

TEST(PublishedScores, TheCompositeSpansAFactorOfFourNotFifty) {
  const auto all = composites(published());
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  EXPECT_NEAR(*least, 0.2561, 5e-5);
  EXPECT_NEAR(*most, 0.9701, 5e-5);
}

TEST(PublishedScores, TheErrorScoreIsSaturatedForNearlyAll) {
  const auto metrics = published();
  EXPECT_EQ(metrics.error.size(), 2347U);
  EXPECT_EQ(std::count_if(metrics.error.begin(), metrics.error.end(),
                          [](double error) { return score_error(error) == 1.0; }),
            2302);
}

}  // namespace
}  // namespace moesweep::sensitivity
