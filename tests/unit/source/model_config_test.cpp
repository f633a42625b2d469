#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/source/model_config.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::source {
namespace {

TEST(ModelConfig, TextConfigurationsWinOverThoseThatAlsoSee) {
  const auto config = model_config_from(R"({"model_type": "outer", "num_hidden_layers": 3,
      "text_config": {"model_type": "inner", "num_hidden_layers": 7, "num_experts": 4,
                      "hidden_size": 64, "tie_word_embeddings": true},
      "architectures": ["SomeForConditionalGeneration"]})",
                                        "");
  EXPECT_EQ(config.model_type, "outer");
  EXPECT_EQ(config.layers, 7);
  EXPECT_EQ(config.experts, 4);
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.tied, true);
  EXPECT_EQ(config.causal, true);
  EXPECT_FALSE(config.storage);
}

TEST(ModelConfig, WhatIsNotSaidIsUnknown) {
  const auto config =
      model_config_from(R"({"num_hidden_layers": "many", "architectures": []})", "");
  EXPECT_EQ(config.layers, 0);
  EXPECT_EQ(config.tied, std::nullopt);
  EXPECT_EQ(config.causal, std::nullopt);
  EXPECT_TRUE(config.unreadable.empty());
  EXPECT_EQ(config.misfit, "num_hidden_layers is not a count");
  EXPECT_TRUE(model_config_from("", "").unreadable.empty());
}

TEST(ModelConfig, AFileThatIsNotJsonSaysSo) {
  EXPECT_FALSE(model_config_from("[1]", "").unreadable.empty());
  EXPECT_FALSE(model_config_from("{", "").unreadable.empty());
}

TEST(ModelConfig, NumbersThatAreNotFiniteAreReadAsPythonWritesThem) {
  const auto config = model_config_from(
      R"({"time_step_limit": [0.0, Infinity], "jitter": NaN, "x": -Infinity, "num_hidden_layers": 7})",
      "");
  EXPECT_EQ(config.unreadable, "");
  EXPECT_EQ(config.layers, 7);
}

TEST(ModelConfig, ADeepFileSaysSo) {
  const auto deep = "{\"a\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  EXPECT_THAT(model_config_from(deep, "").unreadable, testing::HasSubstr("nested deeper than 100"));
  EXPECT_EQ(model_config_from("{}", deep).unreadable, "");
}

TEST(ModelConfig, ALinkOutOfTheFolderIsNotRead) {
  const test::TemporaryDirectory directory;
  const auto folder = directory.path() / "model";
  std::filesystem::create_directory(folder);
  std::ofstream(directory.path() / "outside.json") << R"({"num_hidden_layers": 7})";
  std::filesystem::create_symlink("../outside.json", folder / "config.json");
  const auto config = read_model_config(folder);
  EXPECT_EQ(config.layers, 0);
  EXPECT_THAT(config.unreadable,
              testing::AllOf(testing::HasSubstr("leads out"), testing::HasSubstr("is not read")));
}

TEST(ModelConfig, QuantizationIsFoundWhereProgramsPutIt) {
  const auto fp8 = model_config_from(
      R"({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}})", "");
  EXPECT_EQ(fp8.storage->method, "fp8");
  const auto nested = model_config_from(
      R"({"text_config": {"quantization_config": {"quant_method": "compressed-tensors",
          "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 32}}}}}})",
      "");
  EXPECT_EQ(nested.storage->method, "compressed-tensors");
  EXPECT_EQ(nested.storage->bits, 4);
  EXPECT_EQ(nested.storage->group_size, 32);
  const auto mlx = model_config_from(
      R"({"quantization": {"bits": 4, "group_size": 64, "lm_head": {"bits": 8, "group_size": 64}}})",
      "");
  EXPECT_EQ(mlx.storage->bits, 0) << "differs between modules";
  EXPECT_EQ(mlx.storage->group_size, 64);
  const auto modelopt =
      model_config_from("{}", R"({"quantization": {"quant_algo": "NVFP4", "group_size": 16}})");
  EXPECT_EQ(modelopt.storage->method, "NVFP4");
  EXPECT_EQ(model_config_from(R"({"expert_dtype": "fp4"})", "").storage->method, "fp4");
  const auto rotated = model_config_from(
      R"({"quantization_config": {"transform_config": {"config_groups": {"R1": {}}}}})", "");
  EXPECT_TRUE(rotated.storage->rotates_weights);
  const auto none = model_config_from(
      R"({"quantization_config": {"transform_config": {"config_groups": {}}}})", "");
  EXPECT_FALSE(none.storage->rotates_weights);
}

}  // namespace
}  // namespace moesweep::source
