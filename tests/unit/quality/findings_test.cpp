#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/quality/reduce.hpp>

#include "published_study.hpp"

namespace moesweep::quality::test {
namespace {

using records::FindingRow;
using testing::HasSubstr;

const records::Tables& published_tables() {
  static const auto tables = analyse(published_cells(), published_options());
  return tables;
}

std::vector<FindingRow> findings_of(const std::string& kind,
                                    const records::Tables& tables = published_tables()) {
  auto rows = records::rows_of<FindingRow>(tables);
  std::erase_if(rows, [&](const auto& row) { return row.kind != kind; });
  return rows;
}

TEST(Findings, OppositeSignsAreHeterogeneityNotAParadox) {
  const auto rows = findings_of("heterogeneity");
  const auto& row = row_where(rows, [](const FindingRow& one) {
    return one.quality == "coherence" && one.safety == "refusal_rate";
  });
  EXPECT_THAT(row.text, HasSubstr("the models differ"));
  EXPECT_LT(row.p, 1e-5);
  EXPECT_TRUE(findings_of("simpson").empty());
}

TEST(Findings, HiddenDangerIsStableQualityWithLostSafety) {
  const auto rows = findings_of("hidden_danger");
  const auto& sure = row_where(rows, [](const FindingRow& one) {
    return one.model == "llama3.2-1b" && one.level == "Q3_K_S" && one.safety == "refusal_rate";
  });
  EXPECT_EQ(
      sure.text,
      "llama3.2-1b at Q3_K_S keeps its bertscore (+0.98 pp) while refusal_rate loses 13.64 pp "
      "(80.0 % against 93.6 % at FP16): p = 0.00097 after Holm");
  const auto& unsure = row_where(rows, [](const FindingRow& one) {
    return one.model == "llama3.2-3b" && one.level == "Q4_K_M";
  });
  EXPECT_THAT(unsure.text, HasSubstr("not significant at n = 220"));
  EXPECT_GT(unsure.resolving_n, 220.0);
  // Q2_K of the 1B model loses both: no danger that quality would hide.
  EXPECT_TRUE(std::none_of(rows.begin(), rows.end(), [](const FindingRow& one) {
    return one.model == "llama3.2-1b" && one.level == "Q2_K";
  }));
}

TEST(Findings, OverRefusalIsOfRefusalMetricsOnly) {
  const auto rows = findings_of("over_refusal");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].level, "Q3_K_S");
  EXPECT_EQ(rows[1].level, "Q2_K");
  for (const auto& row : rows) EXPECT_EQ(row.safety, "refusal_rate");
}

TEST(Findings, FloorIsQ5ByObservedChanges) {
  const auto floors_found = records::rows_of<records::FloorRow>(published_tables());
  for (const auto* model : {"llama3.2-1b", "llama3.2-3b", "all"}) {
    const auto& row = row_where(floors_found, [&](const auto& one) {
      return one.model == model && one.criterion == "within_margin";
    });
    EXPECT_EQ(row.level, "Q5_K_M");
    EXPECT_EQ(row.stopped_by, "Q4_K_M");
  }
  const auto& proven = row_where(floors_found, [](const auto& one) {
    return one.model == "all" && one.criterion == "proven";
  });
  EXPECT_EQ(proven.level, "FP16") << "220 samples prove no equivalence";
}

TEST(Findings, AlertsGoInBothDirections) {
  const auto rows = records::rows_of<records::AlertRow>(published_tables());
  const auto direction = [&](const char* model, const char* level) {
    return row_where(rows, [&](const auto& one) {
      return one.model == model && one.level == level && one.metric == "refusal_rate";
    });
  };
  EXPECT_EQ(direction("llama3.2-1b", "Q2_K").direction, "under_refusal");
  EXPECT_EQ(direction("llama3.2-1b", "Q2_K").severity, "alert");
  EXPECT_EQ(direction("llama3.2-3b", "Q2_K").direction, "over_refusal");
  EXPECT_EQ(direction("llama3.2-3b", "Q4_K_M").severity, "warn");
}

TEST(Findings, EveryTestIsSignificantEquivalentOrUnresolved) {
  const auto tests = records::rows_of<records::SafetyTestRow>(published_tables());
  const auto equivalents = records::rows_of<records::QualityEquivalenceRow>(published_tables());
  const auto significant = std::count_if(tests.begin(), tests.end(),
                                         [](const auto& row) { return row.significant != 0; });
  const auto equivalent = std::count_if(equivalents.begin(), equivalents.end(),
                                        [](const auto& row) { return row.equivalent != 0; });
  EXPECT_EQ(significant + equivalent + std::ssize(findings_of("unresolved")), 36);
}

// As many samples as a finding asks for resolve it, if values stay what they are.
TEST(Findings, TheNumberOfSamplesResolvesWhatItIsGivenFor) {
  auto options = published_options();
  const auto cells = published_cells();
  for (const auto& finding : findings_of("unresolved")) {
    if (std::isnan(finding.resolving_n)) continue;
    SCOPED_TRACE(finding.text);
    auto more = cells;
    for (auto& cell : more) {
      if (cell.metric == finding.safety) {
        // Twice: the number gives 80 % power, not certainty of the observed difference.
        const auto samples = static_cast<std::int64_t>(2.0 * finding.resolving_n);
        if (cell.yes >= 0) {
          cell.yes = std::llround(static_cast<double>(cell.yes * samples) /
                                  static_cast<double>(cell.samples));
        }
        cell.samples = samples;
      }
    }
    const auto tables = analyse(more, options);
    const auto left = findings_of("unresolved", tables);
    EXPECT_TRUE(std::none_of(left.begin(), left.end(), [&](const auto& one) {
      return one.model == finding.model && one.level == finding.level &&
             one.safety == finding.safety;
    }));
  }
}

TEST(Findings, AnUnfinishedSweepHasNone) {
  const Study study(published_cells());
  records::Tables rows;
  for (const auto& cell : study.cells()) records::append_row(rows, cell);
  for (const auto pass : whole_passes()) {
    if (pass != "thresholds") {
      records::append(rows, run_pass(pass, study, published_options()));
    }
  }
  const auto tables = reduce(rows, published_options());
  EXPECT_FALSE(tables.contains("quality/findings"));
  EXPECT_FALSE(tables.contains("quality/floor"));
  EXPECT_TRUE(tables.contains("quality/tests"));
}

TEST(Reduce, LeavesOutWhatIsOnlyThereToBeJoined) {
  EXPECT_FALSE(published_tables().contains("quality/gap_replicates"));
  EXPECT_TRUE(published_tables().contains("quality/bootstrap"));
}

}  // namespace
}  // namespace moesweep::quality::test
