#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

#include "oracle.hpp"
#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

using records::CheckpointTensorRow;
using records::DistortionRow;
using records::SliceRow;
using records::TensorRow;
using test::SampleCheckpoint;
using ::testing::ElementsAre;

Options two_quantizers() {
  return test::with_quantizers({test::rtn4, test::rtn2});
}

TEST(Reduce, PooledMomentsAreThoseOfTheWholeStack) {
  const auto stack = test::gaussian("m.experts.w", {5, 96, 160}, 21);
  const auto options = two_quantizers();
  const auto reduced = reduce(SampleCheckpoint({stack}).measured(options), options);
  const auto row = records::rows_of<TensorRow>(reduced).at(0);
  const auto expected = test::oracle_moments(stack.values);
  EXPECT_EQ(row.slices, 5);
  EXPECT_EQ(row.params, 5 * 96 * 160);
  EXPECT_NEAR(row.mean, expected.mean, 1e-12 * std::abs(expected.mean) + 1e-15);
  EXPECT_NEAR(row.variance, expected.variance(), 1e-12 * expected.variance());
  EXPECT_NEAR(row.excess_kurtosis, expected.kurtosis(), 1e-9 * std::abs(expected.kurtosis()));
  EXPECT_NEAR(row.noise_amplification, expected.noise(), 1e-12 * expected.noise());
  EXPECT_EQ(row.minimum, expected.minimum);
  EXPECT_EQ(row.maximum, expected.maximum);
}

TEST(Reduce, PooledErrorsAreSumsInSliceOrder) {
  const auto stack = test::gaussian("m.experts.w", {5, 96, 160}, 22);
  const auto options = two_quantizers();
  const auto measured = SampleCheckpoint({stack}).measured(options);
  const auto reduced = reduce(measured, options);
  const auto rows = records::rows_of<DistortionRow>(reduced);
  double sse = 0.0;
  double sum_squares = 0.0;
  for (const auto& row : records::rows_of<DistortionRow>(measured)) {
    if (row.bits != 4) continue;
    sse += row.sse;
    sum_squares += row.sum_squares;
  }
  EXPECT_EQ(rows.at(0).slice, -1);
  EXPECT_EQ(rows[0].bits, 4);
  EXPECT_EQ(rows[0].sse, sse);
  EXPECT_EQ(rows[0].sum_squares, sum_squares);
  EXPECT_EQ(rows[0].nrmse, std::sqrt(sse / sum_squares));
  const double expected = test::oracle_rtn_sse(stack.values, 160, 4, 128);
  EXPECT_NEAR(sse, expected, 1e-6 * expected);
  EXPECT_EQ(records::rows_of<TensorRow>(reduced).at(0).nrmse_rtn_4bit_g128, rows[0].nrmse);
}

TEST(Reduce, PooledNrmseNeedsNoListedQuantizer) {
  const SampleCheckpoint checkpoint({test::gaussian("m.experts.w", {5, 96, 160}, 23)});
  const auto listed = two_quantizers();
  const auto unlisted = test::with_quantizers({test::rtn2});
  const double with = records::rows_of<TensorRow>(reduce(checkpoint.measured(listed), listed))
                          .at(0)
                          .nrmse_rtn_4bit_g128;
  const double without =
      records::rows_of<TensorRow>(reduce(checkpoint.measured(unlisted), unlisted))
          .at(0)
          .nrmse_rtn_4bit_g128;
  EXPECT_NEAR(with, without, 1e-13);
}

TEST(Reduce, SpectraAreMeansAndMaximaOverSlices) {
  const SampleCheckpoint checkpoint({test::gaussian("m.experts.w", {4, 40, 72}, 24)});
  const auto measured = checkpoint.measured(Options{});
  const auto row = records::rows_of<TensorRow>(reduce(measured, Options{})).at(0);
  double sum = 0.0;
  double maximum = 0.0;
  for (const auto& slice : records::rows_of<SliceRow>(measured)) {
    sum += slice.stable_rank;
    maximum = std::max(maximum, slice.stable_rank);
  }
  EXPECT_EQ(row.stable_rank, sum / 4.0);
  EXPECT_EQ(row.stable_rank_max, maximum);
  EXPECT_LT(row.stable_rank, row.stable_rank_max);
}

TEST(Reduce, CompositeIsTheWeightedSumOfTheScores) {
  const SampleCheckpoint checkpoint({test::gaussian("w", {64, 64}, 25)});
  Options options;
  options.weights = {.svd = 0.1, .kurtosis = 0.2, .noise = 0.3, .error = 0.4};
  const auto row = records::rows_of<TensorRow>(reduce(checkpoint.measured(options), options)).at(0);
  EXPECT_EQ(row.score_svd, score_svd(row.spectral_concentration));
  EXPECT_EQ(row.score_kurtosis, score_kurtosis(row.excess_kurtosis));
  EXPECT_EQ(row.score_noise, score_noise(row.noise_amplification));
  EXPECT_EQ(row.score_error, score_error(row.nrmse_rtn_4bit_g128));
  EXPECT_NEAR(row.composite,
              0.1 * row.score_svd + 0.2 * row.score_kurtosis + 0.3 * row.score_noise +
                  0.4 * row.score_error,
              1e-15);
}

TEST(Reduce, CompositeOfThreeMetricsIsNotANumberAndKeeps16) {
  const SampleCheckpoint checkpoint({test::gaussian("w", {64, 64}, 26)});
  Options options;
  options.spectrum = false;
  const auto row = records::rows_of<TensorRow>(reduce(checkpoint.measured(options), options)).at(0);
  EXPECT_TRUE(std::isnan(row.composite));
  EXPECT_FALSE(std::isnan(row.score_kurtosis));
  EXPECT_EQ(row.bits, 16);
  EXPECT_EQ(row.reason, "composite not measured");
}

TEST(Reduce, ErrorThatWasNotMeasuredStaysNotANumberForAZeroTensor) {
  const SampleCheckpoint checkpoint({test::constant("w", {64, 64}, 0.0F)});
  Options options;
  options.error = false;
  const auto row = records::rows_of<TensorRow>(reduce(checkpoint.measured(options), options)).at(0);
  EXPECT_TRUE(std::isnan(row.nrmse_rtn_4bit_g128));
}

TEST(Reduce, VectorsAndTablesGetARowOf16Bits) {
  auto table = test::gaussian("b.table", {8, 8}, 27);
  table.dtype = Dtype::i32;
  const SampleCheckpoint checkpoint(
      {test::gaussian("a.norm.weight", {64}, 27), table, test::gaussian("c.weight", {64, 64}, 27)});
  const auto rows = records::rows_of<TensorRow>(reduce(checkpoint.measured(Options{}), Options{}));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].bits, 16);
  EXPECT_EQ(rows[0].reason, "1-D");
  EXPECT_EQ(rows[0].params, 64);
  EXPECT_TRUE(std::isnan(rows[0].composite));
  EXPECT_EQ(rows[1].bits, 16);
  EXPECT_EQ(rows[1].reason, "integer dtype");
}

TEST(Reduce, UnusualSlicesAreCountedInTheReason) {
  auto stack = test::gaussian("m.experts.w", {4, 40, 72}, 28);
  std::fill(stack.values.begin(), stack.values.begin() + 2880, 0.0F);
  std::fill(stack.values.begin() + 2880, stack.values.begin() + 5760, 0.5F);
  const SampleCheckpoint checkpoint({stack, test::constant("w", {64, 64}, 0.0F)});
  const auto rows = records::rows_of<TensorRow>(reduce(checkpoint.measured(Options{}), Options{}));
  EXPECT_THAT(rows.at(0).reason, ::testing::EndsWith("; 1 of 4 slices: all weights are 0; "
                                                     "1 of 4 slices: variance is 0"));
  EXPECT_EQ(rows.at(1).reason, "composite <= 0.1; all weights are 0");
  EXPECT_EQ(rows[1].bits, 2);
}

TEST(Reduce, TensorWithAMissingSliceIsLeftOut) {
  const SampleCheckpoint sample(
      {test::gaussian("m.experts.w", {3, 40, 64}, 29), test::gaussian("w", {40, 64}, 29)});
  auto options = two_quantizers();
  options.unit_bytes = 1;
  const checkpoint::TensorReader reader(sample.opened());
  auto tables = describe(sample.opened(), options);
  for (const auto& item : cut(sample.opened(), options)) {
    if (item.tensor == 0 && item.slice_first == 1) continue;
    records::append(tables, measure(sample.opened(), reader, item, options));
  }
  const auto reduced = reduce(tables, options);
  const auto tensors = records::rows_of<TensorRow>(reduced);
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_EQ(tensors[0].name, "w");
  EXPECT_EQ(records::rows_of<SliceRow>(reduced).size(), 3U);
  EXPECT_EQ(records::rows_of<CheckpointTensorRow>(reduced).size(), 2U);
  const auto distortion = records::rows_of<DistortionRow>(reduced);
  EXPECT_EQ(std::count_if(distortion.begin(), distortion.end(),
                          [](const auto& row) { return row.slice == -1; }),
            2);
}

TEST(Reduce, SlicesOfTensorsThatAreNotDescribedYetAreKeptUnpooled) {
  const auto options = two_quantizers();
  const SampleCheckpoint sample({test::gaussian("m.experts.w", {3, 96, 160}, 24)});
  auto measured = sample.measured(options);
  measured.erase(records::table_info<CheckpointTensorRow>().name);
  const auto reduced = reduce(measured, options);
  EXPECT_TRUE(records::rows_of<TensorRow>(reduced).empty());
  EXPECT_EQ(records::rows_of<SliceRow>(reduced).size(), 3U);
  const auto rows = records::rows_of<DistortionRow>(reduced);
  EXPECT_EQ(rows.size(), 3U * 2);
  for (const auto& row : rows) EXPECT_GE(row.slice, 0);
}

TEST(Reduce, RowsAreSortedWhateverTheirOrderWas) {
  const SampleCheckpoint sample(
      {test::gaussian("b.experts.w", {12, 32, 40}, 30), test::gaussian("a.weight", {40, 64}, 30)});
  auto options = two_quantizers();
  options.unit_bytes = 1;
  const checkpoint::TensorReader reader(sample.opened());
  auto items = cut(sample.opened(), options);
  const auto in_order = reduce(sample.measured(options), options);
  std::reverse(items.begin(), items.end());
  records::Tables shuffled;
  for (const auto& item : items) {
    records::append(shuffled, measure(sample.opened(), reader, item, options));
  }
  records::append(shuffled, describe(sample.opened(), options));
  const auto reduced = reduce(shuffled, options);
  ASSERT_EQ(reduced.size(), in_order.size());
  for (const auto& [name, table] : in_order) {
    EXPECT_EQ(reduced.at(name).columns, table.columns) << name;
  }
  const auto rows = records::rows_of<DistortionRow>(reduced);
  ASSERT_EQ(rows.size(), 2U * (2 + 13));
  EXPECT_EQ(rows[0].tensor, "a.weight");
  EXPECT_EQ(rows[4].tensor, "b.experts.w");
  for (std::size_t i = 4; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].slice, static_cast<std::int64_t>(i / 2) - 3);
    EXPECT_EQ(rows[i].bits, i % 2 == 0 ? 4 : 2);
  }
}

TEST(Reduce, OutputHasAllFourTablesEvenWithoutRows) {
  std::vector<std::string> names;
  for (const auto& [name, table] : reduce({}, Options{})) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("checkpoint/tensors", "sensitivity/distortion",
                                 "sensitivity/slices", "sensitivity/tensors"));
}

}  // namespace
}  // namespace moesweep::sensitivity
