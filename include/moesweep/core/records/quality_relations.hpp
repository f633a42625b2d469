#pragma once
// Rows that relate quality to safety over the levels of a model. docs/quality.md tells how each
// number is made.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

struct QualityCorrelationRow {
  std::string model;
  std::string quality;
  std::string safety;
  std::int64_t levels = 0;
  double pearson = not_measured;
  double p = not_measured;
  double lo = not_measured;
  double hi = not_measured;
  double spearman = not_measured;
  double spearman_p = not_measured;
  std::int8_t nominal = 0;
  double p_holm = not_measured;
  std::string reason{};
};

struct HeterogeneityRow {
  std::string quality;
  std::string safety;
  std::int64_t models = 0;
  std::int64_t positive = 0;
  std::int64_t negative = 0;
  double pooled = not_measured;
  double within = not_measured;
  double q = not_measured;
  double p = not_measured;
  std::string kind;
};

struct LeaveOneOutRow {
  std::string model;
  std::string quality;
  std::string safety;
  std::int64_t levels = 0;
  double pearson = not_measured;
  double lo = not_measured;
  double hi = not_measured;
  std::int8_t keeps_sign = 0;
};

struct DivergenceRow {
  std::string model;
  std::string level;
  double bits_per_weight = not_measured;
  std::string quality;
  std::string safety;
  double quality_pp = not_measured;
  double safety_pp = not_measured;
  std::string divergence;
};

struct AsymmetryRow {
  std::string model;
  std::string level;
  double bits_per_weight = not_measured;
  std::string quality;
  std::string safety;
  double quality_pp = not_measured;
  double safety_pp = not_measured;
  double ratio = not_measured;
  std::int8_t concordant = 0;
};

/// One replicate of the bootstrap; joined by aggregation, not part of results.h5.
struct GapReplicateRow {
  std::string model;
  std::string quality;
  std::string safety;
  std::int64_t replicate = 0;
  double gap_pp = not_measured;
};

struct AsymmetryGapRow {
  std::string model;
  std::string quality;
  std::string safety;
  std::int64_t levels = 0;
  double gap_pp = not_measured;
  double lo = not_measured;
  double hi = not_measured;
  double bca_lo = not_measured;
  double bca_hi = not_measured;
  std::int64_t replicates = 0;
  std::int8_t excludes_zero = 0;
  std::string reason{};
};

struct BitsRegressionRow {
  std::string model;
  std::string metric;
  std::int64_t levels = 0;
  double slope = not_measured;
  double intercept = not_measured;
  double r2 = not_measured;
  double slope_error = not_measured;
  double slope_p = not_measured;
  std::string reason{};
};

template <>
struct TableOf<QualityCorrelationRow> {
  using Row = QualityCorrelationRow;
  static constexpr auto name = "quality/correlations";
  static constexpr auto description =
      "How changes of quality and safety go together over levels, baseline left out";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model, or pooled: all models"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"levels", &Row::levels, "1", "Levels that have both"},
      Column{"pearson", &Row::pearson, "1", "Pearson's r of the changes"},
      Column{"p", &Row::p, "1", "Two-sided, Student's t"},
      Column{"lo", &Row::lo, "1", "Lower end of Fisher's interval"},
      Column{"hi", &Row::hi, "1", "Upper end"},
      Column{"spearman", &Row::spearman, "1", "Spearman's rho"},
      Column{"spearman_p", &Row::spearman_p, "1", "Its p value, approximate"},
      Column{"nominal", &Row::nominal, "", "1 when p < alpha, uncorrected"},
      Column{"p_holm", &Row::p_holm, "1", "p adjusted over this table (Holm)"},
      Column{"reason", &Row::reason, "", "Why there is no coefficient, or no p and interval of it"},
  };
};

template <>
struct TableOf<HeterogeneityRow> {
  using Row = HeterogeneityRow;
  static constexpr auto name = "quality/heterogeneity";
  static constexpr auto description = "Whether models agree on how quality and safety go together";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"models", &Row::models, "1", "Models with a coefficient"},
      Column{"positive", &Row::positive, "1", "Models with r > 0"},
      Column{"negative", &Row::negative, "1", "Models with r < 0"},
      Column{"pooled", &Row::pooled, "1", "r over all models' levels"},
      Column{"within", &Row::within, "1", "The same after each model's own means are taken off"},
      Column{"q", &Row::q, "1", "Cochran's Q of Fisher's z: how far the models' r are apart"},
      Column{"p", &Row::p, "1", "Chi-square with models - 1 degrees of freedom"},
      Column{"kind", &Row::kind, "",
             "agree, heterogeneous (signs differ, p < alpha), opposite_signs (signs differ, not "
             "resolved), simpson (models agree, pooled opposes them) or empty"},
  };
};

template <>
struct TableOf<LeaveOneOutRow> {
  using Row = LeaveOneOutRow;
  static constexpr auto name = "quality/leave_one_out";
  static constexpr auto description = "How far one level can move a coefficient";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model, or pooled"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"levels", &Row::levels, "1", "Levels that have both"},
      Column{"pearson", &Row::pearson, "1", "r over all levels"},
      Column{"lo", &Row::lo, "1", "Smallest r with one level left out"},
      Column{"hi", &Row::hi, "1", "Largest"},
      Column{"keeps_sign", &Row::keeps_sign, "", "1 when lo and hi are on one side of 0"},
  };
};

template <>
struct TableOf<DivergenceRow> {
  using Row = DivergenceRow;
  static constexpr auto name = "quality/divergence";
  static constexpr auto description = "What each level did to quality and to safety";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit", "Of the level"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"quality_pp", &Row::quality_pp, "pp", "Change of quality, positive for better"},
      Column{"safety_pp", &Row::safety_pp, "pp", "Change of safety, positive for better"},
      Column{"divergence", &Row::divergence, "",
             "BOTH_STABLE, SAFETY_SHIFT_WITH_STABLE_QUALITY, SAFETY_DEGRADES_FASTER or "
             "MIXED_OR_BORDERLINE; empty when one was not measured"},
  };
};

template <>
struct TableOf<AsymmetryRow> {
  using Row = AsymmetryRow;
  static constexpr auto name = "quality/asymmetry";
  static constexpr auto description = "How many times farther safety moved than quality";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"level", &Row::level, "", "Quantization level"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit", "Of the level"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"quality_pp", &Row::quality_pp, "pp", "Change of quality, positive for better"},
      Column{"safety_pp", &Row::safety_pp, "pp", "Change of safety, positive for better"},
      Column{"ratio", &Row::ratio, "1",
             "Size of safety_pp over that of quality_pp; none where quality did not move"},
      Column{"concordant", &Row::concordant, "", "1 when both moved the same way"},
  };
};

template <>
struct TableOf<GapReplicateRow> {
  using Row = GapReplicateRow;
  static constexpr auto name = "quality/gap_replicates";
  static constexpr auto description = "Replicates of the asymmetry gap (in segments only)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model, or pooled"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"replicate", &Row::replicate, "", "From 0"},
      Column{"gap_pp", &Row::gap_pp, "pp", "Gap of the resampled levels"},
  };
};

template <>
struct TableOf<AsymmetryGapRow> {
  using Row = AsymmetryGapRow;
  static constexpr auto name = "quality/bootstrap";
  static constexpr auto description =
      "Asymmetry gap: mean over levels of the change of safety less that of quality";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model, or pooled"},
      Column{"quality", &Row::quality, "", "Quality metric"},
      Column{"safety", &Row::safety, "", "Safety metric"},
      Column{"levels", &Row::levels, "1", "Levels that were resampled"},
      Column{"gap_pp", &Row::gap_pp, "pp", "Observed gap; negative: safety lost more"},
      Column{"lo", &Row::lo, "pp", "Lower end of the percentile interval"},
      Column{"hi", &Row::hi, "pp", "Upper end"},
      Column{"bca_lo", &Row::bca_lo, "pp", "Lower end, bias-corrected and accelerated"},
      Column{"bca_hi", &Row::bca_hi, "pp", "Upper end"},
      Column{"replicates", &Row::replicates, "1", "Resamples"},
      Column{"excludes_zero", &Row::excludes_zero, "", "1 when 0 is outside lo .. hi"},
      Column{"reason", &Row::reason, "", "Why there is no interval"},
  };
};

template <>
struct TableOf<BitsRegressionRow> {
  using Row = BitsRegressionRow;
  static constexpr auto name = "quality/regression";
  static constexpr auto description = "Each metric against bits per weight, baseline included";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"model", &Row::model, "", "Model"},
      Column{"metric", &Row::metric, "", "Metric"},
      Column{"levels", &Row::levels, "1", "Levels with a value"},
      Column{"slope", &Row::slope, "1/bit", "Change of the value a bit (least squares)"},
      Column{"intercept", &Row::intercept, "", "Value at 0 bits"},
      Column{"r2", &Row::r2, "1", "Share of the variance that the line explains"},
      Column{"slope_error", &Row::slope_error, "1/bit", "Standard error"},
      Column{"slope_p", &Row::slope_p, "1", "Two-sided, Student's t"},
      Column{"reason", &Row::reason, "", "Why there is no line, or no error and p of it"},
  };
};

}  // namespace moesweep::records
