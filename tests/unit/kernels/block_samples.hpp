#pragma once
// Blocks of weights that ask a storage format for everything it does, the same on every machine:
// integers and single binary32 steps only.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace moesweep::kernels {

inline constexpr std::size_t sample_length = 1024;

/// xorshift64*, of which the upper bits are used.
class SampleBits {
 public:
  explicit SampleBits(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1U) {}
  /// A multiple of 2^-23 in [-1, 1).
  float uniform() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    const auto upper = static_cast<std::uint32_t>((state_ * 0x2545F4914F6CDD1DU) >> 40);
    return static_cast<float>(static_cast<std::int32_t>(upper) - (1 << 23)) * 0x1p-23F;
  }
  /// About normal, with variance 1.
  float normal() {
    const float pair = uniform() + uniform();
    return 0.8660254F * (pair + (uniform() + uniform()));
  }

 private:
  std::uint64_t state_;
};

struct Sample {
  std::string_view name;
  float (*weight)(SampleBits& bits, std::size_t i);
};

inline float bf16_of_sample(float value) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xFFFF0000U);
}

/// sample_length weights each.
inline constexpr Sample samples[] = {
    {"normal", [](SampleBits& bits, std::size_t) { return 0.02F * bits.normal(); }},
    {"normal_of_bf16",
     [](SampleBits& bits, std::size_t) { return bf16_of_sample(0.02F * bits.normal()); }},
    {"zeros", [](SampleBits&, std::size_t) { return 0.0F; }},
    {"negative_zeros", [](SampleBits&, std::size_t i) { return i % 3 == 0 ? -0.0F : 0.0F; }},
    {"one_spike", [](SampleBits&, std::size_t i) { return i % 256 == 77 ? -3.0F : 0.0F; }},
    {"spike_in_normal",
     [](SampleBits& bits, std::size_t i) {
       const float value = 0.02F * bits.normal();
       return i % 100 == 50 ? 5.0F : value;
     }},
    {"negative", [](SampleBits& bits, std::size_t) { return -0.5F + 0.1F * bits.uniform(); }},
    {"positive", [](SampleBits& bits, std::size_t) { return 0.5F + 0.1F * bits.uniform(); }},
    {"constant", [](SampleBits&, std::size_t) { return 0.37F; }},
    {"small_integers",
     [](SampleBits& bits, std::size_t) { return std::round(8.0F * bits.uniform()); }},
    {"halves",
     [](SampleBits& bits, std::size_t) { return 0.25F * std::round(24.0F * bits.uniform()); }},
    {"subnormal", [](SampleBits& bits, std::size_t) { return 0x1p-130F * bits.normal(); }},
    {"smallest",
     [](SampleBits& bits, std::size_t) { return 0x1p-147F * std::round(8.0F * bits.uniform()); }},
    {"tiny", [](SampleBits& bits, std::size_t) { return 0x1p-60F * bits.normal(); }},
    {"below_binary16", [](SampleBits& bits, std::size_t) { return 0x1p-20F * bits.normal(); }},
    {"large", [](SampleBits& bits, std::size_t) { return 30000.0F * bits.normal(); }},
    {"huge", [](SampleBits& bits, std::size_t) { return 0x1p100F * bits.normal(); }},
    {"largest", [](SampleBits& bits, std::size_t) { return 0x1p126F * bits.uniform(); }},
    {"ranges",  // blocks of very different size side by side
     [](SampleBits& bits, std::size_t i) {
       return std::ldexp(bits.normal(), static_cast<int>(i / 32 % 24) - 12);
     }},
    {"half_empty",
     [](SampleBits& bits, std::size_t i) {
       const float value = bits.normal();
       return i % 32 < 16 ? value : 0.0F;
     }},
};

inline std::vector<float> weights_of(const Sample& sample) {
  SampleBits bits(static_cast<std::uint64_t>(&sample - samples) + 1);
  std::vector<float> weights(sample_length);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = sample.weight(bits, i);
  return weights;
}

/// FNV-1a over the bits of all values. NaNs count alike: their sign and payload are the compiler's.
inline std::uint64_t digest_of(std::span<const float> values) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const float value : values) {
    const auto bits = std::isnan(value) ? 0x7FC00000U : std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((bits >> shift) & 0xFFU)) * 0x100000001B3U;
    }
  }
  return hash;
}

/// FNV-1a over bytes.
inline std::uint64_t digest_of(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const auto byte : bytes) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  return hash;
}

/// Each difference is one binary32 step, squares and sums are float64.
inline double squared_error_of(std::span<const float> weights, std::span<const float> dequantized) {
  double sse = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float difference = weights[i] - dequantized[i];
    sse += static_cast<double>(difference) * static_cast<double>(difference);
  }
  return sse;
}

}  // namespace moesweep::kernels
