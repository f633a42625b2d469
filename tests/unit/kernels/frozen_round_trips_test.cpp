// Every format of the catalog against what the round trips made before there were bytes:
// tests/data/round-trip-digests.txt, one line a format, bits, group, dtype, matrix and sample.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/row_codec.hpp>

#include "block_samples.hpp"

namespace moesweep::kernels {
namespace {

struct Frozen {
  formats::Encoding encoding;
  Dtype dtype = Dtype::bf16;
  float amax_factor = 1.0F;  ///< the matrix has a weight so much larger than the sample
  std::string sample;
  double sse = 0.0;
  std::uint64_t digest = 0;
};

std::istream& operator>>(std::istream& in, Frozen& frozen) {
  std::string dtype, sse, digest;
  if (!(in >> frozen.encoding.quantizer >> frozen.encoding.bits >> frozen.encoding.group_size >>
        dtype >> frozen.amax_factor >> frozen.sample >> sse >> digest)) {
    return in;
  }
  frozen.dtype = parse_dtype(dtype).value();
  frozen.sse = std::bit_cast<double>(std::uint64_t{std::stoull(sse, nullptr, 16)});
  frozen.digest = std::stoull(digest, nullptr, 16);
  return in;
}

std::vector<Frozen> frozen_round_trips() {
  std::ifstream file(MOESWEEP_TEST_DATA "/round-trip-digests.txt");
  std::vector<Frozen> all;
  for (Frozen frozen; file >> frozen;) all.push_back(frozen);
  return all;
}

std::vector<float> weights_named(const std::string& name) {
  const auto* const sample = std::ranges::find(samples, name, &Sample::name);
  EXPECT_NE(sample, std::end(samples)) << name;
  return weights_of(*sample);
}

float amax_of(std::span<const float> weights, const Frozen& frozen) {
  return std::min(largest_magnitude(weights, 0.0F) * frozen.amax_factor, 3.0e38F);
}

/// The bytes of a row, by tensor.
struct Stored {
  explicit Stored(const formats::BlockBytes& bytes)
      : codes(static_cast<std::size_t>(bytes.codes)),
        scales(static_cast<std::size_t>(bytes.scales)),
        biases(static_cast<std::size_t>(bytes.biases)) {}
  PartsOut out() { return {codes, scales, biases}; }
  PartsIn in() const { return {codes, scales, biases}; }
  std::size_t size() const { return codes.size() + scales.size() + biases.size(); }

  std::vector<std::byte> codes, scales, biases;
};

std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(std::isnan(value) ? std::bit_cast<double>(0x7FF8000000000000U)
                                                        : value);
}

TEST(FrozenRoundTrips, CoverEveryFormatOfTheCatalog) {
  const auto all = frozen_round_trips();
  for (const auto& format : formats::catalog()) {
    for (const auto bits : format.bits) {
      for (const auto group : format.groups) {
        const formats::Encoding encoding{std::string(format.name), bits, group};
        const auto lines = std::ranges::count(all, encoding, &Frozen::encoding);
        EXPECT_GE(lines, 18) << formats::text_of(encoding);
      }
    }
  }
}

TEST(FrozenRoundTrips, AreWhatBytesDecodeTo) {
  for (const auto& frozen : frozen_round_trips()) {
    SCOPED_TRACE(formats::text_of(frozen.encoding) + " " + frozen.sample);
    const auto weights = weights_named(frozen.sample);
    const RowBlock row{weights, sample_length};
    const float amax = amax_of(weights, frozen);
    RowCodec codec(settle(frozen.encoding).value(), frozen.dtype);
    Stored stored(codec.bytes_of(sample_length));
    std::vector<float> decoded(weights.size()), round_trip(weights.size());
    codec.encode(row, amax, stored.out());
    codec.decode(stored.in(), amax, decoded);
    codec.round_trip(row, amax, round_trip);
    EXPECT_EQ(digest_of(std::span<const float>(decoded)), frozen.digest);
    EXPECT_EQ(digest_of(std::span<const float>(round_trip)), frozen.digest);
    EXPECT_EQ(bits_of(squared_error_of(weights, decoded)), bits_of(frozen.sse));
  }
}

TEST(FrozenRoundTrips, HaveTheErrorThatSweepsMeasure) {
  for (const auto& frozen : frozen_round_trips()) {
    const auto settled = settle(frozen.encoding).value();
    const auto* const quantizer = std::get_if<BlockQuantizer>(&settled);
    if (quantizer == nullptr) continue;  // their sums have an order of their own: round_trip_test
    SCOPED_TRACE(formats::text_of(frozen.encoding) + " " + frozen.sample);
    const auto weights = weights_named(frozen.sample);
    double sse = 0.0;
    add_block_errors({weights, sample_length}, std::span(quantizer, 1),
                     {frozen.dtype, amax_of(weights, frozen)}, std::span(&sse, 1));
    EXPECT_EQ(bits_of(sse), bits_of(frozen.sse));
  }
}

// tests/data/ggml-byte-digests.txt: digests of what ggml's own quantize_row_<type>_ref wrote.
TEST(GgmlBytes, AreThoseOfGgml) {
  std::ifstream file(MOESWEEP_TEST_DATA "/ggml-byte-digests.txt");
  int lines = 0;
  for (std::string name, sample, digest; file >> name >> sample >> digest; ++lines) {
    const auto& format = formats::format_named(name);
    RowCodec codec(settle({name, format.bits.front(), format.groups.front()}).value(), Dtype::bf16);
    Stored stored(codec.bytes_of(sample_length));
    const auto weights = weights_named(sample);
    codec.encode({weights, sample_length}, 0.0F, stored.out());
    EXPECT_EQ(digest_of(stored.in().codes), std::stoull(digest, nullptr, 16))
        << name << " " << sample;
  }
  EXPECT_EQ(lines, 138);
}

TEST(RowCodec, StoresAsManyBytesAsTheCatalogSays) {
  constexpr std::array<std::int64_t, 2> shape = {3, sample_length};
  for (const auto dtype : {Dtype::bf16, Dtype::f16, Dtype::f32, Dtype::f8_e4m3}) {
    for (const auto& format : formats::catalog()) {
      for (const auto bits : format.bits) {
        for (const auto group : format.groups) {
          const formats::Encoding encoding{std::string(format.name), bits, group};
          const RowCodec codec(settle(encoding).value(), dtype);
          const auto of_matrix = format.scope == formats::Scope::matrix ? 4 : 0;
          EXPECT_EQ(codec.bytes_of(3 * sample_length).total() + of_matrix,
                    formats::stored_bytes(encoding, shape, dtype))
              << formats::text_of(encoding);
        }
      }
    }
  }
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const auto byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

/// Codes and scale of one block with every code in it, worked out by hand.
struct HandMade {
  formats::Encoding encoding;
  std::vector<float> weights;
  float amax = 0.0F;
  std::string codes, scale;
};

std::vector<HandMade> hand_made_blocks() {
  // The values of E2M1, with code 8 (-0) left out; two neighbours in a byte, the first one low.
  const std::vector<float> e2m1 = {0,     0.5F, 1,     1.5F, 2,  3,  4,  6,
                                   -0.5F, -1,   -1.5F, -2,   -3, -4, -6, 0};
  auto twice = e2m1;
  twice.insert(twice.end(), e2m1.begin(), e2m1.end());
  const std::string codes = "10325476a9cbed0f";
  // (2^4 - 1)/2 is the largest: scale 1. Stored is the code + 8.
  std::vector<float> integers(32, 0.0F);
  for (std::size_t i = 0; i < 16; ++i) integers[i] = static_cast<float>(i) - 8.0F;
  integers[0] = -7.5F;  // rounds to even
  std::vector<float> bytes(32, 0.0F);
  bytes[0] = -127.5F;
  bytes[1] = 127.0F;
  bytes[2] = 1.0F;
  bytes[3] = -1.0F;
  std::vector<HandMade> blocks = {
      {{"ct_int4", 4, 32}, integers, 0.0F, "1032547698badcfe8888888888888888", "803f"},
      {{"ct_int8", 8, 32}, bytes, 0.0F, "00ff817f", "803f"},
      // A matrix with 6 * 448 has the scale 1, and so has this block: 0x38 in E4M3.
      {{"nvfp4", 4, 16}, e2m1, 6.0F * 448.0F, codes, "38"}};
  for (int i = 4; i < 32; ++i) blocks[1].codes += "80";
  for (const auto* rule : {"mxfp4_ocp", "mxfp4_even", "mxfp4_rceil"}) {
    blocks.push_back({{rule, 4, 32}, twice, 0.0F, codes + codes, "7f"});  // 2^0 in E8M0
  }
  return blocks;
}

TEST(RowCodec, StoresFormatsThatGgmlDoesntHaveAsTheirRuntimesDo) {
  for (const auto& [encoding, weights, amax, codes, scale] : hand_made_blocks()) {
    SCOPED_TRACE(formats::text_of(encoding));
    const auto length = static_cast<std::int64_t>(weights.size());
    RowCodec codec(settle(encoding).value(), Dtype::bf16);
    Stored stored(codec.bytes_of(length));
    codec.encode({weights, length}, amax, stored.out());
    EXPECT_EQ(hex_of(stored.codes), codes);
    EXPECT_EQ(hex_of(stored.scales), scale);
  }
}

TEST(RowCodec, TakesRowsThatEndInAShortGroup) {
  // The second group, 8 weights, is padded with zeros: its range is 0 to 5, in steps of 5/3.
  std::vector<float> row(40, 4.0F);
  row[0] = 1.0F;
  row[39] = 5.0F;
  RowCodec codec(settle({"rtn", 2, 32}).value(), Dtype::f32);
  std::vector<float> out(row.size());
  codec.round_trip({row, 40}, 0.0F, out);
  EXPECT_EQ(out[0], 1.0F);
  EXPECT_EQ(out[1], 4.0F);
  EXPECT_NEAR(out[32], 10.0 / 3.0, 1e-5);
  EXPECT_EQ(out[39], 5.0F);
}

TEST(Settle, RefusesWhatNoFormatHas) {
  EXPECT_FALSE(settle({"q4_0", 4, 32}));
  EXPECT_FALSE(settle({"q4_k", 4, 32}));
  EXPECT_FALSE(settle({"q4_k", 5, 256}));
  EXPECT_FALSE(settle({"affine", 9, 64}));
  EXPECT_FALSE(settle({"affine", 4, 0}));
  EXPECT_FALSE(settle({"", 16, 0}));
  EXPECT_TRUE(settle({"rtn", 7, 100}));
  EXPECT_TRUE(settle({"ct_int4", 4, 48}));
}

TEST(Settle, GivesBackTheEncoding) {
  for (const auto& frozen : frozen_round_trips()) {
    EXPECT_EQ(encoding_of(settle(frozen.encoding).value()), frozen.encoding);
  }
}

}  // namespace
}  // namespace moesweep::kernels
