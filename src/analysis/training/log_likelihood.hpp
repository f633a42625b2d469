#pragma once
// Logistic and softmax likelihoods of scores, without overflow.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace moesweep::training {

/// 1/(1 + e^-x)
inline double logistic(double x) {
  if (x >= 0.0) return 1.0 / (1.0 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1.0 + e);
}

/// log(1 + e^x)
inline double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

/// log of the sum of e^x over a non-empty row.
inline double log_sum_exp(std::span<const double> row) {
  const double most = *std::max_element(row.begin(), row.end());
  double sum = 0.0;
  for (const double x : row) sum += std::exp(x - most);
  return most + std::log(sum);
}

/// Turns a row of scores into the derivative of the label's negative log-likelihood by them, and
/// returns the latter. A single score speaks for class 1.
inline double loss_and_slope(std::span<double> row, std::int8_t label) {
  const auto truth = static_cast<std::size_t>(label);
  if (row.size() == 1) {
    const double score = row[0];
    row[0] = logistic(score) - static_cast<double>(label);
    return softplus(label == 1 ? -score : score);
  }
  const double most = *std::max_element(row.begin(), row.end());
  const double of_truth = row[truth];
  double sum = 0.0;
  for (double& score : row) sum += score = std::exp(score - most);
  for (double& score : row) score /= sum;
  row[truth] -= 1.0;
  return std::log(sum) + most - of_truth;
}

/// Of the label, given the scores of one row: a single score speaks for class 1.
inline double negative_log_likelihood(std::span<const double> row, std::int8_t label) {
  if (row.size() == 1) return softplus(label == 1 ? -row[0] : row[0]);
  return log_sum_exp(row) - row[static_cast<std::size_t>(label)];
}

}  // namespace moesweep::training
