#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <Eigen/Core>
#include <gtest/gtest.h>

#include <moesweep/model/kernels/fast_spectrum.hpp>

#include "matrices.hpp"

namespace moesweep::kernels {
namespace {

template <typename Gram>
Gram gram_of(const Matrix& matrix) {
  Gram gram(std::min(matrix.rows(), matrix.cols()));
  if (matrix.rows() >= matrix.cols())
    gram.add_rows(elements(matrix), matrix.rows());
  else
    gram.add_columns(elements(matrix), matrix.cols());
  return gram;
}

std::optional<SpectrumSummary> fast(const Matrix& matrix) {
  return gram_of<FastGram>(matrix).take_summary();
}

SpectrumSummary exact(const Matrix& matrix) {
  return summarize_spectrum(gram_of<GramAccumulator>(matrix).take_eigenvalues());
}

void expect_within_promise(const SpectrumSummary& is, const SpectrumSummary& should) {
  const auto near = [](double value, double expected, double tolerance) {
    EXPECT_NEAR(value, expected, tolerance * expected);
  };
  near(is.spectral_concentration, should.spectral_concentration, 1e-5);
  near(is.concentration_full, should.concentration_full, 1e-5);
  near(is.stable_rank, should.stable_rank, 1e-5);
  near(is.effective_rank, should.effective_rank, 1e-4);
}

/// Singular values fall by six orders of magnitude.
Matrix ill_conditioned(Eigen::Index rows, Eigen::Index columns) {
  const auto k = std::min(rows, columns);
  Eigen::VectorXf sigma(k);
  for (Eigen::Index i = 0; i < k; ++i) {
    sigma[i] = std::pow(10.0F, -6.0F * static_cast<float>(i) / static_cast<float>(k));
  }
  return gaussian_matrix(rows, k, 2) * sigma.asDiagonal() * gaussian_matrix(k, columns, 3);
}

std::vector<Matrix> ordinary_matrices() {
  std::vector<Matrix> matrices = {gaussian_matrix(700, 1100), gaussian_matrix(1100, 700)};
  matrices.push_back(matrices[0].array().cube());
  matrices.push_back(ill_conditioned(600, 900));
  matrices.push_back(gaussian_matrix(600, 40, 4) * gaussian_matrix(40, 900, 5));
  Matrix decaying = gaussian_matrix(900, 600);
  for (Eigen::Index j = 0; j < decaying.cols(); ++j) {
    decaying.col(j) /= std::sqrt(1.0F + static_cast<float>(j));
  }
  matrices.push_back(decaying);
  return matrices;
}

TEST(FastSpectrum, IsAccurateOnOrdinaryMatrices) {
  for (const auto& matrix : ordinary_matrices()) {
    const auto summary = fast(matrix);
    ASSERT_TRUE(summary.has_value()) << matrix.rows() << " x " << matrix.cols();
    expect_within_promise(*summary, exact(matrix));
  }
}

TEST(FastSpectrum, IsAccurateOrNothingWhenOneDirectionDominates) {
  for (const float strength : {1.0F, 10.0F, 100.0F, 1000.0F}) {
    Matrix spiked = gaussian_matrix(600, 900);
    spiked.row(3) *= strength;
    if (const auto summary = fast(spiked)) expect_within_promise(*summary, exact(spiked));
    Matrix off_centre = gaussian_matrix(600, 900);
    off_centre.array() += strength;
    if (const auto summary = fast(off_centre)) expect_within_promise(*summary, exact(off_centre));
  }
}

TEST(FastSpectrum, IsNothingWhereBinary32DoesNotDo) {
  const Matrix gauss = gaussian_matrix(520, 530);
  EXPECT_FALSE(fast(gauss * 1e-30F)) << "squares vanish";
  EXPECT_FALSE(fast(gauss * 1e25F)) << "squares overflow";
  EXPECT_FALSE(fast(gauss * 0.0F)) << "zero";
  EXPECT_FALSE(fast((gauss.array() + 1e6F).matrix())) << "far off-centre";
  EXPECT_FALSE(fast(gaussian_matrix(520, 1) * gaussian_matrix(1, 530))) << "rank one";
}

TEST(FastSpectrum, PiecesOfAnyWidthGiveTheSameNumbers) {
  const Matrix matrix = gaussian_matrix(600, 900);
  FastGram pieces(600);
  for (Eigen::Index from = 0; from < 900; from += 128) {
    const Matrix panel = matrix.middleCols(from, std::min<Eigen::Index>(128, 900 - from));
    pieces.add_columns(elements(panel), panel.cols());
  }
  const auto summary = pieces.take_summary();
  ASSERT_TRUE(summary.has_value());
  expect_within_promise(*summary, exact(matrix));
}

TEST(FastSpectrum, BitsDoNotDependOnWhereABlockLies) {
  const Matrix matrix = gaussian_matrix(530, 520);
  const auto reference = fast(matrix);
  ASSERT_TRUE(reference.has_value());
  std::vector<float> copy(static_cast<std::size_t>(matrix.size()) + 16);
  for (const std::size_t shift : {1U, 3U, 8U}) {
    std::copy_n(matrix.data(), matrix.size(), copy.begin() + static_cast<std::ptrdiff_t>(shift));
    FastGram gram(520);
    gram.add_rows(std::span(copy).subspan(shift, static_cast<std::size_t>(matrix.size())), 530);
    const auto summary = gram.take_summary();
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(summary->effective_rank, reference->effective_rank);
    EXPECT_EQ(summary->stable_rank, reference->stable_rank);
  }
}

TEST(FastSpectrum, EveryNumberLimitsTheErrorThatIsAccepted) {
  std::vector<double> flat(1000, 1.0);
  EXPECT_TRUE(is_accurate_enough(flat, 0.0));
  EXPECT_TRUE(is_accurate_enough(flat, 1e-5));
  EXPECT_FALSE(is_accurate_enough(flat, 1e-4)) << "25 of 256";
  EXPECT_FALSE(is_accurate_enough(flat, std::numeric_limits<double>::quiet_NaN()));
  std::vector<double> dominated(1000, 1e-9);
  dominated.front() = 1.0;
  EXPECT_TRUE(is_accurate_enough(dominated, 1e-9));
  EXPECT_FALSE(is_accurate_enough(dominated, 2e-6)) << "effective rank";
}

TEST(FastSpectrumDeathTest, NothingIsAddedAfterTheEnd) {
  const Matrix matrix = gaussian_matrix(64, 64);
  auto gram = gram_of<FastGram>(matrix);
  gram.take_summary();
  EXPECT_DEATH(gram.add_rows(elements(matrix), 64), "after its summary");
  EXPECT_DEATH(gram.take_summary(), "taken twice");
}

}  // namespace
}  // namespace moesweep::kernels
