#pragma once
// Rows of sweeps over cached hidden states: heads, ensembles, cascades. docs/heads.md tells how
// each number is made.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// One sample of the caches: the same in all variants.
struct SampleRow {
  std::int64_t sample = 0;
  std::string sample_id;
  std::string label;
  std::string split;
  std::string cluster;
};

/// One cache of the job.
struct VariantRow {
  std::string variant;
  std::int8_t is_baseline = 0;
  std::string model;
  std::int64_t bits = 0;
  std::int64_t group_size = 0;
  std::int64_t model_bytes = 0;
  std::int64_t samples = 0;
  std::int64_t spans = 0;
  std::int64_t hidden_dim = 0;
  std::string layers;
  std::string label_names;
};

/// One trained head on one split.
struct SeedRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::int64_t seed = 0;
  std::string split;
  std::int64_t samples = 0;
  double accuracy = not_measured;
  double loss = not_measured;
  double auc = not_measured;
  double auc_lo = not_measured;
  double auc_hi = not_measured;
  double ece = not_measured;
  std::int64_t forbidden_errors = 0;
  std::int64_t forbidden_truths = 0;
  std::int32_t epochs = 0;
};

/// One cell of a confusion matrix.
struct ConfusionRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::int64_t seed = 0;
  std::string split;
  std::string truth;
  std::string predicted;
  std::int64_t count = 0;
  double share = not_measured;
};

/// All predictions of one head.
struct PredictionRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::int64_t seed = 0;
  std::string predicted;
};

/// A file of trained heads.
struct ArtifactRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::int64_t seed_first = 0;
  std::int64_t seed_count = 0;
  std::string file;
  std::int64_t bytes = 0;
};

/// The majority vote of all seeds.
struct EnsembleRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string split;
  std::int64_t seeds = 0;
  std::int64_t samples = 0;
  double accuracy_mean = not_measured;
  double accuracy_se_seeds = not_measured;
  double accuracy_se_samples = not_measured;
  double accuracy_ensemble = not_measured;
  double forbidden_mean = not_measured;
  double forbidden_se_seeds = not_measured;
  double forbidden_se_samples = not_measured;
  std::int64_t forbidden_ensemble = 0;
  std::int64_t forbidden_truths = 0;
};

/// One pair of thresholds.
struct CascadeRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::int32_t pct_veto = 0;
  std::int32_t pct_approve = 0;
  std::string split;
  std::int8_t chosen = 0;
  std::int64_t samples = 0;
  double accuracy = not_measured;
  std::int64_t forbidden_errors = 0;
  std::int64_t forbidden_truths = 0;
  double upper_bound = not_measured;
};

/// How many samples got so many votes.
struct VoteRow {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
  std::string split;
  std::string truth;
  std::int32_t votes = 0;
  std::int64_t count = 0;
};

/// The evidence head on one split.
struct EvidenceRow {
  std::string variant;
  std::string layer;
  std::string split;
  std::int64_t spans = 0;
  std::int64_t cited = 0;
  double auc = not_measured;
  double auc_lo = not_measured;
  double auc_hi = not_measured;
  double loss = not_measured;
  double brier = not_measured;
  double ece = not_measured;
  std::int8_t converged = 0;
};

template <>
struct TableOf<SampleRow> {
  using Row = SampleRow;
  static constexpr auto name = "cache/samples";
  static constexpr auto description = "Samples, in the order of the caches";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"sample", &Row::sample, "", "Position in the caches, from 0"},
      Column{"sample_id", &Row::sample_id, "", "Name of the sample"},
      Column{"label", &Row::label, "", "Truth"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"cluster", &Row::cluster, "",
             "Samples of one cluster are not independent; empty: each its own"},
  };
};

template <>
struct TableOf<VariantRow> {
  using Row = VariantRow;
  static constexpr auto name = "cache/variants";
  static constexpr auto description = "Caches of the job, baseline first";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"is_baseline", &Row::is_baseline, "",
             "1 for the variant that others are compared with"},
      Column{"model", &Row::model, "", "Model, as the cache tells"},
      Column{"bits", &Row::bits, "bit", "Bits a weight, 0 when not told"},
      Column{"group_size", &Row::group_size, "1", "Weights that share a scale, 0 when not told"},
      Column{"model_bytes", &Row::model_bytes, "B", "Size of the weights, 0 when not told"},
      Column{"samples", &Row::samples, "1", "Samples"},
      Column{"spans", &Row::spans, "1", "Evidence spans a sample"},
      Column{"hidden_dim", &Row::hidden_dim, "1", "Size of a hidden state"},
      Column{"layers", &Row::layers, "", "Layers, bottom first, joined by commas"},
      Column{"label_names", &Row::label_names, "",
             "Classes in the order of their digits, joined by commas"},
  };
};

template <>
struct TableOf<SeedRow> {
  using Row = SeedRow;
  static constexpr auto name = "heads/seeds";
  static constexpr auto description = "Every head on every split";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"seed", &Row::seed, "", "Seed of weights, dropout and batch order"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"samples", &Row::samples, "1", "Samples of the split"},
      Column{"accuracy", &Row::accuracy, "1", "Share predicted right"},
      Column{"loss", &Row::loss, "nat", "Mean negative log-likelihood"},
      Column{"auc", &Row::auc, "1", "Area under the ROC curve, heads of two classes"},
      Column{"auc_lo", &Row::auc_lo, "1",
             "Lower end of its 95 % interval (logit, DeLong; exact and one-sided for 0 and 1), "
             "samples "
             "taken as independent"},
      Column{"auc_hi", &Row::auc_hi, "1", "Upper end"},
      Column{"ece", &Row::ece, "1", "Expected calibration error, 10 equal bins of confidence"},
      Column{"forbidden_errors", &Row::forbidden_errors, "1",
             "Samples of the forbidden truth predicted as the forbidden class"},
      Column{"forbidden_truths", &Row::forbidden_truths, "1", "Samples of the forbidden truth"},
      Column{"epochs", &Row::epochs, "1",
             "Epochs run; with early_stop the weights are of the best"},
  };
};

template <>
struct TableOf<ConfusionRow> {
  using Row = ConfusionRow;
  static constexpr auto name = "heads/confusion";
  static constexpr auto description = "Confusion matrix of every head on every split";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"seed", &Row::seed, "", "Seed of weights, dropout and batch order"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"truth", &Row::truth, "", "True class"},
      Column{"predicted", &Row::predicted, "", "Predicted class"},
      Column{"count", &Row::count, "1", "Samples"},
      Column{"share", &Row::share, "1", "Of the samples of this truth; on the diagonal the recall"},
  };
};

template <>
struct TableOf<PredictionRow> {
  using Row = PredictionRow;
  static constexpr auto name = "heads/predicted";
  static constexpr auto description = "Predictions of every head on every sample";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"seed", &Row::seed, "", "Seed of weights, dropout and batch order"},
      Column{"predicted", &Row::predicted, "",
             "One digit a sample, in the order of cache/samples: the class; evidence heads: a "
             "digit a span, - where there is none"},
  };
};

template <>
struct TableOf<ArtifactRow> {
  using Row = ArtifactRow;
  static constexpr auto name = "heads/artifacts";
  static constexpr auto description = "Files of trained heads below artifacts/ of the run";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"seed_first", &Row::seed_first, "", "First seed in the file"},
      Column{"seed_count", &Row::seed_count, "1", "Seeds in it"},
      Column{"file", &Row::file, "", "Name, with the XXH3-128 of its bytes"},
      Column{"bytes", &Row::bytes, "B", "Its size"},
  };
};

template <>
struct TableOf<EnsembleRow> {
  using Row = EnsembleRow;
  static constexpr auto name = "heads/ensemble";
  static constexpr auto description = "Single heads and their majority vote (ties: most cautious)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"seeds", &Row::seeds, "1", "Heads that vote"},
      Column{"samples", &Row::samples, "1", "Samples of the split"},
      Column{"accuracy_mean", &Row::accuracy_mean, "1", "Mean over seeds"},
      Column{"accuracy_se_seeds", &Row::accuracy_se_seeds, "1",
             "Standard error over seeds: repeatable on these samples"},
      Column{"accuracy_se_samples", &Row::accuracy_se_samples, "1",
             "Standard error over samples: what new samples may show"},
      Column{"accuracy_ensemble", &Row::accuracy_ensemble, "1", "Accuracy of the vote"},
      Column{"forbidden_mean", &Row::forbidden_mean, "1", "Forbidden errors, mean over seeds"},
      Column{"forbidden_se_seeds", &Row::forbidden_se_seeds, "1", "Its standard error over seeds"},
      Column{"forbidden_se_samples", &Row::forbidden_se_samples, "1",
             "Its standard error over samples"},
      Column{"forbidden_ensemble", &Row::forbidden_ensemble, "1", "Forbidden errors of the vote"},
      Column{"forbidden_truths", &Row::forbidden_truths, "1", "Samples of the forbidden truth"},
  };
};

template <>
struct TableOf<CascadeRow> {
  using Row = CascadeRow;
  static constexpr auto name = "heads/cascade";
  static constexpr auto description =
      "Cascade of votes: thresholds chosen on the calibration split";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"pct_veto", &Row::pct_veto, "%", "Votes for the forbidden truth that decide for it"},
      Column{"pct_approve", &Row::pct_approve, "%",
             "Votes for the forbidden prediction that decide for it"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"chosen", &Row::chosen, "", "1 when chosen on the calibration split"},
      Column{"samples", &Row::samples, "1", "Samples of the split"},
      Column{"accuracy", &Row::accuracy, "1", "Share decided right"},
      Column{"forbidden_errors", &Row::forbidden_errors, "1", "Forbidden errors"},
      Column{"forbidden_truths", &Row::forbidden_truths, "1", "Samples of the forbidden truth"},
      Column{"upper_bound", &Row::upper_bound, "1",
             "One-sided 95 % Clopper-Pearson bound of the forbidden rate, shared among the "
             "variants (chosen thresholds on the test split only)"},
  };
};

template <>
struct TableOf<VoteRow> {
  using Row = VoteRow;
  static constexpr auto name = "heads/votes";
  static constexpr auto description = "Histogram of votes for the forbidden truth";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"head", &Row::head, "", "linear, mlp, attention_mlp or logistic"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"truth", &Row::truth, "", "True class"},
      Column{"votes", &Row::votes, "1", "Heads that predict the forbidden truth"},
      Column{"count", &Row::count, "1", "Samples"},
  };
};

template <>
struct TableOf<EvidenceRow> {
  using Row = EvidenceRow;
  static constexpr auto name = "heads/evidence";
  static constexpr auto description =
      "Evidence heads on span means: how well cited spans are told from others";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"split", &Row::split, "", "train (in sample), train_out_of_fold, calibration or test"},
      Column{"spans", &Row::spans, "1", "Spans"},
      Column{"cited", &Row::cited, "1", "Cited spans"},
      Column{"auc", &Row::auc, "1", "Area under the ROC curve, ties count one half"},
      Column{
          "auc_lo", &Row::auc_lo, "1",
          "Lower end of its 95 % interval (logit, DeLong; exact and one-sided for 0 and 1), spans "
          "taken as independent"},
      Column{"auc_hi", &Row::auc_hi, "1", "Upper end"},
      Column{"loss", &Row::loss, "nat", "Mean negative log-likelihood"},
      Column{"brier", &Row::brier, "1", "Mean squared error of the score"},
      Column{"ece", &Row::ece, "1", "Expected calibration error, 10 equal bins"},
      Column{"converged", &Row::converged, "",
             "1 when the fits behind the scores reached their optimum"},
  };
};

}  // namespace moesweep::records
