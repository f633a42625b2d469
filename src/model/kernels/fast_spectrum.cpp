#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <cblas.h>
#include <lapacke.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/philox.hpp>
#include <moesweep/model/kernels/fast_spectrum.hpp>

#include "blas_call.hpp"
#include "eigenvalues.hpp"
#include "mixed_products.hpp"

namespace moesweep::kernels {
namespace {

/// What SSYTRD may do to the eigenvalues, in units of 2^-24 |G|_F.
constexpr double reduction_error = 12.0;
constexpr double tolerance = 1e-5;
constexpr double effective_rank_tolerance = 1e-4;

std::size_t size(std::int64_t count) {
  return checked_cast<std::size_t>(count);
}

/// The same signs for every matrix of this side.
std::vector<double> random_signs(std::int64_t count, std::uint32_t stream) {
  std::vector<double> signs;
  signs.reserve(size(count));
  for (std::uint32_t i = 0; std::cmp_less(signs.size(), count); ++i) {
    const auto words = philox4x32_10({i, stream, 0, 0}, {0x4772616D, 0});
    for (std::int64_t bit = 0; bit < 128 && std::cmp_less(signs.size(), count); ++bit) {
      const auto word = words[size(bit / 32)];
      signs.push_back((word >> (bit % 32) & 1U) != 0 ? 1.0 : -1.0);
    }
  }
  return signs;
}

/// Of exp(H), H = -sum p log p: dH = -sum (log p + 1) dp.
double effective_rank_error(std::span<const double> eigenvalues, double sum, double error) {
  double slopes = 0.0;
  for (const double eigenvalue : eigenvalues) {
    const double share = std::max(eigenvalue, error) / sum;
    const double slope = std::log(share) + 1.0;
    slopes += slope * slope;
  }
  return std::sqrt(slopes) * error / sum;
}

}  // namespace

FastGram::FastGram(std::int64_t side)
    : side_(side),
      gram_(allocate_aligned<float>(side * side)),
      signs_{random_signs(side, 0), random_signs(side, 1)},
      products_{std::vector<double>(size(side)), std::vector<double>(size(side))} {
  std::fill_n(gram_.get(), side * side, 0.0F);
}

void FastGram::add_rows(std::span<const float> block, std::int64_t rows) {
  expect(gram_ != nullptr, "gram: added to after its summary was taken");
  expect(std::cmp_equal(block.size(), side_ * rows), "gram: block size is not rows x side");
  const auto side = checked_cast<blasint>(side_);
  {
    const BlasCall blas;
    // Row-major rows x side is column-major side x rows.
    cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, side, checked_cast<blasint>(rows), 1.0F,
                block.data(), side, 1.0F, gram_.get(), side);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto row = block.subspan(size(i * side_), size(side_));
    add_scaled(row, dot(row, signs_[0], signs_[1]), products_[0], products_[1]);
  }
}

void FastGram::add_columns(std::span<const float> panel, std::int64_t columns) {
  expect(gram_ != nullptr, "gram: added to after its summary was taken");
  expect(std::cmp_equal(panel.size(), side_ * columns), "gram: panel size is not side x columns");
  const auto depth = checked_cast<blasint>(columns);
  {
    const BlasCall blas;
    // Row-major side x columns is column-major columns x side.
    cblas_ssyrk(CblasColMajor, CblasLower, CblasTrans, checked_cast<blasint>(side_), depth, 1.0F,
                panel.data(), depth, 1.0F, gram_.get(), checked_cast<blasint>(side_));
  }
  for (auto& inner : inner_) inner.assign(size(columns), 0.0);
  const auto row = [&](std::int64_t i) { return panel.subspan(size(i * columns), size(columns)); };
  for (std::int64_t i = 0; i < side_; ++i) {
    add_scaled(row(i), {signs_[0][size(i)], signs_[1][size(i)]}, inner_[0], inner_[1]);
  }
  for (std::int64_t i = 0; i < side_; ++i) {
    const auto sums = dot(row(i), inner_[0], inner_[1]);
    products_[0][size(i)] += sums.first;
    products_[1][size(i)] += sums.second;
  }
}

/// The Frobenius norm of what G is off, from G x of the lower triangle.
double FastGram::measured_error() const {
  std::array<std::vector<double>, 2> differences;
  for (std::size_t i = 0; i < 2; ++i) {
    for (const double product : products_[i]) differences[i].push_back(-product);
  }
  for (std::int64_t j = 0; j < side_; ++j) {
    const auto at = size(j);
    const double diagonal{gram_[size(j * side_ + j)]};
    const std::span<const float> below(gram_.get() + j * side_ + j + 1, size(side_ - j - 1));
    const auto sums =
        dot(below, std::span(signs_[0]).subspan(at + 1), std::span(signs_[1]).subspan(at + 1));
    differences[0][at] += sums.first + diagonal * signs_[0][at];
    differences[1][at] += sums.second + diagonal * signs_[1][at];
    add_scaled(below, {signs_[0][at], signs_[1][at]}, std::span(differences[0]).subspan(at + 1),
               std::span(differences[1]).subspan(at + 1));
  }
  double squares = 0.0;
  for (const auto& difference : differences) {
    for (const double value : difference) squares += value * value;
  }
  return std::sqrt(squares / 2.0);
}

/// Destroys G.
FastGram::Tridiagonal FastGram::reduce() {
  std::vector<float> diagonal(size(side_));
  std::vector<float> beside(size(side_));
  std::vector<float> reflectors(size(side_));
  std::vector<float> work(size(lapack_block * side_));
  const auto side = checked_cast<lapack_int>(side_);
  const BlasCall blas;
  const auto info = LAPACKE_ssytrd_work(LAPACK_COL_MAJOR, 'L', side, gram_.get(), side,
                                        diagonal.data(), beside.data(), reflectors.data(),
                                        work.data(), checked_cast<lapack_int>(work.size()));
  expect(info == 0, "ssytrd refused its arguments");
  gram_.reset();
  Tridiagonal reduced{{diagonal.begin(), diagonal.end()}, {beside.begin(), beside.end() - 1}};
  double squares = 0.0;
  for (const double value : reduced.diagonal) squares += value * value;
  for (const double value : reduced.beside) squares += 2.0 * value * value;
  reduced.frobenius = std::sqrt(squares);
  return reduced;
}

std::optional<SpectrumSummary> FastGram::take_summary() {
  expect(gram_ != nullptr, "gram: summary taken twice");
  const double gram_error = measured_error();
  // Overflow of a square shows here too. A zero matrix is as exact in binary64.
  if (!std::isfinite(gram_error)) return std::nullopt;
  // Not taken apart: Clang 14 cannot capture structured bindings.
  Tridiagonal reduced = reduce();
  const double error = gram_error + reduction_error * std::ldexp(reduced.frobenius, -24);
  if (!(std::isnormal(static_cast<float>(reduced.frobenius)) && std::isfinite(error)))
    return std::nullopt;
  const auto info = [&] {
    const BlasCall blas;
    return LAPACKE_dsterf_work(checked_cast<lapack_int>(side_), reduced.diagonal.data(),
                               reduced.beside.data());
  }();
  require_success("eigenvalues of a Gram matrix", "dsterf", info);
  const auto eigenvalues = descending(reduced.diagonal);
  if (!is_accurate_enough(eigenvalues, error)) return std::nullopt;
  return summarize_spectrum(eigenvalues);
}

bool is_accurate_enough(std::span<const double> eigenvalues, double error) {
  const std::size_t k = eigenvalues.size();
  const double sum = sum_of_first(eigenvalues, k);
  const auto share_error = [&](std::size_t some, std::size_t all) {
    return std::sqrt(static_cast<double>(some)) * error / sum_of_first(eigenvalues, some) +
           std::sqrt(static_cast<double>(all)) * error / sum_of_first(eigenvalues, all);
  };
  const std::size_t tenth = std::max<std::size_t>(1, k / 10);
  const double of_one = 8.0 / std::sqrt(static_cast<double>(k)) * error;
  return (k <= 512 || share_error(25, 256) <= tolerance) && share_error(tenth, k) <= tolerance &&
         of_one / eigenvalues.front() <= tolerance &&
         effective_rank_error(eigenvalues, sum, error) <= effective_rank_tolerance;
}

}  // namespace moesweep::kernels
