#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/plan/family.hpp>
#include <moesweep/plans/plan/runtime_plan.hpp>

#include "plan_samples.hpp"

namespace moesweep::plan {
namespace {

using names::Runtime;

const test::Setting four_bits = {"affine", 4, 64};

records::PlanRow dropped(std::string tensor, std::string shape) {
  auto row = test::plan_row(std::move(tensor), std::move(shape), {});
  row.action = "drop";
  return row;
}

RuntimeRow in_mlx(const records::PlanRow& row) {
  return in_runtime(row, Runtime::mlx, test::qwen35);
}

TEST(RuntimePlan, RowsKeepTheirOrderWithModulesShapesAndTies) {
  const auto plan = test::plan_of(
      {test::plan_row("model.language_model.layers.0.mlp.experts.gate_up_proj", "4x512x256",
                      four_bits),
       test::plan_row("model.language_model.layers.0.input_layernorm.weight", "256", {}),
       test::plan_row("nobody.knows.weight", "64x64", {})});
  const auto mapped = runtime_plan(plan, Runtime::mlx, test::qwen35);
  ASSERT_EQ(mapped.rows.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(mapped.rows[i].row, &plan.rows[i]);
  const auto& stack = mapped.rows[1];
  EXPECT_THAT(stack.shape, testing::ElementsAre(4, 512, 256));
  EXPECT_TRUE(stack.is_mapped());
  EXPECT_TRUE(stack.is_quantized());
  EXPECT_FALSE(stack.is_unquantizable());
  EXPECT_EQ(stack.tie, "model.language_model.layers.0.mlp.experts.gate_up");
  ASSERT_EQ(stack.mapping.targets.size(), 2U);
  EXPECT_EQ(stack.mapping.targets[1].module,
            "language_model.model.layers.0.mlp.switch_mlp.up_proj");
  EXPECT_TRUE(mapped.rows[2].is_unmapped());
}

TEST(RuntimePlan, SaysWhatTheRuntimeCannotDoAsPlanned) {
  const auto norm = test::plan_row("model.language_model.norm.weight", "8x64", four_bits);
  EXPECT_TRUE(in_mlx(norm).is_unquantizable());
  const auto head = dropped("lm_head.weight", "64x64");
  EXPECT_TRUE(in_mlx(head).is_missed());
  const auto predictor = test::plan_row("mtp.fc.weight", "64x128", {});
  EXPECT_TRUE(in_mlx(predictor).is_homeless());
  const auto left_out = dropped("mtp.fc.weight", "64x128");
  EXPECT_FALSE(in_mlx(left_out).is_homeless());
  EXPECT_FALSE(in_mlx(left_out).is_missed());
}

TEST(PlanFamily, LayersAreCountedFromItsNames) {
  const auto plan = test::plan_of(
      {test::plan_row("model.language_model.layers.6.self_attn.q_proj.weight", "64x64", {}),
       test::plan_row("mtp.fc.weight", "64x128", {})});
  EXPECT_EQ(layers_shown_by(plan), 7);
  const auto family =
      source::family_of({.plan = family_of_plan(plan, "plan.json"), .layers_shown = 7});
  const auto mapped = runtime_plan(plan, Runtime::gguf, family);
  EXPECT_EQ(mapped.rows[1].mapping.targets.at(0).module, "blk.7.nextn.eh_proj");
}

TEST(RuntimePlan, AShapeThatIsNoneIsRefusedByTensor) {
  auto row = test::plan_row("a.weight", "64x64", {});
  row.shape = "64xx64";
  try {
    in_mlx(row);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("a.weight"));
  }
}

TEST(PlanFamily, IsWhatThePlanSays) {
  auto plan = test::plan_of({});
  EXPECT_THAT(expert_patterns_of(plan), testing::ElementsAre("experts"));
  plan.layers = 60;
  plan.tied_embeddings = true;
  plan.expert_patterns = std::vector<std::string>{"moe"};
  plan.source.model_type = "qwen3_5_moe_text";
  plan.quantizable = {"*.w"};
  const auto facts = family_of_plan(plan, "plan.json");
  EXPECT_EQ(facts.place, "plan.json");
  EXPECT_EQ(facts.model_type, "qwen3_5_moe");
  EXPECT_EQ(facts.declared_type, "qwen3_5_moe_text");
  EXPECT_EQ(facts.layers, 60);
  EXPECT_EQ(facts.experts, 0);
  EXPECT_EQ(facts.tied_embeddings, true);
  EXPECT_THAT(facts.quantizable, testing::ElementsAre("*.w"));
  EXPECT_THAT(expert_patterns_of(plan), testing::ElementsAre("moe"));
  plan.expert_patterns.emplace();
  EXPECT_THAT(expert_patterns_of(plan), testing::IsEmpty());
}

}  // namespace
}  // namespace moesweep::plan
