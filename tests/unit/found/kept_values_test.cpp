#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/plans/found/kept_values.hpp>

#include "checkpoints.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::found {
namespace {

using test::Sizes;
using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Bytes encoded(Dtype dtype, const std::vector<float>& values) {
  Bytes bytes(values.size() * static_cast<std::size_t>(dtype_bytes(dtype)));
  kernels::encode(dtype, values, bytes);
  return bytes;
}

/// Values that BF16 holds.
std::vector<float> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (auto& value : values) value = static_cast<float>(random()) / 4e9F - 0.5F;
  kernels::decode(Dtype::bf16, encoded(Dtype::bf16, values), values);
  return values;
}

const auto mlx_config = R"({"quantization":{"bits":4,"group_size":64}})";
const auto moe = names::Architecture{.model_type = "qwen3_moe", .layers = 1, .experts = 2};
const auto shifted = names::Architecture{.model_type = "qwen3_5_moe", .layers = 1, .experts = 2};

class Kept : public testing::Test {
 protected:
  KeptValues compare(const checkpoint::TensorSource& original,
                     std::vector<checkpoint::TensorSource> written,
                     const names::Architecture& architecture = test::generic()) {
    // What makes it an MLX checkpoint.
    for (auto& part : test::mlx_module("quantized", {1, 64}, 4, 64)) written.push_back(part);
    test::write_checkpoint(folder_.path() / "original", {original}, "{}");
    test::write_checkpoint(folder_.path() / "written", written, mlx_config);
    const auto found = find_modules(folder_.path() / "written");
    EXPECT_EQ(found.format, Format::mlx);
    const auto left = checkpoint::open_checkpoint(folder_.path() / "written");
    const auto right = checkpoint::open_checkpoint(folder_.path() / "original");
    return KeptComparison(left, found, right, architecture)
        .compare(test::kept(original.name, original.shape));
  }

  static void expect_equal(const KeptValues& values) {
    EXPECT_EQ(values.why, "");
    EXPECT_EQ(values.not_compared, "");
    EXPECT_EQ(values.different, 0);
    EXPECT_FALSE(values.largest);
  }

  moesweep::test::TemporaryDirectory folder_;
};

TEST_F(Kept, EqualBytesOfAnyDtypeAreTheOriginals) {
  for (const auto dtype : {Dtype::bf16, Dtype::f16, Dtype::f32, Dtype::f64, Dtype::f8_e4m3,
                           Dtype::i64, Dtype::u8, Dtype::boolean}) {
    Bytes bytes(static_cast<std::size_t>(6 * dtype_bytes(dtype)));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 2);
    const auto tensor = test::stored("m.weight", dtype, {2, 3}, bytes);
    expect_equal(compare(tensor, {tensor}));
  }
}

TEST_F(Kept, EveryFlippedBitIsCountedAsOneWeight) {
  const auto values = random_values(24, 1);
  const auto bytes = encoded(Dtype::bf16, values);
  const auto original = test::stored("m.weight", Dtype::bf16, {4, 6}, bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 5) {
    auto flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << bit % 8;
    const auto found = compare(original, {test::stored("m.weight", Dtype::bf16, {4, 6}, flipped)});
    EXPECT_EQ(found.different, 1) << bit;
    EXPECT_THAT(found.why, HasSubstr("1 of 24 weights are not the original's")) << bit;
  }
}

TEST_F(Kept, TheLargestDifferenceIsTold) {
  std::vector<float> values(100, 1.0F);
  const auto original = test::stored("m.weight", Dtype::f32, {100}, test::bytes_of(values));
  values[3] = 1.5F;
  values[99] = -1.0F;
  const auto found =
      compare(original, {test::stored("m.weight", Dtype::f32, {100}, test::bytes_of(values))});
  EXPECT_EQ(found.different, 2);
  EXPECT_EQ(found.largest, 2.0);
  EXPECT_EQ(found.why, "2 of 100 weights are not the original's, by up to 2");
  values[0] = std::numeric_limits<float>::quiet_NaN();
  const auto worse =
      compare(original, {test::stored("m.weight", Dtype::f32, {100}, test::bytes_of(values))});
  EXPECT_EQ(worse.different, 3);
  EXPECT_EQ(worse.largest, std::numeric_limits<double>::infinity());
}

TEST_F(Kept, MoreThanABlockIsComparedToItsEnd) {
  const Sizes shape = {3, 300, 2048};
  auto values = random_values(3 * 300 * 2048, 2);
  const auto original = test::stored("m.weight", Dtype::bf16, shape, encoded(Dtype::bf16, values));
  expect_equal(compare(original, {original}));
  values.back() += 4.0F;
  const auto found = compare(
      original, {test::stored("m.weight", Dtype::bf16, shape, encoded(Dtype::bf16, values))});
  EXPECT_EQ(found.different, 1);
}

TEST_F(Kept, AnotherFloatDtypeHoldsTheSameValuesOrIsNamed) {
  const auto values = random_values(32, 3);
  const auto original = test::stored("m.weight", Dtype::bf16, {32}, encoded(Dtype::bf16, values));
  expect_equal(
      compare(original, {test::stored("m.weight", Dtype::f32, {32}, test::bytes_of(values))}));
  auto large = values;
  large[5] = 1e6F;  // beyond F16
  const auto found =
      compare(test::stored("m.weight", Dtype::bf16, {32}, encoded(Dtype::bf16, large)),
              {test::stored("m.weight", Dtype::f16, {32}, encoded(Dtype::f16, large))});
  EXPECT_THAT(found.why, HasSubstr("are not the original's, by up to inf"));
  const auto integers = compare(original, {test::stored("m.weight", Dtype::i16, {32})});
  EXPECT_EQ(integers.why, "m.weight is stored as I16 instead of BF16");
}

TEST_F(Kept, NormsThatTheRuntimeShiftsAreComparedWithOneAdded) {
  const std::string name = "model.language_model.layers.0.input_layernorm.weight";
  const std::string module = "language_model.model.layers.0.input_layernorm.weight";
  const auto values = random_values(64, 4);
  auto plus_one = values;
  for (auto& value : plus_one) value += 1.0F;
  const auto original = test::stored(name, Dtype::bf16, {64}, encoded(Dtype::bf16, values));
  expect_equal(compare(original,
                       {test::stored(module, Dtype::bf16, {64}, encoded(Dtype::bf16, plus_one))},
                       shifted));
  const auto unshifted = compare(
      original, {test::stored(module, Dtype::bf16, {64}, encoded(Dtype::bf16, values))}, shifted);
  EXPECT_EQ(unshifted.different, 64);
  EXPECT_NEAR(*unshifted.largest, 1.0, 0.01);
}

TEST_F(Kept, ConvolutionsWhoseAxisTheRuntimeMovesAreComparedInItsOrder) {
  const std::string name = "model.language_model.layers.0.linear_attn.conv1d.weight";
  const std::string module = "language_model.model.layers.0.linear_attn.conv1d.weight";
  for (const std::int64_t middle : {1, 3}) {
    const Sizes shape = {5, middle, 4};
    const auto values = random_values(5 * middle * 4, 5);
    std::vector<float> moved;
    for (std::int64_t c = 0; c < 5; ++c) {
      for (std::int64_t k = 0; k < 4; ++k) {
        for (std::int64_t m = 0; m < middle; ++m) {
          moved.push_back(values[static_cast<std::size_t>((c * middle + m) * 4 + k)]);
        }
      }
    }
    const auto original = test::stored(name, Dtype::bf16, shape, encoded(Dtype::bf16, values));
    const Sizes moved_shape = {5, 4, middle};
    expect_equal(compare(
        original, {test::stored(module, Dtype::bf16, moved_shape, encoded(Dtype::bf16, moved))},
        shifted));
    moved[7] += 1.0F;
    EXPECT_EQ(compare(original,
                      {test::stored(module, Dtype::bf16, moved_shape, encoded(Dtype::bf16, moved))},
                      shifted)
                  .different,
              1);
    const auto unmoved =
        compare(original, {test::stored(module, Dtype::bf16, shape, encoded(Dtype::bf16, values))},
                shifted);
    EXPECT_THAT(unmoved.why, HasSubstr("has the shape"));
  }
}

TEST_F(Kept, AnExpertIsComparedAtItsPlaceInTheStack) {
  const auto values = random_values(2 * 4 * 64, 6);
  const std::vector<float> second(values.begin() + 256, values.end());
  const std::string stack = "model.layers.0.mlp.switch_mlp.up_proj.weight";
  const auto original = test::stored("model.layers.0.mlp.experts.1.up_proj.weight", Dtype::bf16,
                                     {4, 64}, encoded(Dtype::bf16, second));
  expect_equal(compare(
      original, {test::stored(stack, Dtype::bf16, {2, 4, 64}, encoded(Dtype::bf16, values))}, moe));
  auto first_wrong = values;
  first_wrong[0] += 1.0F;  // of the other expert
  expect_equal(compare(
      original, {test::stored(stack, Dtype::bf16, {2, 4, 64}, encoded(Dtype::bf16, first_wrong))},
      moe));
  auto wrong = values;
  wrong[256] += 1.0F;
  EXPECT_EQ(
      compare(original, {test::stored(stack, Dtype::bf16, {2, 4, 64}, encoded(Dtype::bf16, wrong))},
              moe)
          .different,
      1);
}

TEST_F(Kept, BothHalvesOfAFusedTensorAreCompared) {
  const std::string name = "model.language_model.layers.0.mlp.experts.gate_up_proj";
  const std::string module = "language_model.model.layers.0.mlp.switch_mlp.";
  const auto values = random_values(2 * 8 * 64, 7);
  std::vector<float> gate, up;
  for (std::size_t i = 0; i < values.size(); ++i) {
    (i / 64 % 8 < 4 ? gate : up).push_back(values[i]);
  }
  const auto original = test::stored(name, Dtype::bf16, {2, 8, 64}, encoded(Dtype::bf16, values));
  const auto written = [&] {
    return std::vector{
        test::stored(module + "gate_proj.weight", Dtype::bf16, {2, 4, 64},
                     encoded(Dtype::bf16, gate)),
        test::stored(module + "up_proj.weight", Dtype::bf16, {2, 4, 64}, encoded(Dtype::bf16, up))};
  };
  expect_equal(compare(original, written(), shifted));
  gate.front() += 1.0F;
  up.back() += 2.0F;
  const auto found = compare(original, written(), shifted);
  EXPECT_EQ(found.different, 2);
  EXPECT_NEAR(*found.largest, 2.0, 0.02);
}

TEST_F(Kept, WhatCannotBeComparedIsSaid) {
  const auto original = test::stored("m.weight", Dtype::bf16, {4, 64});
  EXPECT_EQ(compare(original, {}).not_compared, "there is no m.weight");
  const auto packed =
      test::stored("model.layers.0.mlp.experts.gate_up_proj_bias", Dtype::bf16, {2, 8});
  const names::Architecture gpt_oss{.model_type = "gpt_oss", .layers = 1, .experts = 2};
  const auto found = compare(packed, {}, gpt_oss);
  EXPECT_THAT(found.not_compared, HasSubstr("alternate rows"));
  EXPECT_EQ(found.why, "");
}

TEST_F(Kept, AnotherOriginalIsRefusedByTensor) {
  test::write_checkpoint(folder_.path() / "original",
                         {test::stored("m.weight", Dtype::bf16, {8, 64})}, "{}");
  const auto found = find_modules(folder_.path() / "original");
  const auto both = checkpoint::open_checkpoint(folder_.path() / "original");
  const KeptComparison comparison(both, found, both, test::generic());
  EXPECT_THAT(
      [&] {
        comparison.compare(test::kept("m.weight", {4, 64}));
      },
      testing::ThrowsMessage<Error>(HasSubstr("m.weight")));
}

}  // namespace
}  // namespace moesweep::found
