#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/decode.hpp>

#include "every_isa.hpp"

namespace moesweep::kernels {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

template <typename T>
std::vector<float> decoded(Dtype dtype, const std::vector<T>& elements) {
  std::vector<float> out(elements.size());
  decode(dtype, std::as_bytes(std::span(elements)), out);
  return out;
}

// sign, exponent, mantissa by the definition of IEEE 754 formats.
double ieee_value(unsigned bits, int exponent_bits, int mantissa_bits) {
  const int exponent = static_cast<int>((bits >> mantissa_bits) & ((1U << exponent_bits) - 1U));
  const double mantissa = bits & ((1U << mantissa_bits) - 1U);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = ((bits >> (exponent_bits + mantissa_bits)) & 1U) != 0 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) {
    return mantissa == 0.0 ? sign * double{infinity} : std::nan("");
  }
  const double fraction = std::ldexp(mantissa, -mantissa_bits);
  return exponent == 0 ? sign * std::ldexp(fraction, 1 - bias)
                       : sign * std::ldexp(1.0 + fraction, exponent - bias);
}

void expect_same(float actual, double expected, unsigned pattern) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << std::hex << pattern;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(actual),
              std::bit_cast<std::uint32_t>(static_cast<float>(expected)))
        << std::hex << pattern;
  }
}

std::vector<std::uint16_t> all_16_bit_patterns() {
  std::vector<std::uint16_t> patterns(65536);
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<std::uint16_t>(i);
  return patterns;
}

TEST(Decode, EveryF16PatternIsExactOnEveryIsa) {
  on_every_isa([] {
    const auto patterns = all_16_bit_patterns();
    const auto values = decoded(Dtype::f16, patterns);
    for (unsigned i = 0; i < 65536; ++i) expect_same(values[i], ieee_value(i, 5, 10), i);
  });
}

TEST(Decode, EveryBf16PatternIsExactOnEveryIsa) {
  on_every_isa([] {
    const auto patterns = all_16_bit_patterns();
    const auto values = decoded(Dtype::bf16, patterns);
    for (unsigned i = 0; i < 65536; ++i) expect_same(values[i], ieee_value(i, 8, 7), i);
  });
}

TEST(Decode, ElementsAtAnOddByteAndShortEndsAreRead) {
  on_every_isa([] {
    std::vector<std::byte> bytes(2 * 1100 + 1);
    for (std::size_t i = 0; i < 1100; ++i) {
      const auto half = static_cast<std::uint16_t>(0x3C00 + i % 1024);  // 1 + i/1024
      std::memcpy(bytes.data() + 1 + 2 * i, &half, 2);
    }
    for (const std::size_t count : {0U, 1U, 15U, 17U, 1023U, 1025U, 1100U}) {
      std::vector<float> values(count + 1, -1.0F);
      decode(Dtype::f16, std::span(bytes).subspan(1, 2 * count), std::span(values).first(count));
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(values[i], 1.0F + static_cast<float>(i % 1024) / 1024.0F);
      }
      EXPECT_EQ(values[count], -1.0F) << "written past the end";
    }
  });
}

TEST(Decode, E4m3FollowsTheOcpTable) {
  std::vector<std::uint8_t> patterns(256);
  for (std::size_t i = 0; i < 256; ++i) patterns[i] = static_cast<std::uint8_t>(i);
  const auto values = decoded(Dtype::f8_e4m3, patterns);
  EXPECT_EQ(values[0x7E], 448.0F);     // largest: 1.75 * 2^8
  EXPECT_EQ(values[0x08], 0x1p-6F);    // smallest normal
  EXPECT_EQ(values[0x07], 0x1.cp-7F);  // largest subnormal
  EXPECT_EQ(values[0x01], 0x1p-9F);
  EXPECT_EQ(values[0x38], 1.0F);
  EXPECT_TRUE(std::isnan(values[0x7F]) && std::isnan(values[0xFF]));
  for (unsigned i = 0; i < 256; ++i) {
    // Below the largest exponent the format is IEEE-like; there it keeps counting.
    if ((i & 0x78U) != 0x78U) expect_same(values[i], ieee_value(i, 4, 3), i);
  }
  for (unsigned i = 0x78; i < 0x7F; ++i) EXPECT_EQ(values[i], 256.0F + 32.0F * float(i - 0x78));
}

TEST(Decode, E5m2FollowsIeee) {
  std::vector<std::uint8_t> patterns(256);
  for (std::size_t i = 0; i < 256; ++i) patterns[i] = static_cast<std::uint8_t>(i);
  const auto values = decoded(Dtype::f8_e5m2, patterns);
  EXPECT_EQ(values[0x7B], 57344.0F);
  for (unsigned i = 0; i < 256; ++i) expect_same(values[i], ieee_value(i, 5, 2), i);
}

TEST(Decode, F64IsRoundedToNearestEven) {
  const auto values =
      decoded<double>(Dtype::f64, {1.0 + 0x1p-24, 1.0 + 0x1p-24 + 0x1p-40, 1.0 + 0x3p-24, 1e39,
                                   -1e39, 0x1p-149, 0x1p-151, -0.0});
  const std::vector<float> expected = {
      1.0F, 1.0F + 0x1p-23F, 1.0F + 0x1p-22F, infinity, -infinity, 0x1p-149F, 0.0F, -0.0F};
  EXPECT_EQ(values, expected);
  EXPECT_TRUE(std::signbit(values.back()));
}

TEST(Decode, F32KeepsEveryBit) {
  const auto values = decoded<std::uint32_t>(Dtype::f32, {1U, 0x80000000U, 0x7FC00001U});
  EXPECT_EQ(values[0], 0x1p-149F);
  EXPECT_TRUE(std::signbit(values[1]));
  EXPECT_TRUE(std::isnan(values[2]));
}

TEST(Decode, IntegersAreExactUpTo24BitsAndThenRoundToEven) {
  EXPECT_EQ(decoded<std::int8_t>(Dtype::i8, {-128, 127}), (std::vector<float>{-128, 127}));
  EXPECT_EQ(decoded<std::uint8_t>(Dtype::u8, {0, 255}), (std::vector<float>{0, 255}));
  EXPECT_EQ(decoded<std::int16_t>(Dtype::i16, {-32768}), (std::vector<float>{-32768}));
  EXPECT_EQ(decoded<std::uint16_t>(Dtype::u16, {65535}), (std::vector<float>{65535}));
  EXPECT_EQ(decoded<std::int32_t>(Dtype::i32, {-16777217, 16777219}),
            (std::vector<float>{-16777216, 16777220}));
  EXPECT_EQ(decoded<std::uint32_t>(Dtype::u32, {4294967295U}), (std::vector<float>{0x1p32F}));
  EXPECT_EQ(decoded<std::int64_t>(Dtype::i64, {std::numeric_limits<std::int64_t>::min()}),
            (std::vector<float>{-0x1p63F}));
  // One rounding only: by way of float64 this would be a tie and come out as 2^60.
  EXPECT_EQ(decoded<std::int64_t>(Dtype::i64, {(std::int64_t{1} << 60) + (1LL << 36) + 1}),
            (std::vector<float>{0x1p60F + 0x1p37F}));
  EXPECT_EQ(decoded<std::uint64_t>(Dtype::u64, {~std::uint64_t{0}}), (std::vector<float>{0x1p64F}));
  EXPECT_EQ(decoded<std::uint8_t>(Dtype::boolean, {0, 1, 2}), (std::vector<float>{0, 1, 1}));
}

TEST(DecodeDeathTest, ByteCountMustMatch) {
  const std::array<std::byte, 3> bytes{};
  std::array<float, 2> out{};
  EXPECT_DEATH(decode(Dtype::bf16, bytes, out), "byte count");
}

TEST(FirstNonfinite, FindsTheFirstWhereverItIs) {
  on_every_isa([] {
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<float> values(count, std::numeric_limits<float>::max());
      EXPECT_EQ(first_nonfinite(values), std::nullopt);
      if (count > 0) values.back() = infinity;
      for (std::size_t i = 0; i < count; ++i) {
        auto copy = values;
        copy[i] = i % 2 == 0 ? -infinity : std::numeric_limits<float>::quiet_NaN();
        EXPECT_EQ(first_nonfinite(copy), static_cast<std::int64_t>(i));
      }
    }
  });
}

}  // namespace
}  // namespace moesweep::kernels
