#pragma once
// Counter-based noise and the matrix rows of a checkpoint's twin made from it. Every number is a
// pure function of its address, and every target of the dispatch gives the same bits.

#include <cstdint>
#include <span>

#include <moesweep/core/base/philox.hpp>

namespace moesweep::kernels {

/// Noise is generated in blocks of this many numbers, 16 Philox counters each.
inline constexpr std::int64_t noise_block = 64;

/// Where a run of noise begins: counter words are (16 * block + lane, row, slice, stream).
struct NoiseAddress {
  PhiloxKey key{};
  std::uint32_t block = 0;
  std::uint32_t row = 0;
  std::uint32_t slice = 0;
  std::uint32_t stream = 0;
};

/// Sums of three uniforms (11, 11 and 10 bits of one Philox 4x32-10 word): mean 0, variance 1 to
/// 5e-7, excess kurtosis -0.4, a lattice of 2^-10. Number i of a block is word i/16 of counter
/// i%16. out.size() is a multiple of noise_block.
void counter_noise(const NoiseAddress& from, std::span<float> out);

/// bf16(noise[i] * noise_scale + direction[i] * row_factor), rounded to nearest even; no overflow
/// check. `noise` and `direction` are as long as `out`.
void spiked_row_bf16(std::span<const float> noise, float noise_scale,
                     std::span<const float> direction, float row_factor,
                     std::span<std::uint16_t> out);

}  // namespace moesweep::kernels
