#include "sketch.hpp"

#include <cmath>
#include <random>

#include <Eigen/Dense>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/kernels/spectrum.hpp>

namespace moesweep::kernels {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr PhiloxKey key = {1, 2};

RowMajor random_matrix(Eigen::Index rows, Eigen::Index columns) {
  std::mt19937_64 engine(7);
  std::normal_distribution<float> normal;
  RowMajor matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal(engine);
  return matrix;
}

GramAccumulator gram_of(const RowMajor& matrix) {
  GramAccumulator gram(matrix.cols());
  gram.add_rows({matrix.data(), static_cast<std::size_t>(matrix.size())}, matrix.rows());
  return gram;
}

std::vector<double> sketched(const RowMajor& matrix, std::int64_t rank, PhiloxKey with = key) {
  return gram_of(matrix).take_sketched_eigenvalues(rank, with);
}

/// The published algorithm, on A itself: orthonormal bases of A R, A^T Q, A Q, A^T Q, A Q, then the
/// singular values of Q^T A. R is the same.
Eigen::VectorXd low_rank_svd(const RowMajor& matrix, std::int64_t rank) {
  const Eigen::MatrixXd a = matrix.cast<double>();
  Eigen::MatrixXd basis(a.cols(), rank);
  fill_with_normals({a.cols(), rank, basis.data(), nullptr, nullptr}, key);
  const auto orthonormal = [&](const Eigen::MatrixXd& columns) -> Eigen::MatrixXd {
    return Eigen::HouseholderQR<Eigen::MatrixXd>(columns).householderQ() *
           Eigen::MatrixXd::Identity(columns.rows(), rank);
  };
  Eigen::MatrixXd q = orthonormal(a * basis);
  for (int i = 0; i < 2; ++i) {
    q = orthonormal(a.transpose() * q);
    q = orthonormal(a * q);
  }
  return Eigen::BDCSVD<Eigen::MatrixXd>(q.transpose() * a).singularValues().array().square();
}

TEST(Sketch, EqualsTheLowRankSvdOfTheMatrixItself) {
  const auto matrix = random_matrix(300, 120);
  const auto ours = sketched(matrix, 24);
  const auto theirs = low_rank_svd(matrix, 24);
  ASSERT_EQ(ours.size(), 24U);
  for (Eigen::Index i = 0; i < 24; ++i) {
    EXPECT_NEAR(ours[static_cast<std::size_t>(i)] / theirs[i], 1.0, 1e-10) << i;
  }
}

TEST(Sketch, NeverExceedsTheTrueEigenvalues) {
  const auto matrix = random_matrix(300, 120);
  const auto exact = gram_of(matrix).take_eigenvalues();
  const auto ours = sketched(matrix, 24);
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_LE(ours[i], exact[i] * (1.0 + 1e-12)) << i;
  EXPECT_GT(ours[0], 0.95 * exact[0]);
}

TEST(Sketch, OfAMatrixOfLowerRankIsExact) {
  const RowMajor matrix = random_matrix(200, 5) * random_matrix(5, 100);
  const auto exact = gram_of(matrix).take_eigenvalues();
  const auto ours = sketched(matrix, 24);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(ours[i] / exact[i], 1.0, 1e-9) << i;
  for (std::size_t i = 5; i < 24; ++i) EXPECT_LT(ours[i], 1e-9 * exact[0]) << i;
}

TEST(Sketch, OfAZeroMatrixIsZero) {
  EXPECT_THAT(sketched(RowMajor::Zero(40, 30), 8), testing::Each(0.0));
  EXPECT_EQ(summarize_sketch(sketched(RowMajor::Zero(40, 30), 8)).spectral_concentration, 0.0);
}

TEST(Sketch, IsTheSameForTheSameKeyAndAnotherForAnother) {
  const auto matrix = random_matrix(200, 100);
  EXPECT_EQ(sketched(matrix, 16), sketched(matrix, 16));
  EXPECT_NE(sketched(matrix, 16), sketched(matrix, 16, {1, 3}));
}

TEST(Sketch, HoldsWhatItsPeakSays) {
  const auto matrix = random_matrix(200, 100);
  auto gram = gram_of(matrix);
  gram.take_sketched_eigenvalues(16, key);
  EXPECT_EQ(gram.peak_bytes(), sketch_peak_bytes(100, matrix.size(), 16));
}

TEST(SummarizeSketch, GivesTheShareOfTheFirstTenthAndNothingElse) {
  std::vector<double> eigenvalues(20, 1.0);
  eigenvalues[0] = 21.0;
  const auto summary = summarize_sketch(eigenvalues);
  EXPECT_EQ(summary.spectral_concentration, 22.0 / 40.0);
  EXPECT_TRUE(std::isnan(summary.concentration_full));
  EXPECT_TRUE(std::isnan(summary.stable_rank));
  EXPECT_TRUE(std::isnan(summary.effective_rank));
}

}  // namespace
}  // namespace moesweep::kernels
