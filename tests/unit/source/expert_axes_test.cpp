#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/source/expert_axes.hpp>

#include "tensors.hpp"

namespace moesweep::source {
namespace {

using test::checkpoint_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Shape = std::vector<std::int64_t>;

const std::vector<std::string> experts = {"experts"};

// Hidden size 64, intermediate size 96.
checkpoint::Checkpoint fused(const Shape& gate_up, const Shape& down) {
  return checkpoint_of({{"model.layers.0.mlp.experts.gate_up_proj", Dtype::bf16, gate_up},
                        {"model.layers.0.mlp.experts.down_proj", Dtype::bf16, down}});
}

TEST(ExpertAxes, TransposedStacksAreKnownByTheirShapes) {
  auto checkpoint = fused({4, 64, 192}, {4, 96, 64});
  EXPECT_THAT(orient_experts(checkpoint, {}, experts).transposed,
              ElementsAre(HasSubstr("gate_up_proj"), HasSubstr("down_proj")));
  EXPECT_EQ(checkpoint.tensors[0].shape, (Shape{4, 64, 96})) << "down: [E, hidden, intermediate]";
  EXPECT_EQ(checkpoint.tensors[1].shape, (Shape{4, 192, 64}));
  EXPECT_TRUE(checkpoint.tensors[0].is_transposed);
  EXPECT_TRUE(checkpoint.tensors[1].is_transposed);
  EXPECT_THAT(orient_experts(checkpoint, {}, experts).transposed, IsEmpty()) << "once";
}

TEST(ExpertAxes, StacksOfLinearsStayAsTheyAre) {
  auto checkpoint = fused({4, 192, 64}, {4, 64, 96});
  for (const auto* family : {"", "qwen3_5_moe"}) {
    EXPECT_THAT(orient_experts(checkpoint, {.model_type = family}, experts).transposed, IsEmpty());
  }
  EXPECT_FALSE(checkpoint.tensors[0].is_transposed);
}

TEST(ExpertAxes, ShapesThatContradictTheFamilyAreRefusedNamingBothStacks) {
  const auto refused = [](checkpoint::Checkpoint checkpoint, const char* family) {
    try {
      orient_experts(checkpoint, {.model_type = family}, experts);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("gate_up_proj"), HasSubstr("down_proj"), HasSubstr(family)));
      return true;
    }
    return false;
  };
  EXPECT_TRUE(refused(fused({4, 64, 192}, {4, 96, 64}), "qwen3_5_moe"));
  EXPECT_TRUE(refused(fused({4, 192, 64}, {4, 64, 96}), "llama4"));
  EXPECT_FALSE(refused(fused({4, 64, 192}, {4, 96, 64}), "llama4"));
}

TEST(ExpertAxes, SingleProjectionsAreKnownByTheHiddenSize) {
  const auto stacks = [](const Shape& up, const Shape& down) {
    return checkpoint_of({{"layers.0.experts.up_proj", Dtype::bf16, up},
                          {"layers.0.experts.down_proj", Dtype::bf16, down}});
  };
  auto transposed = stacks({4, 64, 96}, {4, 96, 64});
  EXPECT_THAT(orient_experts(transposed, {.hidden_size = 64}, experts).transposed.size(), 2);
  auto linear = stacks({4, 96, 64}, {4, 64, 96});
  EXPECT_THAT(orient_experts(linear, {.hidden_size = 64}, experts).transposed, IsEmpty());
  auto unknown = stacks({4, 64, 96}, {4, 96, 64});
  EXPECT_THAT(orient_experts(unknown, {.model_type = "new"}, experts).assumed.size(), 1)
      << "said, as nothing tells";
  EXPECT_THAT(orient_experts(unknown, {.model_type = "llama4"}, experts).transposed.size(), 2);
}

TEST(ExpertAxes, StacksThatDoNotFitEachOtherAreRefused) {
  auto pair = fused({4, 64, 192}, {4, 64, 96});
  EXPECT_THROW(orient_experts(pair, {.model_type = "llama4", .hidden_size = 64}, experts), Error);
  auto triple = checkpoint_of({{"layers.0.experts.gate_proj", Dtype::bf16, {4, 64, 96}},
                               {"layers.0.experts.up_proj", Dtype::bf16, {4, 64, 96}},
                               {"layers.0.experts.down_proj", Dtype::bf16, {4, 64, 96}}});
  EXPECT_THROW(orient_experts(triple, {.hidden_size = 64}, experts), Error);
}

TEST(ExpertAxes, OfATwinTheyMayBeInNoProportion) {
  auto twin = fused({4, 32, 64}, {4, 64, 32});
  EXPECT_THAT(orient_experts(twin, {.model_type = "moesweep_twin"}, experts).transposed, IsEmpty());
  EXPECT_THAT(orient_experts(twin, {}, experts).transposed, IsEmpty());
}

TEST(ExpertAxes, TheEmbeddingTellsTheHiddenSizeToo) {
  auto aria = checkpoint_of({{"model.embed_tokens.weight", Dtype::bf16, {512, 64}},
                             {"layers.0.mlp.experts.fc1.weight", Dtype::bf16, {4, 64, 192}},
                             {"layers.0.mlp.experts.fc2.weight", Dtype::bf16, {4, 96, 64}}});
  EXPECT_EQ(orient_experts(aria, {}, experts).transposed.size(), 2);
}

TEST(ExpertAxes, CodesHaveShapesOfTheirOwn) {
  auto checkpoint = checkpoint_of({{"experts.gate_up_proj", Dtype::u8, {4, 64, 192}},
                                   {"experts.down_proj", Dtype::u8, {4, 96, 64}}});
  EXPECT_THAT(orient_experts(checkpoint, {.model_type = "llama4"}, experts).transposed, IsEmpty());
}

}  // namespace
}  // namespace moesweep::source
