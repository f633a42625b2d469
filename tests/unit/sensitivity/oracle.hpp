#pragma once
// Scalar float64 references, written from the formulas and apart from the kernels.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Dense>

namespace moesweep::sensitivity::test {

struct OracleMoments {
  double mean = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0, sum_squares = 0.0;
  double minimum = 0.0, maximum = 0.0;
  double count = 0.0;

  double variance() const { return m2 / count; }
  double kurtosis() const { return count * m4 / (m2 * m2) - 3.0; }
  double noise() const {
    return (maximum - minimum) / (16.0 * std::sqrt(12.0) * std::sqrt(sum_squares / count));
  }
};

inline OracleMoments oracle_moments(std::span<const float> values) {
  long double sum = 0.0L;
  for (const float x : values) sum += x;
  const long double mean = sum / static_cast<long double>(values.size());
  long double m2 = 0.0L, m3 = 0.0L, m4 = 0.0L, squares = 0.0L;
  for (const float x : values) {
    const long double d = x - mean;
    m2 += d * d;
    m3 += d * d * d;
    m4 += d * d * d * d;
    squares += static_cast<long double>(x) * x;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {static_cast<double>(mean),
          static_cast<double>(m2),
          static_cast<double>(m3),
          static_cast<double>(m4),
          static_cast<double>(squares),
          *low,
          *high,
          static_cast<double>(values.size())};
}

/// Squared error of `rtn` with step-by-step binary32 round trips; a last short group of a row is
/// padded with zeros.
inline double oracle_rtn_sse(std::span<const float> values, std::int64_t columns, int bits,
                             std::int64_t group_size) {
  const auto levels = static_cast<float>((1 << bits) - 1);
  double sse = 0.0;
  const auto count = static_cast<std::int64_t>(values.size());
  for (std::int64_t row = 0; row < count; row += columns) {
    for (std::int64_t first = 0; first < columns; first += group_size) {
      const auto length = std::min(group_size, columns - first);
      const auto group =
          values.subspan(static_cast<std::size_t>(row + first), static_cast<std::size_t>(length));
      float low = *std::min_element(group.begin(), group.end());
      float high = *std::max_element(group.begin(), group.end());
      if (length < group_size) {
        low = std::min(low, 0.0F);
        high = std::max(high, 0.0F);
      }
      const float scale = std::max((high - low) / levels, 1e-12F);
      for (const float w : group) {
        const float q = std::clamp(std::nearbyint((w - low) / scale), 0.0F, levels);
        const float product = q * scale;
        const float back = product + low;
        const double error = static_cast<double>(w) - static_cast<double>(back);
        sse += error * error;
      }
    }
  }
  return sse;
}

struct OracleSpectrum {
  double concentration = 0.0, concentration_full = 0.0, stable_rank = 0.0, effective_rank = 0.0;
};

inline OracleSpectrum oracle_spectrum(std::span<const float> values, std::int64_t rows,
                                      std::int64_t columns) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  RowMajor matrix(rows, columns);
  std::copy(values.begin(), values.end(), matrix.data());
  const Eigen::VectorXd squares =
      Eigen::BDCSVD<Eigen::MatrixXd>(matrix).singularValues().array().square();
  const auto share = [&](Eigen::Index top, Eigen::Index of) {
    return squares.head(top).sum() / squares.head(of).sum();
  };
  const Eigen::Index k = squares.size();
  const Eigen::Index tenth = std::max<Eigen::Index>(1, k / 10);
  double entropy = 0.0;
  for (const double square : squares) {
    const double p = square / squares.sum();
    if (p > 0.0) entropy -= p * std::log(p);
  }
  return {k <= 512 ? share(tenth, k) : share(25, 256), share(tenth, k), squares.sum() / squares(0),
          std::exp(entropy)};
}

}  // namespace moesweep::sensitivity::test
