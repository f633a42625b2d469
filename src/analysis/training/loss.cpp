#include "loss.hpp"

#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

#include "log_likelihood.hpp"

namespace moesweep::training {

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
  std::vector<double> slopes;
  double total = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * width, width);
    const double weight = weight_of(labels[i]) / total_weight;
    slopes.assign(row.begin(), row.end());
    total += weight * loss_and_slope(slopes, labels[i]);
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
