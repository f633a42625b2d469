#include "slice_spectrum.hpp"

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Of a 520 x 640 matrix.
kernels::SpectrumSummary by_svd(const test::Sample& sample) {
  const Eigen::Map<const Matrix> matrix(sample.values.data(), sample.shape[0], sample.shape[1]);
  const Eigen::VectorXd sigma =
      matrix.cast<double>().bdcSvd(Eigen::ComputeThinU | Eigen::ComputeThinV).singularValues();
  const std::vector<double> squares(sigma.data(), sigma.data() + sigma.size());
  std::vector<double> eigenvalues;
  for (const double value : squares) eigenvalues.push_back(value * value);
  return kernels::summarize_spectrum(eigenvalues);
}

void expect_spectrum_of_svd(const test::Sample& sample) {
  const auto rows = test::SampleCheckpoint({sample}).slices(Options{});
  ASSERT_EQ(rows.size(), 1U);
  const auto expected = by_svd(sample);
  EXPECT_NEAR(rows[0].spectral_concentration / expected.spectral_concentration, 1.0, 1e-5);
  EXPECT_NEAR(rows[0].concentration_full / expected.concentration_full, 1.0, 1e-5);
  EXPECT_NEAR(rows[0].stable_rank / expected.stable_rank, 1.0, 1e-5);
  EXPECT_NEAR(rows[0].effective_rank / expected.effective_rank, 1.0, 1e-4);
}

TEST(SliceSpectrum, OrdinaryWeightsAgreeWithASvd) {
  expect_spectrum_of_svd(test::gaussian("w", {520, 640}));
  expect_spectrum_of_svd(test::gaussian("w", {640, 520}));
}

TEST(SliceSpectrum, WeightsThatBinary32IsNotEnoughForAgreeToo) {
  auto off_centre = test::gaussian("w", {520, 640});
  for (auto& value : off_centre.values) value += 20.0F;
  expect_spectrum_of_svd(off_centre);
  auto tiny = test::gaussian("w", {640, 520});
  for (auto& value : tiny.values) value *= 1e-25F;
  expect_spectrum_of_svd(tiny);
}

}  // namespace
}  // namespace moesweep::sensitivity
