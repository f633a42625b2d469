// Groups small enough to compute by hand.

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

#include "oracle.hpp"
#include "samples.hpp"

namespace moesweep::kernels {
namespace {

using testing::ElementsAre;

struct Result {
  float scale = 0.0F;
  float bias = 0.0F;
  std::vector<int> codes;
  std::vector<float> restored;
};

Result quantized(const std::vector<float>& values, const Quantizer& quantizer, Dtype dtype) {
  std::vector<std::uint8_t> codes(values.size());
  Result result;
  result.restored.resize(values.size());
  const GroupCode group = quantize_group(values, quantizer, dtype, codes, result.restored);
  result.scale = group.scale;
  result.bias = group.bias;
  result.codes.assign(codes.begin(), codes.end());
  return result;
}

constexpr Quantizer rtn2{QuantizerFamily::rtn, 2, 4};
constexpr Quantizer affine2{QuantizerFamily::affine, 2, 4};

TEST(QuantizeGroup, RtnSpansTheRangeAndBreaksTiesToEven) {
  // lo -1, hi 2, s = 3/3 = 1; w-lo = 0, 1.5, 2.5, 3: both ties go to 2.
  const Result result = quantized({-1.0F, 0.5F, 1.5F, 2.0F}, rtn2, Dtype::bf16);
  EXPECT_EQ(result.scale, 1.0F);
  EXPECT_EQ(result.bias, -1.0F);
  EXPECT_THAT(result.codes, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(result.restored, ElementsAre(-1.0F, 1.0F, 1.0F, 2.0F));
}

TEST(QuantizeGroup, RtnKeepsBinary32ScaleWhateverTheDtype) {
  // lo 0, hi 1, s = 1/3 in binary32; 2*s = 0.6666667.
  const Result result = quantized({0.0F, 1.0F, 0.6F, 0.1F}, rtn2, Dtype::bf16);
  EXPECT_EQ(result.scale, 1.0F / 3.0F);
  EXPECT_THAT(result.codes, ElementsAre(0, 3, 2, 0));
  EXPECT_THAT(result.restored, ElementsAre(0.0F, 1.0F, 2.0F / 3.0F, 0.0F));
}

TEST(QuantizeGroup, PaddingOfAShortGroupTakesPartInTheRange) {
  // Two of four: the missing zeros make lo 0. s = 5/3; 4/s = 2.4 -> 2, 5/s = 3.
  const Result result = quantized({4.0F, 5.0F}, rtn2, Dtype::f32);
  EXPECT_EQ(result.bias, 0.0F);
  EXPECT_EQ(result.scale, 5.0F / 3.0F);
  EXPECT_THAT(result.codes, ElementsAre(2, 3));
  // The same two as a whole group: lo 4, s = 1/3.
  EXPECT_EQ(quantized({4.0F, 5.0F}, {QuantizerFamily::rtn, 2, 2}, Dtype::f32).bias, 4.0F);
}

TEST(QuantizeGroup, ConstantGroupIsRestoredByRtn) {
  const Result result = quantized({0.3F, 0.3F, 0.3F, 0.3F}, rtn2, Dtype::bf16);
  EXPECT_EQ(result.scale, 1e-12F);
  EXPECT_THAT(result.codes, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(result.restored, ElementsAre(0.3F, 0.3F, 0.3F, 0.3F));
}

TEST(QuantizeGroup, AffineAnchorsAtTheLargerEnd) {
  // |lo| < |hi|: s = -1, e = 2, q0 = -2, s = 2/-2 = -1, bias 2; q = (w-2)/-1.
  const Result high = quantized({-1.0F, 0.0F, 1.0F, 2.0F}, affine2, Dtype::bf16);
  EXPECT_EQ(high.scale, -1.0F);
  EXPECT_EQ(high.bias, 2.0F);
  EXPECT_THAT(high.codes, ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(high.restored, ElementsAre(-1.0F, 0.0F, 1.0F, 2.0F));
  // |lo| > |hi|: s = 1, e = -2, q0 = -2, bias -2; 0.4 is 2.4 above, code 2.
  const Result low = quantized({-2.0F, 0.0F, 0.4F, 1.0F}, affine2, Dtype::bf16);
  EXPECT_EQ(low.scale, 1.0F);
  EXPECT_EQ(low.bias, -2.0F);
  EXPECT_THAT(low.codes, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(low.restored, ElementsAre(-2.0F, 0.0F, 0.0F, 1.0F));
}

TEST(QuantizeGroup, AffineMovesTheScaleSoThatZeroIsACode) {
  // lo -1, hi 0.8: s = 0.6, e/s = -1.67, q0 = -2, s = 0.5. 0.8: 3.6 -> 4, clamped to 3.
  const Result result = quantized({-1.0F, 0.0F, 0.2F, 0.8F}, affine2, Dtype::bf16);
  EXPECT_EQ(result.scale, 0.5F);
  EXPECT_EQ(result.bias, -1.0F);
  EXPECT_THAT(result.codes, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(result.restored, ElementsAre(-1.0F, 0.0F, 0.0F, 0.5F));
}

TEST(QuantizeGroup, AffineStoresScaleAndBiasInTheWeightsDtype) {
  // lo -1, hi 0: s = 1/3, q0 = -3. BF16(1/3) = 171/512, F16(1/3) = 1365/4096; 3*s - 1 for code 3.
  const std::vector<float> values = {-1.0F, 0.0F, 0.0F, -1.0F};
  for (const Dtype dtype : {Dtype::bf16, Dtype::f8_e4m3, Dtype::f8_e5m2}) {
    const Result result = quantized(values, affine2, dtype);
    EXPECT_EQ(result.scale, 171.0F / 512.0F);
    EXPECT_THAT(result.codes, ElementsAre(0, 3, 3, 0));
    EXPECT_EQ(result.restored[1], 1.0F / 512.0F);
  }
  const Result half = quantized(values, affine2, Dtype::f16);
  EXPECT_EQ(half.scale, 1365.0F / 4096.0F);
  EXPECT_EQ(half.restored[1], -1.0F / 4096.0F);
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::i8}) {
    EXPECT_EQ(quantized(values, affine2, dtype).scale, 1.0F / 3.0F);
  }
}

TEST(QuantizeGroup, AffineOfAlmostNothingIsZero) {
  // Range/3 < 1e-7: s = -1e-7 (|lo| is not larger), e/s = -0.1, q0 = 0, so bias 0 and all codes 0.
  const std::vector<float> values = {1e-8F, -1e-8F, 0.0F, 0.0F};
  const Result result = quantized(values, affine2, Dtype::f32);
  EXPECT_EQ(result.scale, -1e-7F);
  EXPECT_EQ(result.bias, 0.0F);
  EXPECT_THAT(result.codes, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(result.restored, ElementsAre(0.0F, 0.0F, 0.0F, 0.0F));
  // As a half 1e-7 is subnormal: 1.68 steps of 2^-24, stored as 2.
  EXPECT_EQ(quantized(values, affine2, Dtype::f16).scale, -0x1p-23F);
}

TEST(QuantizeGroup, AgreesWithTheOracleOnEverySample) {
  for (const Sample& sample : finite_samples()) {
    const auto values = sample.values(60);
    for (const auto family : {QuantizerFamily::rtn, QuantizerFamily::affine}) {
      for (int bits = 2; bits <= 8; ++bits) {
        for (const int group_size : {60, 64}) {
          const Quantizer quantizer{family, bits, group_size};
          for (const Dtype dtype : {Dtype::bf16, Dtype::f16, Dtype::f32}) {
            SCOPED_TRACE(sample.name + " " + family_name(family) + " " + std::to_string(bits));
            const auto expected = oracle::quantize(values.data(), 60, quantizer, dtype);
            const Result actual = quantized(values, quantizer, dtype);
            EXPECT_EQ(actual.codes, expected.codes);
            EXPECT_EQ(actual.scale, expected.scale);
            EXPECT_EQ(actual.bias, expected.bias);
          }
        }
      }
    }
  }
}

TEST(QuantizeGroup, StorageCountsScaleAndBias) {
  const auto stored = [](const Quantizer& quantizer, Dtype dtype) {
    return formats::bits_per_weight(quantizer.encoding(), dtype);
  };
  EXPECT_EQ(stored({QuantizerFamily::rtn, 4, 128}, Dtype::bf16), 4.5);
  EXPECT_EQ(stored({QuantizerFamily::affine, 4, 64}, Dtype::bf16), 4.5);
  EXPECT_EQ(stored({QuantizerFamily::affine, 4, 64}, Dtype::f8_e4m3), 4.5);
  EXPECT_EQ(stored({QuantizerFamily::affine, 4, 64}, Dtype::f32), 5.0);
  EXPECT_EQ(family_name(QuantizerFamily::rtn), "rtn");
  EXPECT_EQ(family_name(QuantizerFamily::affine), "affine");
}

TEST(QuantizeGroupDeathTest, RefusesWhatIsNotOneGroup) {
  const std::vector<float> values(5, 1.0F);
  EXPECT_DEATH(quantized(values, rtn2, Dtype::bf16), "not one group");
  EXPECT_DEATH(quantized({1.0F}, {QuantizerFamily::rtn, 9, 4}, Dtype::bf16), "bits outside");
}

}  // namespace
}  // namespace moesweep::kernels
