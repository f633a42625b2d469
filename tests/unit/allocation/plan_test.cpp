#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/allocation/plan.hpp>

#include "affine_storage.hpp"

namespace moesweep::allocation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Tensor tensor(const std::string& name, const std::string& role, std::vector<std::int64_t> shape,
              const std::string& decision, double sse_at_4_bits = 1.0, double sum_squares = 100.0) {
  Tensor made{.name = name, .shape = std::move(shape), .role = role, .decision = decision};
  made.quantizable = true;
  made.sum_squares = sum_squares;
  for (const auto& format : affine_formats()) {
    made.sse[format] =
        sse_at_4_bits * std::pow(4.0, 4 - format.bits) * (1.0 + format.group_size / 1024.0);
  }
  return made;
}

const Encoding four_in_64 = {"affine", 4, 64};
constexpr double factor_of_64 = 1.0 + 64 / 1024.0;

Problem problem_of(std::vector<Tensor> tensors,
                   Constraints constraints = {.formats = affine_formats()},
                   const Alpha& alpha = {}) {
  return make_problem(std::move(tensors), std::move(constraints), alpha, affine_bytes);
}

const Choice& choice(const Module& module, const Encoding& format) {
  for (const auto& found : module.choices) {
    if (found.encoding == format) return found;
  }
  throw std::runtime_error("no such choice");
}

const records::PlanRow& row(const std::vector<records::PlanRow>& rows, const std::string& name) {
  for (const auto& found : rows) {
    if (found.tensor == name) return found;
  }
  throw std::runtime_error("no row of " + name);
}

std::vector<Tensor> unfused_experts() {
  return {tensor("layers.0.mlp.experts.0.gate_proj.weight", "expert", {32, 128}, "gate_up", 1, 50),
          tensor("layers.0.mlp.experts.0.up_proj.weight", "expert", {32, 128}, "gate_up", 2, 60),
          tensor("layers.0.mlp.experts.1.gate_proj.weight", "expert", {32, 128}, "gate_up", 3, 70),
          tensor("layers.0.mlp.experts.1.up_proj.weight", "expert", {32, 128}, "gate_up", 4, 20)};
}

TEST(Problem, FusedAndUnfusedExpertsHaveTheSameChoices) {
  const auto unfused = problem_of(unfused_experts());
  const auto fused = problem_of({tensor("layers.0.mlp.experts.gate_up_proj", "expert", {2, 64, 128},
                                        "gate_up", 1 + 2 + 3 + 4, 50 + 60 + 70 + 20)});
  ASSERT_THAT(unfused.modules, SizeIs(1));
  ASSERT_THAT(fused.modules, SizeIs(1));
  EXPECT_THAT(unfused.modules[0].choices, SizeIs(19));
  for (std::size_t i = 0; i < 19; ++i) {
    const auto& a = unfused.modules[0].choices[i];
    const auto& b = fused.modules[0].choices[i];
    EXPECT_EQ(a.bytes, b.bytes);
    EXPECT_DOUBLE_EQ(a.error, b.error);
  }
  EXPECT_DOUBLE_EQ(choice(fused.modules[0], four_in_64).error, 10.0 / 200.0 * factor_of_64);
}

TEST(Problem, MatricesThatARuntimeTiesCountEachForItself) {
  const auto tied =
      problem_of({tensor("self_attn.k_proj.weight", "attention", {32, 128}, "qkv", 1, 10),
                  tensor("self_attn.q_proj.weight", "attention", {64, 128}, "qkv", 4, 80)});
  ASSERT_THAT(tied.modules, SizeIs(1));
  const auto& chosen = choice(tied.modules[0], four_in_64);
  EXPECT_DOUBLE_EQ(chosen.error, (1.0 / 10 + 4.0 / 80) * factor_of_64);
  EXPECT_DOUBLE_EQ(chosen.nrmse, std::sqrt(1.0 / 10 * factor_of_64)) << "the worst of the two";
  EXPECT_EQ(chosen.bytes, 96 * 128 / 2 + 96 * 2 * 4);
}

TEST(Problem, TheTermsAreNamedAlikeForFusedAndUnfusedFamilies) {
  const auto term = [](const std::string& name) {
    return objective_term(tensor(name, "expert", {32, 32}, ""));
  };
  EXPECT_EQ(term("model.layers.3.mlp.experts.gate_up_proj"), "model.layers.3.mlp.experts.gate_up");
  EXPECT_EQ(term("model.layers.3.mlp.experts.17.up_proj.weight"),
            "model.layers.3.mlp.experts.gate_up");
  EXPECT_EQ(term("model.layers.3.block_sparse_moe.experts.1.w3.weight"),
            "model.layers.3.block_sparse_moe.experts.gate_up");
  EXPECT_EQ(term("model.layers.3.block_sparse_moe.experts.1.w2.weight"),
            "model.layers.3.block_sparse_moe.experts.down");
  EXPECT_EQ(objective_term(tensor("layers.0.mlp.up_proj.weight", "mlp", {32, 32}, "")),
            "layers.0.mlp.up_proj.weight");
}

TEST(Problem, AlphaMultipliesTheError) {
  Alpha alpha;
  alpha.by_role = {{"attention", 3.0}};
  alpha.patterns = {{"*k_proj*", 0.5}, {"*", 2.0}};
  const auto q = tensor("q_proj.weight", "attention", {32, 128}, "q");
  EXPECT_EQ(alpha.of(q).value, 2.0) << "a pattern before a role";
  alpha.patterns.pop_back();
  EXPECT_EQ(alpha.of(q).value, 3.0);
  const auto problem = problem_of({tensor("k_proj.weight", "attention", {32, 128}, "k"), q},
                                  {.formats = affine_formats()}, alpha);
  EXPECT_DOUBLE_EQ(choice(problem.modules[0], four_in_64).error, 0.5 * 0.01 * factor_of_64);
  EXPECT_DOUBLE_EQ(choice(problem.modules[1], four_in_64).error, 3.0 * 0.01 * factor_of_64);
}

TEST(Problem, ThePriorCountsWhereAlphaIsSilent) {
  auto q = tensor("q_proj.weight", "attention", {32, 128}, "q");
  q.prior = {0.5, "q"};
  const auto k = tensor("k_proj.weight", "attention", {32, 128}, "k");
  EXPECT_DOUBLE_EQ(choice(problem_of({q}).modules[0], four_in_64).error, 0.5 * 0.01 * factor_of_64);
  EXPECT_DOUBLE_EQ(choice(problem_of({k}).modules[0], four_in_64).error, 0.01 * factor_of_64);
  Alpha alpha;
  alpha.by_role = {{"attention", 3.0}};
  EXPECT_EQ(alpha.of(q).value, 3.0);
  alpha = {.patterns = {}, .by_role = {}, .has_prior = false};
  EXPECT_EQ(alpha.of(q).value, 1.0);
}

TEST(Problem, AlphaOfATermIsThatOfAllItsTensors) {
  Alpha alpha;
  alpha.patterns = {{"layers.0.mlp.experts.gate_up", 7.0}};
  for (const auto& expert : unfused_experts()) EXPECT_EQ(alpha.of(expert).value, 7.0);
}

TEST(AlphaFile, ColumnsBesidePatternAndAlphaArePassedOver) {
  const auto patterns = parse_alpha("low,alpha,pattern\n1,2,a\n3,4,b\n", "f");
  ASSERT_THAT(patterns, SizeIs(2));
  EXPECT_EQ(patterns[1].glob, "b");
  EXPECT_EQ(patterns[1].factor, 4.0);
  for (const auto* bad : {"low,alpha,pattern\n1,2\n", "low,alpha,name\n1,2,a\n"}) {
    EXPECT_THROW(parse_alpha(bad, "alpha.csv"), Error) << bad;
  }
}

TEST(AlphaFile, IsReadAndRefusedByLine) {
  const auto patterns = parse_alpha("pattern,alpha\n*.mlp.*,2\n\"a,b\",0.25\n", "f");
  ASSERT_THAT(patterns, SizeIs(2));
  EXPECT_EQ(patterns[0].glob, "*.mlp.*");
  EXPECT_EQ(patterns[0].factor, 2.0);
  EXPECT_EQ(patterns[0].line, 2);
  EXPECT_EQ(patterns[1].glob, "a,b");
  EXPECT_EQ(patterns[1].factor, 0.25);
  EXPECT_EQ(patterns[1].line, 3);
  for (const auto* bad : {"a,1\nb\n", "a,1\nb,-1\n", "a,1\nb,inf\n", "a,1\nb,\n", "a,1\nb,x\n"}) {
    try {
      parse_alpha(bad, "alpha.csv");
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("alpha.csv:2")) << bad;
    }
  }
}

TEST(Problem, AChoiceNeedsEveryTensorMeasuredAndStorable) {
  auto experts = unfused_experts();
  experts[2].sse.erase(four_in_64);
  experts[1].sse[{"affine", 8, 32}] = std::numeric_limits<double>::infinity();
  experts[0].shape = {32, 96};  // no groups of 64 or 128
  const auto problem = problem_of(experts);
  std::vector<std::pair<int, int>> formats;
  for (const auto& found : problem.modules.at(0).choices)
    formats.emplace_back(found.encoding.bits, found.encoding.group_size);
  EXPECT_THAT(formats, ElementsAre(std::pair(2, 32), std::pair(3, 32), std::pair(4, 32),
                                   std::pair(5, 32), std::pair(6, 32), std::pair(16, 0)));
}

TEST(Problem, AProtectedTensorKeepsAllThatAreStoredLikeIt) {
  for (const auto* pattern : {"EXPERTS.1.gate", "*experts.1.gate_proj.weight"}) {
    const auto problem = problem_of(unfused_experts(),
                                    {.formats = affine_formats(), .protected_patterns = {pattern}});
    EXPECT_THAT(problem.modules, SizeIs(0));
    const auto rows = plan_rows(problem, {});
    EXPECT_EQ(rows[0].action, "keep");
    EXPECT_THAT(rows[0].reason, HasSubstr("stored like layers.0.mlp.experts.1.gate_proj.weight"));
    EXPECT_THAT(rows[2].reason, HasSubstr(pattern));
  }
}

TEST(Problem, KeepersTellProtectedTensorsFromThoseThatShareTheirStorage) {
  const auto problem = problem_of(
      unfused_experts(), {.formats = affine_formats(), .protected_patterns = {"experts.1"}});
  EXPECT_THAT(problem.keepers, ElementsAre(Keeper::pattern_alike, Keeper::pattern_alike,
                                           Keeper::pattern, Keeper::pattern));
  EXPECT_THAT(problem.kept_because[3], HasSubstr("protected pattern"));
}

TEST(Problem, WhatIsNotFiniteIsKeptWithAllThatAreStoredLikeItByEveryMethod) {
  auto tensors = unfused_experts();
  tensors[2].nonfinite = "non-finite weight at index 7";
  const auto problem = problem_of(std::move(tensors));
  const auto rows = plan_rows(problem, uniform(problem, four_in_64));
  ASSERT_THAT(rows, SizeIs(4));
  for (const auto& kept : rows) EXPECT_EQ(kept.action, "keep");
  EXPECT_EQ(rows[2].reason, "non-finite weight at index 7");
  EXPECT_EQ(rows[0].reason,
            "stored like layers.0.mlp.experts.1.gate_proj.weight, which is not finite");
}

TEST(Problem, WhatARuntimeWidensTakesMoreWhenKept) {
  auto norm = tensor("norm.weight", "norm", {64}, "norm");
  norm.quantizable = false;
  norm.kept_element_bytes = 4;
  auto router = tensor("router.weight", "router", {8, 128}, "router");
  router.kept_element_bytes = 4;
  const auto problem = problem_of({norm, router});
  EXPECT_EQ(problem.modules.at(0).choices.back().bytes, 4 * 8 * 128);
  const auto rows = plan_rows(problem, uniform(problem, {}));
  EXPECT_EQ(row(rows, "norm.weight").bytes, 4 * 64);
  EXPECT_EQ(row(rows, "router.weight").bytes, 4 * 8 * 128);
}

TEST(Problem, MinimumBitsAndFixedRolesLimitTheChoices) {
  const auto problem =
      problem_of({tensor("a", "router", {32, 128}, "a"), tensor("b", "expert", {32, 128}, "b"),
                  tensor("c", "head", {32, 128}, "c")},
                 {.formats = affine_formats(),
                  .may_keep = false,
                  .min_bits = {{"expert", 6}},
                  .fixed = {{"router", {"affine", 8, 64}}, {"head", Encoding{}}}});
  ASSERT_THAT(problem.modules, SizeIs(3));
  ASSERT_THAT(problem.modules[0].choices, SizeIs(1));
  EXPECT_EQ(problem.modules[0].choices[0].encoding.bits, 8);
  EXPECT_EQ(problem.modules[0].choices[0].encoding.group_size, 64);
  EXPECT_THAT(problem.modules[1].choices, SizeIs(6)) << "6 and 8 bits, not kept";
  for (const auto& found : problem.modules[1].choices) EXPECT_GE(found.encoding.bits, 6);
}

TEST(Uniform, TakesTheNearestThatFitsAndSaysSo) {
  auto narrow = tensor("narrow", "mlp", {32, 96}, "narrow");
  const auto problem = problem_of({narrow, tensor("wide", "mlp", {32, 128}, "wide")});
  const auto decisions = uniform(problem, {"affine", 4, 128});
  EXPECT_EQ(decisions[0].choice.encoding.group_size, 32);
  EXPECT_THAT(decisions[0].reason, HasSubstr("nearest to 4 bits in groups of 128"));
  EXPECT_EQ(decisions[1].choice.encoding.group_size, 128);
  EXPECT_EQ(decisions[1].reason, "uniform");
}

TEST(Uniform, WithoutMeasurementsHasSizesButNoError) {
  auto one = tensor("a", "mlp", {32, 128}, "a");
  one.sse.clear();
  one.sum_squares = std::numeric_limits<double>::quiet_NaN();
  const auto problem = problem_of({one});
  const auto decisions = uniform(problem, {"affine", 4, 128});
  EXPECT_EQ(bytes_of(decisions), 32 * 128 / 2 + 32 * 4);
  EXPECT_TRUE(std::isnan(error_of(decisions)));
  EXPECT_THAT(problem.modules[0].choices, SizeIs(1)) << "keeping it is all that has a known error";
}

TEST(ErrorOf, IsNotANumberWhenAnyPartWasNotMeasured) {
  auto partly = tensor("b", "mlp", {64, 128}, "b");
  partly.sse.erase(four_in_64);
  const auto problem = problem_of({tensor("a", "mlp", {32, 128}, "a"), partly});
  const auto decisions = uniform(problem, four_in_64);
  EXPECT_TRUE(std::isnan(error_of(decisions)));
  const auto coverage = coverage_of(problem, decisions);
  EXPECT_EQ(coverage.tensors, 2);
  EXPECT_EQ(coverage.tensors_measured, 1);
  EXPECT_EQ(coverage.params, 96 * 128);
  EXPECT_EQ(coverage.params_measured, 32 * 128);
  EXPECT_THAT(coverage.missing, ElementsAre(four_in_64));
  const auto rows = plan_rows(problem, decisions);
  EXPECT_TRUE(std::isnan(row(rows, "b").sse));
  EXPECT_FALSE(std::isnan(row(rows, "a").sse));
}

TEST(ErrorOf, IsZeroWhenAllIsKeptAlthoughNothingWasMeasured) {
  auto one = tensor("a", "mlp", {32, 128}, "a");
  one.sse.clear();
  one.sum_squares = std::numeric_limits<double>::quiet_NaN();
  const auto problem = problem_of({one});
  const auto decisions = uniform(problem, Encoding{});
  EXPECT_EQ(error_of(decisions), 0.0);
  EXPECT_EQ(coverage_of(problem, decisions).tensors, 0);
}

TEST(Choice, HasNoErrorUntilItIsMeasured) {
  EXPECT_TRUE(std::isnan(Choice{}.error));
  EXPECT_TRUE(std::isnan(Choice{}.nrmse));
  EXPECT_TRUE(std::isnan(Allocation{}.error));
  EXPECT_TRUE(std::isnan(Allocation{}.gap()));
}

TEST(Problem, AFixedFormatThatWasNotMeasuredIsSaid) {
  auto expert = tensor("a", "expert", {32, 128}, "a");
  expert.sse.erase(four_in_64);
  const auto problem = problem_of({expert, tensor("b", "mlp", {32, 128}, "b")},
                                  {.formats = affine_formats(), .fixed = {{"expert", four_in_64}}});
  EXPECT_THAT(problem.fixed_unmeasured, ElementsAre(0U));
  const auto decisions = uniform(problem, four_in_64);
  EXPECT_EQ(decisions[0].choice.encoding.bits, 4) << "the role is met, its error is not known";
  EXPECT_TRUE(std::isnan(error_of(decisions)));
}

TEST(Problem, AFormatOfATensorWithoutAMeasuredNormHasNoNrmse) {
  auto unknown = tensor("a", "mlp", {32, 128}, "a");
  unknown.sum_squares = std::numeric_limits<double>::quiet_NaN();
  const auto problem = problem_of({unknown});
  EXPECT_TRUE(std::isnan(choice(problem.modules[0], four_in_64).nrmse));
}

TEST(Swan, AModuleTakesTheMostBitsOfItsTensors) {
  auto experts = unfused_experts();
  for (auto& expert : experts) expert.swan = SwanScore{4, 0.3, true, "composite between"};
  experts[3].swan = SwanScore{8, 0.7, true, "composite >= 0.65"};
  const auto problem = problem_of(experts);
  const auto decision = swan(problem, 64, {}).at(0);
  EXPECT_EQ(decision.choice.encoding.bits, 8);
  EXPECT_EQ(decision.choice.encoding.group_size, 64);
  EXPECT_THAT(decision.reason, HasSubstr("composite >= 0.65"));
  EXPECT_THAT(decision.reason, HasSubstr("experts.1.up_proj"));
  EXPECT_EQ(swan(problem, 64, {}, 0.25).at(0).choice.encoding.quantizer, "") << "0.95 is kept";
  EXPECT_EQ(swan(problem, 64, {}, -0.65).at(0).choice.encoding.bits, 2);
}

TEST(Swan, BitsThatAreNotAllowedBecomeTheNearest) {
  auto two = tensor("a", "mlp", {32, 128}, "a");
  two.swan = SwanScore{2, 0.05, true, "composite <= 0.1"};
  auto sixteen = tensor("b", "mlp", {32, 128}, "b");
  sixteen.swan = SwanScore{16, 0.95, true, "composite >= 0.9"};
  const auto problem = problem_of(
      {two, sixteen}, {.formats = {{"affine", 4, 64}, {"affine", 8, 64}}, .may_keep = false});
  const auto decisions = swan(problem, 64, {});
  EXPECT_EQ(decisions[0].choice.encoding.bits, 4);
  EXPECT_THAT(decisions[0].reason, HasSubstr("nearest to 2 bits"));
  EXPECT_EQ(decisions[1].choice.encoding.bits, 8);
}

TEST(SwanWithin, MovesTheThresholdsAsFarAsTheSizeAllows) {
  std::vector<Tensor> tensors;
  for (int i = 0; i < 10; ++i) {
    tensors.push_back(tensor(std::string(1, static_cast<char>('a' + i)), "mlp", {32, 128},
                             std::string(1, static_cast<char>('a' + i))));
    tensors.back().swan = SwanScore{4, 0.1 * i, true, "composite"};
  }
  const auto problem = problem_of(tensors);
  const auto four_bits = std::int64_t{10} * (32 * 128 / 2 + 64 * 4);
  const auto found = swan_within(problem, 64, {}, four_bits);
  ASSERT_TRUE(found);
  EXPECT_LE(bytes_of(found->first), four_bits);
  EXPECT_GT(bytes_of(swan(problem, 64, {}, found->second + 0.11)), four_bits);
  EXPECT_FALSE(swan_within(problem, 64, {}, 10));
}

TEST(PlanRows, SayWhatBecomesOfEveryTensor) {
  auto norm = tensor("norm.weight", "norm", {128}, "norm");
  norm.quantizable = false;
  norm.reason = "a vector";
  auto mtp = tensor("mtp.fc.weight", "other", {32, 128}, "mtp");
  mtp.fate = names::Fate::dropped;
  mtp.reason = "no place";
  auto odd = tensor("odd.weight", "other", {32, 128}, "odd");
  odd.fate = names::Fate::unmapped;
  odd.reason = "unknown";
  const auto problem =
      problem_of({norm, mtp, odd, tensor("q.weight", "attention", {32, 128}, "q", 1, 50)});
  const auto rows = plan_rows(problem, uniform(problem, four_in_64));
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(row(rows, "norm.weight").action, "keep");
  EXPECT_EQ(row(rows, "norm.weight").bytes, 256);
  EXPECT_EQ(row(rows, "norm.weight").bits, 16);
  EXPECT_EQ(row(rows, "norm.weight").reason, "a vector");
  EXPECT_EQ(row(rows, "mtp.fc.weight").action, "drop");
  EXPECT_EQ(row(rows, "mtp.fc.weight").bytes, 0);
  EXPECT_EQ(row(rows, "odd.weight").action, "keep");
  EXPECT_EQ(row(rows, "odd.weight").reason, "unmapped: unknown");
  const auto& quantized = row(rows, "q.weight");
  EXPECT_EQ(quantized.action, "quantize");
  EXPECT_EQ(quantized.module, "q");
  EXPECT_EQ(quantized.shape, "32x128");
  EXPECT_EQ(quantized.bytes, 32 * 128 / 2 + 64 * 4);
  EXPECT_DOUBLE_EQ(quantized.sse, factor_of_64);
  EXPECT_EQ(quantized.sum_squares, 50.0);
}

TEST(Budget, IsNeverWorseThanUniformOrSwanOfTheSameSize) {
  std::vector<Tensor> tensors;
  for (int i = 0; i < 40; ++i) {
    const auto name = "t" + std::to_string(100 + i);
    tensors.push_back(tensor(name, "mlp", {32 + 32 * (i % 3), 128}, name, 1.0 + i * 7 % 11));
    tensors.back().swan = SwanScore{4, 0.013 * (i * 29 % 41), true, "composite"};
  }
  const auto problem = problem_of(tensors);
  int compared = 0;
  for (int target = 1; target <= 20; ++target) {
    const auto swanned = swan_within(problem, 64, {}, 90'000 + 20'000 * target);
    for (const auto& format : affine_formats()) {
      const auto flat = uniform(problem, format);
      EXPECT_LE(within_budget(problem.modules, bytes_of(flat))->error, error_of(flat));
    }
    if (!swanned) continue;
    EXPECT_LE(within_budget(problem.modules, bytes_of(swanned->first))->error,
              error_of(swanned->first));
    ++compared;
  }
  EXPECT_GE(compared, 10);
}

}  // namespace
}  // namespace moesweep::allocation
