// How far the numbers of FastGram are from those of the float64 Gram matrix, by kind of matrix.

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <fmt/format.h>

#include <moesweep/model/kernels/fast_spectrum.hpp>

namespace moesweep::kernels {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;

Matrix normal_matrix(Index rows, Index columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix matrix(rows, columns);
  for (Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = normal(random);
  return matrix;
}

Matrix ill_conditioned(Index rows, Index columns) {
  Matrix left = normal_matrix(rows, rows, 2);
  for (Index j = 0; j < rows; ++j) {
    left.col(j) *= std::pow(10.0F, -6.0F * static_cast<float>(j) / static_cast<float>(rows));
  }
  return left * normal_matrix(rows, columns, 3);
}

Matrix with_rows_scaled(Matrix matrix, const std::function<float(Index)>& factor) {
  for (Index i = 0; i < matrix.rows(); ++i) matrix.row(i) *= factor(i);
  return matrix;
}

void report(const std::string& kind, const Matrix& matrix) {
  const std::span<const float> elements(matrix.data(), static_cast<std::size_t>(matrix.size()));
  FastGram fast(matrix.rows());
  fast.add_columns(elements, matrix.cols());
  GramAccumulator gram(matrix.rows());
  gram.add_columns(elements, matrix.cols());
  const auto exact = summarize_spectrum(gram.take_eigenvalues());
  const auto summary = fast.take_summary();
  if (!summary) {
    fmt::print("{:4} x {} {:<16} float64 is needed\n", matrix.rows(), matrix.cols(), kind);
    return;
  }
  const auto off = [](double value, double expected) { return std::fabs(value / expected - 1.0); };
  fmt::print(
      "{:4} x {} {:<16} concentration {:.0e}  full {:.0e}  stable rank {:.0e}  effective rank "
      "{:.0e}\n",
      matrix.rows(), matrix.cols(), kind,
      off(summary->spectral_concentration, exact.spectral_concentration),
      off(summary->concentration_full, exact.concentration_full),
      off(summary->stable_rank, exact.stable_rank),
      off(summary->effective_rank, exact.effective_rank));
}

void report_all(Index rows, Index columns) {
  const Matrix normal = normal_matrix(rows, columns, 1);
  report("normal", normal);
  report("heavy-tailed", normal.array().cube());
  report("decaying", with_rows_scaled(normal, [](Index i) {
           return 1.0F / std::sqrt(1.0F + static_cast<float>(i));
         }));
  report("ill-conditioned", ill_conditioned(rows, columns));
  report("rank 40", normal_matrix(rows, 40, 4) * normal_matrix(40, columns, 5));
  report("one large row",
         with_rows_scaled(normal, [](Index i) { return i == 0 ? 1000.0F : 1.0F; }));
  report("off-centre", (normal.array() + 1.0F).matrix());
  report("far off-centre", (normal.array() + 1000.0F).matrix());
}

}  // namespace
}  // namespace moesweep::kernels

int main() {
  moesweep::kernels::report_all(1024, 4096);
  moesweep::kernels::report_all(2048, 4096);
}
