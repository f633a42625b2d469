#include <algorithm>
#include <cmath>

#include <Eigen/Dense>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/sweep/cost_model.hpp>

namespace moesweep::sweep {
namespace {

// A term beside the estimate is pulled to zero as if by this many units.
constexpr double ridge = 1.0;
// Units that are remembered: a share of the sweep, but enough to tell four terms apart.
constexpr double remembered_share = 0.1;
constexpr double least_remembered = 64.0;

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, CostModel::terms, CostModel::terms>;
using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, CostModel::terms, 1>;

CostModel::Terms raw_terms(const Cost& cost) {
  return {cost.seconds_estimate, static_cast<double>(cost.bytes_read),
          static_cast<double>(cost.flops), 1.0};
}

struct Fit {
  double left = 0.0;      // sum of the left units' seconds
  double variance = 0.0;  // of `left`, in units of the residual variance
  double loss = 0.0;
};

// The terms in `subset` (bit i: term i), unless a coefficient is negative.
std::optional<Fit> fit(unsigned subset,
                       const std::array<CostModel::Terms, CostModel::terms>& products,
                       const CostModel::Terms& targets, const CostModel::Terms& left) {
  std::array<std::size_t, CostModel::terms> chosen{};
  Eigen::Index size = 0;
  for (std::size_t i = 0; i < CostModel::terms; ++i) {
    if ((subset >> i & 1U) != 0) chosen[static_cast<std::size_t>(size++)] = i;
  }
  Matrix matrix(size, size);
  Vector target(size);
  Vector wanted(size);
  for (Eigen::Index i = 0; i < size; ++i) {
    const auto row = chosen[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < size; ++j) {
      matrix(i, j) = products[row][chosen[static_cast<std::size_t>(j)]];
    }
    if (row > 0) matrix(i, i) += ridge;
    target(i) = targets[row];
    wanted(i) = left[row];
  }
  const Eigen::LDLT<Matrix> factors(matrix);
  if (factors.info() != Eigen::Success) return std::nullopt;
  const Vector coefficients = factors.solve(target);
  if (!coefficients.allFinite() || (coefficients.array() < 0.0).any()) return std::nullopt;
  return Fit{wanted.dot(coefficients), std::max(0.0, wanted.dot(factors.solve(wanted))),
             coefficients.dot(matrix * coefficients) - 2.0 * coefficients.dot(target)};
}

}  // namespace

CostModel::Terms CostModel::scaled(const Terms& raw) const {
  Terms terms_of_unit = raw;
  for (std::size_t i = 1; i < terms; ++i) {
    terms_of_unit[i] = total_[i] > 0.0 ? raw[i] * total_[0] / total_[i] : 0.0;
  }
  return terms_of_unit;
}

void CostModel::expect_unit(const Cost& cost) {
  const auto raw = raw_terms(cost);
  for (std::size_t i = 0; i < terms; ++i) {
    total_[i] += raw[i];
    left_[i] += raw[i];
  }
  left_squared_estimates_ += raw[0] * raw[0];
}

void CostModel::settle_unit(const Cost& cost, std::optional<double> seconds) {
  const auto raw = raw_terms(cost);
  for (std::size_t i = 0; i < terms; ++i) left_[i] = std::max(0.0, left_[i] - raw[i]);
  left_squared_estimates_ = std::max(0.0, left_squared_estimates_ - raw[0] * raw[0]);
  if (!seconds || raw[0] <= 0.0) return;
  ++learnt_;
  measured_seconds_ += *seconds;
  const double fading = 1.0 - 1.0 / std::max(least_remembered, remembered_share * total_[3]);
  const double target = *seconds / raw[0];
  auto row = scaled(raw);
  for (auto& term : row) term /= raw[0];
  for (std::size_t i = 0; i < terms; ++i) {
    for (std::size_t j = 0; j < terms; ++j) {
      products_[i][j] = fading * products_[i][j] + row[i] * row[j];
    }
    targets_[i] = fading * targets_[i] + row[i] * target;
  }
  squared_targets_ = fading * squared_targets_ + target * target;
  weight_ = fading * weight_ + 1.0;
}

double CostModel::ratio() const {
  expect(has_learnt(), "nothing was measured yet");
  return targets_[0] / products_[0][0];
}

CostModel::Seconds CostModel::left() const {
  expect(has_learnt(), "nothing was measured yet");
  const auto wanted = scaled(left_);
  std::optional<Fit> best;
  for (unsigned subset = 1; subset < 1U << terms; ++subset) {
    const auto one = fit(subset, products_, targets_, wanted);
    if (one && (!best || one->loss < best->loss)) best = one;
  }
  expect(best.has_value(), "the estimate alone always fits");
  const double residual = std::max(0.0, squared_targets_ + best->loss) / weight_;
  return {best->left, std::sqrt(residual * (best->variance + left_squared_estimates_))};
}

}  // namespace moesweep::sweep
