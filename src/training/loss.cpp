#include "loss.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>

namespace moesweep::training {
namespace {

// Loss of one sample; slopes[j] becomes its derivative by logit j.
template <typename Real>
double binary_loss(Real logit, std::int8_t label, double& slope) {
  const auto x = static_cast<double>(logit);
  const double probability =
      x >= 0.0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x));
  slope = probability - static_cast<double>(label);
  return softplus(label == 1 ? -x : x);
}

template <typename Real>
double softmax_loss(std::span<const Real> logits, std::int8_t label, std::span<double> slopes) {
  const auto largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0.0;
  for (std::size_t j = 0; j < logits.size(); ++j) {
    slopes[j] = std::exp(static_cast<double>(logits[j]) - largest);
    sum += slopes[j];
  }
  for (auto& slope : slopes) slope /= sum;
  const auto truth = checked_cast<std::size_t>(label);
  slopes[truth] -= 1.0;
  return std::log(sum) + largest - static_cast<double>(logits[truth]);
}

}  // namespace

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

template <typename Real>
double loss(std::span<const Real> logits, std::int64_t outputs, std::span<const std::int8_t> labels,
            std::span<const double> weights, std::span<Real> gradient) {
  const auto width = checked_cast<std::size_t>(outputs);
  expect(logits.size() == labels.size() * width, "loss: one label a row of logits");
  const auto weight_of = [&weights](std::int8_t label) {
    return weights.empty() ? 1.0 : weights[checked_cast<std::size_t>(label)];
  };
  double total_weight = 0.0;
  for (const auto label : labels) total_weight += weight_of(label);
  std::vector<double> slopes(width);
  double total = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * width, width);
    const double weight = weight_of(labels[i]) / total_weight;
    total += weight * (width == 1 ? binary_loss(row[0], labels[i], slopes[0])
                                  : softmax_loss<Real>(row, labels[i], slopes));
    if (gradient.empty()) continue;
    for (std::size_t j = 0; j < width; ++j) {
      gradient[i * width + j] = static_cast<Real>(weight * slopes[j]);
    }
  }
  return total;
}

template double loss(std::span<const float>, std::int64_t, std::span<const std::int8_t>,
                     std::span<const double>, std::span<float>);
template double loss(std::span<const double>, std::int64_t, std::span<const std::int8_t>,
                     std::span<const double>, std::span<double>);

}  // namespace moesweep::training
