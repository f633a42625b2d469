#include <algorithm>
#include <cmath>

#include <boost/math/special_functions/beta.hpp>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/paired.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {

PairedT paired_t(std::span<const double> differences) {
  const auto count = checked_cast<std::int64_t>(differences.size());
  if (count == 0) return {};
  if (is_constant(differences)) return {.count = count, .mean = differences.front() + 0.0};
  const double freedom = static_cast<double>(count) - 1.0;
  const double mean = mean_of(differences);
  const double standard_error =
      std::sqrt(squares_about(differences, mean) / freedom / static_cast<double>(count));
  const double t = mean / standard_error;
  return {count, mean, standard_error, t, student_two_sided(t, freedom)};
}

double mcnemar_exact_greater(std::int64_t b, std::int64_t c) {
  expect(b >= 0 && c >= 0, "a negative count");
  if (b == 0) return 1.0;
  return boost::math::ibeta(static_cast<double>(b), static_cast<double>(c) + 1.0, 0.5);
}

double mcnemar_exact(std::int64_t b, std::int64_t c) {
  return std::min(1.0, 2.0 * mcnemar_exact_greater(std::max(b, c), std::min(b, c)));
}

}  // namespace moesweep::stats
