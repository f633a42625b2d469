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

TEST(RowCodec, ScalesOfGgmlAreInItsBlocks) {
  for (const auto& format : formats::catalog()) {
    if (!format.words.ggml_type) continue;
    const auto bytes = formats::block_bytes(
        {std::string(format.name), format.bits.front(), format.groups.front()}, Dtype::bf16);
    EXPECT_EQ(bytes.scales + bytes.biases, 0) << format.name;
  }
}

TEST(RowCodec, TakesRowsThatEndInAShortGroup) {
  // 40 weights in groups of 32 of rtn: the second group is padded with zeros.
  std::vector<float> row(40, 1.0F);
  row[0] = -1.0F;
  RowCodec codec(settle({"rtn", 2, 32}).value(), Dtype::bf16);
  std::vector<float> out(row.size());
  codec.round_trip({row, 40}, 0.0F, out);
  EXPECT_EQ(out, row);
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
