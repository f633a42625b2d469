#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/found/found.hpp>

#include "checkpoints.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::found {
namespace {

using moesweep::test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

std::string config_with(const std::string& groups, const std::string& ignore = "") {
  return fmt::format(R"({{"quantization_config":{{"quant_method":"compressed-tensors",
      "format":"pack-quantized","config_groups":{{{}}},"ignore":[{}]}}}})",
                     groups, ignore);
}

std::string group(const std::string& name, const std::string& target, int bits, int group_size) {
  return fmt::format(R"("{}":{{"targets":["{}"],"weights":{{"num_bits":{},"type":"int",
      "symmetric":true,"strategy":"group","group_size":{}}}}})",
                     name, target, bits, group_size);
}

std::vector<checkpoint::TensorSource> packed(const std::string& name, std::int64_t rows,
                                             std::int64_t columns, int bits, int group_size) {
  const auto codes_a_word = 32 / bits;
  return {test::stored(name + ".weight_packed", Dtype::i32,
                       {rows, (columns + codes_a_word - 1) / codes_a_word}),
          test::stored(name + ".weight_scale", Dtype::bf16, {rows, columns / group_size}),
          test::stored(name + ".weight_shape", Dtype::i64, {2},
                       test::bytes_of(std::vector<std::int64_t>{rows, columns}))};
}

class FoundCompressedTensors : public testing::Test {
 protected:
  Found find(const std::vector<checkpoint::TensorSource>& tensors, const std::string& config) {
    test::write_checkpoint(folder_.path() / "model", tensors, config);
    return find_modules(folder_.path() / "model");
  }

  TemporaryDirectory folder_;
};

TEST_F(FoundCompressedTensors, PackedModulesAreFoundWithBitsAndGroup) {
  const auto found = find(packed("layers.0.up_proj", 4, 256, 4, 128),
                          config_with(group("g", "Linear", 4, 128), "\"lm_head\""));
  EXPECT_EQ(found.format, Format::compressed_tensors);
  ASSERT_EQ(found.modules.size(), 1U);
  const auto& module = found.modules[0];
  EXPECT_EQ(module.name, "layers.0.up_proj");
  EXPECT_EQ(module.encoding.quantizer, "ct_int4");
  EXPECT_EQ(module.encoding.bits, 4);
  EXPECT_EQ(module.encoding.group_size, 128);
  EXPECT_THAT(module.shape, ElementsAre(4, 256));
  EXPECT_EQ(module.bytes, 4 * 128 + 4 * 2 * 2);
  EXPECT_EQ(module.problem, "");
  EXPECT_THAT(found.unused, ElementsAre("lm_head"));
}

TEST_F(FoundCompressedTensors, CodesThatDoNotFillTheirWordsAreFound) {
  const auto found = find(packed("m.n", 4, 96, 3, 96), config_with(group("g", "re:m", 3, 96)));
  EXPECT_EQ(found.modules[0].encoding.bits, 3);
  EXPECT_THAT(found.modules[0].shape, ElementsAre(4, 96));
  EXPECT_EQ(found.modules[0].problem, "");
}

TEST_F(FoundCompressedTensors, NamesAndPatternsGoBeforeClasses) {
  const auto config = config_with(group("a", "Linear", 4, 128) + "," +
                                  group("b", R"(re:.*layers\\.(0|1)\\.)", 8, 128));
  auto tensors = packed("model.layers.0.up", 4, 256, 8, 128);
  const auto others = packed("model.layers.2.up", 4, 256, 4, 128);
  tensors.insert(tensors.end(), others.begin(), others.end());
  const auto found = find(tensors, config);
  EXPECT_EQ(found.modules[0].problem, "");
  EXPECT_EQ(found.modules[1].problem, "");
}

TEST_F(FoundCompressedTensors, PatternsMatchFromTheBeginning) {
  const auto found =
      find(packed("model.up", 4, 256, 4, 128), config_with(group("g", "re:up", 4, 128)));
  EXPECT_THAT(found.modules[0].problem, HasSubstr("no target"));
}

TEST_F(FoundCompressedTensors, ShapesThatContradictTheConfigAreAProblem) {
  const auto found = find(packed("m.n", 4, 256, 4, 128), config_with(group("g", "Linear", 8, 128)));
  EXPECT_EQ(found.modules[0].encoding.bits, 4);
  EXPECT_THAT(found.modules[0].problem, HasSubstr("says 8 bits"));
}

TEST_F(FoundCompressedTensors, IgnoredModulesMustNotBeQuantized) {
  const auto found =
      find(packed("m.n", 4, 256, 4, 128), config_with(group("g", "Linear", 4, 128), "\"re:m\""));
  EXPECT_THAT(found.modules[0].problem, HasSubstr("ignores it"));
}

TEST_F(FoundCompressedTensors, UnquantizedTargetsAreAProblemUnlessIgnored) {
  const auto config = config_with(group("g", "re:m", 4, 128), "\"m.gate\"");
  const auto found = find({test::stored("m.gate.weight", Dtype::bf16, {4, 256}),
                           test::stored("m.up.weight", Dtype::bf16, {4, 256})},
                          config);
  EXPECT_EQ(found.modules[0].problem, "");
  EXPECT_THAT(found.modules[1].problem, HasSubstr("stored unquantized"));
}

TEST_F(FoundCompressedTensors, ZeroPointsMakeItAsymmetric) {
  auto tensors = packed("m.n", 8, 256, 4, 128);
  tensors.push_back(test::stored("m.n.weight_zero_point", Dtype::i32, {1, 2}));
  const auto found = find(tensors, config_with(group("g", "Linear", 4, 128)));
  EXPECT_EQ(found.modules[0].encoding.quantizer, "ct_uint4");
  EXPECT_THAT(found.modules[0].problem, HasSubstr("symmetric"));
}

TEST_F(FoundCompressedTensors, ShapesThatDoNotFitTheirCodesAreRefused) {
  for (const auto columns : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{9999},
                             std::numeric_limits<std::int64_t>::max()}) {
    auto tensors = packed("m.n", 4, 256, 4, 128);
    tensors[2] = test::stored("m.n.weight_shape", Dtype::i64, {2},
                              test::bytes_of(std::vector<std::int64_t>{4, columns}));
    EXPECT_THAT([&] { find(tensors, config_with(group("g", "Linear", 4, 128))); },
                testing::ThrowsMessage<Error>(HasSubstr("m.n.weight_shape")));
  }
}

TEST_F(FoundCompressedTensors, ConfigsThatAreNoneAreRefused) {
  const auto tensors = packed("m.n", 4, 256, 4, 128);
  for (const std::string config :
       {R"({"quantization_config":1})", R"({"quantization_config":{"config_groups":[]}})",
        R"({"quantization_config":{"ignore":[1]}})",
        R"({"quantization_config":{"ignore":["re:("]}})",
        R"({"quantization_config":{"config_groups":{"g":1}}})"}) {
    EXPECT_THROW(find(tensors, config), Error) << config;
  }
}

}  // namespace
}  // namespace moesweep::found
