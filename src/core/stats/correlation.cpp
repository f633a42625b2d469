#include <algorithm>
#include <cmath>
#include <numeric>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/correlation.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
namespace {

double coefficient(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 3 || is_constant(x) || is_constant(y)) return undefined;
  const double mean_x = mean_of(x);
  const double mean_y = mean_of(y);
  double xx = 0.0;
  double yy = 0.0;
  double xy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x;
    const double dy = y[i] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  const double slope = xy / xx;
  double squared_distances = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double distance = (y[i] - mean_y) - slope * (x[i] - mean_x);
    squared_distances += distance * distance;
  }
  if (fits_exactly(x, y, slope, squared_distances)) return std::copysign(1.0, slope);
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

double two_sided_p(double r, std::size_t count) {
  if (std::isnan(r) || std::fabs(r) == 1.0) return undefined;
  const auto freedom = static_cast<double>(count) - 2.0;
  return student_two_sided(r * std::sqrt(freedom / ((1.0 - r) * (1.0 + r))), freedom);
}

/// P(|rho| = 1) when all orders are equally likely and it was seen: the groups of equal values in x
/// and y then have the same sizes. Orders within groups do not matter, and the reverse order is as
/// perfect where the sizes read the same backwards.
double perfect_order_p(std::span<const double> ranks) {
  std::vector<double> ascending(ranks.begin(), ranks.end());
  std::sort(ascending.begin(), ascending.end());
  std::vector<double> groups;
  for (auto first = ascending.begin(); first != ascending.end();) {
    const auto last = std::upper_bound(first, ascending.end(), *first);
    groups.push_back(static_cast<double>(last - first));
    first = last;
  }
  double log_share = -std::lgamma(static_cast<double>(ranks.size()) + 1.0);
  for (const double size : groups) log_share += std::lgamma(size + 1.0);
  const bool is_symmetric = std::equal(groups.begin(), groups.end(), groups.rbegin());
  return (is_symmetric ? 2.0 : 1.0) * std::exp(log_share);
}

double order_p(double rho, std::span<const double> ranks) {
  return std::fabs(rho) == 1.0 ? perfect_order_p(ranks) : two_sided_p(rho, ranks.size());
}

Interval interval_about(double r, double unit_variance, std::int64_t count, double alpha) {
  if (std::isnan(r)) return {};
  if (count <= 3) return {-1.0, 1.0};
  if (std::fabs(r) == 1.0) return {};
  const double error = std::sqrt(unit_variance / (static_cast<double>(count) - 3.0));
  const double half_width = normal_critical(alpha / 2.0) * error;
  return {std::tanh(std::atanh(r) - half_width), std::tanh(std::atanh(r) + half_width)};
}

}  // namespace

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    auto last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double rank = static_cast<double>(first + last) / 2.0 + 1.0;
    for (; first <= last; ++first) ranks[order[first]] = rank;
  }
  return ranks;
}

Correlation correlate(std::span<const double> x, std::span<const double> y) {
  expect(x.size() == y.size(), "correlation of columns of different lengths");
  std::vector<double> left;
  std::vector<double> right;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    left.push_back(x[i]);
    right.push_back(y[i]);
  }
  const double pearson = coefficient(left, right);
  const auto ranks = mid_ranks(left);
  const double spearman = coefficient(ranks, mid_ranks(right));
  return {checked_cast<std::int64_t>(left.size()), pearson, two_sided_p(pearson, left.size()),
          spearman, order_p(spearman, ranks)};
}

Interval fisher_interval(double r, std::int64_t count, double alpha) {
  return interval_about(r, 1.0, count, alpha);
}

Interval fisher_interval_spearman(double rho, std::int64_t count, double alpha) {
  return interval_about(rho, 1.0 + rho * rho / 2.0, count, alpha);
}

}  // namespace moesweep::stats
