#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/plans/written/layout.hpp>

#include "small_checkpoint.hpp"

namespace moesweep::written {
namespace {

using checkpoint::TensorShape;
using test::inventory;
using test::keeping;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t one_shard = std::int64_t{1} << 40;

names::Architecture architecture(std::string model_type) {
  return {.model_type = std::move(model_type), .layers = 2, .experts = 2};
}

std::map<std::string, StoredTensor> by_name(const Layout& layout) {
  std::map<std::string, StoredTensor> tensors;
  for (const auto& shard : layout.shards) {
    for (const auto& tensor : shard.tensors) tensors[tensor.name] = tensor;
  }
  return tensors;
}

std::string complaint_about(const checkpoint::Checkpoint& source, const records::Plan& plan,
                            const std::string& model_type = "generic") {
  try {
    mlx_layout(source, plan, architecture(model_type), one_shard);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    return error.what();
  }
  return "accepted";
}

TEST(MlxLayout, ModuleBecomesCodesScalesAndBiases) {
  const auto source = inventory({{"a.weight", Dtype::f16, {8, 128}}, {"a.bias", Dtype::f16, {8}}});
  auto plan = keeping(source);
  test::quantize(plan, "a.weight", 3, 64);
  const auto tensors = by_name(mlx_layout(source, plan, architecture("generic"), one_shard));
  ASSERT_EQ(tensors.size(), 4U);
  EXPECT_THAT(tensors.at("a.weight").shape, ElementsAre(8, 12));
  EXPECT_EQ(tensors.at("a.weight").dtype, Dtype::u32);
  EXPECT_EQ(tensors.at("a.weight").encoding.bits, 3);
  EXPECT_THAT(tensors.at("a.scales").shape, ElementsAre(8, 2));
  EXPECT_EQ(tensors.at("a.biases").dtype, Dtype::f16);
  EXPECT_EQ(tensors.at("a.bias").part, Part::copy);
}

TEST(MlxLayout, FileIsAsLongAsItIsSaid) {
  const auto source = inventory({{"a.weight", Dtype::bf16, {8, 128}}, {"b", Dtype::bf16, {3}}});
  auto plan = keeping(source);
  test::quantize(plan, "a", 4, 32);
  const auto layout = mlx_layout(source, plan, architecture("generic"), one_shard);
  ASSERT_EQ(layout.shards.size(), 1U);
  EXPECT_EQ(layout.shards[0].file, "model.safetensors");
  const auto header = checkpoint::safetensors_header(header_shapes(layout.shards[0]), "mlx");
  EXPECT_EQ(layout.bytes(),
            static_cast<std::int64_t>(header.size()) +
                formats::stored_bytes({"affine", 4, 32}, source.tensors[0].shape, Dtype::bf16) + 6);
}

std::vector<TensorShape> unfused(std::int64_t experts) {
  std::vector<TensorShape> tensors;
  for (std::int64_t e = 0; e < experts; ++e) {
    const auto prefix = "model.layers.0.mlp.experts." + std::to_string(e);
    for (const auto* projection : {".gate_proj.weight", ".up_proj.weight", ".down_proj.weight"}) {
      tensors.push_back({prefix + projection, Dtype::bf16, {32, 64}});
    }
  }
  return tensors;
}

TEST(MlxLayout, ExpertsAreStackedByTheirNumber) {
  const auto source = inventory(unfused(11));  // "10" sorts before "2"
  auto plan = keeping(source);
  test::quantize(plan, "experts", 4, 64);
  const auto tensors = by_name(mlx_layout(source, plan, architecture("qwen3_moe"), one_shard));
  ASSERT_EQ(tensors.size(), 9U);
  const auto& stack = tensors.at("model.layers.0.mlp.switch_mlp.up_proj.weight");
  EXPECT_THAT(stack.shape, ElementsAre(11, 32, 8));
  ASSERT_EQ(stack.origins.size(), 11U);
  for (std::size_t e = 0; e < 11; ++e) {
    EXPECT_EQ(source.tensors[stack.origins[e].tensor].name,
              "model.layers.0.mlp.experts." + std::to_string(e) + ".up_proj.weight");
  }
}

TEST(MlxLayout, MissingExpertIsRefused) {
  auto shapes = unfused(3);
  std::erase_if(shapes,
                [](const auto& t) { return t.name.find("experts.1.up") != std::string::npos; });
  const auto source = inventory(shapes);
  EXPECT_THAT(complaint_about(source, keeping(source), "qwen3_moe"),
              HasSubstr("experts.2.up_proj.weight: its place in "
                        "model.layers.0.mlp.switch_mlp.up_proj.weight is taken"));
}

TEST(MlxLayout, ExpertPlannedOtherwiseIsRefusedByName) {
  const auto source = inventory(unfused(3));
  auto plan = keeping(source);
  test::quantize(plan, "experts", 4, 64);
  test::quantize(plan, "experts.2.down", 8, 64);
  EXPECT_THAT(complaint_about(source, plan, "qwen3_moe"),
              HasSubstr("experts.2.down_proj.weight: are planned otherwise"));
}

TEST(MlxLayout, FusedGateAndUpAreHalvesOfTheRows) {
  const auto source = inventory(
      {{"model.language_model.layers.0.mlp.experts.gate_up_proj", Dtype::bf16, {4, 64, 128}}});
  auto plan = keeping(source);
  test::quantize(plan, "experts", 2, 128);
  const auto tensors = by_name(mlx_layout(source, plan, architecture("qwen3_5_moe"), one_shard));
  const std::string module = "language_model.model.layers.0.mlp.switch_mlp.";
  const auto& up = tensors.at(module + "up_proj.weight");
  EXPECT_THAT(up.shape, ElementsAre(4, 32, 8));
  EXPECT_EQ(up.origins.front().first_row, 32);
  EXPECT_EQ(up.origins.front().rows, 32);
  EXPECT_EQ(tensors.at(module + "gate_proj.weight").origins.front().first_row, 0);
  EXPECT_THAT(tensors.at(module + "gate_proj.scales").shape, ElementsAre(4, 32, 1));
}

TEST(MlxLayout, ConvolutionsAndNormsAreWhatMlxLmMakesOfThem) {
  const std::string layer = "model.language_model.layers.0.";
  const auto source = inventory({{layer + "linear_attn.conv1d.weight", Dtype::bf16, {96, 1, 4}},
                                 {layer + "input_layernorm.weight", Dtype::bf16, {64}}});
  const auto tensors =
      by_name(mlx_layout(source, keeping(source), architecture("qwen3_5_moe"), one_shard));
  EXPECT_THAT(tensors.at("language_model.model.layers.0.linear_attn.conv1d.weight").shape,
              ElementsAre(96, 4, 1));
  EXPECT_EQ(tensors.at("language_model.model.layers.0.input_layernorm.weight").transform,
            names::Transform::add_one);
}

TEST(MlxLayout, WhatOnlyMlxLmCanMakeIsRefusedByTheSourcesName) {
  const std::string name = "model.layers.0.self_attn.kv_b_proj.weight";
  const auto source = inventory({{name, Dtype::bf16, {256, 64}}});
  EXPECT_THAT([&] { mlx_layout(source, keeping(source), architecture("deepseek_v3"), one_shard); },
              testing::ThrowsMessage<Error>(HasSubstr(name + ": is made into model.layers.0.")));
}

TEST(MlxLayout, FilesAreFilledButModulesStayWhole) {
  std::vector<TensorShape> shapes;
  for (char c = 'a'; c <= 'f'; ++c) {
    shapes.push_back({std::string(1, c) + ".weight", Dtype::bf16, {32, 64}});
  }
  const auto source = inventory(shapes);
  auto plan = keeping(source);
  test::quantize(plan, "weight", 4, 64);
  const auto module_bytes =
      formats::stored_bytes({"affine", 4, 64}, source.tensors[0].shape, Dtype::bf16);
  const auto layout =
      mlx_layout(source, plan, architecture("generic"), 2 * module_bytes + module_bytes / 2);
  ASSERT_EQ(layout.shards.size(), 3U);
  for (const auto& shard : layout.shards) EXPECT_EQ(shard.tensors.size(), 6U);
  EXPECT_EQ(layout.shards[1].file, "model-00002-of-00003.safetensors");
  const auto tiny = mlx_layout(source, plan, architecture("generic"), 1);
  ASSERT_EQ(tiny.shards.size(), 6U);
  EXPECT_EQ(tiny.shards[0].tensors.size(), 3U);
}

TEST(MlxLayout, PlanOfAnotherCheckpointIsRefusedByName) {
  const auto source = inventory({{"a.weight", Dtype::bf16, {8, 128}}});
  const auto other = inventory({{"b.weight", Dtype::bf16, {8, 128}}});
  const auto larger = inventory({{"a.weight", Dtype::bf16, {16, 128}}});
  EXPECT_THAT(complaint_about(source, keeping(other)), HasSubstr("a.weight: are not in the plan"));
  EXPECT_THAT(complaint_about(source, keeping(larger)), HasSubstr("a.weight: have another shape"));
}

TEST(MlxLayout, UnmappedTensorsAreRefusedOrLeftOut) {
  const auto source =
      inventory({{"model.norm.weight", Dtype::bf16, {64}}, {"odd.thing", Dtype::bf16, {64}}});
  EXPECT_THAT(complaint_about(source, keeping(source), "llama"),
              HasSubstr("odd.thing: have no name"));
  const auto layout = mlx_layout(source, keeping(source), architecture("llama"), one_shard, true);
  EXPECT_EQ(by_name(layout).size(), 1U);
}

TEST(MlxLayout, WhatMlxCannotStoreIsRefused) {
  const auto source = inventory({{"a.weight", Dtype::bf16, {8, 128}}});
  auto plan = keeping(source);
  test::quantize(plan, "a", 4, 64, "q4_k");
  EXPECT_THAT(complaint_about(source, plan), HasSubstr("a.weight: MLX cannot store it as q4_k"));
  test::quantize(plan, "a", 7, 64);
  EXPECT_THAT(complaint_about(source, plan), HasSubstr("7 bits"));
}

TEST(MlxLayout, DroppedTensorsAreLeftOut) {
  const auto source = inventory({{"a", Dtype::bf16, {8}}, {"b", Dtype::bf16, {8}}});
  auto plan = keeping(source);
  plan.rows[0].action = "drop";
  EXPECT_EQ(by_name(mlx_layout(source, plan, architecture("generic"), one_shard)).count("a"), 0U);
}

}  // namespace
}  // namespace moesweep::written
