#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/plans/allocation/prior.hpp>
#include <moesweep/plans/allocation/starved_output.hpp>

namespace moesweep::allocation {
namespace {

using ::testing::HasSubstr;

Tensor tensor(const std::string& name, const std::string& role, std::vector<std::int64_t> shape) {
  return {.name = name, .shape = std::move(shape), .role = role};
}

Tensor embedding(const std::string& name = "model.embed_tokens.weight") {
  return tensor(name, "embedding", {1000, 64});
}

Tensor head() {
  return tensor("lm_head.weight", "head", {1000, 64});
}

/// Of the first tensor.
ErrorFactor prior(std::vector<Tensor> tensors, const OutputFacts& facts = {}) {
  return prior_of(tensors, facts).front();
}

constexpr OutputFacts tied{.tied = true}, untied{.tied = false};
constexpr OutputFacts causal{.causal = true}, encoder{.causal = false};

TEST(Prior, AHeadCountsFiftyAndTheEmbeddingBesideItOne) {
  EXPECT_EQ(prior({head(), embedding()}).value, 50.0);
  EXPECT_EQ(prior({head(), embedding()}).reason, "output head");
  for (const auto& facts : {OutputFacts{}, untied, causal}) {
    EXPECT_EQ(prior({embedding(), head()}, facts).value, 1.0);
  }
}

TEST(Prior, AnEmbeddingThatIsAlsoTheHeadCountsFifty) {
  for (const auto& facts : {OutputFacts{}, tied, causal}) {
    EXPECT_EQ(prior({embedding()}, facts).value, 50.0);
  }
  EXPECT_THAT(prior({embedding()}, tied).reason, HasSubstr("also the output head"));
  // A copy of it under the head's name changes nothing.
  EXPECT_EQ(prior({embedding(), head()}, tied).value, 50.0);
  EXPECT_EQ(prior({embedding()}, untied).value, 1.0) << "the head is stored elsewhere";
}

TEST(Prior, AnEncodersEmbeddingsCountOne) {
  const auto words = embedding("embeddings.word_embeddings.weight");
  EXPECT_EQ(prior({words}).value, 1.0) << "no decoder calls it so";
  EXPECT_EQ(prior({words}, encoder).value, 1.0);
  EXPECT_EQ(prior({embedding()}, {.tied = true, .causal = false}).value, 1.0);
  EXPECT_EQ(prior({words}, causal).value, 50.0) << "BLOOM does";
  EXPECT_EQ(prior({embedding("embeddings.position_embeddings.weight")}, tied).value, 1.0);
  EXPECT_EQ(prior({embedding("wpe.weight")}, causal).value, 1.0);
  EXPECT_EQ(prior({tensor("pooler.dense.weight", "pooler", {64, 64})}).value, 1.0);
  EXPECT_EQ(prior({tensor("classifier.weight", "classifier", {2, 64})}).value, 1.0);
}

TEST(Prior, OfSeveralEmbeddingsADecodersAndThenTheLargestIsTheHead) {
  const auto words = embedding("model.language_model.embed_tokens.weight");
  const auto sounds = embedding("model.embed_audio.embedding.weight");
  EXPECT_EQ(prior({words, sounds}, causal).value, 50.0);
  EXPECT_EQ(prior({sounds, words}, causal).value, 1.0);
  auto talker = embedding("talker.model.embed_tokens.weight");
  talker.shape = {100, 64};
  EXPECT_EQ(prior({talker, words}, causal).value, 1.0);
  EXPECT_EQ(prior({words, talker}, causal).value, 50.0);
  EXPECT_EQ(prior({embedding("shared.weight")}, causal).value, 50.0) << "T5";
}

TEST(Prior, WhatClassifiesOrPoolsHasNoOutputHeadUnlessItIsSaid) {
  const auto score = tensor("score.weight", "classifier", {2, 64});
  EXPECT_EQ(prior({embedding(), score}, tied).value, 1.0);
  EXPECT_EQ(prior({embedding(), score}, {.tied = true, .causal = true}).value, 50.0);
  const auto words = embedding("embeddings.word_embeddings.weight");
  EXPECT_EQ(prior({words}, tied).value, 1.0) << "an encoder's name";
  EXPECT_EQ(prior({embedding("model.embeddings.tok_embeddings.weight")}).value, 1.0)
      << "ModernBERT";
}

TEST(Prior, HeadsOfPredictorsCountOne) {
  EXPECT_EQ(prior({tensor("model.layers.61.shared_head.head.weight", "head", {1000, 64})}).value,
            1.0);
  EXPECT_EQ(prior({tensor("mtp.lm_head.weight", "head", {1000, 64})}).value, 1.0);
  EXPECT_EQ(prior({embedding("model.layers.61.embed_tokens.weight")}, causal).value, 1.0);
}

Tensor attention(const std::string& matrix, std::vector<std::int64_t> shape = {64, 64}) {
  return tensor("model.layers.0.self_attn." + matrix + ".weight", "attention", std::move(shape));
}

TEST(Prior, QueriesAndKeysCountHalfAndValuesTwo) {
  for (const auto* name : {"q_proj", "wq", "query", "q_lin", "q_a_proj", "k_proj", "wk", "key"}) {
    EXPECT_EQ(prior({attention(name)}).value, 0.5) << name;
  }
  for (const auto* name : {"v_proj", "wv", "value", "v_lin"}) {
    EXPECT_EQ(prior({attention(name)}).value, 2.0) << name;
  }
  EXPECT_EQ(prior({attention("o_proj")}).value, 1.0);
  EXPECT_EQ(
      prior({tensor("encoder.layer.0.attention.self.value.weight", "attention", {64, 64})}).value,
      2.0);
}

TEST(Prior, LinearAttentionAndAllElseCountOne) {
  EXPECT_EQ(prior({tensor("l.0.linear_attn.q_proj.weight", "linear_attention", {64, 64})}).value,
            1.0);
  for (const auto* role : {"router", "shared_expert", "expert", "mlp", "other"}) {
    EXPECT_EQ(prior({tensor("l.0.v_proj.weight", role, {64, 64})}).value, 1.0) << role;
  }
}

TEST(Prior, AFusedMatrixHasTheMeanOfItsPartsByParameters) {
  // 4 query heads, 2 for keys and values: 8 rows each.
  const auto grouped = attention("qkv_proj", {64, 40});
  EXPECT_DOUBLE_EQ(prior({grouped, attention("o_proj", {40, 32})}).value,
                   0.5 * 0.5 + 0.25 * 0.5 + 0.25 * 2.0);
  const auto thirds = (0.5 + 0.5 + 2.0) / 3.0;
  EXPECT_DOUBLE_EQ(prior({attention("qkv_proj", {96, 32}), attention("o_proj", {32, 32})}).value,
                   thirds);
  EXPECT_DOUBLE_EQ(prior({attention("qkv_proj", {96, 32})}).value, thirds) << "nothing beside it";
  // GPT-2's is stored [in, out].
  EXPECT_DOUBLE_EQ(prior({attention("c_attn", {32, 96}), attention("c_proj", {32, 32})}).value,
                   thirds);
  EXPECT_DOUBLE_EQ(prior({attention("kv_b_proj")}).value, 1.25);
}

TEST(Prior, AQueryWithItsGateIsTheirMean) {
  EXPECT_DOUBLE_EQ(prior({attention("q_proj", {128, 96}), attention("o_proj", {96, 64})}).value,
                   0.75);
  EXPECT_DOUBLE_EQ(prior({attention("q_proj", {64, 96}), attention("o_proj", {96, 64})}).value,
                   0.5);
}

TEST(Prior, ARoleThatIsNotKnownHasNoReason) {
  EXPECT_TRUE(prior({tensor("a.b.weight", "other", {64, 64})}).reason.empty());
}

records::PlanRow row(const std::string& name, const std::string& role, std::int32_t bits,
                     std::int64_t rows = 64) {
  records::PlanRow made;
  made.tensor = name;
  made.role = role;
  made.shape = std::to_string(rows) + "x64";
  made.params = rows * 64;
  made.bits = bits;
  made.action = bits == 16 ? "keep" : "quantize";
  return made;
}

records::Plan plan(std::int32_t output_bits, const std::string& prior = "") {
  records::Plan made;
  made.prior = prior;
  made.rows = {row("model.embed_tokens.weight", "embedding", output_bits, 1000),
               row("model.layers.0.mlp.down_proj.weight", "mlp", 4, 300),
               row("model.layers.0.mlp.up_proj.weight", "mlp", 8, 100)};
  return made;
}

TEST(StarvedOutput, ATiedEmbeddingTwoBitsBelowTheMeanOfTheRestIsNamed) {
  const auto found = starved_output(plan(3), tied);  // the rest has (3 x 4 + 8) / 4 = 5
  ASSERT_TRUE(found);
  EXPECT_EQ(found->tensor, "model.embed_tokens.weight");
  EXPECT_EQ(found->mean_of_rest, 5.0);
  EXPECT_THAT(found->text(), HasSubstr("3 bits, 2.0 fewer"));
  EXPECT_FALSE(starved_output(plan(4), tied));
  EXPECT_FALSE(starved_output(plan(16), tied)) << "kept";
}

TEST(StarvedOutput, PlansWithThePriorAndEncodersAreNot) {
  EXPECT_FALSE(starved_output(plan(2, "role"), tied));
  EXPECT_TRUE(starved_output(plan(2, "none"), tied));
  EXPECT_FALSE(starved_output(plan(2), untied));
  EXPECT_FALSE(starved_output(plan(2), encoder));
}

TEST(StarvedOutput, AnAlphaThatCountsItLessThanThePriorIsNoPrior) {
  auto overridden = plan(2, "role");
  overridden.rows[0].alpha = 0.001;
  EXPECT_TRUE(starved_output(overridden, tied));
  overridden.rows[0].alpha = 50.0;
  EXPECT_FALSE(starved_output(overridden, tied));
}

TEST(StarvedOutput, PoolersThatOldPlansCalledHeadsAreNot) {
  auto of_encoder = plan(8);
  of_encoder.rows.push_back(row("pooler.dense.weight", "head", 2));
  EXPECT_FALSE(starved_output(of_encoder, encoder));
}

TEST(StarvedOutput, AHeadIsNamedAndItsEmbeddingIsNot) {
  auto with_head = plan(4);
  with_head.rows.insert(with_head.rows.begin(), row("lm_head.weight", "head", 8));
  EXPECT_FALSE(starved_output(with_head, untied));
  with_head.rows.front().bits = 2;
  ASSERT_TRUE(starved_output(with_head, untied));
  EXPECT_EQ(starved_output(with_head, untied)->tensor, "lm_head.weight");
}

}  // namespace
}  // namespace moesweep::allocation
