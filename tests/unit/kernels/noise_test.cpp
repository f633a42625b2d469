#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/noise.hpp>

#include "every_isa.hpp"

namespace moesweep::kernels {
namespace {

const NoiseAddress somewhere{
    .key = {0x1234567, 0x89ABCDEF}, .block = 5, .row = 77, .slice = 3, .stream = 1};

float scalar_noise(const NoiseAddress& from, std::size_t index) {
  const auto place = index % noise_block;
  const auto counter = 16 * (from.block + index / noise_block) + place % 16;
  const auto word =
      philox4x32_10({static_cast<std::uint32_t>(counter), from.row, from.slice, from.stream},
                    from.key)[place / 16];
  const auto sum = (word & 0x7FFU) + (word >> 11U & 0x7FFU) + 2 * (word >> 22U);
  return (static_cast<float>(sum) - 3070.0F) / 1024.0F;
}

TEST(CounterNoise, EqualsTheScalarGeneratorOnEveryInstructionSet) {
  on_every_isa([] {
    std::vector<float> noise(3 * noise_block);
    counter_noise(somewhere, noise);
    for (std::size_t i = 0; i < noise.size(); ++i)
      ASSERT_EQ(noise[i], scalar_noise(somewhere, i)) << i;
  });
}

TEST(CounterNoise, HasUnitVarianceAndTheStatedKurtosis) {
  std::vector<float> noise(std::size_t{1} << 20);
  counter_noise(somewhere, noise);
  double mean = 0, second = 0, fourth = 0;
  for (const double x : noise) {
    mean += x;
    second += x * x;
    fourth += x * x * x * x;
  }
  const auto n = static_cast<double>(noise.size());
  EXPECT_NEAR(mean / n, 0.0, 0.005);
  EXPECT_NEAR(second / n, 1.0, 0.006);
  EXPECT_NEAR(fourth / n / (second / n * second / n), 2.6, 0.02);
}

TEST(SpikedRow, RoundsToNearestEvenOnEveryInstructionSet) {
  on_every_isa([] {
    std::vector<float> noise(131), direction(131, 0.5F);
    for (std::size_t i = 0; i < noise.size(); ++i) {
      noise[i] = std::bit_cast<float>(0x3F800000U + static_cast<std::uint32_t>(i) * 0x1800U) *
                 (i % 2 == 0 ? 1.0F : -1.0F);
    }
    std::vector<std::uint16_t> out(noise.size());
    spiked_row_bf16(noise, 1.0F, direction, 0.25F, out);
    for (std::size_t i = 0; i < noise.size(); ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(noise[i] + 0.125F);
      const auto below = bits & 0xFFFF0000U;
      const auto rest = bits & 0xFFFFU;
      const bool up = rest > 0x8000U || (rest == 0x8000U && (below & 0x10000U) != 0);
      ASSERT_EQ(out[i], (below + (up ? 0x10000U : 0U)) >> 16U) << i;
    }
  });
}

}  // namespace
}  // namespace moesweep::kernels
