#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/source/whole.hpp>

#include "tensors.hpp"

namespace moesweep::source {
namespace {

using test::checkpoint_of;
using test::Entry;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Layers of one matrix, with `experts` experts each, an embedding and a head.
std::vector<Entry> model(int layers, int experts) {
  std::vector<Entry> entries = {{"model.embed_tokens.weight", Dtype::bf16, {64, 32}},
                                {"lm_head.weight", Dtype::bf16, {64, 32}}};
  for (int layer = 0; layer < layers; ++layer) {
    entries.push_back(
        {fmt::format("model.layers.{}.self_attn.q_proj.weight", layer), Dtype::bf16, {32, 32}});
    for (int expert = 0; expert < experts; ++expert) {
      for (const auto* part : {"gate_proj", "down_proj"}) {
        entries.push_back(
            {fmt::format("model.layers.{}.mlp.experts.{}.{}.weight", layer, expert, part),
             Dtype::bf16,
             {32, 32}});
      }
    }
  }
  return entries;
}

std::vector<std::string> missing(const std::vector<Entry>& entries, const ModelConfig& config) {
  return missing_parts(checkpoint_of(entries), config, {"experts"});
}

TEST(Whole, WhatIsAllThereLacksNothing) {
  const ModelConfig config{.model_type = "qwen3_moe", .layers = 3, .experts = 4, .tied = false};
  EXPECT_THAT(missing(model(3, 4), config), IsEmpty());
  EXPECT_THAT(missing(model(3, 4), {}), IsEmpty()) << "nothing is promised";
}

TEST(Whole, MissingLayersAreNamed) {
  auto entries = model(5, 0);
  std::erase_if(entries,
                [](const Entry& entry) { return entry.name.find(".1.") != std::string::npos; });
  EXPECT_THAT(missing(entries, {.layers = 7}), ElementsAre("3 of 7 layers (model.layers.1, 5-6)"));
}

TEST(Whole, TowersAndPredictorsBesideTheModelDoNotCount) {
  auto entries = model(3, 0);
  entries.push_back({"model.visual.blocks.0.attn.qkv.weight", Dtype::bf16, {32, 32}});
  entries.push_back({"mtp.layers.0.mlp.up_proj.weight", Dtype::bf16, {32, 32}});
  entries.push_back({"model.layers.3.eh_proj.weight", Dtype::bf16, {32, 64}});
  EXPECT_THAT(missing(entries, {.layers = 3}), IsEmpty());
  EXPECT_THAT(missing(entries, {.layers = 5}), ElementsAre(HasSubstr("1 of 5 layers")));
}

TEST(Whole, ATowerWithAllItsBlocksDoesNotStandForTheModel) {
  auto entries = model(1, 0);
  for (int block = 0; block < 3; ++block) {
    entries.push_back(
        {fmt::format("visual.blocks.{}.attn.qkv.weight", block), Dtype::bf16, {32, 32}});
  }
  EXPECT_THAT(missing(entries, {.layers = 3}), ElementsAre(HasSubstr("2 of 3 layers")));
}

TEST(Whole, CountsBeyondAnyModelTakeNoTime) {
  constexpr std::int64_t huge = std::int64_t{1} << 60;
  EXPECT_THAT(missing(model(2, 3), {.layers = huge, .experts = huge}).front(),
              HasSubstr("(model.layers.2-1152921504606846975)"));
}

TEST(Whole, MissingExpertsAreNamedForEachMatrix) {
  auto entries = model(2, 4);
  std::erase_if(entries, [](const Entry& entry) {
    return entry.name == "model.layers.1.mlp.experts.2.down_proj.weight";
  });
  EXPECT_THAT(missing(entries, {.experts = 4}),
              ElementsAre(AllOf(HasSubstr("1 of 4 experts (2 beside"), HasSubstr("layers.1"),
                                HasSubstr("down_proj"))));
  EXPECT_THAT(missing(entries, {.experts = 8}).size(), 4) << "three, and how many more";
}

TEST(Whole, AStackOfTooFewExpertsIsNamed) {
  const std::vector<Entry> entries = {
      {"model.layers.0.mlp.experts.gate_up_proj", Dtype::bf16, {6, 64, 32}}};
  EXPECT_THAT(missing(entries, {.experts = 8}),
              ElementsAre("2 of 8 experts (model.layers.0.mlp.experts.gate_up_proj has 6)"));
}

TEST(Whole, AHeadIsMissedUnlessTheModelIsTied) {
  auto entries = model(1, 0);
  std::erase_if(entries, [](const Entry& entry) { return entry.name == "lm_head.weight"; });
  EXPECT_THAT(missing(entries, {.tied = false}), ElementsAre(HasSubstr("output head")));
  EXPECT_THAT(missing(entries, {.model_type = "llama"}), ElementsAre(HasSubstr("output head")));
  EXPECT_THAT(missing(entries, {.model_type = "llama", .tied = true}), IsEmpty());
  EXPECT_THAT(missing(entries, {.model_type = "gemma2"}), IsEmpty()) << "ties it by default";
  EXPECT_THAT(missing(entries, {.tied = false, .causal = false}), IsEmpty()) << "an encoder";
  entries.push_back({"transformer.output_layer.weight", Dtype::bf16, {64, 32}});
  EXPECT_THAT(missing(entries, {.tied = false}), IsEmpty()) << "a row for each word";
}

}  // namespace
}  // namespace moesweep::source
