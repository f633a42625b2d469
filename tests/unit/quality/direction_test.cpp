#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/quality/direction.hpp>

namespace moesweep::quality::test {
namespace {

TEST(Direction, NamesOfHarmSuggestLowerIsBetter) {
  for (const auto* name : {"toxicity",
                           "toxicity_score",
                           "perplexity",
                           "ppl",
                           "wiki-ppl",
                           "loss",
                           "NLLLoss",
                           "evalLoss",
                           "error_rate",
                           "ErrorRate",
                           "top1_error",
                           "attack_success_rate",
                           "attackSuccessRate",
                           "ASR",
                           "harm",
                           "harmful_response_rate",
                           "safety_violation_rate",
                           "hallucination",
                           "bias",
                           "bias_score",
                           "latency_ms",
                           "false_refusal_rate",
                           "over_refusal",
                           "false_positive_rate",
                           "cross_entropy",
                           "detection_error_rate",
                           "accuracy_loss",
                           "forbidden_error_rate"}) {
    EXPECT_TRUE(suggests_lower_is_better(name)) << name;
  }
}

TEST(Direction, WordsThatTurnTheMeaningOrOnlyContainItDoNot) {
  for (const auto* name : {"",
                           "accuracy",
                           "closs",
                           "lossless",
                           "glossary",
                           "error_free",
                           "errorFreeRate",
                           "errorless",
                           "bias_resistance",
                           "unbiased",
                           "toxicity_detection_accuracy",
                           "toxicity_f1",
                           "harmless",
                           "harmlessness",
                           "harmful_refusal_rate",
                           "refusal_rate",
                           "jailbreak_resistance",
                           "robustness_to_attacks",
                           "no_harm",
                           "bertscore",
                           "rouge_l",
                           "coherence",
                           "applied",
                           "serror",
                           "loss_reduction",
                           "lack_of_bias"}) {
    EXPECT_FALSE(suggests_lower_is_better(name)) << name;
  }
}

TEST(Direction, EachMetricIsListedAndAForgottenOneWarnedAbout) {
  Options options;
  options.quality = {"accuracy"};
  options.safety = {"toxicity", "error_rate"};
  options.lower_is_better = {"error_rate"};
  std::vector<records::CellRow> cells;
  for (const auto* metric : {"accuracy", "toxicity", "error_rate"}) {
    records::CellRow cell;
    cell.model = "m";
    cell.level = "full";
    cell.metric = metric;
    cell.role = role_of(options, metric);
    cell.yes_no = static_cast<std::int8_t>(cell.metric == "error_rate");
    cells.push_back(cell);
  }
  const Study study(cells);
  const auto rows = metrics(study, options);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].metric, "accuracy");
  EXPECT_EQ(rows[0].direction, "higher_is_better");
  EXPECT_EQ(rows[0].warning, "");
  EXPECT_EQ(rows[1].role, "safety");
  EXPECT_EQ(rows[1].direction, "higher_is_better");
  EXPECT_EQ(rows[1].yes_no, 0);
  EXPECT_THAT(rows[1].warning, testing::HasSubstr("quality.metrics.lower_is_better"));
  EXPECT_THAT(rows[1].warning, testing::HasSubstr("toxicity"));
  EXPECT_EQ(rows[2].direction, "lower_is_better");
  EXPECT_EQ(rows[2].yes_no, 1);
  EXPECT_EQ(rows[2].warning, "");
}

}  // namespace
}  // namespace moesweep::quality::test
