// Every block format against hand-computed blocks, and bit for bit against what
// tests/oracle/quantizer_oracle.py computed independently.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>

namespace moesweep::kernels {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t case_length = 256;

std::vector<float> round_trip(std::string_view name, std::span<const float> in,
                              const BlockContext& context = {}) {
  const auto* const format = find_block_format(name);
  BlockBuffer bytes({format, static_cast<int>(in.size())}, context.weight_dtype);
  std::vector<float> out(in.size());
  format->encode(in, context, bytes.out());
  format->decode(bytes.in(), context, out);
  return out;
}

/// A block that starts with `first` and goes on with zeros.
std::vector<float> block_of(std::size_t length, std::initializer_list<float> first) {
  std::vector<float> block(first);
  block.resize(length, 0.0F);
  return block;
}

std::vector<float> first_of(std::vector<float> values, std::size_t count) {
  values.resize(count);
  return values;
}

struct GoldenOutput {
  const char* name;
  int block_length;
  Dtype dtype = Dtype::bf16;
};

// In the order of OUTPUTS in the script.
constexpr std::array golden_outputs = {GoldenOutput{"q8_0", 32},
                                       GoldenOutput{"q6_k", 256},
                                       GoldenOutput{"q5_k", 256},
                                       GoldenOutput{"q4_k", 256},
                                       GoldenOutput{"q3_k", 256},
                                       GoldenOutput{"q2_k", 256},
                                       GoldenOutput{"nvfp4", 16},
                                       GoldenOutput{"mxfp4_ocp", 32},
                                       GoldenOutput{"mxfp4_even", 32},
                                       GoldenOutput{"mxfp4_rceil", 32},
                                       GoldenOutput{"mxfp4_ggml", 32},
                                       GoldenOutput{"ct_int4", 32, Dtype::bf16},
                                       GoldenOutput{"ct_int4", 128, Dtype::f16},
                                       GoldenOutput{"ct_int8", 64, Dtype::f32},
                                       GoldenOutput{"ct_int8", 128, Dtype::bf16}};

std::vector<float> read_goldens() {
  static_assert(std::endian::native == std::endian::little);
  std::ifstream file(MOESWEEP_TEST_DATA "/quantizer-goldens.bin", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

void expect_same_bits(std::span<const float> got, std::span<const float> expected,
                      const std::string& what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(expected[i]))
        << what << " weight " << i << ": " << got[i] << " instead of " << expected[i];
  }
}

TEST(BlockFormats, AgreeWithTheOracleInEveryBit) {
  const auto values = read_goldens();
  constexpr std::size_t record = case_length * (1 + golden_outputs.size());
  ASSERT_EQ(values.size() % record, 0U);
  ASSERT_GE(values.size() / record, 10U);
  for (std::size_t first = 0; first < values.size(); first += record) {
    const auto in = std::span(values).subspan(first, case_length);
    const float amax = largest_magnitude(in, 0.0F);
    for (std::size_t i = 0; i < golden_outputs.size(); ++i) {
      const auto& output = golden_outputs[i];
      const auto length = static_cast<std::size_t>(output.block_length);
      std::vector<float> out;
      for (std::size_t at = 0; at < case_length; at += length) {
        const auto block = round_trip(output.name, in.subspan(at, length), {output.dtype, amax});
        out.insert(out.end(), block.begin(), block.end());
      }
      expect_same_bits(out, std::span(values).subspan(first + case_length * (1 + i), case_length),
                       std::string(output.name) + " case " + std::to_string(first / record));
    }
  }
}

TEST(BlockFormats, AreThoseOfTheCatalogThatHaveNoKernelsOfTheirOwn) {
  std::vector<std::string> expected = {"rtn", "affine"};
  for (const auto& format : block_formats()) expected.emplace_back(format.name());
  EXPECT_EQ(formats::names(), expected);
  EXPECT_EQ(find_block_format("rtn"), nullptr);
}

TEST(BlockFormats, StorageIsThatOfTheFileFormats) {
  const auto stored = [](std::string_view name, int block_length = 0, Dtype dtype = Dtype::bf16) {
    const auto* format = find_block_format(name);
    const auto length = block_length == 0 ? format->entry->groups.front() : block_length;
    return formats::bits_per_weight(BlockQuantizer{format, length}.encoding(), dtype);
  };
  EXPECT_EQ(stored("q8_0"), 34 * 8 / 32.0);
  EXPECT_EQ(stored("q6_k"), 210 * 8 / 256.0);
  EXPECT_EQ(stored("q5_k"), 176 * 8 / 256.0);
  EXPECT_EQ(stored("q4_k"), 144 * 8 / 256.0);
  EXPECT_EQ(stored("q3_k"), 110 * 8 / 256.0);
  EXPECT_EQ(stored("q2_k"), 84 * 8 / 256.0);
  EXPECT_EQ(stored("nvfp4"), 4.5);
  for (const auto* rule : {"mxfp4_ocp", "mxfp4_even", "mxfp4_rceil", "mxfp4_ggml"}) {
    EXPECT_EQ(stored(rule), 4.25);
  }
  EXPECT_EQ(stored("ct_int4", 128), 4.125);
  EXPECT_EQ(stored("ct_int8", 32, Dtype::f32), 9.0);
}

TEST(BlockFormats, ZerosStayZerosWhateverTheFormat) {
  const std::vector<float> zeros(case_length, 0.0F);
  for (const auto& format : block_formats()) {
    const auto length = static_cast<std::size_t>(format.entry->groups.front());
    for (const float value : round_trip(format.name(), std::span(zeros).first(length))) {
      EXPECT_EQ(value, 0.0F) << format.name();
    }
  }
}

TEST(Q80, RoundsHalvesAwayFromZero) {
  // d = 1 exactly, so that codes are the weights themselves.
  const auto out = round_trip("q8_0", block_of(32, {127.0F, 0.5F, -0.5F, 2.5F, -3.49F, 1.0F}));
  EXPECT_THAT(first_of(out, 6), ElementsAre(127.0F, 1.0F, -1.0F, 3.0F, -3.0F, 1.0F));
}

TEST(Q80, StoresItsScaleInBinary16) {
  // d = 1.27/127 = 0.01; the nearest binary16 is 0.010002136.
  const auto out = round_trip("q8_0", block_of(32, {1.27F}));
  EXPECT_EQ(out[0], 127.0F * 0.010002136F);
}

TEST(KQuants, ReproduceTheirOwnGrid) {
  // 8 sub-blocks of 32 weights 0..15 times 1/4: scale code 63 of d = (1/4)/63 rounded to binary16.
  std::vector<float> ramp(case_length);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = 0.25F * static_cast<float>(i % 16);
  const float d = 0.003967285F;  // binary16(0.25/63) = 1040 x 2^-18
  const auto out = round_trip("q4_k", ramp);
  for (std::size_t i = 0; i < ramp.size(); ++i) {
    EXPECT_EQ(out[i], static_cast<float>(i % 16) * (63.0F * d)) << i;
  }
}

TEST(KQuants, KeepTheSignOfAConstantBlock) {
  const std::vector<float> negative(case_length, -0.5F);
  for (const auto* name : {"q6_k", "q5_k", "q4_k", "q3_k", "q2_k"}) {
    for (const float value : round_trip(name, negative)) EXPECT_NEAR(value, -0.5F, 3e-4F) << name;
  }
}

TEST(Nvfp4, TiesGoToTheEvenMantissa) {
  // The matrix's largest is 6*448, so g = 1, and the block's 6 gives a scale of 1.
  const auto in = block_of(16, {6.0F, 0.25F, 0.75F, 1.25F, 1.75F, 2.5F, 3.5F, 5.0F, -0.76F});
  const auto out = round_trip("nvfp4", in, {Dtype::bf16, 2688.0F});
  EXPECT_THAT(first_of(out, 9), ElementsAre(6.0F, 0.0F, 1.0F, 1.0F, 2.0F, 2.0F, 4.0F, 4.0F, -1.0F));
}

TEST(Nvfp4, BlockScaleIsRoundedToE4M3) {
  // g = 1: 6.6/6 = 1.1 lies between the E4M3 values 1 and 1.125.
  const auto out = round_trip("nvfp4", block_of(16, {6.6F}), {Dtype::bf16, 2688.0F});
  EXPECT_EQ(out[0], 6.0F * 1.125F);
}

TEST(Nvfp4, BlocksFarBelowTheLargestKeepTheSmallestScale) {
  const auto out = round_trip("nvfp4", block_of(16, {0x1p-9F, 0x1p-12F}), {Dtype::bf16, 2688.0F});
  EXPECT_THAT(first_of(out, 2), ElementsAre(0x1p-9F, 0.0F));
}

TEST(Mxfp4, RulesDifferInTheExponent) {
  // 7 = 1.75 2^2. ocp: floor(log2 7) - 2 = 0, so 7 saturates at 6. even: 1.75 counts as 2, so the
  // scale is 2 and 3.5 a tie to 4. rceil: 7/6 > 1, the scale is 2 as well.
  const auto seven = block_of(32, {7.0F, 0.5F});
  EXPECT_THAT(first_of(round_trip("mxfp4_ocp", seven), 2), ElementsAre(6.0F, 0.5F));
  EXPECT_THAT(first_of(round_trip("mxfp4_even", seven), 2), ElementsAre(8.0F, 0.0F));
  EXPECT_THAT(first_of(round_trip("mxfp4_rceil", seven), 2), ElementsAre(8.0F, 0.0F));
  // 6.5 = 1.625 2^2: even stays at 1, rceil does not saturate.
  const auto less = block_of(32, {6.5F});
  EXPECT_EQ(round_trip("mxfp4_even", less)[0], 6.0F);
  EXPECT_EQ(round_trip("mxfp4_rceil", less)[0], 6.0F);
  EXPECT_EQ(round_trip("mxfp4_rceil", block_of(32, {6.0F, 0.5F}))[1], 0.5F);
}

TEST(Mxfp4, GgmlBreaksTiesTowardsZero) {
  const auto in = block_of(32, {4.0F, 0.75F, -1.75F, 3.5F});
  EXPECT_THAT(first_of(round_trip("mxfp4_ggml", in), 4), ElementsAre(4.0F, 0.5F, -1.5F, 3.0F));
  EXPECT_THAT(first_of(round_trip("mxfp4_ocp", in), 4), ElementsAre(4.0F, 1.0F, -2.0F, 4.0F));
}

TEST(CompressedTensors, RangeIsNotQuiteSymmetric) {
  // absmax 7.5: s = 1. 7.5 is clamped to 7, -7.5 rounds to the even -8.
  const auto in = block_of(32, {7.5F, -7.5F, 0.5F, 1.5F, -2.4F});
  EXPECT_THAT(first_of(round_trip("ct_int4", in, {Dtype::f32, 0.0F}), 5),
              ElementsAre(7.0F, -8.0F, 0.0F, 2.0F, -2.0F));
}

TEST(CompressedTensors, ScaleHasTheDtypeOfTheWeight) {
  // 1/7.5 = 0.13333; BF16 has 0.133789, binary16 0.133301.
  const auto in = block_of(32, {1.0F});
  EXPECT_EQ(round_trip("ct_int4", in, {Dtype::bf16, 0.0F})[0], 7.0F * 0.1337890625F);
  EXPECT_EQ(round_trip("ct_int4", in, {Dtype::f16, 0.0F})[0], 7.0F * 0.13330078125F);
  EXPECT_EQ(round_trip("ct_int4", in, {Dtype::f32, 0.0F})[0], 7.0F * (1.0F / 7.5F));
}

TEST(BlockErrors, AddUpOverRowsAndBlocks) {
  // Two rows of two blocks: every block is off by 0.25 at its second weight.
  std::vector<float> values(128, 0.0F);
  for (std::size_t block = 0; block < 4; ++block) {
    values[32 * block] = 4.0F;
    values[32 * block + 1] = 0.75F;
  }
  const std::array quantizers = {BlockQuantizer{find_block_format("mxfp4_ggml"), 32},
                                 BlockQuantizer{find_block_format("q8_0"), 32}};
  std::array<double, 2> sse = {1.0, 0.0};
  add_block_errors({values, 64}, quantizers, {}, sse);
  EXPECT_EQ(sse[0], 1.0 + 4 * 0.25 * 0.25);
  EXPECT_GT(sse[1], 0.0);
  EXPECT_LT(sse[1], 4 * 2e-4);
}

TEST(BlockErrors, OfAScaleBeyondBinary16AreNotFinite) {
  const auto in = block_of(32, {1e7F});
  const std::array quantizers = {BlockQuantizer{find_block_format("q8_0"), 32}};
  std::array<double, 1> sse = {0.0};
  add_block_errors({in, 32}, quantizers, {}, sse);
  EXPECT_FALSE(std::isfinite(sse[0]));
}

}  // namespace
}  // namespace moesweep::kernels
