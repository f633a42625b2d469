#pragma once
// Random numbers of estimates, from Philox words.

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <moesweep/core/base/philox.hpp>

namespace moesweep::kernels {

/// Strictly between 0 and 1, at the middle of 2^32 equal steps.
inline double unit_interval(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

/// Four standard normal numbers of one Philox block (Box and Muller 1958).
inline std::array<double, 4> normals(const PhiloxCounter& words) {
  std::array<double, 4> drawn{};
  for (std::size_t i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2.0 * std::log(unit_interval(words[i])));
    const double angle = 2.0 * std::numbers::pi * unit_interval(words[i + 1]);
    drawn[i] = radius * std::cos(angle);
    drawn[i + 1] = radius * std::sin(angle);
  }
  return drawn;
}

/// What a stream of one key is for: the last word of its counters.
enum class RandomPurpose : std::uint32_t { sketch, probe, noise };

}  // namespace moesweep::kernels
