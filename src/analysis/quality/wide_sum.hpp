#pragma once
// Sums of doubles in twice the precision (Knuth's two-sum), so that the order of millions of
// scores does not show in a mean.

#include <cmath>

namespace moesweep::quality {

/// The sum is high + low, unevaluated.
struct WideSum {
  double high = 0.0;
  double low = 0.0;

  void add(double x) {
    const double sum = high + x;
    const double of_x = sum - high;
    low += (high - (sum - of_x)) + (x - of_x);
    high = sum;
  }
  void add_square(double x) {
    const double square = x * x;
    add(square);
    low += std::fma(x, x, -square);
  }
  void add(const WideSum& other) {
    add(other.high);
    low += other.low;
  }
  double value() const { return high + low; }
};

/// Sum of squared distances from the mean, sum_squares - sum^2/count; 0 where rounding would leave
/// less.
inline double squares_about_mean(const WideSum& sum, const WideSum& squares, double count) {
  const double square = sum.high * sum.high;
  const double rest = std::fma(sum.high, sum.high, -square) + 2.0 * sum.high * sum.low;
  const double share = square / count;
  const double remainder = std::fma(-share, count, square) + rest;
  const double about = (squares.high - share) + (squares.low - remainder / count);
  return about > 0.0 ? about : 0.0;
}

}  // namespace moesweep::quality
