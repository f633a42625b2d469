#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::names {
namespace {

TEST(Architecture, IsReadFromAPlainConfig) {
  const auto read = architecture_from(
      R"({"model_type": "qwen3_moe", "num_hidden_layers": 94, "num_experts": 128,
          "tie_word_embeddings": true})",
      "config.json");
  EXPECT_EQ(read.model_type, "qwen3_moe");
  EXPECT_EQ(read.layers, 94);
  EXPECT_EQ(read.experts, 128);
  EXPECT_TRUE(read.tied_embeddings);
}

TEST(Architecture, FollowsANestedTextConfig) {
  const auto read = architecture_from(
      R"({"model_type": "qwen3_5_moe", "vision_config": {"num_hidden_layers": 27},
          "text_config": {"model_type": "qwen3_5_moe_text", "num_hidden_layers": 60,
                          "num_experts": 512, "tie_word_embeddings": false}})",
      "config.json");
  EXPECT_EQ(read.model_type, "qwen3_5_moe");
  EXPECT_EQ(read.layers, 60);
  EXPECT_EQ(read.experts, 512);
  EXPECT_FALSE(read.tied_embeddings);
}

TEST(Architecture, OfATextConfigAloneIsItsOwn) {
  EXPECT_EQ(
      architecture_from(R"({"text_config": {"model_type": "qwen3_5_moe_text"}})", "c").model_type,
      "qwen3_5_moe_text");
}

TEST(Architecture, NumbersOfExpertsHaveThreeNames) {
  for (const auto* key : {"num_experts", "num_local_experts", "n_routed_experts"}) {
    const auto text = std::string(R"({"model_type": "x", ")") + key + R"(": 8})";
    EXPECT_EQ(architecture_from(text, "config.json").experts, 8) << key;
  }
}

TEST(Architecture, WhatIsNoConfigIsRefusedByName) {
  for (const auto* text : {"", "[]", "{", "{}", R"({"model_type": 3})",
                           R"({"model_type": "llama", "num_hidden_layers": "many"})",
                           R"({"model_type": "llama", "num_hidden_layers": -1})"}) {
    try {
      architecture_from(text, "folder/config.json");
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_EQ(error.where(), "folder/config.json");
    }
  }
}

TEST(Architecture, ThatIsNamedDecidesWhateverConfigSays) {
  for (const auto* text : {"{", "[]", "{} // note", R"({"num_hidden_layers": "many"})",
                           R"({"num_experts": [1, 2]})"}) {
    std::string problem;
    const auto named = architecture_named("llama", text, problem);
    EXPECT_EQ(named.model_type, "llama");
    EXPECT_EQ(named.layers, 0);
    EXPECT_NE(problem, "") << text;
  }
  std::string problem;
  EXPECT_EQ(architecture_named("llama", "", problem).model_type, "llama");
  const auto facts = architecture_named(
      "llama", R"({"model_type": "other", "num_hidden_layers": 3, "tie_word_embeddings": true,
                   "limit": Infinity})",
      problem);
  EXPECT_EQ(facts.model_type, "llama");
  EXPECT_EQ(facts.layers, 3);
  EXPECT_TRUE(facts.tied_embeddings);
  EXPECT_EQ(problem, "");
}

TEST(Architecture, UnknownTypesAreKeptAndLeaveEverythingUnmapped) {
  const auto read = architecture_from(R"({"model_type": "brand_new"})", "config.json");
  EXPECT_EQ(read.model_type, "brand_new");
  const std::vector<std::int64_t> shape = {64, 64};
  const auto mapping =
      map_tensor(Runtime::mlx, read, "model.layers.0.self_attn.q_proj.weight", shape);
  EXPECT_EQ(mapping.fate, Fate::unmapped);
  EXPECT_THAT(mapping.reason, testing::HasSubstr("brand_new"));
}

TEST(Architecture, KnownOnesAreListed) {
  EXPECT_THAT(known_architectures(),
              testing::UnorderedElementsAre("llama", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe",
                                            "qwen3_5_moe", "qwen3_5_moe_text", "mixtral",
                                            "deepseek_v3", "gpt_oss", "generic"));
}

TEST(Runtime, NamesReadBack) {
  for (const auto runtime : {Runtime::mlx, Runtime::gguf, Runtime::vllm}) {
    EXPECT_EQ(runtime_named(runtime_name(runtime)), runtime);
  }
  EXPECT_THROW(runtime_named("llama.cpp"), Error);
}

}  // namespace
}  // namespace moesweep::names
