#include <cmath>
#include <random>
#include <vector>

#include <Eigen/SVD>
#include <gtest/gtest.h>

#include <moesweep/model/kernels/spectrum.hpp>

#include "matrices.hpp"

namespace moesweep::kernels {
namespace {

// Tall matrices by blocks of rows, wide ones by panels of columns, in uneven pieces.
std::vector<double> eigenvalues_of(const Matrix& matrix) {
  GramAccumulator gram(std::min(matrix.rows(), matrix.cols()));
  const Eigen::Index longer = std::max(matrix.rows(), matrix.cols());
  const Eigen::Index cut = longer / 3;
  if (matrix.rows() >= matrix.cols()) {
    const auto all = elements(matrix);
    const auto split = static_cast<std::size_t>(cut * matrix.cols());
    gram.add_rows(all.first(split), cut);
    gram.add_rows(all.subspan(split), longer - cut);
  } else {
    const Matrix left = matrix.leftCols(cut);
    const Matrix right = matrix.rightCols(longer - cut);
    gram.add_columns(elements(left), cut);
    gram.add_columns(elements(right), longer - cut);
  }
  return gram.take_eigenvalues();
}

// The definitions of DESIGN section 8, from singular values.
SpectrumSummary from_singular_values(const Eigen::VectorXd& sigma) {
  const Eigen::VectorXd power = sigma.array().square();
  const Eigen::Index k = power.size();
  const Eigen::Index tenth = std::max<Eigen::Index>(1, k / 10);
  SpectrumSummary summary;
  summary.concentration_full = power.head(tenth).sum() / power.sum();
  summary.spectral_concentration =
      k <= 512 ? summary.concentration_full : power.head(25).sum() / power.head(256).sum();
  summary.stable_rank = power.sum() / power[0];
  double entropy = 0.0;
  for (Eigen::Index i = 0; i < k; ++i) {
    const double p = power[i] / power.sum();
    if (p > 0.0) entropy -= p * std::log(p);
  }
  summary.effective_rank = std::exp(entropy);
  return summary;
}

void expect_like_svd(const Matrix& matrix) {
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(matrix.cast<double>());
  const SpectrumSummary expected = from_singular_values(svd.singularValues());
  const SpectrumSummary actual = summarize_spectrum(eigenvalues_of(matrix));
  const auto near = [](double value, double wanted, double tolerance, const char* what) {
    EXPECT_NEAR(value, wanted, tolerance * wanted) << what;
  };
  near(actual.spectral_concentration, expected.spectral_concentration, 1e-5, "concentration");
  near(actual.concentration_full, expected.concentration_full, 1e-5, "concentration_full");
  near(actual.stable_rank, expected.stable_rank, 1e-5, "stable rank");
  near(actual.effective_rank, expected.effective_rank, 1e-4, "effective rank");
}

TEST(Spectrum, AgreesWithASvdOnRandomMatrices) {
  expect_like_svd(gaussian_matrix(1, 1, 1));
  expect_like_svd(gaussian_matrix(1, 50, 2));
  expect_like_svd(gaussian_matrix(70, 7, 3));
  expect_like_svd(gaussian_matrix(64, 1500, 4));
  expect_like_svd(gaussian_matrix(1500, 64, 5));
  expect_like_svd(gaussian_matrix(512, 512, 6));
}

TEST(Spectrum, AgreesWithASvdAboveTheFullRankLimit) {
  expect_like_svd(gaussian_matrix(530, 520, 7));
}

TEST(Spectrum, AgreesWithASvdOnRankOneMatrices) {
  const Matrix column = gaussian_matrix(200, 1, 8);
  const Matrix row = gaussian_matrix(1, 512, 9);
  expect_like_svd(column * row);
  expect_like_svd(gaussian_matrix(600, 1, 16) * gaussian_matrix(1, 30, 17));
}

TEST(Spectrum, ConstantMatrixHasOneSingularValue) {
  for (const Matrix& matrix :
       {Matrix(Matrix::Constant(300, 256, 0.1F)), Matrix(Matrix::Constant(512, 512, -1e-30F))}) {
    const SpectrumSummary summary = summarize_spectrum(eigenvalues_of(matrix));
    EXPECT_NEAR(summary.spectral_concentration, 1.0, 1e-12);
    EXPECT_NEAR(summary.concentration_full, 1.0, 1e-12);
    EXPECT_NEAR(summary.stable_rank, 1.0, 1e-12);
    EXPECT_NEAR(summary.effective_rank, 1.0, 1e-9);
  }
}

TEST(Spectrum, AgreesWithASvdOnIllConditionedMatrices) {
  Matrix matrix = gaussian_matrix(300, 200, 10);
  for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
    matrix.col(j) *= std::pow(10.0F, -0.1F * static_cast<float>(j));
  }
  expect_like_svd(matrix);
  expect_like_svd(1e-30F * gaussian_matrix(60, 90, 11));
  expect_like_svd(3e37F * gaussian_matrix(60, 90, 12));
}

TEST(Spectrum, EigenvaluesAreDescendingAndNeverNegative) {
  const Matrix rank_two = gaussian_matrix(100, 2, 13) * gaussian_matrix(2, 80, 14);
  const auto eigenvalues = eigenvalues_of(rank_two);
  ASSERT_EQ(eigenvalues.size(), 80U);
  EXPECT_TRUE(std::is_sorted(eigenvalues.rbegin(), eigenvalues.rend()));
  EXPECT_GE(eigenvalues.back(), 0.0);
  EXPECT_GT(eigenvalues[1], 0.0);
  EXPECT_LT(eigenvalues[2], 1e-12 * eigenvalues[0]);
}

TEST(Spectrum, ZeroMatrixIsAllZero) {
  const SpectrumSummary summary = summarize_spectrum(eigenvalues_of(Matrix::Zero(20, 30)));
  EXPECT_EQ(summary.spectral_concentration, 0.0);
  EXPECT_EQ(summary.concentration_full, 0.0);
  EXPECT_EQ(summary.stable_rank, 0.0);
  EXPECT_EQ(summary.effective_rank, 0.0);
}

TEST(Spectrum, EqualSingularValuesHaveFullRank) {
  // 40 orthogonal rows of norm 2: t = 4 of 40.
  const SpectrumSummary summary =
      summarize_spectrum(eigenvalues_of(2.0F * Matrix::Identity(40, 50)));
  EXPECT_DOUBLE_EQ(summary.spectral_concentration, 0.1);
  EXPECT_DOUBLE_EQ(summary.stable_rank, 40.0);
  EXPECT_NEAR(summary.effective_rank, 40.0, 1e-12);
}

TEST(Spectrum, LargerMatricesCountTheFirst25Of256) {
  // 513 ones: 25/256, and 51/513 of the whole.
  const SpectrumSummary above = summarize_spectrum(std::vector<double>(513, 1.0));
  EXPECT_DOUBLE_EQ(above.spectral_concentration, 25.0 / 256.0);
  EXPECT_DOUBLE_EQ(above.concentration_full, 51.0 / 513.0);
  const SpectrumSummary at_limit = summarize_spectrum(std::vector<double>(512, 1.0));
  EXPECT_DOUBLE_EQ(at_limit.spectral_concentration, 51.0 / 512.0);
  const SpectrumSummary small = summarize_spectrum(std::vector<double>{3.0, 1.0});
  EXPECT_DOUBLE_EQ(small.spectral_concentration, 0.75);
}

TEST(Spectrum, BitsDoNotDependOnWhereABlockLies) {
  const Matrix matrix = gaussian_matrix(700, 90, 15);
  GramAccumulator reference(90);
  reference.add_rows(elements(matrix), 700);
  const auto expected = reference.take_eigenvalues();
  for (const std::size_t shift : {1U, 3U, 7U}) {
    const auto moved = shifted_by(shift, elements(matrix));
    GramAccumulator gram(90);
    gram.add_rows(std::span<const float>(moved).subspan(shift), 700);
    EXPECT_EQ(gram.take_eigenvalues(), expected);
  }
}

TEST(SpectrumDeathTest, NothingIsAddedAfterTheEnd) {
  GramAccumulator gram(2);
  const std::vector<float> block = {1.0F, 2.0F};
  gram.add_rows(block, 1);
  gram.take_eigenvalues();
  EXPECT_DEATH(gram.add_rows(block, 1), "eigenvalues were taken");
  EXPECT_DEATH(gram.take_eigenvalues(), "taken twice");
}

}  // namespace
}  // namespace moesweep::kernels
