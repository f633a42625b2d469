#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oracle.hpp"
#include "sample.hpp"

namespace moesweep::sensitivity::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Options swan_experts(std::vector<kernels::Quantizer> quantizers = {rtn4}) {
  auto options = with_quantizers(std::move(quantizers));
  options.experts = ExpertChoice::swan;
  return options;
}

/// Slices of the sample, one below the other.
std::vector<float> stacked(const Sample& sample, std::initializer_list<std::int64_t> slices) {
  const auto each = sample.shape[1] * sample.shape[2];
  std::vector<float> values;
  for (const auto slice : slices) {
    const auto first = sample.values.begin() + slice * each;
    values.insert(values.end(), first, first + each);
  }
  return values;
}

records::TensorRow only_tensor(const SampleCheckpoint& checkpoint, const Options& options) {
  const auto rows =
      records::rows_of<records::TensorRow>(reduce(checkpoint.measured(options), options));
  EXPECT_EQ(rows.size(), 1U);
  return rows.at(0);
}

void expect_metrics(const records::SliceRow& row, std::span<const float> values,
                    std::int64_t columns) {
  const auto moments = oracle_moments(values);
  EXPECT_EQ(row.params, static_cast<std::int64_t>(values.size()));
  EXPECT_NEAR(row.mean, moments.mean, 1e-12);
  EXPECT_NEAR(row.sum_squares / moments.sum_squares, 1.0, 1e-12);
  EXPECT_NEAR(row.excess_kurtosis, moments.kurtosis(), 1e-9);
  const auto rows = row.params / columns;
  EXPECT_NEAR(row.spectral_concentration, oracle_spectrum(values, rows, columns).concentration,
              1e-9);
}

TEST(SwanExperts, FourEvenlySpacedSlicesAreOneMatrix) {
  const auto stack = gaussian("layers.0.mlp.experts.up", {12, 40, 128});
  const SampleCheckpoint checkpoint({stack});
  const auto rows = checkpoint.slices(swan_experts());
  ASSERT_EQ(rows.size(), 1U);
  const auto values = stacked(stack, {0, 3, 7, 11});  // trunc(linspace(0, 11, 4))
  expect_metrics(rows[0], values, 128);
  EXPECT_EQ(rows[0].slice, 0);
  EXPECT_EQ(rows[0].reason, "4 of 12 slices stacked");
  EXPECT_NEAR(rows[0].nrmse_rtn_4bit_g128,
              std::sqrt(oracle_rtn_sse(values, 128, 4, 128) / rows[0].sum_squares), 1e-6);
}

TEST(SwanExperts, AWideStackIsReadInPanels) {
  const auto stack = gaussian("layers.0.mlp.experts.up", {6, 33, 700});
  const SampleCheckpoint checkpoint({stack});
  const auto rows = checkpoint.slices(swan_experts());
  ASSERT_EQ(rows.size(), 1U);
  expect_metrics(rows[0], stacked(stack, {0, 1, 3, 5}), 700);
}

TEST(SwanExperts, UpToFourSlicesAreAllStackedAndNothingIsSampled) {
  const auto stack = gaussian("layers.0.mlp.experts.up", {4, 32, 128});
  const SampleCheckpoint checkpoint({stack});
  const auto rows = checkpoint.slices(swan_experts());
  ASSERT_EQ(rows.size(), 1U);
  expect_metrics(rows[0], stack.values, 128);
  EXPECT_EQ(rows[0].reason, "");
  EXPECT_THAT(only_tensor(checkpoint, swan_experts()).reason, Not(HasSubstr("stacked")));
}

TEST(SwanExperts, AConvolutionIsAStackTooAndItsWholeSizeDecides) {
  const SampleCheckpoint checkpoint({gaussian("layers.0.linear_attn.conv1d.weight", {512, 1, 4})});
  const auto tensor = only_tensor(checkpoint, swan_experts());
  EXPECT_EQ(tensor.slices, 1);
  EXPECT_EQ(tensor.params, 2048);
  EXPECT_THAT(tensor.reason, Not(HasSubstr("fewer than")));
  EXPECT_THAT(tensor.reason, HasSubstr("; 4 of 512 slices stacked"));
}

TEST(SwanExperts, OnlyTheSampledSlicesArePlannedAndDescribed) {
  const SampleCheckpoint checkpoint({gaussian("layers.0.mlp.experts.up", {12, 40, 128})});
  const auto items = cut(checkpoint.opened(), swan_experts());
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].bytes_read, 4 * 40 * 128 * 4);
  EXPECT_EQ(items[0].weights, 4 * 40 * 128);
  EXPECT_EQ(key_of(items[0], checkpoint.opened(), swan_experts()),
            "sensitivity/layers.0.mlp.experts.up/0-0");
  const auto described =
      records::rows_of<records::CheckpointTensorRow>(describe(checkpoint.opened(), swan_experts()));
  EXPECT_EQ(described.at(0).slices, 1);
  EXPECT_EQ(described.at(0).rows, 160);
  EXPECT_EQ(described.at(0).params, 12 * 40 * 128);
}

// A group that is filled up with zeros gives each zero an error of up to half a step.
TEST(SwanExperts, TheErrorCountsThePaddingAndTheDistortionDoesNot) {
  const std::int64_t columns = 130;
  const auto matrix = gaussian("w", {24, columns});
  const SampleCheckpoint checkpoint({matrix});
  std::vector<float> padded;
  for (std::int64_t row = 0; row < 24; ++row) {
    const auto first = matrix.values.begin() + row * columns;
    padded.insert(padded.end(), first, first + columns);
    padded.insert(padded.end(), 256 - columns, 0.0F);
  }
  const auto options = swan_experts();
  const auto tables = checkpoint.measured(options);
  const auto slice = records::rows_of<records::SliceRow>(tables).at(0);
  const auto counted = std::sqrt(oracle_rtn_sse(padded, 256, 4, 128) / slice.sum_squares);
  EXPECT_NEAR(slice.nrmse_rtn_4bit_g128 / counted, 1.0, 1e-6);
  const auto distortion = records::rows_of<records::DistortionRow>(tables).at(0);
  EXPECT_NEAR(distortion.sse / oracle_rtn_sse(matrix.values, columns, 4, 128), 1.0, 1e-6);
  EXPECT_GT(slice.nrmse_rtn_4bit_g128, 1.01 * distortion.nrmse);
  EXPECT_NEAR(only_tensor(checkpoint, options).nrmse_rtn_4bit_g128, counted, 1e-6);
}

TEST(SwanExperts, ANonfiniteWeightIsNamedByItsPlaceInTheTensor) {
  auto stack = gaussian("layers.0.mlp.experts.up", {12, 40, 128});
  const auto index = std::size_t{7 * 40 * 128 + 5};
  stack.values[index] = std::numeric_limits<float>::infinity();
  const SampleCheckpoint checkpoint({stack});
  auto options = swan_experts();
  options.nonfinite = NonfinitePolicy::skip;
  EXPECT_EQ(checkpoint.slices(options).at(0).reason, "skipped: non-finite weight at index 35845");
}

}  // namespace
}  // namespace moesweep::sensitivity::test
