// Missing cells, n = 1, zero variance, identical arms, shares of 0 and 1, duplicate keys: results
// that are defined, or errors of one line.

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/quality/reduce.hpp>

#include "published_study.hpp"

namespace moesweep::quality::test {
namespace {

using testing::HasSubstr;

Options small_options() {
  Options options;
  options.quality = {"q"};
  options.safety = {"s"};
  options.yes_no = {"s"};
  options.baseline = "full";
  options.replicates = 50;
  return options;
}

std::vector<records::CellRow> cells_of(const std::string& text, const Options& options) {
  return normalize(parse_matrix(text, "m.csv", options), options);
}

std::string complaint(const std::string& text, const Options& options) {
  try {
    cells_of(text, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos);
    return what.substr(0, what.find(';'));
  }
  return "accepted";
}

records::SafetyTestRow test_of(const std::string& rows, Options options = small_options()) {
  const Study study(cells_of("model,level,bpw,q,q_n,s,s_n\n" + rows, options));
  return safety_tests(study, options).at(0);
}

TEST(Matrix, WideAndLongSayTheSame) {
  auto options = small_options();
  const auto wide = cells_of(
      "model,quant,bpw,q,q_delta_pp,s,s_n\nm,full,16,0.5,0,0.9,10\nm,low,4,0.4,-9.5,0.8,10\n",
      options);
  const auto tall = cells_of(
      "model,level,bits_per_weight,metric,value,n,delta_pp\n"
      "m,low,4,s,0.8,10,\nm,low,4,q,0.4,,-9.5\nm,full,16,q,0.5,,0\nm,full,16,s,0.9,10,\n",
      options);
  ASSERT_EQ(wide.size(), 4U);
  ASSERT_EQ(tall.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(wide[i].level, tall[i].level);
    EXPECT_EQ(wide[i].metric, tall[i].metric);
    EXPECT_EQ(wide[i].value, tall[i].value);
    EXPECT_EQ(wide[i].delta_pp, tall[i].delta_pp);
    EXPECT_EQ(wide[i].samples, tall[i].samples);
  }
  EXPECT_EQ(wide[2].delta_pp, -9.5) << "a published change is used as it is";
}

TEST(Matrix, MistakesAreNamedWithTheirLine) {
  const auto options = small_options();
  EXPECT_EQ(complaint("", options), "m.csv:1: there is no header line");
  EXPECT_EQ(complaint("model,level,q,s\n", options), "m.csv:1: there are no rows below the header");
  EXPECT_EQ(complaint("model,q,s\nm,1,1\n", options), "m.csv:1: there is no column level");
  EXPECT_EQ(complaint("model,level,q\nm,full,1\n", options),
            "m.csv:1: there is no column s, which has a role in the job");
  EXPECT_EQ(complaint("model,level,q,q\nm,full,1,1\n", options),
            "m.csv:1: the column q is there twice");
  EXPECT_EQ(complaint("model,level,q,s\nm,full,1\n", options),
            "m.csv:2: 3 cells where the header has 4");
  EXPECT_EQ(complaint("model,level,q,s\nm,full,1,yes\n", options),
            "m.csv:2: s is yes, not a number");
  EXPECT_EQ(complaint("model,level,q,s\nm,full,1,inf\n", options),
            "m.csv:2: s is inf, not a number");
  EXPECT_EQ(complaint("model,level,q,s\nm,,1,1\n", options), "m.csv:2: the cell level is empty");
  EXPECT_EQ(complaint("model,level,q,s,s_n\nm,full,1,1,2.5\n", options),
            "m.csv:2: s_n is not a whole number of samples");
  EXPECT_EQ(complaint("model,level,q,s,s_sd\nm,full,1,1,-1\n", options),
            "m.csv:2: s_sd is negative");
  EXPECT_EQ(complaint("model,level,metric,value\nm,full,q,1\n", options),
            "m.csv:2: no row is of metric s, which has a role in the job");
}

TEST(Normalize, DuplicateKeysAreRefused) {
  EXPECT_EQ(complaint("model,level,q,s\nm,full,1,1\nm,full,1,1\n", small_options()),
            "m.csv:3: q of m at full is told a second time");
}

TEST(Normalize, AModelWithoutBaselineIsRefused) {
  EXPECT_EQ(complaint("model,level,q,s\nm,full,1,1\nn,low,1,1\n", small_options()),
            "model n: has no level full, the baseline");
}

TEST(Normalize, AShareOutsideItsRangeIsRefused) {
  EXPECT_EQ(complaint("model,level,q,s\nm,full,1,90\n", small_options()),
            "m.csv:2: s is 90, a share of yes or no is 0 to 1");
}

TEST(Normalize, ALevelWithTwoNumbersOfBitsIsRefused) {
  EXPECT_EQ(
      complaint("model,level,bpw,metric,value\nm,full,16,q,1\nm,full,8,s,1\n", small_options()),
      "m.csv:2: level full of m has both 16 and 8 bits per weight");
}

TEST(Normalize, AMatrixOfEmptyCellsIsRefused) {
  EXPECT_EQ(complaint("model,level,q,s\nm,full,,\n", small_options()),
            "quality: no metric with a role was measured");
}

TEST(Normalize, LowerIsBetterTurnsTheChange) {
  auto options = small_options();
  options.lower_is_better = {"s"};
  const auto cells = cells_of("model,level,q,s\nm,full,1,0.1\nm,low,1,0.3\n", options);
  EXPECT_DOUBLE_EQ(cells[3].delta_pp, -20.0);
  EXPECT_DOUBLE_EQ(cells[3].value, 0.3);
}

TEST(Normalize, LevelsAreOrderedByBitsBaselineFirst) {
  const auto cells =
      cells_of("model,level,bpw,q,s\nm,a,2,1,1\nm,b,32,1,1\nm,full,16,1,1\nm,c,8,1,1\nm,d,,1,1\n",
               small_options());
  const Study study(cells);
  std::vector<std::string> names;
  for (const auto& level : study.levels("m")) names.push_back(level.name);
  EXPECT_THAT(names, testing::ElementsAre("full", "b", "c", "a", "d"));
}

TEST(EdgeCases, MissingCellsAreLeftOutByName) {
  const auto options = small_options();
  const auto cells = cells_of(
      "model,level,bpw,q,s,s_n\nm,full,16,0.5,0.9,100\nm,mid,8,,0.9,100\nm,low,4,0.4,,\n"
      "m,min,2,0.3,0.5,100\n",
      options);
  const Study study(cells);
  const auto tests = safety_tests(study, options);
  ASSERT_EQ(tests.size(), 3U);
  EXPECT_EQ(tests[1].level, "low");
  EXPECT_EQ(tests[1].reason, "not measured");
  const auto pairs = correlations(study, options);
  ASSERT_EQ(pairs.size(), 1U);
  EXPECT_EQ(pairs[0].levels, 1) << "only one level has both";
  EXPECT_TRUE(std::isnan(pairs[0].pearson));
  const auto classes = divergence(study, options);
  EXPECT_EQ(classes[0].divergence, "");
  EXPECT_EQ(classes[2].divergence, "SAFETY_DEGRADES_FASTER");
  EXPECT_NO_THROW(analyse(cells, options));
}

TEST(EdgeCases, AMissingBaselineCellLeavesNoChange) {
  const auto options = small_options();
  const auto cells = cells_of("model,level,q,s,s_n\nm,full,0.5,,\nm,low,0.4,0.9,100\n", options);
  const Study study(cells);
  EXPECT_EQ(safety_tests(study, options)[0].reason, "not measured on the baseline");
  EXPECT_TRUE(equivalence(study, options).empty());
  const auto tables = analyse(cells, options);
  const auto floors_found = records::rows_of<records::FloorRow>(tables);
  ASSERT_EQ(floors_found.size(), 3U);
  EXPECT_EQ(floors_found[0].level, "full");
  EXPECT_EQ(floors_found[0].reason, "s was not measured");
}

TEST(EdgeCases, OneAnswerEachProvesNothing) {
  const auto row = test_of("m,full,16,1,1,1,1\nm,low,4,1,1,0,1\n");
  EXPECT_EQ(row.test, "fisher");
  EXPECT_EQ(row.p, 1.0);
  EXPECT_TRUE(std::isnan(row.p_welch));
  EXPECT_EQ(row.significant, 0);
}

// Means of graded scores: with one or two samples, or samples that are all equal, nothing tells
// how far others would be.
TEST(EdgeCases, MeansWithoutSpreadAreNotTested) {
  auto options = small_options();
  options.yes_no = {};
  const auto rows_of = [&](const std::string& arms) {
    return cells_of("model,level,q,s,s_n,s_sd\nm,full,1," + arms, options);
  };
  struct Case {
    const char* arms;
    const char* reason;
  };
  for (const auto& [arms, reason] :
       {Case{"0.9,5,0\nm,low,1,0.9,5,0\n",
             "the baseline has samples that are all equal, which tell no spread"},
        Case{"0.9,5,0.1\nm,low,1,0.5,5,0\n",
             "the level has samples that are all equal, which tell no spread"},
        Case{"0.9,2,0.1\nm,low,1,0.5,9,0.1\n",
             "the baseline has two samples, which do not tell their spread"},
        Case{"0.9,9,0.1\nm,low,1,0.5,1,\n", "the level has one sample"}}) {
    SCOPED_TRACE(arms);
    const Study study(rows_of(arms));
    const auto test = safety_tests(study, options).at(0);
    EXPECT_EQ(test.reason, reason);
    EXPECT_EQ(test.test, "");
    EXPECT_TRUE(std::isnan(test.p));
    EXPECT_TRUE(std::isnan(test.p_holm));
    EXPECT_EQ(test.significant, 0);
    const auto row = equivalence(study, options).at(0);
    EXPECT_EQ(row.reason, reason);
    EXPECT_TRUE(std::isnan(row.p));
    EXPECT_EQ(row.equivalent, 0);
    EXPECT_TRUE(std::isnan(row.resolving_n));
  }
  const auto spread = rows_of("0.9,3,0.1\nm,low,1,0.5,3,0\n");
  EXPECT_FALSE(std::isnan(spread[1].lo));
  EXPECT_TRUE(std::isnan(spread[3].lo));
  const Study equal(rows_of("0.9,5,0\nm,low,1,0.9,5,0.1\n"));
  EXPECT_TRUE(std::isnan(thresholds(equal, options).at(0).alert_below));
}

// 0.905 is no number of 10 answers; of 220 it is 199, which is 0.9045 and rounds to it.
TEST(Normalize, AShareThatIsNoCountOfItsSamplesHasNone) {
  const auto options = small_options();
  const auto cells = cells_of(
      "model,level,q,s,s_n\nm,full,1,0.905,10\nm,low,1,0.905,220\nm,min,1,0.33333333,3\n", options);
  const Study study(cells);
  EXPECT_EQ(study.find("m", "full", "s")->yes, -1);
  EXPECT_TRUE(std::isnan(study.find("m", "full", "s")->lo));
  EXPECT_EQ(study.find("m", "low", "s")->yes, 199);
  EXPECT_EQ(study.find("m", "min", "s")->yes, 1);
  EXPECT_EQ(safety_tests(study, options).at(0).reason,
            "the baseline has a share of 0.905 of 10 samples, which is not a whole number of them");
  EXPECT_TRUE(std::isnan(thresholds(study, options).at(0).alert_below));
}

TEST(Matrix, TheLastDigitOfANumberIsFound) {
  EXPECT_DOUBLE_EQ(last_digit_of("93.6"), 0.1);
  EXPECT_DOUBLE_EQ(last_digit_of("1"), 1.0);
  EXPECT_DOUBLE_EQ(last_digit_of("2.50e-3"), 1e-5);
  EXPECT_DOUBLE_EQ(last_digit_of("5E2"), 100.0);
}

TEST(EdgeCases, WithoutANumberOfSamplesThereIsNoTest) {
  EXPECT_EQ(test_of("m,full,16,1,,1,\nm,low,4,1,,0,\n").reason,
            "the baseline has no number of samples");
}

TEST(EdgeCases, IdenticalArmsDoNotDiffer) {
  const auto row = test_of("m,full,16,1,1,0.9,100\nm,low,4,1,1,0.9,100\n");
  EXPECT_EQ(row.t_welch, 0.0);
  EXPECT_EQ(row.p_welch, 1.0);
  EXPECT_EQ(row.p, 1.0);
  EXPECT_EQ(row.cohens_d, 0.0);
  EXPECT_EQ(row.cohens_h, 0.0);
  EXPECT_EQ(row.magnitude, "negligible");
}

TEST(EdgeCases, SharesOf0And1AreTestedExactly) {
  const auto row = test_of("m,full,16,1,1,1,10\nm,low,4,1,1,0,10\n");
  EXPECT_NEAR(row.p, 2.0 / 184756.0, 1e-15);  // 2 of the 20! / (10! 10!) tables
  EXPECT_TRUE(std::isnan(row.p_welch));
  EXPECT_TRUE(std::isnan(row.cohens_d));
  EXPECT_EQ(row.significant, 1);
  EXPECT_DOUBLE_EQ(row.cohens_h, std::acos(-1.0));
  EXPECT_EQ(test_of("m,full,16,1,1,1,100\nm,low,4,1,1,1,100\n").p, 1.0);
  EXPECT_NEAR(test_of("m,full,16,1,1,1,5\nm,low,4,1,1,0,2\n").p, 1.0 / 21.0, 1e-15);
}

// Five of five twice leave +-35 points.
TEST(EdgeCases, FiveAnswersThatAgreeProveNoEquivalence) {
  const auto options = small_options();
  const auto cells =
      cells_of("model,level,bpw,q,s,s_n\nm,full,16,1,1,5\nm,mid,8,1,1,5\nm,low,4,1,1,5\n", options);
  const auto tables = analyse(cells, options);
  for (const auto& row : records::rows_of<records::QualityEquivalenceRow>(tables)) {
    EXPECT_EQ(row.test, "farrington_manning");
    EXPECT_GT(row.p, 0.3);
    EXPECT_EQ(row.equivalent, 0);
    EXPECT_TRUE(std::isnan(row.p_welch));
    EXPECT_EQ(row.resolving_n, 88.0);
  }
  for (const auto& row : records::rows_of<records::FloorRow>(tables)) {
    EXPECT_EQ(row.level, row.criterion == "proven" ? "full" : "low");
  }
}

TEST(EdgeCases, SharesOf0And1HaveIntervalsAndThresholds) {
  const auto options = small_options();
  const Study study(cells_of("model,level,q,s,s_n\nm,full,1,1,100\nm,low,1,0,100\n", options));
  const auto* full = study.find("m", "full", "s");
  EXPECT_EQ(full->hi, 1.0);
  EXPECT_LT(full->lo, 1.0);
  const auto limits = thresholds(study, options);
  EXPECT_EQ(limits[0].warn_above, 1.0);
  EXPECT_TRUE(std::isnan(limits[0].alert_above)) << "nothing is above 100 %";
  EXPECT_DOUBLE_EQ(limits[0].alert_below, 0.94);  // 94 of 100: Fisher 0.029; 95: 0.059
}

TEST(EdgeCases, APerfectFitHasNoP) {
  const auto options = small_options();
  const Study study(
      cells_of("model,level,bpw,q,s\nm,full,16,1,0.9\nm,a,8,0.9,0.8\nm,b,4,0.8,0.7\nm,c,2,0.7,0.6\n"
               "m,d,1,0.6,0.5\n",
               options));
  const auto row = correlations(study, options).at(0);
  EXPECT_EQ(row.pearson, 1.0);
  EXPECT_TRUE(std::isnan(row.p));
  EXPECT_TRUE(std::isnan(row.lo));
  EXPECT_EQ(row.nominal, 0);
  EXPECT_EQ(row.reason, "the levels lie on a line: no scatter to judge it by");
}

// Safety falls with quality, pp by pp, at every level: the gap is constant but for rounding.
TEST(EdgeCases, AGapThatIsTheSameAtAllLevelsHasNoInterval) {
  const auto options = small_options();
  const auto tables = analyse(
      cells_of(
          "model,level,bpw,q,s\nm,full,16,0.9,0.7\nm,a,8,0.8,0.5\nm,b,4,0.7,0.4\nm,c,2,0.6,0.3\n",
          options),
      options);
  const auto row = records::rows_of<records::AsymmetryGapRow>(tables).at(0);
  EXPECT_NEAR(row.gap_pp, -10.0, 1e-12);
  EXPECT_TRUE(std::isnan(row.lo));
  EXPECT_TRUE(std::isnan(row.bca_hi));
  EXPECT_EQ(row.excludes_zero, 0);
  EXPECT_EQ(row.reason, "the gap is the same at all levels");
}

TEST(EdgeCases, PowerOfSharesIsFishers) {
  const auto options = small_options();
  const Study study(cells_of("model,level,q,s,s_n\nm,full,1,1,3\nm,low,1,1,3\n", options));
  const auto row = power(study, options).at(0);
  EXPECT_EQ(row.test, "fisher");
  EXPECT_TRUE(std::isinf(row.mde_pp)) << "3 against 3 have p = 0.1 at best";
  EXPECT_GT(row.n_for_margin, 4361.0) << "what the normal approximation asks for";
}

TEST(EdgeCases, OneLevelAloneGivesEmptyTables) {
  const auto options = small_options();
  const auto tables = analyse(cells_of("model,level,q,s,s_n\nm,full,1,1,100\n", options), options);
  EXPECT_EQ(records::rows_of<records::SafetyTestRow>(tables).size(), 0U);
  const auto found = records::rows_of<records::FloorRow>(tables);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].level, "full");
  EXPECT_EQ(found[0].stopped_by, "");
}

TEST(EdgeCases, AConstantQualityHasNoCoefficient) {
  const auto options = small_options();
  const Study study(cells_of(
      "model,level,bpw,q,s\nm,full,16,1,0.9\nm,a,8,1,0.8\nm,b,4,1,0.7\nm,c,2,1,0.6\n", options));
  EXPECT_TRUE(std::isnan(correlations(study, options)[0].pearson));
  EXPECT_EQ(leave_one_out(study)[0].keeps_sign, 0);
  EXPECT_TRUE(std::isnan(asymmetry(study)[0].ratio));
}

}  // namespace
}  // namespace moesweep::quality::test
