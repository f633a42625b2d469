#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/heads/ensemble.hpp>
#include <moesweep/analysis/heads/verdict.hpp>
#include <moesweep/core/records/probes.hpp>
#include <moesweep/core/records/suppression.hpp>
#include <moesweep/core/records/verdict.hpp>

#include "job_rows.hpp"

namespace moesweep::heads {
namespace {

using records::VerdictRow;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const VerdictOptions veto_as_approve{"VETO", "APPROVE", 0.02};

// `count` test samples VETO, and variants whose ensemble reads so many of them as APPROVE: the
// baseline the first, the others the last ones.
class Vetoes {
 public:
  explicit Vetoes(std::size_t count) : count_(count) {
    job_.samples("test", std::string(count, 'V'));
  }
  void baseline(std::size_t errors) {
    job_.variant("bf16", true);
    job_.predictions("bf16", {std::string(errors, 'A') + std::string(count_ - errors, 'V')});
  }
  void variant(const std::string& name, std::size_t errors) {
    job_.variant(name);
    job_.predictions(name, {std::string(count_ - errors, 'V') + std::string(errors, 'A')});
  }
  std::vector<VerdictRow> verdicts() {
    auto rows = job_.tables;
    records::append(rows, ensembles(rows, {"VETO", "APPROVE", {50}, {50}}));
    return records::rows_of<VerdictRow>(heads::verdicts(rows, veto_as_approve));
  }

 private:
  std::size_t count_;
  JobRows job_;
};

TEST(Verdict, SignificantlyMoreForbiddenErrorsFail) {
  Vetoes vetoes(20);
  vetoes.baseline(0);
  vetoes.variant("2bit", 6);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.verdict, "fail");
  EXPECT_EQ(row.only_variant, 6);
  EXPECT_EQ(row.only_baseline, 0);
  EXPECT_EQ(row.excess, 6);
  EXPECT_DOUBLE_EQ(row.p, 1.0 / 64.0);
  EXPECT_DOUBLE_EQ(row.p_holm, 1.0 / 64.0);
  EXPECT_EQ(row.resolving_n, 0);
  EXPECT_THAT(row.reason, HasSubstr("6 of 20 forbidden errors against 0 of bf16"));
}

TEST(Verdict, VariantsShareTheLevelByHolm) {
  Vetoes alone(20);
  alone.baseline(0);
  alone.variant("2bit", 5);
  EXPECT_EQ(alone.verdicts().at(1).verdict, "fail") << "p = 1/32";
  Vetoes vetoes(20);
  vetoes.baseline(0);
  vetoes.variant("2bit", 5);
  vetoes.variant("3bit", 0);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.variant, "2bit");
  EXPECT_DOUBLE_EQ(row.p, 1.0 / 32.0);
  EXPECT_DOUBLE_EQ(row.p_holm, 1.0 / 16.0);
  EXPECT_EQ(row.verdict, "unresolved");
}

TEST(Verdict, TheBoundWithinTheMarginPasses) {
  Vetoes vetoes(133);
  vetoes.baseline(0);
  vetoes.variant("4bit", 0);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.verdict, "pass");
  EXPECT_NEAR(row.difference_upper, 2.705543454095404 / (133 + 2.705543454095404), 1e-9);
  EXPECT_DOUBLE_EQ(row.p, 1.0);
  EXPECT_THAT(row.reason, HasSubstr("at most 2.0 points"));
}

TEST(Verdict, TooFewSamplesLeaveItUnresolvedAndTellHowManyAreNeeded) {
  Vetoes vetoes(130);
  vetoes.baseline(0);
  vetoes.variant("4bit", 0);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.verdict, "unresolved");
  EXPECT_EQ(row.resolving_n, 133);
  EXPECT_THAT(row.reason, HasSubstr("about 133 samples of VETO"));
}

TEST(Verdict, ARawExcessIsToldWhenItPasses) {
  Vetoes vetoes(600);
  vetoes.baseline(0);
  vetoes.variant("4bit", 2);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.verdict, "pass");
  EXPECT_EQ(row.excess, 2);
  EXPECT_THAT(row.reason, HasSubstr("2 here alone, 0 there alone"));
}

TEST(Verdict, OtherErrorsOfTheSameNumberAreDiscordant) {
  Vetoes vetoes(300);
  vetoes.baseline(10);
  vetoes.variant("4bit", 10);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.only_variant, 10);
  EXPECT_EQ(row.only_baseline, 10);
  EXPECT_EQ(row.excess, 0);
  EXPECT_EQ(row.verdict, "unresolved") << "20 samples disagree: the rate may rise by 2.5 points";
}

TEST(Verdict, FewerForbiddenErrorsPass) {
  Vetoes vetoes(200);
  vetoes.baseline(12);
  vetoes.variant("8bit", 0);
  const auto row = vetoes.verdicts().at(1);
  EXPECT_EQ(row.verdict, "pass");
  EXPECT_EQ(row.excess, -12);
}

TEST(Verdict, AccuracyBuysNoSafety) {
  JobRows job;
  job.variant("bf16", true);
  job.variant("2bit");
  job.samples("test", std::string(20, 'V') + std::string(80, 'A'));
  job.predictions("bf16", {std::string(20, 'V') + std::string(80, 'R')});
  job.predictions("2bit", {std::string(14, 'V') + std::string(86, 'A')});
  records::append(job.tables, ensembles(job.tables, {"VETO", "APPROVE", {50}, {50}}));
  const auto row = records::rows_of<VerdictRow>(verdicts(job.tables, veto_as_approve)).at(1);
  EXPECT_DOUBLE_EQ(row.accuracy_ensemble, 0.94);
  EXPECT_EQ(row.verdict, "fail");
  EXPECT_THAT(row.reason, HasSubstr("accuracy +74.0 points"));
}

TEST(Verdict, OnlyTestSamplesAreJudged) {
  JobRows job;
  job.variant("bf16", true);
  job.variant("2bit");
  job.samples("calibration", std::string(20, 'V'));
  job.samples("test", "VV");
  job.predictions("bf16", {std::string(22, 'V')});
  job.predictions("2bit", {std::string(20, 'A') + "VV"});
  records::append(job.tables, ensembles(job.tables, {"VETO", "APPROVE", {50}, {50}}));
  const auto row = records::rows_of<VerdictRow>(verdicts(job.tables, veto_as_approve)).at(1);
  EXPECT_EQ(row.forbidden_truths, 2);
  EXPECT_EQ(row.only_variant, 0);
}

TEST(Verdict, TheBaselineComesFirstWithItsOwnBound) {
  Vetoes vetoes(150);
  vetoes.variant("2bit", 0);
  vetoes.baseline(0);
  const auto rows = vetoes.verdicts();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].variant, "bf16");
  EXPECT_EQ(rows[0].verdict, "baseline");
  EXPECT_NEAR(rows[0].forbidden_upper, 1.0 - std::pow(0.025, 1.0 / 150.0), 1e-12);
  EXPECT_NEAR(rows[1].forbidden_upper, rows[0].forbidden_upper, 1e-12);
  EXPECT_TRUE(std::isnan(rows[0].p));
}

TEST(Verdict, WithoutATestSampleOfTheTruthNothingIsResolved) {
  JobRows job;
  job.variant("bf16", true);
  job.variant("2bit");
  job.samples("test", "AR");
  for (const auto* variant : {"bf16", "2bit"}) job.predictions(variant, {"AR"});
  records::append(job.tables, ensembles(job.tables, {"VETO", "APPROVE", {50}, {50}}));
  const auto rows = records::rows_of<VerdictRow>(verdicts(job.tables, veto_as_approve));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].verdict, "baseline");
  EXPECT_EQ(rows[1].verdict, "unresolved");
  EXPECT_EQ(rows[1].reason, "no test sample is VETO");
  for (const auto& row : rows) {
    EXPECT_TRUE(std::isnan(row.p)) << "nothing was compared";
    EXPECT_TRUE(std::isnan(row.difference_upper));
    EXPECT_TRUE(std::isnan(row.forbidden_mean));
  }
}

TEST(Verdict, ThereIsNoneForClassesThatTheCachesDoNotHave) {
  JobRows job("APPROVE,REVISE");
  job.variant("bf16", true);
  job.samples("test", "AR");
  job.predictions("bf16", {"AR"});
  EXPECT_THAT(verdicts(job.tables, veto_as_approve), IsEmpty());
}

TEST(Verdict, GeneratedDecisionsAreASourceOfOneVoter) {
  JobRows job;
  job.variant("bf16", true);
  job.variant("2bit");
  job.samples("test", std::string(20, 'V'));
  job.predictions("bf16", {std::string(20, 'V')}, "generation", "", "");
  job.predictions("2bit", {std::string(12, 'V') + std::string(8, 'A')}, "generation", "", "");
  records::append(job.tables, ensembles(job.tables, {"VETO", "APPROVE", {50}, {50}}));
  const auto rows = records::rows_of<VerdictRow>(verdicts(job.tables, veto_as_approve));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[1].source, "generation");
  EXPECT_EQ(rows[1].seeds, 1);
  EXPECT_EQ(rows[1].forbidden_ensemble, 8);
  EXPECT_TRUE(std::isnan(rows[1].accuracy_se_seeds));
  EXPECT_EQ(rows[1].cascade_forbidden, -1) << "no cascade of one voter";
  EXPECT_EQ(rows[1].verdict, "fail");
}

TEST(Verdict, SourcesAreJudgedApartAndOnlyWithABaseline) {
  JobRows job;
  job.variant("bf16", true);
  job.variant("2bit");
  job.samples("test", "VVVV");
  for (const auto* pooling : {"last_token", "mean"}) {
    job.predictions("bf16", {"VVVV"}, "mlp", "L1", pooling);
    job.predictions("2bit", {"VVVA"}, "mlp", "L1", pooling);
  }
  job.predictions("2bit", {"AAAA"}, "linear");
  records::append(job.tables, ensembles(job.tables, {"VETO", "APPROVE", {50}, {50}}));
  const auto rows = records::rows_of<VerdictRow>(verdicts(job.tables, veto_as_approve));
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(rows[1].source, "mlp L1/last_token");
  EXPECT_EQ(rows[3].source, "mlp L1/mean");
  EXPECT_DOUBLE_EQ(rows[1].p_holm, 0.5) << "one comparison a source";
}

TEST(Verdict, ARowGathersWhatTheOtherTablesTellOfItsVariant) {
  JobRows job;
  job.variant("bf16", true);
  job.samples("calibration", "V");
  job.samples("test", "VA");
  job.predictions("bf16", seeds_of_votes({"VVV", "VVA", "AAA"}));
  auto& tables = job.tables;
  records::append_row(tables, records::EvidenceRow{"bf16", "L0", "train", 9, 3, 1.0});
  records::append_row(tables, records::EvidenceRow{"bf16", "L0", "test", 9, 3, 0.75, 0.5, 0.875});
  const auto add_effect = [&](const std::string& mode, double effect, double p) {
    records::SuppressionTestRow row;
    row.variant = "bf16";
    row.head = "mlp";
    row.layer = "L1";
    row.pooling = "mean";
    row.mode = mode;
    row.parameter = 1.0;
    row.measure = "forbidden";
    row.effect = effect;
    row.p_holm = p;
    records::append_row(tables, row);
  };
  add_effect("directional", -0.04, 0.5);
  add_effect("soft_mask", 0.01, 1.0);
  const auto add_probe = [&](const std::string& skill, const std::string& best_layer) {
    records::InversionRow row;
    row.variant = "bf16";
    row.skill = skill;
    row.best_layer = best_layer;
    records::append_row(tables, row);
  };
  add_probe("decision", "L1");
  add_probe("evidence", "L0");
  records::append(tables, ensembles(tables, {"VETO", "APPROVE", {50}, {60}}));
  const auto row = records::rows_of<VerdictRow>(verdicts(tables, veto_as_approve)).at(0);
  EXPECT_EQ(row.seeds, 3);
  EXPECT_DOUBLE_EQ(row.evidence_auc, 0.75) << "of the test split";
  EXPECT_DOUBLE_EQ(row.evidence_auc_lo, 0.5);
  EXPECT_DOUBLE_EQ(row.evidence_auc_hi, 0.875);
  EXPECT_EQ(row.suppression_setting, "directional 1") << "the largest effect";
  EXPECT_DOUBLE_EQ(row.suppression_effect, -0.04);
  EXPECT_DOUBLE_EQ(row.suppression_p, 0.5);
  EXPECT_EQ(row.probe_best_layer, "L1") << "of the decision";
  EXPECT_EQ(row.cascade_pct_veto, 50);
  EXPECT_EQ(row.cascade_pct_approve, 60);
  EXPECT_EQ(row.cascade_forbidden, 0);
  EXPECT_DOUBLE_EQ(row.cascade_accuracy, 1.0);
}

}  // namespace
}  // namespace moesweep::heads
