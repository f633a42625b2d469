#include <cmath>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/regression.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
namespace {

struct Points {
  std::vector<double> x;
  std::vector<double> y;
};

Points without_nan(std::span<const double> x, std::span<const double> y) {
  expect(x.size() == y.size(), "regression of columns of different lengths");
  Points points;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    points.x.push_back(x[i]);
    points.y.push_back(y[i]);
  }
  return points;
}

}  // namespace

Regression regress(std::span<const double> all_x, std::span<const double> all_y) {
  const auto [x, y] = without_nan(all_x, all_y);
  Regression line;
  line.count = checked_cast<std::int64_t>(x.size());
  if (line.count < 2 || is_constant(x)) return line;
  const double mean_x = mean_of(x);
  const double mean_y = mean_of(y);
  const bool flat = is_constant(y);
  double products = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) products += (x[i] - mean_x) * (y[i] - mean_y);
  const double squares_x = squares_about(x, mean_x);
  line.slope = flat ? 0.0 : products / squares_x;
  line.intercept = flat ? y.front() : mean_y - line.slope * mean_x;
  double residual = 0.0;
  for (std::size_t i = 0; i < x.size() && !flat; ++i) {
    const double distance = (y[i] - mean_y) - line.slope * (x[i] - mean_x);
    residual += distance * distance;
  }
  if (flat || line.count == 2) return line;
  const bool is_exact = fits_exactly(x, y, line.slope, residual);
  line.r2 = is_exact ? 1.0 : 1.0 - residual / squares_about(y, mean_y);
  if (is_exact) return line;
  const double freedom = static_cast<double>(line.count) - 2.0;
  line.slope_error = std::sqrt(residual / freedom / squares_x);
  line.intercept_error =
      line.slope_error * std::sqrt(squares_x / static_cast<double>(line.count) + mean_x * mean_x);
  line.slope_t = line.slope / line.slope_error;
  line.slope_p = student_two_sided(line.slope_t, freedom);
  return line;
}

}  // namespace moesweep::stats
