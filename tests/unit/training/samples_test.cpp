#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/samples.hpp>
#include <moesweep/core/records/heads.hpp>

namespace moesweep::training {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

records::Tables rows_with(const std::vector<records::SampleRow>& samples) {
  records::Tables tables;
  records::VariantRow variant;
  variant.variant = "bf16";
  variant.label_names = "APPROVE,REVISE,VETO";
  records::append_row(tables, variant);
  for (const auto& row : samples) records::append_row(tables, row);
  return tables;
}

TEST(Samples, AreReadInTheOrderOfTheirRows) {
  const auto samples = samples_of(rows_with({{0, "a", "VETO", "test", ""},
                                             {1, "b", "APPROVE", "train", ""},
                                             {2, "c", "REVISE", "calibration", ""},
                                             {3, "d", "VETO", "test", ""}}));
  EXPECT_THAT(samples.label_names, ElementsAre("APPROVE", "REVISE", "VETO"));
  EXPECT_THAT(samples.label, ElementsAre(2, 0, 1, 2));
  EXPECT_THAT(samples.split, ElementsAre(2, 0, 1, 2));
  EXPECT_THAT(samples.of_split(2), ElementsAre(0, 3));
  EXPECT_EQ(samples.class_named("REVISE"), 1);
  EXPECT_EQ(samples.class_named("DENY"), -1);
}

TEST(Samples, WithoutAClusterEachIsItsOwn) {
  const auto samples = samples_of(rows_with({{0, "x", "VETO", "test", ""},
                                             {1, "b", "VETO", "test", "x"},
                                             {2, "c", "VETO", "test", ""},
                                             {3, "d", "VETO", "test", "x"}}));
  EXPECT_THAT(samples.cluster, ElementsAre(0, 1, 2, 1)) << "a sample named x is not cluster x";
}

TEST(Samples, OfRowsWithoutAnyAreNone) {
  const auto samples = samples_of({});
  EXPECT_THAT(samples.label, IsEmpty());
  EXPECT_EQ(samples.class_named("VETO"), -1);
}

TEST(MeanOverSamples, HasTheUsualErrorWhenEachIsItsOwnCluster) {
  // Mean 2, sd 1, 3 values.
  const auto out = mean_over_samples({1, 2, 3}, {0, 1, 2});
  EXPECT_DOUBLE_EQ(out.mean, 2.0);
  EXPECT_DOUBLE_EQ(out.standard_error, 1.0 / std::sqrt(3.0));
}

TEST(MeanOverSamples, ClustersAreTheObservations) {
  // Sums of deviations -2 and 2 of two clusters: sqrt(2 (4 + 4))/4.
  EXPECT_DOUBLE_EQ(mean_over_samples({1, 1, 3, 3}, {0, 0, 1, 1}).standard_error, 1.0);
}

TEST(MeanOverSamples, WithoutSpreadThereIsNoError) {
  EXPECT_TRUE(std::isnan(mean_over_samples({1, 1, 1}).standard_error));
  EXPECT_TRUE(std::isnan(mean_over_samples({0, 0}).standard_error));
  EXPECT_TRUE(std::isnan(mean_over_samples({0.1, 0.1, 0.1}).standard_error)) << "rounding is none";
  // Deviations cancel within a cluster: its mean does not vary.
  EXPECT_TRUE(std::isnan(mean_over_samples({1, 3, 1, 3}, {0, 0, 1, 1}).standard_error));
}

TEST(MeanOverSamples, OneClusterSaysNothingAboutOthers) {
  const auto out = mean_over_samples({1, 3}, {0, 0});
  EXPECT_DOUBLE_EQ(out.mean, 2.0);
  EXPECT_TRUE(std::isnan(out.standard_error));
  EXPECT_TRUE(std::isnan(mean_over_samples({}, {}).mean));
}

}  // namespace
}  // namespace moesweep::training
