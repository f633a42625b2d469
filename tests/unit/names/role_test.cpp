#include <ostream>

#include <gtest/gtest.h>

#include <moesweep/model/names/role.hpp>

namespace moesweep::names {
namespace {

const std::vector<std::string> default_patterns = {"experts"};
const std::vector<std::int64_t> matrix = {64, 64};

struct Expected {
  std::string_view name;
  Role role;
};

std::ostream& operator<<(std::ostream& out, const Expected& expected) {
  return out << expected.name;
}

class CommonNames : public testing::TestWithParam<Expected> {};

TEST_P(CommonNames, HaveTheRoleTheirModelGivesThem) {
  EXPECT_EQ(role_name(role_of(GetParam().name, matrix, default_patterns)),
            role_name(GetParam().role));
}

INSTANTIATE_TEST_SUITE_P(
    Llama, CommonNames,
    testing::Values(Expected{"model.embed_tokens.weight", Role::embedding},
                    Expected{"model.layers.0.self_attn.q_proj.weight", Role::attention},
                    Expected{"model.layers.0.mlp.gate_proj.weight", Role::mlp},
                    Expected{"model.layers.0.mlp.down_proj.weight", Role::mlp},
                    Expected{"model.layers.0.input_layernorm.weight", Role::norm},
                    Expected{"model.norm.weight", Role::norm},
                    Expected{"lm_head.weight", Role::head}, Expected{"output.weight", Role::head},
                    Expected{"tok_embeddings.weight", Role::embedding},
                    Expected{"layers.0.attention.wq.weight", Role::attention},
                    Expected{"layers.0.feed_forward.w1.weight", Role::mlp},
                    Expected{"layers.0.attention_norm.weight", Role::norm}));

INSTANTIATE_TEST_SUITE_P(
    Llama4, CommonNames,
    testing::Values(
        Expected{"language_model.model.layers.1.feed_forward.router.weight", Role::router},
        Expected{"language_model.model.layers.1.feed_forward.experts.gate_up_proj", Role::expert},
        Expected{"language_model.model.layers.1.feed_forward.shared_expert.up_proj.weight",
                 Role::shared_expert},
        Expected{"vision_model.model.layers.0.self_attn.q_proj.weight", Role::vision},
        Expected{"vision_model.patch_embedding.linear.weight", Role::vision},
        Expected{"multi_modal_projector.linear_1.weight", Role::vision}));

INSTANTIATE_TEST_SUITE_P(
    Mixtral, CommonNames,
    testing::Values(Expected{"model.layers.1.block_sparse_moe.experts.7.w1.weight", Role::expert},
                    Expected{"model.layers.1.block_sparse_moe.gate.weight", Role::router},
                    Expected{"model.layers.1.self_attn.o_proj.weight", Role::attention}));

INSTANTIATE_TEST_SUITE_P(
    DeepSeekV3, CommonNames,
    testing::Values(
        Expected{"model.layers.3.mlp.gate.weight", Role::router},
        Expected{"model.layers.3.mlp.gate.e_score_correction_bias", Role::bias},
        Expected{"model.layers.3.mlp.experts.255.down_proj.weight", Role::expert},
        Expected{"model.layers.3.mlp.experts.255.down_proj.weight_scale_inv", Role::other},
        Expected{"model.layers.3.mlp.shared_experts.up_proj.weight", Role::shared_expert},
        Expected{"model.layers.0.mlp.up_proj.weight", Role::mlp},
        Expected{"model.layers.3.self_attn.kv_a_proj_with_mqa.weight", Role::attention},
        Expected{"model.layers.3.self_attn.kv_b_proj.weight", Role::attention},
        Expected{"model.layers.3.self_attn.q_a_layernorm.weight", Role::norm},
        Expected{"model.layers.61.enorm.weight", Role::norm},
        Expected{"model.layers.61.eh_proj.weight", Role::other},
        Expected{"model.layers.61.embed_tokens.weight", Role::embedding},
        Expected{"model.layers.61.shared_head.head.weight", Role::head},
        Expected{"model.layers.61.shared_head.norm.weight", Role::norm}));

INSTANTIATE_TEST_SUITE_P(
    GptOss, CommonNames,
    testing::Values(Expected{"model.layers.0.mlp.router.weight", Role::router},
                    Expected{"model.layers.0.mlp.router.bias", Role::bias},
                    Expected{"model.layers.0.mlp.experts.gate_up_proj", Role::expert},
                    Expected{"model.layers.0.mlp.experts.gate_up_proj_blocks", Role::expert},
                    Expected{"model.layers.0.mlp.experts.gate_up_proj_scales", Role::other},
                    Expected{"model.layers.0.mlp.experts.gate_up_proj_bias", Role::bias},
                    Expected{"model.layers.0.self_attn.sinks", Role::attention}));

INSTANTIATE_TEST_SUITE_P(
    UseLite, CommonNames,
    testing::Values(Expected{"embeddings.word_embeddings.weight", Role::embedding},
                    Expected{"encoder.layers.0.final_layer_norm.bias", Role::bias},
                    Expected{"encoder.layers.0.final_layer_norm.weight", Role::norm},
                    Expected{"encoder.layers.0.mlp.fc1.bias", Role::bias},
                    Expected{"encoder.layers.0.mlp.fc1.weight", Role::mlp},
                    Expected{"encoder.layers.0.mlp.fc2.weight", Role::mlp},
                    Expected{"encoder.layers.0.residual_proj.weight", Role::other},
                    Expected{"encoder.layers.0.self_attn.out_proj.weight", Role::attention},
                    Expected{"encoder.layers.0.self_attn.qkv_proj.weight", Role::attention},
                    Expected{"encoder.layers.0.self_attn_layer_norm.weight", Role::norm},
                    Expected{"pooler.dense.weight", Role::pooler}));

INSTANTIATE_TEST_SUITE_P(
    Bert, CommonNames,
    testing::Values(Expected{"embeddings.LayerNorm.weight", Role::norm},
                    Expected{"encoder.layer.0.attention.output.LayerNorm.weight", Role::norm},
                    Expected{"encoder.layer.0.output.LayerNorm.weight", Role::norm},
                    Expected{"encoder.layer.0.attention.self.query.weight", Role::attention},
                    Expected{"encoder.layer.0.attention.output.dense.weight", Role::attention},
                    Expected{"encoder.layer.0.intermediate.dense.weight", Role::mlp},
                    Expected{"encoder.layer.0.output.dense.weight", Role::mlp},
                    Expected{"embeddings.token_type_embeddings.weight", Role::embedding},
                    Expected{"classifier.weight", Role::classifier},
                    Expected{"score.weight", Role::classifier},
                    Expected{"bert.encoder.layer.11.output.dense.bias", Role::bias}));

INSTANTIATE_TEST_SUITE_P(Heads, CommonNames,
                         testing::Values(Expected{"head.weight", Role::head},
                                         Expected{"lm_head.decoder.weight", Role::head},
                                         Expected{"lm_head.dense.weight", Role::other},
                                         Expected{"transformer.output_layer.weight", Role::head},
                                         Expected{"language_model.lm_head.weight", Role::head},
                                         Expected{"shared.weight", Role::embedding},
                                         Expected{"model.shared.weight", Role::embedding},
                                         Expected{"blocks.0.shared.weight", Role::other}));

TEST(RoleOf, IntegersAndBooleansAreBuffers) {
  for (const auto dtype : {Dtype::i64, Dtype::u8, Dtype::boolean}) {
    EXPECT_EQ(role_of("embeddings.position_ids", matrix, dtype, default_patterns), Role::buffer);
  }
  EXPECT_EQ(role_of("model.embed_tokens.weight", matrix, Dtype::f8_e4m3, default_patterns),
            Role::embedding);
}

TEST(RoleOf, AnAttentionGateIsNotARouter) {
  EXPECT_EQ(role_of("model.layers.0.self_attn.gate.weight", matrix, default_patterns),
            Role::attention);
}

TEST(RoleOf, ExpertsAreWhatThePatternsName) {
  const std::vector<std::string> patterns = {"specialists"};
  EXPECT_EQ(role_of("model.layers.0.mlp.specialists.w1", matrix, patterns), Role::expert);
  EXPECT_EQ(role_of("model.layers.0.mlp.experts.w1", matrix, patterns), Role::mlp);
}

TEST(RoleOf, APatternIsAWholeComponent) {
  EXPECT_EQ(role_of("model.layers.0.mlp.noexperts.w1", matrix, default_patterns), Role::mlp);
}

TEST(RoleOf, ANormMayHaveARowPerHeadButAMatrixNamedAfterANormIsNone) {
  EXPECT_EQ(role_of("model.layers.0.self_attn.q_norm.weight", matrix, default_patterns),
            Role::norm);
  EXPECT_EQ(role_of("model.norm_proj.weight", matrix, default_patterns), Role::other);
  EXPECT_EQ(
      role_of("model.pre_norm_hidden.weight", std::vector<std::int64_t>{64}, default_patterns),
      Role::norm);
}

TEST(RoleOf, ProjectionsDecideWhenNoModuleDoes) {
  EXPECT_EQ(role_of("model.0.q_proj.weight", matrix, default_patterns), Role::attention);
  EXPECT_EQ(role_of("model.0.w2.weight", matrix, default_patterns), Role::mlp);
}

TEST(RoleOf, UnknownAndEmptyNamesAreOther) {
  EXPECT_EQ(role_of("", {}, default_patterns), Role::other);
  EXPECT_EQ(role_of("weight", matrix, default_patterns), Role::other);
  EXPECT_EQ(role_of("a.output.weight", matrix, default_patterns), Role::other);
}

TEST(IsExpertStack, NeedsThreeDimensionsAComponentAndBothSidesOf32) {
  const auto stack = [](std::string_view name, std::vector<std::int64_t> shape) {
    return is_expert_stack(name, shape, default_patterns);
  };
  EXPECT_TRUE(stack("layers.0.mlp.experts.gate_up_proj", {512, 2048, 4096}));
  EXPECT_TRUE(stack("layers.0.mlp.experts.gate_up_proj", {1, 32, 32}));
  EXPECT_FALSE(stack("layers.0.mlp.experts.gate_up_proj", {512, 31, 4096}));
  EXPECT_FALSE(stack("layers.0.mlp.experts.gate_up_proj", {512, 4096, 31}));
  EXPECT_FALSE(stack("layers.0.mlp.experts.0.gate_up_proj", {2048, 4096}));
  EXPECT_FALSE(stack("layers.0.mlp.experts.gate_up_proj_blocks", {32, 5760, 90, 16}));
  EXPECT_FALSE(stack("layers.0.mlp.shared_experts.gate_up_proj", {512, 2048, 4096}));
  EXPECT_FALSE(stack("layers.0.linear_attn.conv1d.weight", {12288, 64, 64}));
}

}  // namespace
}  // namespace moesweep::names
