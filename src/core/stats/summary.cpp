#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/stats/summary.hpp>

#include "moments.hpp"

namespace moesweep::stats {

Summary summarize(std::span<const double> values) {
  const auto count = checked_cast<std::int64_t>(values.size());
  if (count == 0) return {0, undefined, undefined};
  if (count == 1) return {1, values.front(), undefined};
  if (is_constant(values)) return {count, values.front(), 0.0};
  const double mean = mean_of(values);
  return {count, mean, squares_about(values, mean) / (static_cast<double>(count) - 1.0)};
}

Summary summarize_binary(std::int64_t successes, std::int64_t count) {
  expect(0 <= successes && successes <= count, "a count outside of its total");
  if (count == 0) return {0, undefined, undefined};
  const auto ones = static_cast<double>(successes);
  const auto total = static_cast<double>(count);
  if (count == 1) return {1, ones, undefined};
  return {count, ones / total, ones / total * ((total - ones) / (total - 1.0))};
}

Summary summary_of(std::int64_t count, double mean, double sd) {
  if (count == 0) return {0, undefined, undefined};
  return {count, mean, count < 2 ? undefined : sd * sd};
}

}  // namespace moesweep::stats
