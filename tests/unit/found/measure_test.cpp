#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/model/kernels/pack.hpp>
#include <moesweep/model/kernels/round_trip.hpp>
#include <moesweep/model/kernels/row_codec.hpp>
#include <moesweep/plans/found/measure.hpp>

#include "checkpoints.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::found {
namespace {

using moesweep::test::TemporaryDirectory;
using test::Sizes;

std::vector<std::byte> as_bf16(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * 2);
  kernels::encode(Dtype::bf16, values, bytes);
  return bytes;
}

/// BF16 values.
std::vector<float> random_weights(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (auto& value : values) value = static_cast<float>(random()) / 4e9F - 0.5F;
  const auto bytes = as_bf16(values);
  kernels::decode(Dtype::bf16, bytes, values);
  return values;
}

/// Quantized group by group with the scalar reference.
struct Reference {
  std::vector<std::uint8_t> codes;
  std::vector<float> scales, biases, dequantized;
  double sse = 0;

  Reference(const std::vector<float>& weights, kernels::Quantizer quantizer)
      : codes(weights.size()), dequantized(weights.size()) {
    const auto group = static_cast<std::size_t>(quantizer.group_size);
    for (std::size_t at = 0; at < weights.size(); at += group) {
      const auto made = kernels::quantize_group(std::span(weights).subspan(at, group), quantizer,
                                                Dtype::bf16, std::span(codes).subspan(at, group),
                                                std::span(dequantized).subspan(at, group));
      scales.push_back(made.scale);
      biases.push_back(made.bias);
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double error = weights[i] - dequantized[i];
      sse += error * error;
    }
  }

  std::vector<checkpoint::TensorSource> mlx(const std::string& name, Sizes shape, int bits,
                                            int group_size) const {
    std::vector<std::uint32_t> words(codes.size() * static_cast<std::size_t>(bits) / 32);
    kernels::pack_codes(codes, bits, words);
    auto scale_shape = shape;
    scale_shape.back() /= group_size;
    shape.back() = shape.back() * bits / 32;
    return {test::stored(name + ".weight", Dtype::u32, shape, test::bytes_of(words)),
            test::stored(name + ".scales", Dtype::bf16, scale_shape, as_bf16(scales)),
            test::stored(name + ".biases", Dtype::bf16, scale_shape, as_bf16(biases))};
  }
};

class Measure : public testing::Test {
 protected:
  /// Writes both and measures the row.
  std::optional<MeasuredError> measure(const std::vector<checkpoint::TensorSource>& original,
                                       const std::vector<checkpoint::TensorSource>& written,
                                       const std::string& config, const records::PlanRow& row,
                                       const names::Architecture& architecture = test::generic()) {
    test::write_checkpoint(folder_.path() / "original", original, "{}");
    test::write_checkpoint(folder_.path() / "written", written, config);
    const auto found = find_modules(folder_.path() / "written");
    const auto left = checkpoint::open_checkpoint(folder_.path() / "written");
    const auto right = checkpoint::open_checkpoint(folder_.path() / "original");
    return Measurement(left, found, right, architecture).measure(row);
  }

  TemporaryDirectory folder_;
};

std::string settings(int bits, int group_size) {
  return fmt::format(R"({{"quantization":{{"bits":{},"group_size":{}}}}})", bits, group_size);
}

TEST_F(Measure, MlxErrorsAreThoseOfTheReferenceAtEveryWidth) {
  const Sizes shape = {2, 6, 256};
  const auto weights = random_weights(2 * 6 * 256, 3);
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    const Reference reference(weights, {kernels::QuantizerFamily::affine, bits, 64});
    auto row = test::affine("m.weight", shape, bits, 64);
    const auto measured = measure({test::stored("m.weight", Dtype::bf16, shape, as_bf16(weights))},
                                  reference.mlx("m", shape, bits, 64), settings(bits, 64), row);
    ASSERT_TRUE(measured);
    EXPECT_NEAR(measured->sse, reference.sse, 1e-9 * reference.sse);
    row.sse = reference.sse;
    EXPECT_EQ(why_not_planned(row, *measured), "");
    row.sse = reference.sse * 1.00001;
    EXPECT_THAT(why_not_planned(row, *measured), testing::HasSubstr("instead of"));
  }
}

/// Values that a plain checkpoint has: each expert alone, with the scale of its own matrix.
std::vector<float> as_nvfp4(const std::vector<float>& weights, std::size_t experts) {
  std::vector<float> values(weights.size());
  const auto size = weights.size() / experts;
  for (std::size_t expert = 0; expert < experts; ++expert) {
    const auto matrix = std::span(weights).subspan(expert * size, size);
    kernels::RowCodec codec(kernels::settle({"nvfp4", 4, 16}).value(), Dtype::bf16);
    codec.round_trip({matrix, 64}, kernels::largest_magnitude(matrix, 0.0F),
                     std::span(values).subspan(expert * size, size));
  }
  return values;
}

records::PlanRow in_format(const std::string& name, Sizes shape, const std::string& quantizer,
                           int bits, int group_size) {
  auto row = test::affine(name, std::move(shape), bits, group_size);
  row.quantizer = quantizer;
  return row;
}

TEST_F(Measure, EveryExpertOfAPlainStackHasTheScaleOfItsOwnMatrix) {
  const Sizes shape = {2, 32, 64};
  auto weights = random_weights(2 * 32 * 64, 5);
  for (std::size_t i = 0; i < weights.size() / 2; ++i) weights[i] *= 0x1p20F;
  const auto name = "mlp.experts.up_proj";
  const auto row = in_format(name, shape, "nvfp4", 4, 16);
  const auto measured =
      measure({test::stored(name, Dtype::bf16, shape, as_bf16(weights))},
              {test::stored(name, Dtype::bf16, shape, as_bf16(as_nvfp4(weights, 2)))}, "{}", row);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->different, 0);
  const auto as_one =
      measure({test::stored(name, Dtype::bf16, shape, as_bf16(weights))},
              {test::stored(name, Dtype::bf16, shape, as_bf16(as_nvfp4(weights, 1)))}, "{}", row);
  ASSERT_TRUE(as_one);
  EXPECT_GT(as_one->different, 0);
}

TEST_F(Measure, OriginalsThatArentFiniteHaveNoPlannedError) {
  for (const float odd :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const auto* quantizer : {"q8_0", "mxfp4_ocp"}) {
      const Sizes shape = {4, 64};
      auto weights = random_weights(4 * 64, 6);
      weights[70] = odd;
      const auto tensor = test::stored("m.weight", Dtype::bf16, shape, as_bf16(weights));
      const auto bits = std::string(quantizer) == "q8_0" ? 8 : 4;
      const auto row = in_format("m.weight", shape, quantizer, bits, 32);
      const auto measured = measure({tensor}, {tensor}, "{}", row);
      ASSERT_TRUE(measured);
      EXPECT_TRUE(std::isnan(measured->sse));
      EXPECT_NE(why_not_planned(row, *measured), "");
    }
  }
}

TEST_F(Measure, BlocksOfRowsAddUp) {
  const Sizes shape = {3, 300, 2048};  // more than a block
  const auto weights = random_weights(3 * 300 * 2048, 4);
  const Reference reference(weights, {kernels::QuantizerFamily::affine, 4, 128});
  const auto row = test::affine("m.weight", shape, 4, 128);
  const auto measured = measure({test::stored("m.weight", Dtype::bf16, shape, as_bf16(weights))},
                                reference.mlx("m", shape, 4, 128), settings(4, 128), row);
  ASSERT_TRUE(measured);
  EXPECT_NEAR(measured->sse, reference.sse, 1e-9 * reference.sse);
}

TEST_F(Measure, FusedHalvesAreFoundInTheirModules) {
  const names::Architecture architecture{.model_type = "qwen3_5_moe", .layers = 1, .experts = 2};
  const std::string name = "model.language_model.layers.0.mlp.experts.gate_up_proj";
  const auto weights = random_weights(2 * 8 * 64, 5);
  // Rows 0 to 3 of each expert are gate, 4 to 7 are up.
  std::vector<float> gate, up;
  for (std::size_t i = 0; i < weights.size(); ++i)
    (i / 64 % 8 < 4 ? gate : up).push_back(weights[i]);
  const Reference gate_stored(gate, {kernels::QuantizerFamily::affine, 4, 32});
  const Reference up_stored(up, {kernels::QuantizerFamily::affine, 4, 32});
  const std::string module = "language_model.model.layers.0.mlp.switch_mlp.";
  auto written = gate_stored.mlx(module + "gate_proj", {2, 4, 64}, 4, 32);
  for (auto& tensor : up_stored.mlx(module + "up_proj", {2, 4, 64}, 4, 32))
    written.push_back(tensor);
  const auto measured =
      measure({test::stored(name, Dtype::bf16, {2, 8, 64}, as_bf16(weights))}, written,
              settings(4, 32), test::affine(name, {2, 8, 64}, 4, 32), architecture);
  ASSERT_TRUE(measured);
  const auto sse = gate_stored.sse + up_stored.sse;
  EXPECT_NEAR(measured->sse, sse, 1e-9 * sse);
}

TEST_F(Measure, AnExpertIsFoundAtItsPlaceInTheStack) {
  const names::Architecture architecture{.model_type = "qwen3_moe", .layers = 1, .experts = 2};
  const auto weights = random_weights(2 * 4 * 64, 6);
  const Reference stack(weights, {kernels::QuantizerFamily::affine, 4, 32});
  const std::vector<float> second(weights.begin() + 256, weights.end());
  const Reference alone(second, {kernels::QuantizerFamily::affine, 4, 32});
  const std::string name = "model.layers.0.mlp.experts.1.up_proj.weight";
  const auto measured =
      measure({test::stored(name, Dtype::bf16, {4, 64}, as_bf16(second))},
              stack.mlx("model.layers.0.mlp.switch_mlp.up_proj", {2, 4, 64}, 4, 32),
              settings(4, 32), test::affine(name, {4, 64}, 4, 32), architecture);
  ASSERT_TRUE(measured);
  EXPECT_NEAR(measured->sse, alone.sse, 1e-9 * alone.sse);
}

TEST_F(Measure, DequantizedWeightsMustBeThoseOfThePlansQuantizer) {
  const auto weights = random_weights(8 * 256, 7);
  for (const auto family : {kernels::QuantizerFamily::affine, kernels::QuantizerFamily::rtn}) {
    const Reference reference(weights, {family, 8, 64});
    auto row = test::affine("m.weight", {8, 256}, 8, 64);
    row.quantizer = kernels::family_name(family);
    row.sse = reference.sse;
    const std::vector original = {
        test::stored("m.weight", Dtype::bf16, {8, 256}, as_bf16(weights))};
    auto values = reference.dequantized;
    const auto right = measure(
        original, {test::stored("m.weight", Dtype::bf16, {8, 256}, as_bf16(values))}, "{}", row);
    ASSERT_TRUE(right);
    EXPECT_EQ(right->different, 0);
    EXPECT_EQ(why_not_planned(row, *right), "");
    values[700] += 0.25F;
    const auto wrong = measure(
        original, {test::stored("m.weight", Dtype::bf16, {8, 256}, as_bf16(values))}, "{}", row);
    ASSERT_TRUE(wrong);
    EXPECT_THAT(why_not_planned(row, *wrong), testing::HasSubstr("1 of 2048 weights"));
  }
}

TEST_F(Measure, StacksThatThePlanNamesAreMeasuredAlongTheirRows) {
  // Groups of 64 in rows of 96: 64 and 32, unless they run on from row to row.
  const Sizes shape = {2, 32, 96};
  const auto weights = random_weights(2 * 32 * 96, 7);
  std::vector<float> values;
  for (std::size_t row = 0; row < weights.size(); row += 96) {
    for (const auto& [first, count] : {std::pair<std::size_t, std::size_t>{0, 64}, {64, 32}}) {
      std::vector<std::uint8_t> codes(count);
      std::vector<float> group(count);
      kernels::quantize_group(std::span(weights).subspan(row + first, count),
                              {kernels::QuantizerFamily::affine, 4, 64}, Dtype::f32, codes, group);
      values.insert(values.end(), group.begin(), group.end());
    }
  }
  const auto folder = folder_.path();
  test::write_checkpoint(folder / "original",
                         {test::stored("b.moe.w_in", Dtype::f32, shape, test::bytes_of(weights))},
                         "{}");
  test::write_checkpoint(folder / "written",
                         {test::stored("b.moe.w_in", Dtype::f32, shape, test::bytes_of(values))},
                         "{}");
  const auto found = find_modules(folder / "written");
  const auto written = checkpoint::open_checkpoint(folder / "written");
  const auto original = checkpoint::open_checkpoint(folder / "original");
  auto row = test::affine("b.moe.w_in", shape, 4, 64);
  row.dtype = "F32";
  const auto different = [&](std::vector<std::string> patterns) {
    const Measurement measurement(written, found, original, test::generic(), std::move(patterns));
    return measurement.measure(row).value().different;
  };
  EXPECT_EQ(different({"moe"}), 0);
  EXPECT_GT(different({"experts"}), 0);
}

TEST_F(Measure, SymmetricIntegersOfCompressedTensorsAreMeasured) {
  // Codes 0 to 15 stand for -8 to 7; a scale of 0.5 for one row, 2 for the other.
  std::vector<std::uint8_t> codes;
  std::vector<float> weights;
  double sse = 0;
  for (int i = 0; i < 64; ++i) {
    const auto code = static_cast<std::uint8_t>(i * 7 % 16);
    codes.push_back(code);
    const float written = static_cast<float>(code - 8) * (i < 32 ? 0.5F : 2.0F);
    weights.push_back(written + (i % 3 == 0 ? 0.125F : 0.0F));
    sse += i % 3 == 0 ? 0.125 * 0.125 : 0;
  }
  std::vector<std::uint32_t> words(8);
  kernels::pack_codes(codes, 4, words);
  const auto config =
      R"({"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"g":{
          "targets":["Linear"],"weights":{"num_bits":4,"group_size":32}}}}})";
  auto row = test::affine("m.weight", {2, 32}, 4, 32);
  row.quantizer = "ct_int4";
  const auto measured =
      measure({test::stored("m.weight", Dtype::f32, {2, 32}, test::bytes_of(weights))},
              {test::stored("m.weight_packed", Dtype::i32, {2, 4}, test::bytes_of(words)),
               test::stored("m.weight_scale", Dtype::bf16, {2, 1}, as_bf16({0.5F, 2.0F})),
               test::stored("m.weight_shape", Dtype::i64, {2},
                            test::bytes_of(std::vector<std::int64_t>{2, 32}))},
              config, row);
  ASSERT_TRUE(measured);
  EXPECT_DOUBLE_EQ(measured->sse, sse);
}

TEST_F(Measure, ModulesOfAnotherShapeAreNotMeasured) {
  const auto original = {test::stored("m.weight", Dtype::bf16, {8, 256})};
  const auto row = test::affine("m.weight", {8, 256}, 4, 64);
  EXPECT_FALSE(measure(original, test::mlx_module("m", {7, 256}, 4, 64), settings(4, 64), row));
  EXPECT_FALSE(measure(original, test::mlx_module("m", {8, 128}, 3, 64), settings(3, 64), row));
  EXPECT_FALSE(measure(original, test::mlx_module("n", {8, 256}, 4, 64), settings(4, 64), row));
}

TEST_F(Measure, AnotherOriginalIsRefusedByTensor) {
  EXPECT_THAT(
      [&] {
        measure({test::stored("m.weight", Dtype::bf16, {8, 128})},
                test::mlx_module("m", {8, 256}, 4, 64), settings(4, 64),
                test::affine("m.weight", {8, 256}, 4, 64));
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("m.weight")));
}

}  // namespace
}  // namespace moesweep::found
