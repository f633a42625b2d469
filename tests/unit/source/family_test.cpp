#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/source/family.hpp>

namespace moesweep::source {
namespace {

using testing::AllOf;
using testing::HasSubstr;

FamilyFacts facts(const std::string& config) {
  return family_of_config(model_config_from(config, ""));
}

FamilyFacts planned() {
  return {.place = "plan.json",
          .model_type = "qwen3_moe",
          .declared_type = "qwen3_moe",
          .layers = 48,
          .experts = 128,
          .tied_embeddings = false};
}

std::string refusal(const FamilySources& sources) {
  try {
    family_of(sources);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    return error.what();
  }
  return "it was taken";
}

TEST(Family, OfAConfigIsItsOwn) {
  const auto read = facts(R"({"model_type": "qwen3_moe", "num_hidden_layers": 94,
                              "num_experts": 128, "tie_word_embeddings": true})");
  EXPECT_EQ(read.model_type, "qwen3_moe");
  EXPECT_EQ(read.declared_type, "qwen3_moe");
  EXPECT_EQ(read.layers, 94);
  EXPECT_EQ(read.experts, 128);
  EXPECT_EQ(read.tied_embeddings, true);
  EXPECT_EQ(read.problem, "");
}

TEST(Family, FollowsANestedTextConfig) {
  const auto read = facts(
      R"({"model_type": "qwen3_5_moe", "vision_config": {"num_hidden_layers": 27},
          "text_config": {"model_type": "qwen3_5_moe_text", "num_hidden_layers": 60,
                          "num_experts": 512, "tie_word_embeddings": false}})");
  EXPECT_EQ(read.model_type, "qwen3_5_moe");
  EXPECT_EQ(read.layers, 60);
  EXPECT_EQ(read.experts, 512);
  EXPECT_EQ(read.tied_embeddings, false);
  EXPECT_EQ(facts(R"({"text_config": {"model_type": "qwen3_5_moe_text"}})").model_type,
            "qwen3_5_moe_text");
}

TEST(Family, NumbersOfExpertsHaveFourNames) {
  for (const auto* key :
       {"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"}) {
    EXPECT_EQ(facts(std::string(R"({"model_type": "x", ")") + key + R"(": 8})").experts, 8) << key;
  }
}

TEST(Family, WhatIsNoConfigIsRefusedByName) {
  for (const auto* text : {" ", "[]", "{", "{}", R"({"model_type": 3})",
                           R"({"model_type": "llama", "num_hidden_layers": "many"})",
                           R"({"model_type": "llama", "num_hidden_layers": -1})",
                           R"({"model_type": "llama", "num_experts": [1, 2]})",
                           R"({"model_type": "llama", "num_hidden_layers": 18446744073709551615})",
                           R"({"model_type": "llama", "num_hidden_layers": 1048577})"}) {
    const auto read = family_of_config(model_config_from(text, ""), "folder/config.json");
    EXPECT_THAT(refusal({.config = read}),
                AllOf(HasSubstr("folder/config.json"), HasSubstr("name the --architecture")))
        << text;
    EXPECT_THROW(require_family(read), Error) << text;
  }
}

TEST(Family, ThatIsNamedDecidesWhateverConfigSays) {
  for (const auto* text : {"{", "[]", "{} // note", R"({"num_hidden_layers": "many"})",
                           R"({"num_experts": [1, 2]})"}) {
    const auto read = family_of({.user = family_named("llama"), .config = facts(text)});
    EXPECT_EQ(read.model_type, "llama");
    EXPECT_EQ(read.layers, 0) << text;
  }
  const auto read = family_of({.user = family_named("llama"),
                               .config = facts(R"({"model_type": "other", "num_hidden_layers": 3,
                                 "tie_word_embeddings": true, "limit": Infinity})")});
  EXPECT_EQ(read.model_type, "llama");
  EXPECT_EQ(read.layers, 3);
  EXPECT_TRUE(read.tied_embeddings);
}

TEST(Family, ThatIsUnknownByOptionIsRefusedWithThoseThatAreKnown) {
  try {
    family_named("lama");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("--architecture lama"), HasSubstr("llama, qwen2")));
  }
  EXPECT_EQ(family_named("").model_type, "");
}

TEST(Family, EachFactIsOfTheFirstThatSaysIt) {
  // Of the family and of layers; 0 and "": silent.
  struct Case {
    const char* user_type;
    const char* plan_type;
    const char* config_type;
    const char* expected_type;
    std::int64_t user, plan, config, shown, expected;
  };
  const std::vector<Case> cases = {
      {"llama", "qwen3", "mixtral", "llama", 5, 4, 4, 2, 5},
      {"", "qwen3", "mixtral", "qwen3", 0, 4, 4, 2, 4},
      {"", "qwen3", "mixtral", "qwen3", 0, 4, 0, 2, 4},
      {"", "", "mixtral", "mixtral", 0, 0, 3, 2, 3},
      {"", "", "brand_new", "brand_new", 0, 0, 3, 0, 3},
      {"", "", "", "generic", 0, 0, 0, 2, 2},
      {"", "generic", "mixtral", "generic", 0, 0, 0, 0, 0},
  };
  for (const auto& [user_type, plan_type, config_type, expected_type, user, plan, config, shown,
                    expected] : cases) {
    const auto family = family_of({.user = {.model_type = user_type, .layers = user},
                                   .plan = {.model_type = plan_type, .layers = plan},
                                   .config = {.model_type = config_type, .layers = config},
                                   .layers_shown = shown});
    EXPECT_EQ(family.model_type, expected_type) << plan_type << config_type;
    EXPECT_EQ(family.layers, expected) << plan_type << config_type;
  }
  const auto quantizable = family_of({.plan = {.quantizable = {"*.w"}}}).quantizable;
  EXPECT_THAT(quantizable, testing::ElementsAre("*.w"));
  EXPECT_FALSE(family_of({.plan = planned(), .config = {.experts = 128}}).tied_embeddings);
  EXPECT_TRUE(family_of({.plan = {.tied_embeddings = true}}).tied_embeddings);
  EXPECT_TRUE(family_of({.config = {.tied_embeddings = true}}).tied_embeddings);
}

TEST(Family, OfAPlanNeedsNoConfig) {
  const auto family = family_of({.plan = planned()});
  EXPECT_EQ(family.model_type, "qwen3_moe");
  EXPECT_EQ(family.layers, 48);
  EXPECT_EQ(family.experts, 128);
  EXPECT_FALSE(family.tied_embeddings);
}

TEST(Family, APlanOfAnotherCheckpointIsRefusedNamingBoth) {
  const auto against = [](FamilyFacts config) {
    config.place = "model/config.json";
    return refusal({.plan = planned(), .config = config});
  };
  EXPECT_THAT(against({.layers = 47}),
              HasSubstr("plan.json: is for a checkpoint with 48 layers, but model/config.json says "
                        "47; give the checkpoint that the plan was made for"));
  EXPECT_THAT(against({.experts = 64}), HasSubstr("128 experts, but model/config.json says 64"));
  EXPECT_THAT(against({.tied_embeddings = true}),
              HasSubstr("an output head of its own, but model/config.json says tied embeddings"));
  EXPECT_THAT(against({.declared_type = "llama"}),
              AllOf(HasSubstr("the model_type qwen3_moe, but model/config.json says llama"),
                    HasSubstr("--architecture")));
  EXPECT_EQ(against({.declared_type = "qwen3_moe_text", .layers = 48, .experts = 128}),
            "it was taken");
}

TEST(Family, AConverterMayWriteTheFamilyThatThePlanIsFor) {
  auto plan = planned();
  plan.declared_type = "custom_text";
  EXPECT_EQ(refusal({.plan = plan, .config = {.declared_type = "qwen3_moe"}}), "it was taken");
  EXPECT_THAT(refusal({.plan = plan, .config = {.declared_type = "llama"}}),
              HasSubstr("the model_type custom_text"));
}

TEST(Family, WhatTheUserSaysIsNoContradiction) {
  const FamilyFacts config = {.declared_type = "llama", .layers = 47, .tied_embeddings = true};
  const FamilyFacts user = {.model_type = "llama", .layers = 47, .tied_embeddings = true};
  const auto family = family_of({.user = user, .plan = planned(), .config = config});
  EXPECT_EQ(family.model_type, "llama");
  EXPECT_EQ(family.layers, 47);
  EXPECT_EQ(family.experts, 128);
  EXPECT_TRUE(family.tied_embeddings);
}

TEST(Family, PlansThatSayOnlyTheirFamilyContradictNoConfig) {
  // Schemas 1 and 2: the user may have named another family than config.json when it was made.
  const auto family = family_of({.plan = {.place = "plan.json", .model_type = "llama"},
                                 .config = facts(R"({"model_type": "bert",
                                   "num_hidden_layers": 12})")});
  EXPECT_EQ(family.model_type, "llama");
  EXPECT_EQ(family.layers, 12);
}

}  // namespace
}  // namespace moesweep::source
