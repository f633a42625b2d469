#include <algorithm>
#include <cmath>
#include <limits>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/bootstrap.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
namespace {

std::vector<double> defined_ascending(std::span<const double> values) {
  std::vector<double> defined;
  std::copy_if(values.begin(), values.end(), std::back_inserter(defined),
               [](double value) { return !std::isnan(value); });
  std::sort(defined.begin(), defined.end());
  return defined;
}

/// Share of the values below `observed`, equal ones counting half.
double share_below(std::span<const double> ascending, double observed) {
  const auto [first, last] = std::equal_range(ascending.begin(), ascending.end(), observed);
  const auto twice = static_cast<double>((first - ascending.begin()) + (last - ascending.begin()));
  return twice / (2.0 * static_cast<double>(ascending.size()));
}

/// Skewness of the leave-one-out values about their mean, over 6; 0 when they are all equal.
double acceleration(std::span<const double> leave_one_out) {
  if (leave_one_out.empty() || is_constant(leave_one_out)) return 0.0;
  const double mean = mean_of(leave_one_out);
  double squares = 0.0;
  double cubes = 0.0;
  for (const double value : leave_one_out) {
    const double distance = mean - value;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  return cubes / (6.0 * squares * std::sqrt(squares));
}

double sample_sd(std::span<const double> values) {
  if (values.size() < 2 || is_constant(values)) return undefined;
  return std::sqrt(squares_about(values, mean_of(values)) /
                   (static_cast<double>(values.size()) - 1.0));
}

}  // namespace

double quantile(std::span<const double> ascending, double q) {
  expect(0.0 <= q && q <= 1.0, "a quantile outside of [0, 1]");
  if (ascending.empty()) return undefined;
  const double place = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], place - static_cast<double>(below));
}

Interval percentile_interval(std::span<const double> replicates, double alpha) {
  const auto ascending = defined_ascending(replicates);
  if (is_constant(ascending)) return {};
  return {quantile(ascending, alpha / 2.0), quantile(ascending, 1.0 - alpha / 2.0)};
}

Interval bca_interval(std::span<const double> replicates, double observed,
                      std::span<const double> leave_one_out, double alpha) {
  const auto ascending = defined_ascending(replicates);
  if (is_constant(ascending) || std::isnan(observed)) return {};
  const double below = share_below(ascending, observed);
  if (below == 0.0 || below == 1.0) return {};
  const double bias = normal_critical(1.0 - below);
  const double skew = acceleration(defined_ascending(leave_one_out));
  if (std::isnan(skew)) return {};
  const auto end = [&](double z) {
    const double level = normal_cdf(bias + (bias + z) / (1.0 - skew * (bias + z)));
    return quantile(ascending, level);
  };
  const double z = normal_critical(alpha / 2.0);
  return {end(-z), end(z)};
}

Bootstrap summarize_bootstrap(double observed, std::span<const double> leave_one_out,
                              std::span<const double> replicates, double alpha) {
  Bootstrap summary;
  summary.elements = checked_cast<std::int64_t>(leave_one_out.size());
  const auto defined = defined_ascending(replicates);
  summary.undefined = checked_cast<std::int64_t>(replicates.size() - defined.size());
  summary.observed = observed;
  if (summary.elements < 2) return summary;
  summary.standard_error = sample_sd(defined);
  summary.percentile = percentile_interval(defined, alpha);
  summary.bca = bca_interval(defined, observed, leave_one_out, alpha);
  return summary;
}

Bootstrap summarize_bootstrap(const Statistic& statistic, std::int64_t elements,
                              std::span<const double> replicates, double alpha) {
  const double observed = elements == 0 ? undefined : statistic_of_all(statistic, elements);
  return summarize_bootstrap(observed, leave_one_out(statistic, elements), replicates, alpha);
}

Bootstrap bootstrap(const Statistic& statistic, std::int64_t elements, const Replicates& replicates,
                    double alpha) {
  if (elements == 0) return summarize_bootstrap(statistic, 0, {}, alpha);
  return summarize_bootstrap(statistic, elements,
                             bootstrap_replicates(statistic, elements, replicates), alpha);
}

}  // namespace moesweep::stats
