#include <moesweep/model/kernels/training_steps.hpp>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "training_steps.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "training_steps-inl.h"

#if HWY_ONCE

#include <cmath>
#include <numbers>

#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {
namespace {

HWY_EXPORT(gelu_of);
HWY_EXPORT(dropout_blocks);
HWY_EXPORT(adam_of);

std::uint32_t dropped_words(double rate) {
  expect(rate >= 0.0 && rate < 1.0, "dropout rate outside [0, 1)");
  return static_cast<std::uint32_t>(rate * 0x1p32);
}

}  // namespace

void gelu(std::span<const float> x, std::span<const float> mask, std::span<float> activation,
          std::span<float> slope) {
  expect(activation.size() == x.size() && slope.size() == x.size() &&
             (mask.empty() || mask.size() == x.size()),
         "gelu: sizes differ");
  HWY_DYNAMIC_DISPATCH(gelu_of)
  (x.data(), mask.empty() ? nullptr : mask.data(), activation.data(), slope.data(), x.size());
}

void gelu(std::span<const double> x, std::span<const double> mask, std::span<double> activation,
          std::span<double> slope) {
  expect(activation.size() == x.size() && slope.size() == x.size() &&
             (mask.empty() || mask.size() == x.size()),
         "gelu: sizes differ");
  constexpr double density_at_0 = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double cumulative = 0.5 * std::erfc(-x[i] / std::numbers::sqrt2);
    const double factor = mask.empty() ? 1.0 : mask[i];
    activation[i] = factor * x[i] * cumulative;
    slope[i] = factor * (cumulative + x[i] * density_at_0 * std::exp(-0.5 * x[i] * x[i]));
  }
}

void dropout_mask(const DropoutAddress& from, double rate, std::span<float> out) {
  expect(out.size() % dropout_block == 0, "dropout_mask: not whole blocks");
  const auto kept = static_cast<float>(1.0 / (1.0 - rate));
  HWY_DYNAMIC_DISPATCH(dropout_blocks)
  (from, dropped_words(rate), kept, out.data(), out.size() / dropout_block);
}

void dropout_mask(const DropoutAddress& from, double rate, std::span<double> out) {
  expect(out.size() % dropout_block == 0, "dropout_mask: not whole blocks");
  const auto kept = static_cast<double>(static_cast<float>(1.0 / (1.0 - rate)));
  const auto drop_below = dropped_words(rate);
  for (std::uint32_t counter = 0; counter < out.size() / 4; ++counter) {
    const auto words = philox4x32_10({counter, from.step, 0, from.stream}, from.key);
    const std::size_t first = std::size_t{64} * (counter / 16) + counter % 16;
    for (std::size_t k = 0; k < 4; ++k) out[first + 16 * k] = words[k] < drop_below ? 0.0 : kept;
  }
}

void adam(const AdamStep& step, std::span<const float> gradient, std::span<float> weights,
          std::span<float> first_moment, std::span<float> second_moment) {
  expect(weights.size() == gradient.size() && first_moment.size() == gradient.size() &&
             second_moment.size() == gradient.size(),
         "adam: sizes differ");
  HWY_DYNAMIC_DISPATCH(adam_of)
  (AdamFactors<float>(step), gradient.data(), weights.data(), first_moment.data(),
   second_moment.data(), gradient.size());
}

void adam(const AdamStep& step, std::span<const double> gradient, std::span<double> weights,
          std::span<double> first_moment, std::span<double> second_moment) {
  expect(weights.size() == gradient.size() && first_moment.size() == gradient.size() &&
             second_moment.size() == gradient.size(),
         "adam: sizes differ");
  const AdamFactors<double> by(step);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double g = gradient[i];
    first_moment[i] = by.beta1 * first_moment[i] + by.one_less_beta1 * g;
    second_moment[i] = by.beta2 * second_moment[i] + by.one_less_beta2 * g * g;
    weights[i] -= by.step_size * first_moment[i] /
                  (std::sqrt(second_moment[i]) * by.second_factor + by.epsilon);
  }
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
