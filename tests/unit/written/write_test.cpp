#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/pack.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>
#include <moesweep/plans/written/write.hpp>

#include "small_checkpoint.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::written {
namespace {

namespace fs = std::filesystem;
using moesweep::test::TemporaryDirectory;
using test::keeping;
using test::written;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t one_shard = std::int64_t{1} << 40;

const names::Architecture generic{.model_type = "generic"};
const auto accept_all = [](const WrittenShard&) {};

class WriteShard : public testing::Test {
 protected:
  WriteShard() {
    fs::create_directory(in_);
    fs::create_directory(out_);
  }

  WrittenShard write(const checkpoint::Checkpoint& source, const Layout& layout) {
    const checkpoint::TensorReader reader(source);
    return write_shard(source, reader, layout.shards.at(0), out_ / "model.safetensors", accept_all);
  }

  static std::vector<float> values_of(const checkpoint::Checkpoint& checkpoint,
                                      const std::string& name) {
    const auto& tensor = find(checkpoint, name);
    std::vector<float> values(static_cast<std::size_t>(tensor.params()));
    kernels::decode(tensor.dtype, bytes_of(checkpoint, name), values);
    return values;
  }

  static std::vector<std::byte> bytes_of(const checkpoint::Checkpoint& checkpoint,
                                         const std::string& name) {
    const auto& tensor = find(checkpoint, name);
    std::vector<std::byte> bytes(static_cast<std::size_t>(tensor.bytes()));
    checkpoint::TensorReader(checkpoint).read(tensor, 0, bytes);
    return bytes;
  }

  static const checkpoint::Tensor& find(const checkpoint::Checkpoint& checkpoint,
                                        const std::string& name) {
    for (const auto& tensor : checkpoint.tensors) {
      if (tensor.name == name) return tensor;
    }
    throw std::runtime_error("no tensor " + name);
  }

  /// What mlx.core.dequantize makes of a module.
  static std::vector<float> dequantized(const checkpoint::Checkpoint& checkpoint,
                                        const std::string& module, int bits, int group_size) {
    const auto bytes = bytes_of(checkpoint, module + ".weight");
    std::vector<std::uint32_t> words(bytes.size() / 4);
    std::memcpy(words.data(), bytes.data(), bytes.size());
    std::vector<std::uint8_t> codes(words.size() * 32 / static_cast<std::size_t>(bits));
    kernels::unpack_codes(words, bits, codes);
    const auto scales = values_of(checkpoint, module + ".scales");
    const auto biases = values_of(checkpoint, module + ".biases");
    std::vector<float> values;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto group = i / static_cast<std::size_t>(group_size);
      const float product = static_cast<float>(codes[i]) * scales[group];
      values.push_back(product + biases[group]);
    }
    return values;
  }

  TemporaryDirectory directory_;
  fs::path in_ = directory_.path() / "in";
  fs::path out_ = directory_.path() / "out";
};

std::vector<float> round_trip(std::span<const float> weights, const kernels::Quantizer& quantizer) {
  std::vector<float> out(weights.size());
  std::vector<std::uint8_t> codes(weights.size());
  const auto group = static_cast<std::size_t>(quantizer.group_size);
  for (std::size_t i = 0; i < weights.size(); i += group) {
    kernels::quantize_group(weights.subspan(i, group), quantizer, Dtype::bf16,
                            std::span(codes).subspan(i, group), std::span(out).subspan(i, group));
  }
  return out;
}

double squared_error(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double error = static_cast<double>(a[i] - b[i]);
    sum += error * error;
  }
  return sum;
}

TEST_F(WriteShard, HoldsTheScalarReferencesRoundTripAtEveryWidth) {
  std::vector<checkpoint::TensorShape> shapes;
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    shapes.push_back({"m" + std::to_string(bits) + ".weight", Dtype::bf16, {6, 192}});
  }
  const auto source = written(in_, shapes);
  auto plan = keeping(source);
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    test::quantize(plan, "m" + std::to_string(bits), bits, 64);
  }
  const auto layout = mlx_layout(source, plan, generic, one_shard);
  const auto result = write(source, layout);
  EXPECT_EQ(fs::file_size(out_ / "model.safetensors"), static_cast<std::uint64_t>(layout.bytes()));
  EXPECT_EQ(result.hash, hash128(read_file(out_ / "model.safetensors")));
  const auto out = checkpoint::open_checkpoint(out_);
  ASSERT_EQ(result.parts.size(), 6U);
  for (const auto& part : result.parts) {
    const auto module = part.name.substr(0, part.name.find('.'));
    const auto weights = values_of(source, module + ".weight");
    const auto expected =
        round_trip(weights, {kernels::QuantizerFamily::affine, part.encoding.bits, 64});
    EXPECT_EQ(dequantized(out, module, part.encoding.bits, 64), expected) << module;
    EXPECT_NEAR(part.sse, squared_error(weights, expected), 1e-12 * part.sse) << module;
    EXPECT_GT(part.sse, 0.0);
    EXPECT_EQ(part.weights, 6 * 192);
    EXPECT_EQ(part.bytes,
              formats::stored_bytes(part.encoding, std::vector<std::int64_t>{6, 192}, Dtype::bf16));
  }
}

TEST_F(WriteShard, StacksAndHalvesHaveTheirRows) {
  const std::string experts = "model.language_model.layers.0.mlp.experts.";
  const auto source = written(in_, {{experts + "gate_up_proj", Dtype::bf16, {3, 64, 32}}});
  auto plan = keeping(source);
  test::quantize(plan, "experts", 8, 32);
  const names::Architecture architecture{.model_type = "qwen3_5_moe", .layers = 1, .experts = 3};
  const auto result = write(source, mlx_layout(source, plan, architecture, one_shard));
  const auto out = checkpoint::open_checkpoint(out_);
  const auto weights = values_of(source, experts + "gate_up_proj");
  const auto expected = round_trip(weights, {kernels::QuantizerFamily::affine, 8, 32});
  const std::string module = "language_model.model.layers.0.mlp.switch_mlp.";
  const auto gate = dequantized(out, module + "gate_proj", 8, 32);
  const auto up = dequantized(out, module + "up_proj", 8, 32);
  ASSERT_EQ(gate.size(), weights.size() / 2);
  for (std::size_t slice = 0; slice < 3; ++slice) {
    for (std::size_t i = 0; i < 32 * 32; ++i) {
      ASSERT_EQ(gate[slice * 1024 + i], expected[slice * 2048 + i]);
      ASSERT_EQ(up[slice * 1024 + i], expected[slice * 2048 + 1024 + i]);
    }
  }
  ASSERT_EQ(result.parts.size(), 2U);
  EXPECT_NEAR(result.parts[0].sse + result.parts[1].sse, squared_error(weights, expected), 1e-12);
}

TEST_F(WriteShard, PerExpertMatricesAreStacked) {
  std::vector<checkpoint::TensorShape> shapes;
  for (const int e : {0, 1}) {
    for (const auto* projection : {"gate", "up", "down"}) {
      shapes.push_back(
          {"model.layers.0.mlp.experts." + std::to_string(e) + "." + projection + "_proj.weight",
           Dtype::bf16,
           {4, 32}});
    }
  }
  const auto source = written(in_, shapes);
  const names::Architecture architecture{.model_type = "qwen3_moe", .layers = 1, .experts = 2};
  write(source, mlx_layout(source, keeping(source), architecture, one_shard));
  const auto out = checkpoint::open_checkpoint(out_);
  auto both = bytes_of(source, "model.layers.0.mlp.experts.0.up_proj.weight");
  const auto second = bytes_of(source, "model.layers.0.mlp.experts.1.up_proj.weight");
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(bytes_of(out, "model.layers.0.mlp.switch_mlp.up_proj.weight"), both);
}

TEST_F(WriteShard, BlocksOfALargeTensorJoinWithoutASeam) {
  // more than one block, the last one short
  const auto source = written(in_, {{"a.weight", Dtype::bf16, {1100, 1024}}});
  auto plan = keeping(source);
  test::quantize(plan, "a", 5, 128);
  write(source, mlx_layout(source, plan, generic, one_shard));
  EXPECT_EQ(dequantized(checkpoint::open_checkpoint(out_), "a", 5, 128),
            round_trip(values_of(source, "a.weight"), {kernels::QuantizerFamily::affine, 5, 128}));
}

TEST_F(WriteShard, AddsOneInTheWeightsDtype) {
  const std::string name = "layers.0.input_layernorm.weight";
  const auto source = written(in_, {{"model.language_model." + name, Dtype::bf16, {64}}});
  const names::Architecture architecture{.model_type = "qwen3_5_moe", .layers = 1};
  write(source, mlx_layout(source, keeping(source), architecture, one_shard));
  const auto before = values_of(source, "model.language_model." + name);
  const auto after = values_of(checkpoint::open_checkpoint(out_), "language_model.model." + name);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(after[i], 1.0F + before[i], 0x1p-8F) << i;  // half a step of BF16 above 1
  }
}

TEST_F(WriteShard, DequantizedValuesAreRoundedToTheDtypeOnce) {
  const auto source = written(in_, {{"a", Dtype::bf16, {4, 96}}, {"b", Dtype::bf16, {5}}});
  auto plan = keeping(source);
  test::quantize(plan, "a", 3, 32, "rtn");
  const auto result = write(source, dequantized_layout(source, plan, one_shard));
  const auto out = checkpoint::open_checkpoint(out_);
  const auto weights = values_of(source, "a");
  const auto expected = round_trip(weights, {kernels::QuantizerFamily::rtn, 3, 32});
  const auto stored = values_of(out, "a");
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_NEAR(stored[i], expected[i], std::fabs(expected[i]) * 0x1p-8F) << i;
  }
  EXPECT_NEAR(result.parts[0].sse, squared_error(weights, expected), 1e-12);
  EXPECT_NEAR(result.parts[0].sse_stored, squared_error(weights, stored), 1e-12);
  EXPECT_NE(result.parts[0].sse, result.parts[0].sse_stored);
  EXPECT_EQ(bytes_of(out, "b"), bytes_of(source, "b"));
}

/// What the sweep measures of a matrix.
double swept_error(std::span<const float> weights, std::int64_t columns, const char* name) {
  const auto* const format = kernels::find_block_format(name);
  const kernels::BlockQuantizer quantizer{format, format->entry->groups.front()};
  double sse = 0.0;
  kernels::add_block_errors({weights, columns}, std::span(&quantizer, 1),
                            {Dtype::bf16, kernels::largest_magnitude(weights, 0.0F)},
                            std::span(&sse, 1));
  return sse;
}

TEST_F(WriteShard, DequantizedBlockFormatsHaveTheErrorThatTheSweepMeasures) {
  const auto source = written(in_, {{"a", Dtype::bf16, {4, 512}}});
  const auto weights = values_of(source, "a");
  for (const auto& format : kernels::block_formats()) {
    const std::string name(format.name());
    auto plan = keeping(source);
    test::quantize(plan, "a", format.entry->bits.front(), format.entry->groups.front(), name);
    const auto result = write(source, dequantized_layout(source, plan, one_shard));
    const double expected = swept_error(weights, 512, name.c_str());
    EXPECT_NEAR(result.parts[0].sse, expected, 1e-12 * expected) << name;
    EXPECT_GT(expected, 0.0) << name;
    const auto stored = values_of(checkpoint::open_checkpoint(out_), "a");
    const double of_file = squared_error(weights, stored);
    EXPECT_NEAR(result.parts[0].sse_stored, of_file, 1e-12 * of_file) << name;
  }
}

TEST_F(WriteShard, EveryExpertHasTheScaleOfItsOwnMatrix) {
  // Experts of 3 x 160 x 512: a block of the stream holds rows of several. The second is 2^-20
  // times as large as the others: with the stack's scale its blocks would lose theirs.
  const std::string name = "mlp.experts.up_proj";
  written(in_, {{name, Dtype::bf16, {3, 160, 512}}});
  constexpr std::size_t expert = 160 * 512;
  auto file = read_file(in_ / "model.safetensors");
  const auto data = file.size() - 3 * expert * 2;
  for (std::size_t i = data + expert * 2; i < data + 2 * expert * 2; i += 2) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, file.data() + i, sizeof bits);
    constexpr std::uint16_t binades = 20U << 7;
    const bool survives = (bits & 0x7F80U) > binades;
    bits = survives ? static_cast<std::uint16_t>(bits - binades) : std::uint16_t{0};
    std::memcpy(file.data() + i, &bits, sizeof bits);
  }
  publish_file(in_ / "model.safetensors", file);
  const auto source = checkpoint::open_checkpoint(in_);
  auto plan = keeping(source);
  test::quantize(plan, "experts", 4, 16, "nvfp4");
  const auto layout = dequantized_layout(source, plan, one_shard);
  const auto result = write(source, layout);
  const auto weights = values_of(source, name);
  double expected = 0.0;
  for (std::size_t e = 0; e < 3; ++e) {
    expected += swept_error(std::span(weights).subspan(e * expert, expert), 512, "nvfp4");
  }
  EXPECT_NEAR(result.parts[0].sse, expected, 1e-9 * expected);
  EXPECT_EQ(result.bytes_read, source_bytes(source, layout.shards[0]));
  const auto stored = values_of(checkpoint::open_checkpoint(out_), name);
  const auto second = std::span(weights).subspan(expert, expert);
  const auto second_stored = std::span(stored).subspan(expert, expert);
  EXPECT_LT(squared_error(second, second_stored),
            0.05 * squared_error(second, std::vector<float>(expert, 0.0F)));
}

TEST_F(WriteShard, TheScaleOfALargeMatrixIsKnownBeforeItsFirstBlock) {
  // More than one block of the stream; the largest weight is the last.
  const std::vector<checkpoint::TensorShape> shapes = {{"a", Dtype::bf16, {1100, 1024}}};
  written(in_, shapes);
  auto file = read_file(in_ / "model.safetensors");
  file[file.size() - 1] = std::byte{0x44};  // 512
  file[file.size() - 2] = std::byte{0x00};
  publish_file(in_ / "model.safetensors", file);
  const auto source = checkpoint::open_checkpoint(in_);
  auto plan = keeping(source);
  test::quantize(plan, "a", 4, 16, "nvfp4");
  const auto result = write(source, dequantized_layout(source, plan, one_shard));
  const double expected = swept_error(values_of(source, "a"), 1024, "nvfp4");
  EXPECT_NEAR(result.parts[0].sse, expected, 1e-9 * expected);
}

TEST_F(WriteShard, RefusedByItsCallerLeavesNothing) {
  const auto source = written(in_, {{"a", Dtype::bf16, {5}}});
  const auto layout = mlx_layout(source, keeping(source), generic, one_shard);
  const checkpoint::TensorReader reader(source);
  const auto refuse = [](const WrittenShard&) { throw Error(ExitCode::bad_input, "a", "no"); };
  EXPECT_THROW(write_shard(source, reader, layout.shards[0], out_ / "m.safetensors", refuse),
               Error);
  EXPECT_TRUE(fs::is_empty(out_));
}

TEST_F(WriteShard, NamesTheElementThatIsNoNumber) {
  const std::vector<checkpoint::TensorShape> shapes = {{"a.weight", Dtype::bf16, {4, 64}}};
  written(in_, shapes);
  auto bytes = read_file(in_ / "model.safetensors");
  bytes[bytes.size() - 1] = std::byte{0x7f};  // the last element becomes a NaN or infinity
  bytes[bytes.size() - 2] = std::byte{0xc0};
  publish_file(in_ / "model.safetensors", bytes);
  const auto source = checkpoint::open_checkpoint(in_);
  auto plan = keeping(source);
  test::quantize(plan, "a", 4, 64);
  try {
    write(source, mlx_layout(source, plan, generic, one_shard));
    FAIL() << "written";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a.weight: has a NaN or infinity at element 255"));
  }
}

TEST_F(WriteShard, WeightsWhoseRangeOverflowsAreRefusedNotWrittenAsNan) {
  written(in_, {{"a.weight", Dtype::f32, {2, 64}}});
  auto bytes = read_file(in_ / "model.safetensors");
  const std::array extremes = {3.3e38F, -3.3e38F};
  std::memcpy(bytes.data() + bytes.size() - sizeof extremes, extremes.data(), sizeof extremes);
  publish_file(in_ / "model.safetensors", bytes);
  const auto source = checkpoint::open_checkpoint(in_);
  auto plan = keeping(source);
  test::quantize(plan, "a", 4, 64);
  for (const auto& layout : {mlx_layout(source, plan, generic, one_shard),
                             dequantized_layout(source, plan, one_shard, {})}) {
    EXPECT_THAT([&] { write(source, layout); },
                testing::ThrowsMessage<Error>(HasSubstr("a.weight: overflows as affine 4 bits")));
    EXPECT_FALSE(fs::exists(out_ / "model.safetensors"));
  }
}

TEST(WritePeakBytes, DoNotGrowWithTheTensor) {
  const auto peak = [](std::int64_t rows) {
    const auto source = test::inventory({{"a.weight", Dtype::bf16, {rows, 4096}}});
    auto plan = keeping(source);
    test::quantize(plan, "a", 4, 64);
    const auto layout = mlx_layout(source, plan, generic, one_shard);
    return write_peak_bytes(source, layout.shards[0]);
  };
  EXPECT_EQ(peak(1 << 20), peak(1 << 10));
  EXPECT_LT(peak(1 << 20), std::int64_t{32} << 20);
}

}  // namespace
}  // namespace moesweep::written
