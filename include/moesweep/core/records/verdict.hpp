#pragma once
// The table that sweeps over quantized variants are for.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// One variant against the baseline.
struct VerdictRow {
  std::string variant;
  std::string source;
  std::int64_t bits = 0;
  std::int64_t model_bytes = 0;
  std::int64_t seeds = 0;
  std::int64_t samples = 0;
  double evidence_auc = not_measured;
  double evidence_auc_lo = not_measured;
  double evidence_auc_hi = not_measured;
  double accuracy_mean = not_measured;
  double accuracy_se_seeds = not_measured;
  double accuracy_se_samples = not_measured;
  double accuracy_ensemble = not_measured;
  std::int64_t forbidden_truths = 0;
  double forbidden_mean = not_measured;
  std::int64_t forbidden_ensemble = 0;
  double forbidden_upper = not_measured;
  std::int32_t cascade_pct_veto = 0;
  std::int32_t cascade_pct_approve = 0;
  double cascade_accuracy = not_measured;
  std::int64_t cascade_forbidden = 0;
  double cascade_upper = not_measured;
  double suppression_effect = not_measured;
  double suppression_p = not_measured;
  std::string suppression_setting;
  std::string probe_best_layer;
  std::int8_t inverted = 0;
  std::int64_t excess = 0;
  std::int64_t only_variant = 0;
  std::int64_t only_baseline = 0;
  double p = not_measured;
  double p_holm = not_measured;
  double difference_upper = not_measured;
  std::int64_t resolving_n = 0;
  std::string verdict;
  std::string reason;
};

template <>
struct TableOf<VerdictRow> {
  using Row = VerdictRow;
  static constexpr auto name = "verdict";
  static constexpr auto description =
      "What accuracy hides: one row a variant and source of decisions";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"source", &Row::source, "", "heads (layer, pooling) or generation"},
      Column{"bits", &Row::bits, "bit", "Bits a weight, 0 when not told"},
      Column{"model_bytes", &Row::model_bytes, "B", "Size of the weights, 0 when not told"},
      Column{"seeds", &Row::seeds, "1", "Heads"},
      Column{"samples", &Row::samples, "1", "Test samples"},
      Column{"evidence_auc", &Row::evidence_auc, "1", "Evidence head on the test split"},
      Column{"evidence_auc_lo", &Row::evidence_auc_lo, "1", "Lower end of its 95 % interval"},
      Column{"evidence_auc_hi", &Row::evidence_auc_hi, "1", "Upper end"},
      Column{"accuracy_mean", &Row::accuracy_mean, "1", "Mean over seeds"},
      Column{"accuracy_se_seeds", &Row::accuracy_se_seeds, "1", "Standard error over seeds"},
      Column{"accuracy_se_samples", &Row::accuracy_se_samples, "1", "Standard error over samples"},
      Column{"accuracy_ensemble", &Row::accuracy_ensemble, "1", "Majority vote"},
      Column{"forbidden_truths", &Row::forbidden_truths, "1",
             "Test samples of the forbidden truth"},
      Column{"forbidden_mean", &Row::forbidden_mean, "1", "Forbidden errors, mean over seeds"},
      Column{"forbidden_ensemble", &Row::forbidden_ensemble, "1", "Forbidden errors of the vote"},
      Column{"forbidden_upper", &Row::forbidden_upper, "1",
             "One-sided 95 % Clopper-Pearson bound of their rate, shared among the variants"},
      Column{"cascade_pct_veto", &Row::cascade_pct_veto, "%",
             "Chosen on the calibration split; 0 without"},
      Column{"cascade_pct_approve", &Row::cascade_pct_approve, "%",
             "Chosen on the calibration split; 0 without"},
      Column{"cascade_accuracy", &Row::cascade_accuracy, "1", "Cascade on the test split"},
      Column{"cascade_forbidden", &Row::cascade_forbidden, "1",
             "Forbidden errors of the cascade, -1 without"},
      Column{"cascade_upper", &Row::cascade_upper, "1",
             "One-sided 95 % Clopper-Pearson bound of their rate, shared among the variants"},
      Column{"suppression_effect", &Row::suppression_effect, "1",
             "Effect on forbidden errors, over samples, of the setting where it is largest here"},
      Column{"suppression_p", &Row::suppression_p, "1", "Its p over samples, Holm"},
      Column{"suppression_setting", &Row::suppression_setting, "", "Which one"},
      Column{"probe_best_layer", &Row::probe_best_layer, "", "Best layer of the decision probe"},
      Column{"inverted", &Row::inverted, "", "1 when that is the very bottom"},
      Column{"excess", &Row::excess, "1",
             "Forbidden errors of the vote more than the baseline has"},
      Column{"only_variant", &Row::only_variant, "1", "Samples that err in the variant alone"},
      Column{"only_baseline", &Row::only_baseline, "1", "Samples that err in the baseline alone"},
      Column{"p", &Row::p, "1", "One-sided exact McNemar"},
      Column{"p_holm", &Row::p_holm, "1", "Holm over the variants"},
      Column{"difference_upper", &Row::difference_upper, "1",
             "Upper 95 % bound of the paired rate difference (Tango 1998)"},
      Column{"resolving_n", &Row::resolving_n, "1",
             "Samples of the forbidden truth that would resolve it at these rates, 0 when "
             "resolved, -1 when none would"},
      Column{"verdict", &Row::verdict, "", "baseline, pass, fail or unresolved"},
      Column{"reason", &Row::reason, "", "In words"},
  };
};

}  // namespace moesweep::records
