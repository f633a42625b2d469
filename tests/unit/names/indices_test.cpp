#include <gtest/gtest.h>

#include <moesweep/model/names/role.hpp>

namespace moesweep::names {
namespace {

TEST(LayerOf, IsTheIndexAfterALayerList) {
  EXPECT_EQ(layer_of("model.layers.17.mlp.experts.3.w1"), 17);
  EXPECT_EQ(layer_of("blocks.3.attn.qkv.weight"), 3);
  EXPECT_EQ(layer_of("transformer.h.0.ln_1.weight"), 0);
  EXPECT_EQ(layer_of("mtp.layers.0.mlp.gate.weight"), 0);
}

TEST(LayerOf, IsMinusOneWithoutALayer) {
  EXPECT_EQ(layer_of("lm_head.weight"), -1);
  EXPECT_EQ(layer_of("model.layers.norm.weight"), -1);
  EXPECT_EQ(layer_of("experts.4.w1"), -1);
  EXPECT_EQ(layer_of("layers"), -1);
  EXPECT_EQ(layer_of("17.layers.x1"), -1);
  EXPECT_EQ(layer_of(""), -1);
}

TEST(LayerOf, AnIndexBeyondInt64IsNone) {
  EXPECT_EQ(layer_of("layers.9223372036854775807.x"), 9223372036854775807);
  EXPECT_EQ(layer_of("layers.9223372036854775808.x"), -1);
}

TEST(LayersShownBy, CountsTheLanguageModelOnly) {
  EXPECT_EQ(layers_shown_by("model.language_model.layers.59.mlp.gate.weight"), 60);
  EXPECT_EQ(layers_shown_by("model.language_model.norm.weight"), 0);
  EXPECT_EQ(layers_shown_by("model.visual.blocks.26.attn.qkv.weight"), 0);
  EXPECT_EQ(layers_shown_by("mtp.layers.0.mlp.gate.weight"), 0);
  EXPECT_EQ(layers_shown_by("model.language_model.layers.9223372036854775807.x"), 0);
}

TEST(ExpertOf, IsTheIndexAfterExperts) {
  EXPECT_EQ(expert_of("model.layers.17.mlp.experts.511.down_proj.weight"), 511);
  EXPECT_EQ(expert_of("model.layers.1.block_sparse_moe.experts.7.w2.weight"), 7);
}

TEST(ExpertOf, IsMinusOneForFusedAndSharedExperts) {
  EXPECT_EQ(expert_of("model.layers.17.mlp.experts.gate_up_proj"), -1);
  EXPECT_EQ(expert_of("model.layers.17.mlp.shared_experts.down_proj.weight"), -1);
  EXPECT_EQ(expert_of("model.layers.17.self_attn.q_proj.weight"), -1);
}

TEST(PatternOf, ReplacesEveryIndexByWhatItCounts) {
  EXPECT_EQ(pattern_of("model.layers.17.mlp.experts.3.w1.weight"),
            "model.layers.{layer}.mlp.experts.{expert}.w1.weight");
  EXPECT_EQ(pattern_of("net.4.layers.2.conv.0.weight"), "net.{i}.layers.{layer}.conv.{i}.weight");
}

TEST(PatternOf, KeepsDigitsInsideWordsAndOddDots) {
  EXPECT_EQ(pattern_of("visual.blocks.2.norm1.weight"), "visual.blocks.{layer}.norm1.weight");
  EXPECT_EQ(pattern_of("..a."), "..a.");
  EXPECT_EQ(pattern_of(""), "");
}

}  // namespace
}  // namespace moesweep::names
