#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample.hpp"

namespace moesweep::sensitivity::test {
namespace {

using testing::EndsWith;

Options estimated() {
  auto options = with_quantizers({rtn4});
  options.estimator = Estimator::swan;
  return options;
}

records::SliceRow only_slice(const SampleCheckpoint& checkpoint, const Options& options) {
  return checkpoint.slices(options).at(0);
}

TEST(SwanEstimator, SketchesSpectraOfLargeMatricesAndSaysSo) {
  const SampleCheckpoint checkpoint({gaussian("w", {600, 520})});
  const auto row = only_slice(checkpoint, estimated());
  const auto exact = only_slice(checkpoint, with_quantizers({rtn4}));
  // 256 Ritz values lie below the eigenvalues, the last ones further, so the share is higher.
  EXPECT_GT(row.spectral_concentration, exact.spectral_concentration);
  EXPECT_NEAR(row.spectral_concentration, exact.spectral_concentration, 0.05);
  EXPECT_TRUE(std::isnan(row.concentration_full));
  EXPECT_TRUE(std::isnan(row.stable_rank));
  EXPECT_EQ(row.reason, "spectrum from a sketch of rank 256; noise from 32 random probes");
}

TEST(SwanEstimator, SpectraOfSmallMatricesStayExact) {
  const SampleCheckpoint checkpoint({gaussian("w", {700, 512})});
  const auto row = only_slice(checkpoint, estimated());
  const auto exact = only_slice(checkpoint, with_quantizers({rtn4}));
  EXPECT_EQ(row.spectral_concentration, exact.spectral_concentration);
  EXPECT_EQ(row.effective_rank, exact.effective_rank);
  EXPECT_EQ(row.reason, "noise from 32 random probes");
}

TEST(SwanEstimator, ProbesScatterAboutTheClosedForm) {
  for (const auto& shape : {std::vector<std::int64_t>{256, 512}, {600, 200}, {64, 2000}}) {
    const SampleCheckpoint checkpoint({gaussian("w", shape)});
    const auto row = only_slice(checkpoint, estimated());
    const auto exact = only_slice(checkpoint, with_quantizers({rtn4})).noise_amplification;
    EXPECT_NE(row.noise_amplification, exact);
    EXPECT_NEAR(row.noise_amplification / exact, 1.0, 0.05) << shape[0];
  }
}

TEST(SwanEstimator, ProbesDoNotDependOnTheBlocks) {
  const SampleCheckpoint checkpoint({gaussian("w", {64, 2000})});
  auto in_panels = estimated();
  auto in_row_blocks = estimated();
  in_row_blocks.spectrum = false;
  const auto panels = only_slice(checkpoint, in_panels).noise_amplification;
  EXPECT_NEAR(only_slice(checkpoint, in_row_blocks).noise_amplification / panels, 1.0, 1e-13);
}

TEST(SwanEstimator, FewColumnsTakeOneProbeEach) {
  const SampleCheckpoint checkpoint({gaussian("w", {600, 5})});
  const auto row = only_slice(checkpoint, estimated());
  EXPECT_EQ(row.reason, "noise from 5 random probes");
  EXPECT_GT(row.noise_amplification, 0.0);
}

TEST(SwanEstimator, RepeatsItselfAndDiffersBetweenTensors) {
  const SampleCheckpoint checkpoint({gaussian("a", {600, 520}), gaussian("b", {600, 520})});
  const auto once = checkpoint.slices(estimated());
  const auto again = checkpoint.slices(estimated());
  ASSERT_EQ(once.size(), 2U);
  EXPECT_EQ(once[0].spectral_concentration, again[0].spectral_concentration);
  EXPECT_EQ(once[0].noise_amplification, again[0].noise_amplification);
  EXPECT_NE(once[0].spectral_concentration, once[1].spectral_concentration);
  EXPECT_NE(once[0].noise_amplification, once[1].noise_amplification);
}

TEST(SwanEstimator, TensorsTakeTheMeanOfTheirSlicesAndNameTheEstimate) {
  const SampleCheckpoint checkpoint({gaussian("layers.0.mlp.experts.up", {3, 64, 128})});
  const auto options = estimated();
  const auto tables = reduce(checkpoint.measured(options), options);
  double sum = 0.0;
  for (const auto& row : records::rows_of<records::SliceRow>(tables))
    sum += row.noise_amplification;
  const auto tensor = records::rows_of<records::TensorRow>(tables).at(0);
  EXPECT_DOUBLE_EQ(tensor.noise_amplification, sum / 3.0);
  EXPECT_THAT(tensor.reason, EndsWith("; noise from 32 random probes"));
}

TEST(SwanEstimator, AZeroMatrixHasNoNoise) {
  const SampleCheckpoint checkpoint({constant("w", {600, 520}, 0.0F)});
  const auto row = only_slice(checkpoint, estimated());
  EXPECT_EQ(row.noise_amplification, 0.0);
  EXPECT_EQ(row.spectral_concentration, 0.0);
  EXPECT_THAT(row.reason, testing::StartsWith("all weights are 0; "));
  const auto tensor =
      records::rows_of<records::TensorRow>(reduce(checkpoint.measured(estimated()), estimated()));
  EXPECT_THAT(tensor.at(0).reason, testing::HasSubstr("; all weights are 0; spectrum"));
}

TEST(SwanEstimator, PlansItsMemoryAndLessArithmetic) {
  const SampleCheckpoint checkpoint({gaussian("w", {1100, 1024})});
  const auto exact = cut(checkpoint.opened(), with_quantizers({rtn4})).at(0);
  auto sketch_only = estimated();
  sketch_only.noise = false;
  EXPECT_GT(cut(checkpoint.opened(), estimated()).at(0).peak_bytes,
            cut(checkpoint.opened(), sketch_only).at(0).peak_bytes);
  EXPECT_NE(cut(checkpoint.opened(), sketch_only).at(0).gram_flops, exact.gram_flops);
}

}  // namespace
}  // namespace moesweep::sensitivity::test
