#pragma once
// Weights that stress one step or another.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace moesweep::kernels {

struct Sample {
  std::string name;
  std::function<float(std::size_t index, std::mt19937_64& random)> weight;

  std::vector<float> values(std::size_t count) const {
    std::mt19937_64 random(20260101);
    std::vector<float> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = weight(i, random);
    return out;
  }
};

inline float gaussian(std::mt19937_64& random) {
  return static_cast<float>(std::normal_distribution<double>()(random));
}

inline std::vector<Sample> finite_samples() {
  return {
      {"gaussian", [](std::size_t, auto& r) { return 0.02F * gaussian(r); }},
      {"grid with ties", [](std::size_t, auto& r) { return 0.5F * std::round(4 * gaussian(r)); }},
      {"positive", [](std::size_t, auto& r) { return 1.0F + std::fabs(gaussian(r)); }},
      {"negative", [](std::size_t, auto& r) { return -3.0F - std::fabs(gaussian(r)); }},
      {"large mean", [](std::size_t, auto& r) { return 1000.0F + 0.001F * gaussian(r); }},
      {"tiny", [](std::size_t, auto& r) { return 1e-30F * gaussian(r); }},
      {"subnormal", [](std::size_t, auto& r) { return 1e-40F * gaussian(r); }},
      {"near the smallest step", [](std::size_t, auto& r) { return 3e-7F * gaussian(r); }},
      {"constant", [](std::size_t, auto&) { return 0.3F; }},
      {"negative constant", [](std::size_t, auto&) { return -7.1F; }},
      {"zero", [](std::size_t, auto&) { return 0.0F; }},
      {"zeros of both signs", [](std::size_t i, auto&) { return i % 3 == 0 ? 0.0F : -0.0F; }},
      {"outlier", [](std::size_t i, auto& r) { return i == 5 ? 100.0F : 1e-3F * gaussian(r); }},
      {"huge", [](std::size_t, auto& r) { return std::fmin(1e38F, 2e37F * gaussian(r)); }},
  };
}

/// The values behind `shift` zeros: the same numbers at another alignment.
inline std::vector<float> shifted_by(std::size_t shift, std::span<const float> values) {
  std::vector<float> shifted(shift + values.size(), 0.0F);
  std::copy(values.begin(), values.end(), shifted.begin() + static_cast<std::ptrdiff_t>(shift));
  return shifted;
}

}  // namespace moesweep::kernels
