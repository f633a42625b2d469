// The vector kernels against the oracle, on every instruction set of this machine.

#include <bit>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/round_trip.hpp>

#include "every_isa.hpp"
#include "oracle.hpp"
#include "round_trip_kernel.hpp"
#include "samples.hpp"

namespace moesweep::kernels {
namespace {

std::vector<Quantizer> all_quantizers(const std::vector<int>& group_sizes) {
  std::vector<Quantizer> quantizers;
  for (const auto family : {QuantizerFamily::rtn, QuantizerFamily::affine}) {
    for (int bits = 2; bits <= 8; ++bits) {
      for (const int group_size : group_sizes) quantizers.push_back({family, bits, group_size});
    }
  }
  return quantizers;
}

std::string label(const Quantizer& quantizer) {
  return family_name(quantizer.family) + " " + std::to_string(quantizer.bits) + " bits, group " +
         std::to_string(quantizer.group_size);
}

// Codes, stored scale and stored bias of every group, by the kernels of the active target.
void expect_bits_of_oracle(const std::vector<float>& values, const Quantizer& quantizer,
                           Dtype dtype) {
  const auto size = static_cast<std::size_t>(quantizer.group_size);
  const Tile tile{values.data(), values.size(), size};
  const std::size_t padded = padded_groups(tile.groups());
  std::vector<float> lo(padded), hi(padded), step(padded), offset(padded), scale(padded),
      bias(padded);
  const GroupArrays arrays{step.data(), offset.data(), scale.data(), bias.data()};
  const auto levels = static_cast<float>((1 << quantizer.bits) - 1);
  std::vector<std::uint8_t> codes(values.size());
  group_ranges(tile, lo.data(), hi.data());
  group_parameters(quantizer.family, levels, stored_as(dtype), tile.groups(), lo.data(), hi.data(),
                   arrays);
  tile_codes(tile, arrays, levels, codes.data());
  for (std::size_t group = 0; group < tile.groups(); ++group) {
    const std::size_t begin = group * size;
    const std::size_t count = std::min(size, values.size() - begin);
    const auto expected = oracle::quantize(values.data() + begin, count, quantizer, dtype);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(scale[group]),
              std::bit_cast<std::uint32_t>(expected.scale))
        << "scale of group " << group;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(bias[group]),
              std::bit_cast<std::uint32_t>(expected.bias))
        << "bias of group " << group;
    const std::vector<int> actual(codes.begin() + static_cast<std::ptrdiff_t>(begin),
                                  codes.begin() + static_cast<std::ptrdiff_t>(begin + count));
    ASSERT_EQ(actual, expected.codes) << "codes of group " << group;
  }
}

// The oracle sums in long double; 16 squares summed in binary32 may be off by 16 * 2^-24.
constexpr double tolerance = 16 * 0x1p-24;

void expect_errors_of_oracle(const std::vector<float>& values, std::size_t columns,
                             const std::vector<Quantizer>& quantizers, Dtype dtype) {
  std::vector<double> sse(quantizers.size(), 0.0);
  RoundTripErrors(quantizers, dtype).add({values, static_cast<std::int64_t>(columns)}, sse);
  for (std::size_t i = 0; i < quantizers.size(); ++i) {
    const auto expected =
        static_cast<double>(oracle::matrix_error(values, columns, quantizers[i], dtype));
    EXPECT_NEAR(sse[i], expected, tolerance * expected) << label(quantizers[i]);
  }
}

// A half cannot hold 1e38; such weights do not come from an F16 tensor.
bool possible(const Sample& sample, Dtype dtype) {
  return dtype != Dtype::f16 || sample.name != "huge";
}

TEST(RoundTrip, CodesScalesAndBiasesAreTheOraclesBitForBit) {
  on_every_isa([] {
    for (const Sample& sample : finite_samples()) {
      const auto values = sample.values(300);  // ends with a short group for most sizes
      for (const Quantizer& quantizer : all_quantizers({1, 3, 20, 32, 64, 100, 128})) {
        for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32}) {
          SCOPED_TRACE(sample.name + ", " + label(quantizer));
          if (possible(sample, dtype)) expect_bits_of_oracle(values, quantizer, dtype);
        }
      }
    }
  });
}

// Edges half-way between two numbers of the stored format, and their neighbours.
std::vector<float> edges_near_ties(std::uint32_t half_unit) {
  std::vector<float> edges;
  for (std::uint32_t exponent = 127 - 23; exponent < 127 + 16; ++exponent) {
    for (std::uint32_t odd = 1; odd < 64; odd += 2) {
      const std::uint32_t tie = (exponent << 23) + odd * half_unit;
      for (const std::uint32_t bits : {tie - 1, tie, tie + 1}) {
        edges.push_back(-std::bit_cast<float>(bits));
      }
    }
  }
  // Halves below 2^-14 are multiples of 2^-24.
  for (float odd = 3.0F; odd < 2048.0F; odd += 2.0F) edges.push_back(-odd * 0x1p-25F);
  return edges;
}

TEST(RoundTrip, StoredBiasesRoundTiesToEven) {
  on_every_isa([] {
    for (const auto& [dtype, half_unit] :
         {std::pair{Dtype::bf16, 0x8000U}, std::pair{Dtype::f16, 0x1000U}}) {
      std::vector<float> lo = edges_near_ties(half_unit);
      const std::size_t groups = lo.size();
      lo.resize(padded_groups(groups));
      const std::vector<float> hi(lo.size(), 0.0F);
      std::vector<float> step(lo.size()), offset(lo.size()), scale(lo.size()), bias(lo.size());
      group_parameters(QuantizerFamily::affine, 15.0F, stored_as(dtype), groups, lo.data(),
                       hi.data(), {step.data(), offset.data(), scale.data(), bias.data()});
      for (std::size_t i = 0; i < groups; ++i) {
        ASSERT_EQ(offset[i], lo[i]);
        ASSERT_EQ(bias[i], oracle::stored(lo[i], dtype)) << lo[i];
        ASSERT_EQ(scale[i], oracle::stored(step[i], dtype)) << lo[i];
      }
    }
  });
}

TEST(RoundTrip, NeighboursOfTiesGoToTheirOwnSide) {
  // lo 0, hi 3, so s = 1 at 2 bits and quotients are the weights. Adding 0.5 and truncating would
  // send the tie 0.5 to 1.
  std::vector<float> values = {0.0F, 3.0F};
  for (const float tie : {0.5F, 1.5F, 2.5F}) {
    for (const float value : {std::nextafter(tie, 0.0F), tie, std::nextafter(tie, 3.0F)}) {
      values.push_back(value);
    }
  }
  const std::vector<int> expected = {0, 3, 0, 0, 1, 1, 2, 2, 2, 2, 3};
  const std::size_t period = values.size();
  for (std::size_t i = period; i < 128; ++i) values.push_back(values[i % period]);
  const auto oracle_codes =
      oracle::quantize(values.data(), 128, {QuantizerFamily::rtn, 2, 128}, Dtype::f32).codes;
  for (std::size_t i = 0; i < 128; ++i) EXPECT_EQ(oracle_codes[i], expected[i % period]);
  on_every_isa([&] {
    expect_bits_of_oracle(values, {QuantizerFamily::rtn, 2, 128}, Dtype::f32);
    expect_bits_of_oracle(values, {QuantizerFamily::affine, 2, 128}, Dtype::f32);
  });
}

TEST(RoundTrip, EveryLengthOfALastGroupIsHandled) {
  on_every_isa([] {
    for (std::size_t length = 1; length <= 129; ++length) {
      const auto values = finite_samples()[0].values(length);
      for (const int group_size : {32, 128}) {
        SCOPED_TRACE("length " + std::to_string(length));
        expect_bits_of_oracle(values, {QuantizerFamily::affine, 4, group_size}, Dtype::bf16);
        expect_bits_of_oracle(values, {QuantizerFamily::rtn, 8, group_size}, Dtype::bf16);
      }
    }
  });
}

TEST(RoundTrip, ErrorsOfAllSettingsAtOnceAreTheOracles) {
  on_every_isa([] {
    for (const Sample& sample : finite_samples()) {
      SCOPED_TRACE(sample.name);
      // Whole groups (one run over several tiles), short last groups, rows shorter than a group.
      expect_errors_of_oracle(sample.values(5 * 1152), 1152, all_quantizers({32, 64, 128}),
                              Dtype::bf16);
      expect_errors_of_oracle(sample.values(7 * 200), 200, all_quantizers({32, 64, 128}),
                              Dtype::f32);
      expect_errors_of_oracle(sample.values(50 * 4), 4, all_quantizers({32, 64, 128}),
                              Dtype::f8_e4m3);
    }
  });
}

TEST(RoundTrip, GroupSizesWithoutACommonTileAreMeasuredToo) {
  on_every_isa([] {
    const auto values = finite_samples()[0].values(2 * 9001);
    expect_errors_of_oracle(values, 9001, all_quantizers({1, 2, 7, 48, 101, 127, 8192, 100000}),
                            Dtype::bf16);
  });
}

// rtn maps {0, 1, 2, 2} units to 0 units when they are small, 2 bits to steps of 2/3 otherwise.
std::vector<float> four_values_over_and_over(float unit) {
  std::vector<float> values;
  for (int i = 0; i < 64; ++i) {
    for (const float multiple : {0.0F, 1.0F, 2.0F, 2.0F}) values.push_back(multiple * unit);
  }
  return values;
}

double rtn_error(const std::vector<float>& values, int group_size) {
  std::vector<double> sse(1, 0.0);
  const std::vector<Quantizer> quantizers = {{QuantizerFamily::rtn, 2, group_size}};
  RoundTripErrors(quantizers, Dtype::f32)
      .add({values, static_cast<std::int64_t>(values.size())}, sse);
  return sse[0];
}

TEST(RoundTrip, TinyErrorsDoNotVanish) {
  on_every_isa([] {
    // 1e-30 squared is below binary32.
    for (const int group_size : {4, 64, 256}) {
      EXPECT_NEAR(rtn_error(four_values_over_and_over(1e-30F), group_size), 64 * 9e-60, 1e-65);
    }
  });
}

TEST(RoundTrip, LargeErrorsDoNotOverflow) {
  on_every_isa([] {
    // One of four is off by 1/3 unit; its square is beyond binary32.
    for (const int group_size : {4, 64, 256}) {
      const double expected = 64 * 1e60 / 9;
      EXPECT_NEAR(rtn_error(four_values_over_and_over(1e30F), group_size), expected,
                  1e-6 * expected);
    }
  });
}

// Why the kernel does not clamp them: the highest code is that of hi.
TEST(RoundTrip, CodesOfRtnNeedNoClamp) {
  std::mt19937_64 random(5);
  std::uniform_int_distribution<std::uint32_t> any_bits;
  const auto any_float = [&] { return std::bit_cast<float>(any_bits(random)); };
  int ranges = 0;
  while (ranges < 300'000) {
    const float lo = any_float();
    // Of any size, and one step of the last digit away.
    for (const float hi : {any_float(), std::nextafter(lo, INFINITY), lo + std::fabs(lo) * 1e-6F}) {
      const float range = hi - lo;
      if (!std::isfinite(range) || range < 0.0F) continue;
      ++ranges;
      for (int bits = 2; bits <= 8; ++bits) {
        const auto levels = static_cast<float>((1 << bits) - 1);
        const float step = std::fmax(range / levels, rtn_smallest_step);
        ASSERT_LE(std::rint(range / step), levels) << lo << " to " << hi;
      }
    }
  }
}

TEST(RoundTrip, SumsAreAddedToWhatIsThere) {
  const std::vector<float> values = {-1.0F, 0.5F, 1.5F, 2.0F};  // errors 0, 0.5, 0.5, 0
  std::vector<double> sse = {10.0, 20.0};
  const std::vector<Quantizer> quantizers = {{QuantizerFamily::rtn, 2, 4},
                                             {QuantizerFamily::rtn, 2, 2}};
  RoundTripErrors(quantizers, Dtype::bf16).add({values, 4}, sse);
  EXPECT_EQ(sse[0], 10.5);
  // Two of a group are both ends of its range.
  EXPECT_NEAR(sse[1], 20.0, 1e-12);
}

TEST(RoundTrip, BitsDoNotDependOnAlignment) {
  on_every_isa([] {
    const auto values = finite_samples()[0].values(3000);
    const auto quantizers = all_quantizers({32, 64, 128});
    std::vector<double> reference(quantizers.size(), 0.0);
    RoundTripErrors(quantizers, Dtype::bf16).add({values, 1000}, reference);
    for (std::size_t shift = 1; shift < 16; ++shift) {
      const auto shifted = shifted_by(shift, values);
      std::vector<double> sse(quantizers.size(), 0.0);
      RoundTripErrors(quantizers, Dtype::bf16)
          .add({std::span<const float>(shifted).subspan(shift), 1000}, sse);
      EXPECT_EQ(sse, reference);
    }
  });
}

TEST(RoundTrip, RangeBeyondBinary32GivesANonFiniteError) {
  on_every_isa([] {
    std::vector<float> values(128, 1.0F);
    values[3] = -3e38F;
    values[70] = 3e38F;
    const auto quantizers = all_quantizers({128});
    std::vector<double> sse(quantizers.size(), 0.0);
    RoundTripErrors(quantizers, Dtype::f32).add({values, 128}, sse);
    for (const double value : sse) EXPECT_FALSE(std::isfinite(value));
  });
}

TEST(RoundTrip, NoRowsAddNothing) {
  std::vector<double> sse = {1.0};
  const std::vector<Quantizer> quantizers = {{QuantizerFamily::rtn, 4, 32}};
  RoundTripErrors(quantizers, Dtype::bf16).add({{}, 32}, sse);
  EXPECT_EQ(sse[0], 1.0);
}

TEST(RoundTripDeathTest, ShapesMustAgree) {
  const std::vector<float> values(10, 1.0F);
  std::vector<double> sse(1);
  const std::vector<Quantizer> quantizers = {{QuantizerFamily::rtn, 4, 32}};
  EXPECT_DEATH(RoundTripErrors(quantizers, Dtype::bf16).add({values, 3}, sse), "whole number");
  EXPECT_DEATH(RoundTripErrors(quantizers, Dtype::bf16).add({values, 5}, {}), "one sum");
}

}  // namespace
}  // namespace moesweep::kernels
