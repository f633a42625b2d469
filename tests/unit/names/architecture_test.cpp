#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::names {
namespace {

TEST(Architecture, UnknownTypesLeaveEverythingUnmapped) {
  const std::vector<std::int64_t> shape = {64, 64};
  const auto mapping = map_tensor(Runtime::mlx, {.model_type = "brand_new"},
                                  "model.layers.0.self_attn.q_proj.weight", shape);
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
