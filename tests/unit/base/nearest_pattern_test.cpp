#include <gtest/gtest.h>

#include <moesweep/core/base/nearest_pattern.hpp>

namespace moesweep {
namespace {

const std::vector<std::string> names = {
    "lm_head.weight",
    "model.layers.0.mlp.experts.3.up_proj.weight",
    "model.layers.0.self_attn.q_proj.weight",
};

TEST(NearestPattern, IsTheRunOfComponentsThatWasMeant) {
  EXPECT_EQ(nearest_pattern("lmhead", names), "lm_head");
  EXPECT_EQ(nearest_pattern("mlp.expert.3", names), "mlp.experts.3");
}

TEST(NearestPattern, KeepsTheWildcardsAtItsEnds) {
  EXPECT_EQ(nearest_pattern("*expert.3*", names), "*experts.3*");
  EXPECT_EQ(nearest_pattern("*.self_atn.q_proj.*", names), "*.self_attn.q_proj.*");
}

TEST(NearestPattern, IsNothingWhereNoNameIsLikeIt) {
  EXPECT_FALSE(nearest_pattern("vision_tower", names));
  EXPECT_FALSE(nearest_pattern("mlp*up_proj", names)) << "a wildcard inside";
  EXPECT_FALSE(nearest_pattern("*", names));
  EXPECT_FALSE(nearest_pattern("", names));
  EXPECT_FALSE(nearest_pattern("a.b.c.d.e.f.g.h.i", names)) << "more components than names have";
}

TEST(RemedyForPattern, SaysWhatWasMeantOrHowToFindOut) {
  EXPECT_EQ(remedy_for_pattern("lmhead", names), "did you mean \"lm_head\"?");
  EXPECT_EQ(remedy_for_pattern("vision_tower", names), "list the names with `moesweep inspect`");
}

TEST(IsComponentOf, ComparesWholeComponents) {
  EXPECT_TRUE(is_component_of("experts", names));
  EXPECT_FALSE(is_component_of("expert", names));
  EXPECT_FALSE(is_component_of("experts.3", names));
}

}  // namespace
}  // namespace moesweep
