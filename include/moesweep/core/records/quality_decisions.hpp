#pragma once
// Rows that tell which changes are real, which are not resolved, and what may be deployed.
// docs/quality.md tells how each number is made.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

struct SafetyTestRow {
  std::string model;
  std::string level;
  std::string metric;
  std::int64_t samples_baseline = 0;
  std::int64_t samples = 0;
  double baseline = not_measured;
  double value = not_measured;
  double delta_pp = not_measured;
  std::string test;
  double p = not_measured;
  double p_holm = not_measured;
  double p_bonferroni = not_measured;
  double se_welch = not_measured;
  double t_welch = not_measured;
  double freedom_welch = not_measured;
  double p_welch = not_measured;
  double p_holm_welch = not_measured;
  double cohens_d = not_measured;
  double cohens_h = not_measured;
  std::string magnitude;
  std::int8_t significant = 0;
  std::string reason;
};

struct QualityEquivalenceRow {
  std::string model;
  std::string level;
  std::string metric;
  std::int64_t samples = 0;
  double delta_pp = not_measured;
  double margin_pp = not_measured;
  std::string test;
  double z_lower = not_measured;
  double p_lower = not_measured;
  double z_upper = not_measured;
  double p_upper = not_measured;
  double p = not_measured;
  std::int8_t equivalent = 0;
  double resolving_n = not_measured;
  double se_pp_welch = not_measured;
  double freedom_welch = not_measured;
  double t_lower_welch = not_measured;
  double p_lower_welch = not_measured;
  double t_upper_welch = not_measured;
  double p_upper_welch = not_measured;
  double p_welch = not_measured;
  std::string reason;
};

struct PowerRow {
  std::string model;
  std::string metric;
  std::int64_t samples = 0;
  std::string test{};
  double mde_pp = not_measured;
  double mde_rounded_pp = not_measured;
  double n_for_margin = not_measured;
};

struct CapabilityRow {
  std::string model;
  std::string level;
  std::string metric;
  std::int64_t samples = 0;
  double baseline = not_measured;
  double value = not_measured;
  double delta_pp = not_measured;
  double retained = not_measured;
  std::string test;
  double p = not_measured;
  double p_holm = not_measured;
  double p_welch = not_measured;
  double safety_pp = not_measured;
  std::string reason;
};

struct AlertThresholdRow {
  std::string model;
  std::string metric;
  std::int64_t samples = 0;
  double baseline = not_measured;
  double warn_below = not_measured;
  double warn_above = not_measured;
  double alert_below = not_measured;
  double alert_above = not_measured;
};

struct AlertRow {
  std::string model;
  std::string level;
  std::string metric;
  std::string direction;
  std::string severity;
  double value = not_measured;
  double limit = not_measured;
  double delta_pp = not_measured;
};

struct FloorRow {
  std::string model;
  std::string criterion;
  std::string level{};
  double bits_per_weight = not_measured;
  std::string stopped_by{};
  std::string reason{};
};

struct FindingRow {
  std::string kind;
  std::string model;
  std::string level;
  std::string quality;
  std::string safety;
  std::string text;
  double quality_pp = not_measured;
  double safety_pp = not_measured;
  double value = not_measured;
  double p = not_measured;
  std::int64_t samples = 0;
  double resolving_n = not_measured;
};

template <>
struct TableOf<SafetyTestRow> {
  using Row = SafetyTestRow;
  static constexpr auto name = "quality/tests";
  static constexpr auto description = "Each safety metric of each level against the baseline";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"metric", &Row::metric, "", "Safety metric"},
      Column{"samples_baseline", &Row::samples_baseline, "1", "Samples of the baseline"},
      Column{"samples", &Row::samples, "1", "Samples of the level"},
      Column{"baseline", &Row::baseline, "", "Value of the baseline"},
      Column{"value", &Row::value, "", "Value of the level"},
      Column{"delta_pp", &Row::delta_pp, "pp", "Change, positive for better"},
      Column{"test", &Row::test, "", "fisher (exact, of shares) or welch (of means)"},
      Column{"p", &Row::p, "1", "Two-sided, of that test"},
      Column{"p_holm", &Row::p_holm, "1",
             "p adjusted over this table (Holm); tests that could not be made count as p = 1"},
      Column{"p_bonferroni", &Row::p_bonferroni, "1", "The same, Bonferroni"},
      Column{"se_welch", &Row::se_welch, "", "Standard error of the difference"},
      Column{"t_welch", &Row::t_welch, "1", "Welch's t of baseline less level"},
      Column{"freedom_welch", &Row::freedom_welch, "1", "Welch-Satterthwaite degrees of freedom"},
      Column{"p_welch", &Row::p_welch, "1",
             "Two-sided; of shares for comparison with published tables, no finding is made of it"},
      Column{"p_holm_welch", &Row::p_holm_welch, "1", "p_welch adjusted as p is"},
      Column{"cohens_d", &Row::cohens_d, "1", "Difference over the pooled standard deviation"},
      Column{"cohens_h", &Row::cohens_h, "1", "Difference of arcsines, of shares"},
      Column{"magnitude", &Row::magnitude, "",
             "negligible, small, medium, large, very large: of h, else of d"},
      Column{"significant", &Row::significant, "", "1 when p_holm < alpha"},
      Column{"reason", &Row::reason, "", "Why there is no test"},
  };
};

template <>
struct TableOf<QualityEquivalenceRow> {
  using Row = QualityEquivalenceRow;
  static constexpr auto name = "quality/equivalence";
  static constexpr auto description =
      "Whether a change is shown to be within the margin (two one-sided tests)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"metric", &Row::metric, "", "Safety metric"},
      Column{"samples", &Row::samples, "1", "Samples of the level"},
      Column{"delta_pp", &Row::delta_pp, "pp", "Level less baseline"},
      Column{"margin_pp", &Row::margin_pp, "pp", "Margin either side"},
      Column{"test", &Row::test, "",
             "farrington_manning (score tests, of shares) or welch (of means)"},
      Column{"z_lower", &Row::z_lower, "1",
             "(delta + margin) over its error if the difference were -margin; of shares"},
      Column{"p_lower", &Row::p_lower, "1", "That the difference is not above -margin"},
      Column{"z_upper", &Row::z_upper, "1",
             "(delta - margin) over its error if the difference were +margin; of shares"},
      Column{"p_upper", &Row::p_upper, "1", "That the difference is not below +margin"},
      Column{"p", &Row::p, "1", "The larger of the two"},
      Column{"equivalent", &Row::equivalent, "", "1 when p < alpha"},
      Column{
          "resolving_n", &Row::resolving_n, "1",
          "Samples a level that would show equivalence, or a change beyond the margin at alpha "
          "over the tests made, with the asked power if values stay what they are; infinite when "
          "none would"},
      Column{"se_pp_welch", &Row::se_pp_welch, "pp", "Standard error of the difference"},
      Column{"freedom_welch", &Row::freedom_welch, "1", "Welch-Satterthwaite degrees of freedom"},
      Column{"t_lower_welch", &Row::t_lower_welch, "1", "(delta + margin) / error"},
      Column{"p_lower_welch", &Row::p_lower_welch, "1", "That it is not above -margin, t test"},
      Column{"t_upper_welch", &Row::t_upper_welch, "1", "(delta - margin) / error"},
      Column{"p_upper_welch", &Row::p_upper_welch, "1", "That it is not below +margin, t test"},
      Column{"p_welch", &Row::p_welch, "1",
             "The larger of the two; of shares for comparison with published tables, no finding is "
             "made of it"},
      Column{"reason", &Row::reason, "", "Why there is no test"},
  };
};

template <>
struct TableOf<PowerRow> {
  using Row = PowerRow;
  static constexpr auto name = "quality/power";
  static constexpr auto description = "What the safety metrics can see at their sample sizes";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"metric", &Row::metric, "", "Safety metric"},
      Column{"samples", &Row::samples, "1", "Fewest samples of a level"},
      Column{"test", &Row::test, "",
             "Whose power: fisher (exact, of shares) or normal (approximation, of means with the "
             "spread of shares of 1/2)"},
      Column{"mde_pp", &Row::mde_pp, "pp",
             "Smallest change about 1/2 found with the asked power, infinite when none is"},
      Column{"mde_rounded_pp", &Row::mde_rounded_pp, "pp",
             "Of the normal approximation with quantiles rounded to two digits, as printed tables "
             "have it"},
      Column{"n_for_margin", &Row::n_for_margin, "1", "Samples a level to find the margin"},
  };
};

template <>
struct TableOf<CapabilityRow> {
  using Row = CapabilityRow;
  static constexpr auto name = "quality/capability";
  static constexpr auto description = "Capability of each level on the tasks it shares with all";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"metric", &Row::metric, "", "Capability metric"},
      Column{"samples", &Row::samples, "1", "Samples of the level, 0 when not told"},
      Column{"baseline", &Row::baseline, "", "Value of the baseline"},
      Column{"value", &Row::value, "", "Value of the level"},
      Column{"delta_pp", &Row::delta_pp, "pp", "Change, positive for better"},
      Column{"retained", &Row::retained, "1", "Value over the baseline's"},
      Column{"test", &Row::test, "", "fisher (exact, of shares) or welch (of means)"},
      Column{"p", &Row::p, "1", "Two-sided, of that test"},
      Column{"p_holm", &Row::p_holm, "1", "p adjusted over this table (Holm)"},
      Column{"p_welch", &Row::p_welch, "1", "Welch's test"},
      Column{"safety_pp", &Row::safety_pp, "pp", "Change of the first safety metric there"},
      Column{"reason", &Row::reason, "", "Why there is no test"},
  };
};

template <>
struct TableOf<AlertThresholdRow> {
  using Row = AlertThresholdRow;
  static constexpr auto name = "quality/thresholds";
  static constexpr auto description =
      "When to raise an alert on a new measurement of as many samples, in both directions";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"metric", &Row::metric, "", "Safety metric"},
      Column{"samples", &Row::samples, "1", "Samples of the baseline"},
      Column{"baseline", &Row::baseline, "", "Value of the baseline"},
      Column{"warn_below", &Row::warn_below, "", "Baseline less the margin"},
      Column{"warn_above", &Row::warn_above, "", "Baseline plus the margin"},
      Column{"alert_below", &Row::alert_below, "", "Largest value significantly below"},
      Column{"alert_above", &Row::alert_above, "", "Smallest value significantly above"},
  };
};

template <>
struct TableOf<AlertRow> {
  using Row = AlertRow;
  static constexpr auto name = "quality/alerts";
  static constexpr auto description = "Levels beyond a threshold";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"metric", &Row::metric, "", "Safety metric"},
      Column{"direction", &Row::direction, "",
             "below or above; of refusal metrics under_refusal or over_refusal"},
      Column{"severity", &Row::severity, "", "warn (beyond the margin) or alert (significant too)"},
      Column{"value", &Row::value, "", "Value of the level"},
      Column{"limit", &Row::limit, "", "Threshold that it crossed"},
      Column{"delta_pp", &Row::delta_pp, "pp", "Change, positive for better"},
  };
};

template <>
struct TableOf<FloorRow> {
  using Row = FloorRow;
  static constexpr auto name = "quality/floor";
  static constexpr auto description =
      "Lowest level that may be deployed: it and all levels above it meet the criterion";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model, or all"},
      Column{"criterion", &Row::criterion, "",
             "within_margin (observed changes), no_significant_loss (tests) or proven (TOST)"},
      Column{"level", &Row::level, "", "The floor; the baseline when no level meets it"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit", "Of the floor"},
      Column{"stopped_by", &Row::stopped_by, "", "Next level, which does not meet it"},
      Column{"reason", &Row::reason, "", "What it does not meet"},
  };
};

template <>
struct TableOf<FindingRow> {
  using Row = FindingRow;
  static constexpr auto name = "quality/findings";
  static constexpr auto description = "What the numbers say, in words";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"kind", &Row::kind, "",
             "heterogeneity, simpson, hidden_danger, over_refusal, gate, floor, alert_threshold or "
             "unresolved"},
      Column{"model", &Row::model, "", "Model, or all"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"text", &Row::text, "", "The finding"},
      Column{"quality_pp", &Row::quality_pp, "pp", "Change of quality"},
      Column{"safety_pp", &Row::safety_pp, "pp", "Change of safety"},
      Column{"value", &Row::value, "", "Number the text turns on: a coefficient, share or bits"},
      Column{"p", &Row::p, "1", "Its p value, adjusted where the pass adjusts"},
      Column{"samples", &Row::samples, "1", "Samples of the cell"},
      Column{"resolving_n", &Row::resolving_n, "1", "Samples a level that would resolve it"},
  };
};

}  // namespace moesweep::records
