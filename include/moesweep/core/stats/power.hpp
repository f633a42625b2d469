#pragma once
// What a comparison of two arms can see, by the normal approximation (Cohen, Statistical Power
// Analysis, 2nd ed. 1988; Chow, Shao and Wang, Sample Size Calculations, chapters 3 and 4). Levels
// are two-sided unless said otherwise. Sample sizes are whole numbers, infinity where no number
// suffices. All are NaN without variance (sd = 0, shares of 0 or 1 alone), by which nothing can be
// planned; two_proportions_power.hpp has the exact tests of shares, which need none.

#include <cstdint>

#include <moesweep/core/stats/proportions.hpp>

namespace moesweep::stats {

/// z of the two-sided level plus z of the power: 2.80 for 5 % and 80 %.
double detection_factor(double alpha, double power);

/// Chance that the two-sided z test finds the difference p - q with unpooled variance; alpha when
/// p == q. NaN with an empty arm.
double power_two_proportions(double p, double q, std::int64_t n_p, std::int64_t n_q, double alpha);

/// The same for means of arms with a common standard deviation `sd` >= 0.
double power_two_means(double difference, double sd, std::int64_t n_a, std::int64_t n_b,
                       double alpha);

/// Smallest difference that is found with the power of `factor` (detection_factor, or the 1.96 +
/// 0.84 of printed tables): factor sqrt(p (1 - p) (1/n_a + 1/n_b)). p = 1/2 is the worst case; the
/// result may exceed 1, then no difference can be found. Infinity with an empty arm.
double minimum_detectable_proportion(double p, std::int64_t n_a, std::int64_t n_b, double factor);

/// factor sd sqrt(1/n_a + 1/n_b).
double minimum_detectable_mean(double sd, std::int64_t n_a, std::int64_t n_b, double factor);

/// Samples an arm to find the difference of p and q: factor^2 (p (1 - p) + q (1 - q)) / (p - q)^2,
/// at least 1. Infinity for p == q.
double sample_size_two_proportions(double p, double q, double factor);

/// Samples an arm to find a difference of means; infinity for 0.
double sample_size_two_means(double difference, double sd, double factor);

/// Samples an arm for two one-sided tests at level `alpha` < 0.5 each to show with `power` that
/// means which truly differ by `difference` are within `margin` > 0: the power of the normal
/// approximation is solved for n. Infinity for |difference| >= margin. For proportions `sd` is
/// sqrt((p (1 - p) + q (1 - q)) / 2).
double sample_size_equivalence(double difference, double sd, double margin, double alpha,
                               double power);

/// Samples for a proportion's two-sided normal interval to reach `half_width` > 0 either side.
double sample_size_half_width(double p, double half_width, double alpha);

/// Pairs for tango_upper at `alpha` to be at most `margin` if the shares of discordant pairs stay
/// what they are. Infinity when (b - c)/n >= margin or above 10^15; n > 0.
double pairs_for_margin(const Discordant& pairs, double margin, double alpha);

}  // namespace moesweep::stats
