#pragma once
// Rows of suppression sweeps: heads trained on states from which irrelevant evidence was taken.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// What one setting did to the states.
struct SuppressionSettingRow {
  std::string variant;
  std::string layer;
  std::string pooling;
  std::string mode;
  double parameter = not_measured;
  std::string evidence_layer;
  std::int64_t spans = 0;
  std::int64_t spans_dropped = 0;
  std::int64_t samples_all_dropped = 0;
  std::int64_t values_changed = 0;
  std::int8_t structural_no_op = 0;
  std::string reason;
};

/// One head trained on suppressed states.
struct SuppressedSeedRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string mode;
  double parameter = not_measured;
  std::int64_t seed = 0;
  std::string split;
  std::int64_t samples = 0;
  double accuracy = not_measured;
  std::int64_t forbidden_errors = 0;
  std::int64_t forbidden_truths = 0;
  std::int32_t epochs = 0;
};

/// All predictions of one such head.
struct SuppressedPredictionRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string mode;
  double parameter = not_measured;
  std::int64_t seed = 0;
  std::string predicted;
};

/// The same seed with and without.
struct SuppressionPairRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string mode;
  double parameter = not_measured;
  std::int64_t seed = 0;
  double accuracy_without = not_measured;
  double accuracy_with = not_measured;
  std::int64_t forbidden_without = 0;
  std::int64_t forbidden_with = 0;
};

/// One effect with its uncertainty.
struct SuppressionTestRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string mode;
  double parameter = not_measured;
  std::string measure;
  std::int64_t seeds = 0;
  std::int64_t samples = 0;
  std::int64_t clusters = 0;
  double effect = not_measured;
  double se_samples = not_measured;
  double t = not_measured;
  double p = not_measured;
  double p_holm = not_measured;
  double low = not_measured;
  double high = not_measured;
  double p_mcnemar = not_measured;
  double se_seeds = not_measured;
  double p_seeds_t = not_measured;
  double p_seeds_wilcoxon = not_measured;
  std::string reason;
};

/// "hard_mask 0.5"; soft_mask has no parameter.
std::string setting_text(const std::string& mode, double parameter);

template <>
struct TableOf<SuppressionSettingRow> {
  using Row = SuppressionSettingRow;
  static constexpr auto name = "suppression/settings";
  static constexpr auto description = "What a suppression changed, before any head was trained";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"mode", &Row::mode, "", "soft_mask, hard_mask or directional"},
      Column{"parameter", &Row::parameter, "1", "tau of hard_mask, alpha of directional, else 0"},
      Column{"evidence_layer", &Row::evidence_layer, "", "Layer of the evidence head"},
      Column{"spans", &Row::spans, "1", "Spans"},
      Column{"spans_dropped", &Row::spans_dropped, "1", "Spans dropped by hard_mask"},
      Column{"samples_all_dropped", &Row::samples_all_dropped, "1",
             "Samples whose spans all fell below tau: left as they were"},
      Column{"values_changed", &Row::values_changed, "1", "Features that differ from the baseline"},
      Column{"structural_no_op", &Row::structural_no_op, "",
             "1 when no feature differs: there is nothing to measure"},
      Column{"reason", &Row::reason, "", "Why it is a structural no-op, in words"},
  };
};

template <>
struct TableOf<SuppressedSeedRow> {
  using Row = SuppressedSeedRow;
  static constexpr auto name = "suppression/seeds";
  static constexpr auto description = "Heads trained with suppression, one a seed and split";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"mode", &Row::mode, "", "soft_mask, hard_mask or directional"},
      Column{"parameter", &Row::parameter, "1", "tau of hard_mask, alpha of directional, else 0"},
      Column{"seed", &Row::seed, "", "Seed of weights, dropout and batch order"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"samples", &Row::samples, "1", "Samples of the split"},
      Column{"accuracy", &Row::accuracy, "1", "Share predicted right"},
      Column{"forbidden_errors", &Row::forbidden_errors, "1", "Forbidden errors"},
      Column{"forbidden_truths", &Row::forbidden_truths, "1", "Samples of the forbidden truth"},
      Column{"epochs", &Row::epochs, "1", "Epochs trained"},
  };
};

template <>
struct TableOf<SuppressedPredictionRow> {
  using Row = SuppressedPredictionRow;
  static constexpr auto name = "suppression/predictions";
  static constexpr auto description = "Predictions with suppression";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"mode", &Row::mode, "", "soft_mask, hard_mask or directional"},
      Column{"parameter", &Row::parameter, "1", "tau of hard_mask, alpha of directional, else 0"},
      Column{"seed", &Row::seed, "", "Seed of weights, dropout and batch order"},
      Column{"predicted", &Row::predicted, "",
             "One digit a sample, in the order of cache/samples: the class"},
  };
};

template <>
struct TableOf<SuppressionPairRow> {
  using Row = SuppressionPairRow;
  static constexpr auto name = "suppression/pairs";
  static constexpr auto description =
      "Paired runs: the same seed with and without suppression, test split";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"mode", &Row::mode, "", "soft_mask, hard_mask or directional"},
      Column{"parameter", &Row::parameter, "1", "tau of hard_mask, alpha of directional, else 0"},
      Column{"seed", &Row::seed, "", "Seed of weights, dropout and batch order"},
      Column{"accuracy_without", &Row::accuracy_without, "1", "Baseline"},
      Column{"accuracy_with", &Row::accuracy_with, "1", "With suppression"},
      Column{"forbidden_without", &Row::forbidden_without, "1", "Forbidden errors of the baseline"},
      Column{"forbidden_with", &Row::forbidden_with, "1", "With suppression"},
  };
};

template <>
struct TableOf<SuppressionTestRow> {
  using Row = SuppressionTestRow;
  static constexpr auto name = "suppression/tests";
  static constexpr auto description =
      "Effect of suppression on the test split; seeds are not samples";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"mode", &Row::mode, "", "soft_mask, hard_mask or directional"},
      Column{"parameter", &Row::parameter, "1", "tau of hard_mask, alpha of directional, else 0"},
      Column{"measure", &Row::measure, "", "accuracy or forbidden"},
      Column{"seeds", &Row::seeds, "1", "Paired seeds"},
      Column{"samples", &Row::samples, "1", "Samples of the split"},
      Column{"clusters", &Row::clusters, "1", "Independent groups of samples"},
      Column{"effect", &Row::effect, "1",
             "Mean over samples of (with - without), a share of samples"},
      Column{"se_samples", &Row::se_samples, "1", "Standard error over samples"},
      Column{"t", &Row::t, "1", "Paired t over samples"},
      Column{"p", &Row::p, "1", "Two-sided p over samples: what new samples may show"},
      Column{"p_holm", &Row::p_holm, "1", "Holm over the rows of this table"},
      Column{"low", &Row::low, "1", "Bootstrap over clusters, 2.5 % quantile"},
      Column{"high", &Row::high, "1", "Bootstrap over clusters, 97.5 % quantile"},
      Column{"p_mcnemar", &Row::p_mcnemar, "1", "Exact McNemar of the two ensembles"},
      Column{"se_seeds", &Row::se_seeds, "1", "Standard error over seeds"},
      Column{"p_seeds_t", &Row::p_seeds_t, "1",
             "Paired t over seeds: repeatable on this test set, silent about new samples"},
      Column{"p_seeds_wilcoxon", &Row::p_seeds_wilcoxon, "1",
             "Wilcoxon signed ranks over seeds, as above"},
      Column{"reason", &Row::reason, "", "structural no-op, or why a value is missing"},
  };
};

}  // namespace moesweep::records
