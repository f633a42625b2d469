#include <algorithm>
#include <cmath>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/equivalence.hpp>
#include <moesweep/core/stats/paired.hpp>
#include <moesweep/core/stats/welch.hpp>

#include "moments.hpp"
#include "tails.hpp"

namespace moesweep::stats {
Tost tost_of(double difference, double standard_error, double freedom, double margin) {
  expect(margin > 0.0, "a margin of equivalence that is not positive");
  if (std::isnan(difference) || !(standard_error > 0.0)) return {.difference = difference};
  Tost tests{difference, standard_error, freedom};
  tests.t_lower = (difference + margin) / standard_error;
  tests.p_lower = student_upper_tail(tests.t_lower, freedom);
  tests.t_upper = (difference - margin) / standard_error;
  tests.p_upper = student_upper_tail(-tests.t_upper, freedom);
  tests.p = std::max(tests.p_lower, tests.p_upper);
  return tests;
}

Tost tost(const Summary& a, const Summary& b, double margin) {
  const auto welch = welch_t(a, b);
  return tost_of(welch.difference, welch.standard_error, welch.freedom, margin);
}

Tost tost_paired(std::span<const double> differences, double margin) {
  const auto paired = paired_t(differences);
  return tost_of(paired.mean, paired.standard_error, static_cast<double>(paired.count) - 1.0,
                 margin);
}

}  // namespace moesweep::stats
