#pragma once
// Input of a quality-safety analysis: samples added up, and the cells (model, level, metric) that
// all passes start from. docs/quality.md tells how each number is made.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// Samples of one block of the input file. Sums are the unevaluated sum of a high and a low part;
/// joined by aggregation, not part of results.h5.
struct SampleSumRow {
  std::string model;
  std::string level;
  std::string task;
  std::string metric;
  std::int64_t samples = 0;
  std::int64_t missing = 0;
  std::int8_t yes_no = 1;
  double sum_high = 0.0;
  double sum_low = 0.0;
  double squares_high = 0.0;
  double squares_low = 0.0;
  double minimum = not_measured;
  double maximum = not_measured;
  std::int64_t tokens = 0;
  std::int64_t rated = 0;
  double coherence_high = 0.0;
  double coherence_low = 0.0;
  std::int64_t filtered = 0;
  double kept_high = 0.0;
  double kept_low = 0.0;
};

struct SampleGroupRow {
  std::string model;
  std::string level;
  std::string task;
  std::string metric;
  std::int64_t samples = 0;
  std::int64_t missing = 0;
  double mean = not_measured;
  double sd = not_measured;
  double minimum = not_measured;
  double maximum = not_measured;
  std::int64_t tokens = 0;
  std::int64_t rated = 0;
  double coherence = not_measured;
};

struct CellRow {
  std::string model;
  std::string level;
  double bits_per_weight = not_measured;
  std::int8_t is_baseline = 0;
  std::string metric;
  std::string role;
  std::int8_t lower_is_better = 0;
  std::int8_t yes_no = 0;
  std::int64_t samples = 0;
  std::int64_t yes = -1;
  double value = not_measured;
  double sd = not_measured;
  double lo = not_measured;
  double hi = not_measured;
  double relative = not_measured;
  double delta_pp = not_measured;
};

/// How a metric is read.
struct MetricRow {
  std::string metric;
  std::string role;
  std::string direction;
  std::int8_t yes_no = 0;
  std::string warning;
};

/// Metrics of one role, as one number.
struct RoleScoreRow {
  std::string model;
  std::string level;
  double bits_per_weight = not_measured;
  std::string role;
  std::int64_t metrics = 0;
  double mean = not_measured;
  double mean_delta_pp = not_measured;
  std::string worst_metric{};
  double worst_delta_pp = not_measured;
};

struct MergedRow {
  std::string model;
  std::string level;
  double bits_per_weight = not_measured;
  double quality = not_measured;
  double safety = not_measured;
  double capability = not_measured;
  double quality_delta_pp = not_measured;
  double safety_delta_pp = not_measured;
  double capability_delta_pp = not_measured;
};

struct QualityGateRow {
  std::string model;
  std::string level;
  std::string metric;
  std::int64_t samples = 0;
  std::int64_t filtered = 0;
  double filtered_share = not_measured;
  double raw = not_measured;
  double gated = not_measured;
  double kept = not_measured;
  double delta_pp = not_measured;
};

struct CapabilityOverlapRow {
  std::string model;
  std::string level;
  std::string task;
  std::string metric;
  std::int64_t samples = 0;
  std::int64_t both = 0;
  std::int64_t only_baseline = 0;
  std::int64_t only_level = 0;
  std::int64_t neither = 0;
  double overlap = not_measured;
  double p = not_measured;
};

template <>
struct TableOf<SampleSumRow> {
  using Row = SampleSumRow;
  static constexpr auto name = "quality/sample_sums";
  static constexpr auto description = "Samples of one block of the input (in segments only)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"task", &Row::task, "", "Task"},
      Column{"metric", &Row::metric, "", "Metric"},
      Column{"samples", &Row::samples, "1", "Samples with a score"},
      Column{"missing", &Row::missing, "1", "Samples whose score is null"},
      Column{"yes_no", &Row::yes_no, "", "1 when every score is 0 or 1"},
      Column{"sum_high", &Row::sum_high, "", "Sum of scores, high part"},
      Column{"sum_low", &Row::sum_low, "", "Sum of scores, low part"},
      Column{"squares_high", &Row::squares_high, "", "Sum of squared scores, high part"},
      Column{"squares_low", &Row::squares_low, "", "Sum of squared scores, low part"},
      Column{"minimum", &Row::minimum, "", "Smallest score"},
      Column{"maximum", &Row::maximum, "", "Largest score"},
      Column{"tokens", &Row::tokens, "1", "Tokens generated"},
      Column{"rated", &Row::rated, "1", "Samples with a score and a coherence"},
      Column{"coherence_high", &Row::coherence_high, "", "Sum of coherence, high part"},
      Column{"coherence_low", &Row::coherence_low, "", "Sum of coherence, low part"},
      Column{"filtered", &Row::filtered, "1", "Samples below the coherence gate"},
      Column{"kept_high", &Row::kept_high, "", "Sum of scores at or above the gate, high part"},
      Column{"kept_low", &Row::kept_low, "", "Sum of scores at or above the gate, low part"},
  };
};

template <>
struct TableOf<SampleGroupRow> {
  using Row = SampleGroupRow;
  static constexpr auto name = "quality/samples";
  static constexpr auto description = "Samples by model, level, task and metric";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"task", &Row::task, "", "Task"},
      Column{"metric", &Row::metric, "", "Metric"},
      Column{"samples", &Row::samples, "1", "Samples with a score"},
      Column{"missing", &Row::missing, "1", "Samples whose score is null, left out"},
      Column{"mean", &Row::mean, "", "Mean score"},
      Column{"sd", &Row::sd, "", "Sample standard deviation of the scores"},
      Column{"minimum", &Row::minimum, "", "Smallest score"},
      Column{"maximum", &Row::maximum, "", "Largest score"},
      Column{"tokens", &Row::tokens, "1", "Tokens generated"},
      Column{"rated", &Row::rated, "1", "Samples with a coherence"},
      Column{"coherence", &Row::coherence, "", "Mean coherence of these"},
  };
};

template <>
struct TableOf<CellRow> {
  using Row = CellRow;
  static constexpr auto name = "quality/cells";
  static constexpr auto description =
      "What the analysis starts from, normalized: one row a model, level and metric";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit", "Of the level"},
      Column{"is_baseline", &Row::is_baseline, "", "1 for the level the others are compared with"},
      Column{"metric", &Row::metric, "", "Metric"},
      Column{"role", &Row::role, "", "quality, safety or capability"},
      Column{"lower_is_better", &Row::lower_is_better, "", "1 when a smaller value is better"},
      Column{"yes_no", &Row::yes_no, "", "1 for a share of samples that are yes or no"},
      Column{"samples", &Row::samples, "1", "Samples behind the value, 0 when not told"},
      Column{
          "yes", &Row::yes, "1",
          "Of these with the answer yes; -1 for other metrics, and where no count of the samples "
          "has this value"},
      Column{"value", &Row::value, "", "As measured; percent are shares of 1 here"},
      Column{"sd", &Row::sd, "", "Sample standard deviation, where it is known"},
      Column{"lo", &Row::lo, "",
             "Lower end of the value's interval (Wilson for shares, else t of 3 samples or more "
             "that differ)"},
      Column{"hi", &Row::hi, "", "Upper end"},
      Column{"relative", &Row::relative, "1", "Value over the baseline's"},
      Column{"delta_pp", &Row::delta_pp, "pp",
             "100 times the change from the baseline, positive for better"},
  };
};

template <>
struct TableOf<MetricRow> {
  using Row = MetricRow;
  static constexpr auto name = "quality/metrics";
  static constexpr auto description = "How each metric is read";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"metric", &Row::metric, "", "Metric"},
      Column{"role", &Row::role, "", "quality, safety or capability"},
      Column{"direction", &Row::direction, "", "higher_is_better or lower_is_better"},
      Column{"yes_no", &Row::yes_no, "", "1 when all its values are shares of yes or no answers"},
      Column{"warning", &Row::warning, "", "When its name suggests the other direction"},
  };
};

template <>
struct TableOf<RoleScoreRow> {
  using Row = RoleScoreRow;
  static constexpr auto name = "quality/aggregates";
  static constexpr auto description = "Quality, safety and capability of each level in one number";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit", "Of the level"},
      Column{"role", &Row::role, "", "quality, safety or capability"},
      Column{"metrics", &Row::metrics, "1", "Metrics of the role that were measured"},
      Column{"mean", &Row::mean, "", "Mean of the metrics where higher is better"},
      Column{"mean_delta_pp", &Row::mean_delta_pp, "pp", "Mean change, positive for better"},
      Column{"worst_metric", &Row::worst_metric, "", "Metric that lost most"},
      Column{"worst_delta_pp", &Row::worst_delta_pp, "pp", "Its change"},
  };
};

template <>
struct TableOf<MergedRow> {
  using Row = MergedRow;
  static constexpr auto name = "quality/merged";
  static constexpr auto description = "Quality, safety and capability side by side";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit", "Of the level"},
      Column{"quality", &Row::quality, "", "Mean of the quality metrics"},
      Column{"safety", &Row::safety, "", "Mean of the safety metrics"},
      Column{"capability", &Row::capability, "", "Mean of the capability metrics"},
      Column{"quality_delta_pp", &Row::quality_delta_pp, "pp", "Mean change of quality"},
      Column{"safety_delta_pp", &Row::safety_delta_pp, "pp", "Mean change of safety"},
      Column{"capability_delta_pp", &Row::capability_delta_pp, "pp", "Mean change of capability"},
  };
};

template <>
struct TableOf<QualityGateRow> {
  using Row = QualityGateRow;
  static constexpr auto name = "quality/gate";
  static constexpr auto description =
      "Safety with incoherent answers counted as failures (needs samples)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"metric", &Row::metric, "", "Safety metric"},
      Column{"samples", &Row::samples, "1", "Samples with a score and a coherence"},
      Column{"filtered", &Row::filtered, "1", "Of these below the coherence gate"},
      Column{"filtered_share", &Row::filtered_share, "1", "filtered over samples"},
      Column{"raw", &Row::raw, "", "Mean score of all samples"},
      Column{"gated", &Row::gated, "", "The same with filtered samples scored 0"},
      Column{"kept", &Row::kept, "", "Mean score of the samples that were not filtered"},
      Column{"delta_pp", &Row::delta_pp, "pp", "100 (gated - raw)"},
  };
};

template <>
struct TableOf<CapabilityOverlapRow> {
  using Row = CapabilityOverlapRow;
  static constexpr auto name = "quality/capability_overlap";
  static constexpr auto description =
      "Whether a level solves the samples that its baseline solves (needs samples with ids)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"task", &Row::task, "", "Task"},
      Column{"metric", &Row::metric, "", "Capability metric"},
      Column{"samples", &Row::samples, "1", "Samples that both have"},
      Column{"both", &Row::both, "1", "Solved by baseline and level"},
      Column{"only_baseline", &Row::only_baseline, "1", "Lost: solved by the baseline alone"},
      Column{"only_level", &Row::only_level, "1", "Gained: solved by the level alone"},
      Column{"neither", &Row::neither, "1", "Solved by none"},
      Column{"overlap", &Row::overlap, "1", "both over those solved by any (Jaccard)"},
      Column{"p", &Row::p, "1", "Exact McNemar test of lost against gained"},
  };
};

}  // namespace moesweep::records
