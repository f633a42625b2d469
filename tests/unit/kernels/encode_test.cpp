#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>

namespace moesweep::kernels {
namespace {

std::vector<float> round_trip(Dtype dtype, const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * static_cast<std::size_t>(dtype_bytes(dtype)));
  encode(dtype, values, bytes);
  std::vector<float> out(values.size());
  decode(dtype, bytes, out);
  return out;
}

// Every 16-bit pattern that is a number is its own encoding.
TEST(Encode, GivesBackEveryDecodedNumber) {
  for (const auto dtype : {Dtype::bf16, Dtype::f16}) {
    for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
      const auto element = static_cast<std::uint16_t>(pattern);
      std::vector<std::byte> bytes(2);
      std::memcpy(bytes.data(), &element, 2);
      std::vector<float> value(1);
      decode(dtype, bytes, value);
      std::vector<std::byte> again(2);
      encode(dtype, value, again);
      if (std::isnan(value[0])) {
        decode(dtype, again, value);
        EXPECT_TRUE(std::isnan(value[0])) << pattern;
      } else {
        EXPECT_EQ(again, bytes) << pattern;
      }
    }
  }
}

TEST(Encode, RoundsTiesToEven) {
  // BF16 has 7 bits behind the point: 1 + 2^-8 and 1 + 3 * 2^-8 are ties
  EXPECT_EQ(round_trip(Dtype::bf16, {1 + 0x1p-8F, 1 + 0x3p-8F, 1 + 0x1.02p-8F}),
            (std::vector<float>{1, 1 + 0x1p-6F, 1 + 0x1p-7F}));
  EXPECT_EQ(round_trip(Dtype::f16, {1 + 0x1p-11F, 1 + 0x3p-11F, 0x1p-25F, 0x3p-25F}),
            (std::vector<float>{1, 1 + 0x1p-9F, 0, 0x1p-23F}));
}

TEST(Encode, GoesToInfinityBeyondTheType) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(round_trip(Dtype::f16, {65520, 65519, -1e9F}),
            (std::vector<float>{infinity, 65504, -infinity}));
}

TEST(Encode, KeepsBinary32) {
  const std::vector<float> values = {0.1F, -3e38F, 1e-45F};
  EXPECT_EQ(round_trip(Dtype::f32, values), values);
  EXPECT_EQ(round_trip(Dtype::f64, values), values);
}

}  // namespace
}  // namespace moesweep::kernels
