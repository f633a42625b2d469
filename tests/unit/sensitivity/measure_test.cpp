#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

#include "oracle.hpp"
#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

using records::DistortionRow;
using records::SliceRow;
using test::SampleCheckpoint;

void expect_near(double value, double expected, double relative, const char* what) {
  EXPECT_NEAR(value, expected, relative * std::max(std::abs(expected), 1e-300)) << what;
}

void expect_moments(const SliceRow& row, std::span<const float> values) {
  const auto expected = test::oracle_moments(values);
  expect_near(row.mean, expected.mean, 1e-9, "mean");
  expect_near(row.variance, expected.variance(), 1e-9, "variance");
  expect_near(row.m2, expected.m2, 1e-9, "m2");
  expect_near(row.m3, expected.m3, 1e-6, "m3");
  expect_near(row.m4, expected.m4, 1e-9, "m4");
  expect_near(row.sum_squares, expected.sum_squares, 1e-9, "sum_squares");
  expect_near(row.excess_kurtosis, expected.kurtosis(), 1e-6, "excess_kurtosis");
  expect_near(row.noise_amplification, expected.noise(), 1e-9, "noise_amplification");
  EXPECT_EQ(row.minimum, expected.minimum);
  EXPECT_EQ(row.maximum, expected.maximum);
}

void expect_spectrum(const SliceRow& row, std::span<const float> values, std::int64_t rows,
                     std::int64_t columns) {
  const auto expected = test::oracle_spectrum(values, rows, columns);
  expect_near(row.spectral_concentration, expected.concentration, 1e-5, "spectral_concentration");
  expect_near(row.concentration_full, expected.concentration_full, 1e-5, "concentration_full");
  expect_near(row.stable_rank, expected.stable_rank, 1e-5, "stable_rank");
  expect_near(row.effective_rank, expected.effective_rank, 1e-4, "effective_rank");
}

double oracle_nrmse(std::span<const float> values, std::int64_t columns) {
  return std::sqrt(test::oracle_rtn_sse(values, columns, 4, 128) /
                   test::oracle_moments(values).sum_squares);
}

void expect_all(const SliceRow& row, std::span<const float> values, std::int64_t rows,
                std::int64_t columns) {
  EXPECT_EQ(row.params, rows * columns);
  EXPECT_EQ(row.reason, "");
  expect_moments(row, values);
  expect_spectrum(row, values, rows, columns);
  expect_near(row.nrmse_rtn_4bit_g128, oracle_nrmse(values, columns), 1e-6, "nrmse");
}

struct Shape {
  std::int64_t rows, columns;
};

class MeasureShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(MeasureShapes, AgreeWithTheOracle) {
  const auto [rows, columns] = GetParam();
  const auto sample = test::gaussian("w", {rows, columns});
  const auto slices = SampleCheckpoint({sample}).slices(Options{});
  ASSERT_EQ(slices.size(), 1U);
  expect_all(slices[0], sample.values, rows, columns);
}

INSTANTIATE_TEST_SUITE_P(SquareTallWideAndOdd, MeasureShapes,
                         ::testing::Values(Shape{64, 64}, Shape{2, 2}, Shape{300, 7}, Shape{7, 300},
                                           Shape{129, 127}, Shape{130, 1037}, Shape{600, 520},
                                           Shape{520, 700}));

TEST(Measure, BlocksOfATallMatrixGiveTheWholeMatrix) {
  const auto sample = test::gaussian("w", {50'000, 48}, 3);
  expect_all(SampleCheckpoint({sample}).slices(Options{}).at(0), sample.values, 50'000, 48);
}

TEST(Measure, PanelsOfAWideMatrixGiveTheWholeMatrix) {
  const auto sample = test::gaussian("w", {48, 50'003}, 4);
  expect_all(SampleCheckpoint({sample}).slices(Options{}).at(0), sample.values, 48, 50'003);
}

TEST(Measure, RowsLongerThanABlockGiveTheWholeMatrix) {
  const auto sample = test::gaussian("w", {2, 1'500'001}, 5);
  Options options;
  options.spectrum = false;
  const auto row = SampleCheckpoint({sample}).slices(options).at(0);
  expect_moments(row, sample.values);
  expect_near(row.nrmse_rtn_4bit_g128, oracle_nrmse(sample.values, 1'500'001), 1e-6, "nrmse");
}

// 70 MB: more than one stripe, so panels are read row by row.
TEST(Measure, AWideMatrixTooLargeForOneReadGivesTheWholeMatrix) {
  const std::int64_t columns = 2'200'001;
  const auto sample = test::gaussian("w", {8, columns}, 6);
  const auto row = SampleCheckpoint({sample}).slices(Options{}).at(0);
  expect_moments(row, sample.values);
  expect_near(row.nrmse_rtn_4bit_g128, oracle_nrmse(sample.values, columns), 1e-6, "nrmse");
  Eigen::Map<const Eigen::Matrix<float, 8, Eigen::Dynamic, Eigen::RowMajor>> matrix(
      sample.values.data(), 8, columns);
  const Eigen::Matrix<double, 8, Eigen::Dynamic> wide = matrix.cast<double>();
  const Eigen::Matrix<double, 8, 8> gram = wide * wide.transpose();
  const auto squares =
      Eigen::SelfAdjointEigenSolver<Eigen::Matrix<double, 8, 8>>(gram).eigenvalues().eval();
  expect_near(row.stable_rank, squares.sum() / squares(7), 1e-5, "stable_rank");
}

TEST(Measure, SlicesOfAStackAreMatricesOfTheirOwn) {
  for (const auto dtype : {Dtype::f32, Dtype::bf16, Dtype::f64}) {
    const auto sample = test::gaussian("m.experts.w", {4, 40, 72}, 7, dtype);
    const auto slices = SampleCheckpoint({sample}).slices(Options{});
    ASSERT_EQ(slices.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(slices[i].slice, static_cast<std::int64_t>(i));
      expect_all(slices[i], std::span(sample.values).subspan(i * 2880, 2880), 40, 72);
    }
  }
}

TEST(Measure, ConvolutionsAreOneMatrix) {
  const auto sample = test::gaussian("conv1d.weight", {256, 3, 4, 4}, 8);
  expect_all(SampleCheckpoint({sample}).slices(Options{}).at(0), sample.values, 256, 48);
}

TEST(Measure, RowsDoNotDependOnTheCut) {
  const SampleCheckpoint checkpoint({test::gaussian("m.experts.w", {7, 40, 200}, 9, Dtype::bf16),
                                     test::gaussian("w", {100, 60}, 10)});
  auto options = test::with_quantizers({test::rtn2, test::rtn4, test::affine3});
  const auto whole = checkpoint.measured(options);
  for (const std::int64_t unit_bytes : {1, 40 * 200 * 2 * 3}) {
    options.unit_bytes = unit_bytes;
    const auto pieces = checkpoint.measured(options);
    for (const auto& [name, table] : whole) {
      EXPECT_EQ(pieces.at(name).columns, table.columns) << name;
    }
  }
}

TEST(Measure, DistortionHasOneRowAQuantizerInTheOrderOfTheOptions) {
  const auto sample = test::gaussian("m.experts.w", {2, 40, 200}, 11);
  const SampleCheckpoint checkpoint({sample});
  const auto tables = checkpoint.measured(test::with_quantizers({test::rtn4, test::rtn2}));
  const auto rows = records::rows_of<DistortionRow>(tables);
  ASSERT_EQ(rows.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& row = rows[i];
    const auto& quantizer = i % 2 == 0 ? test::rtn4 : test::rtn2;
    const auto values = std::span(sample.values).subspan(i / 2 * 8000, 8000);
    EXPECT_EQ(row.slice, static_cast<std::int64_t>(i / 2));
    EXPECT_EQ(row.quantizer, "rtn");
    EXPECT_EQ(row.bits, quantizer.bits);
    EXPECT_EQ(row.group_size, quantizer.group_size);
    EXPECT_EQ(row.bits_per_weight, quantizer.bits + 64.0 / quantizer.group_size);
    expect_near(row.sse, test::oracle_rtn_sse(values, 200, quantizer.bits, quantizer.group_size),
                1e-6, "sse");
    expect_near(row.nrmse, std::sqrt(row.sse / row.sum_squares), 1e-15, "nrmse");
  }
  const auto slices = records::rows_of<SliceRow>(tables);
  EXPECT_EQ(slices[1].nrmse_rtn_4bit_g128, rows[2].nrmse);
}

TEST(Measure, ErrorScoreNeedsNoListedQuantizer) {
  const auto sample = test::gaussian("w", {40, 200}, 12);
  const auto tables = SampleCheckpoint({sample}).measured(test::with_quantizers({test::affine3}));
  EXPECT_EQ(records::rows_of<DistortionRow>(tables).size(), 1U);
  expect_near(records::rows_of<SliceRow>(tables).at(0).nrmse_rtn_4bit_g128,
              oracle_nrmse(sample.values, 200), 1e-6, "nrmse");
}

TEST(Measure, MetricsNotAskedForAreNotNumbers) {
  const SampleCheckpoint checkpoint({test::gaussian("w", {40, 64}, 13)});
  auto options = test::with_quantizers({test::rtn4});
  options.moments = options.error = options.spectrum = false;
  const auto tables = checkpoint.measured(options);
  const auto row = records::rows_of<SliceRow>(tables).at(0);
  EXPECT_FALSE(std::isnan(row.noise_amplification));
  for (const double value : {row.mean, row.variance, row.m2, row.m3, row.m4, row.excess_kurtosis,
                             row.spectral_concentration, row.concentration_full, row.stable_rank,
                             row.effective_rank, row.nrmse_rtn_4bit_g128}) {
    EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_TRUE(records::rows_of<DistortionRow>(tables).empty());
}

TEST(Measure, ZeroMatrixIsZeroWithAReason) {
  const SampleCheckpoint checkpoint({test::constant("w", {40, 64}, 0.0F)});
  const auto row = checkpoint.slices(test::with_quantizers({test::rtn4, test::affine3})).at(0);
  for (const double value :
       {row.mean, row.variance, row.excess_kurtosis, row.noise_amplification,
        row.nrmse_rtn_4bit_g128, row.spectral_concentration, row.concentration_full,
        row.stable_rank, row.effective_rank, row.sum_squares}) {
    EXPECT_EQ(value, 0.0);
  }
  EXPECT_EQ(row.reason, "all weights are 0");
}

TEST(Measure, ConstantMatrixHasKurtosisZeroWithAReason) {
  for (const float value : {0.1F, -3.3e-30F, 1e3F}) {
    const SampleCheckpoint checkpoint({test::constant("w", {50'000, 48}, value)});
    const auto row = checkpoint.slices(Options{}).at(0);
    EXPECT_EQ(row.variance, 0.0);
    EXPECT_EQ(row.excess_kurtosis, 0.0);
    EXPECT_EQ(row.noise_amplification, 0.0);
    EXPECT_EQ(row.reason, "variance is 0");
    expect_near(row.stable_rank, 1.0, 1e-6, "stable_rank");
  }
}

TEST(Measure, LargeMeanAndTinyWeightsKeepTheirPrecision) {
  auto noise = test::weights_like(14, 1e-3F);
  const auto offset = test::sample("w", {96, 160}, [&] { return 1e3F + noise(); });
  const auto offset_row = SampleCheckpoint({offset}).slices(Options{}).at(0);
  expect_moments(offset_row, offset.values);
  expect_near(offset_row.nrmse_rtn_4bit_g128, oracle_nrmse(offset.values, 160), 1e-6, "nrmse");

  const auto tiny = test::sample("w", {96, 160}, test::weights_like(15, 1e-30F));
  expect_all(SampleCheckpoint({tiny}).slices(Options{}).at(0), tiny.values, 96, 160);
}

}  // namespace
}  // namespace moesweep::sensitivity
