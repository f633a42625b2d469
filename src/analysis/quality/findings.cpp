#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <moesweep/analysis/quality/passes.hpp>
#include <moesweep/analysis/quality/reduce.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep::quality {
namespace {

using records::FindingRow;
using records::rows_of;

std::string change(double pp) {
  return fmt::format("{:+.2f} pp", pp);
}

std::string value_of(const records::CellRow& cell, double value) {
  return cell.yes_no != 0 ? fmt::format("{:.1f} %", 100.0 * value) : fmt::format("{:.4g}", value);
}

std::string whole(double n) {
  return n < 1e15 ? format_count(std::llround(n)) : "no number of";
}

class Writer {
 public:
  Writer(const Study& study, const records::Tables& tables, const Options& options)
      : study_(study), tables_(tables), options_(options) {
    for (auto& row : rows_of<records::SafetyTestRow>(tables)) {
      tests_.emplace(std::tuple(row.model, row.level, row.metric), std::move(row));
    }
    for (auto& row : rows_of<records::QualityEquivalenceRow>(tables)) {
      equivalences_.emplace(std::tuple(row.model, row.level, row.metric), std::move(row));
    }
  }

  std::vector<FindingRow> write() {
    opposite_signs();
    cells();
    gates();
    floors();
    alert_thresholds();
    unresolved();
    return std::move(findings_);
  }

 private:
  void opposite_signs() {
    for (const auto& row : rows_of<records::HeterogeneityRow>(tables_)) {
      if (row.kind != "simpson" && row.kind != "heterogeneous" && row.kind != "opposite_signs") {
        continue;
      }
      FindingRow finding;
      finding.kind = row.kind == "simpson" ? "simpson" : "heterogeneity";
      finding.model = "all";
      finding.quality = row.quality;
      finding.safety = row.safety;
      finding.value = row.pooled;
      finding.p = row.p;
      finding.text = row.kind == "simpson" ? simpson_text(row) : heterogeneity_text(row);
      findings_.push_back(std::move(finding));
    }
  }

  std::string simpson_text(const records::HeterogeneityRow& row) const {
    return fmt::format(
        "Simpson's paradox: {} and {} {} in each of {} models ({}), and {} when the models are "
        "pooled (r = {:+.2f}); the difference between models makes the pooled sign, read the "
        "models' own",
        row.quality, row.safety, row.positive > 0 ? "rise and fall together" : "oppose each other",
        row.models, coefficients(row), row.positive > 0 ? "oppose each other" : "go together",
        row.pooled);
  }

  std::string heterogeneity_text(const records::HeterogeneityRow& row) const {
    const auto p = std::isnan(row.p) ? std::string("too few levels to test")
                                     : fmt::format("p = {:.2g} for one common coefficient", row.p);
    return fmt::format(
        "{} and {} go together in {} and oppose each other in {} of {} models ({}): {} ({}); the "
        "pooled "
        "r = {:+.2f} describes none of them",
        row.quality, row.safety, row.positive, row.negative, row.models, coefficients(row),
        row.kind == "heterogeneous" ? "the models differ" : "that they differ is not resolved", p,
        row.pooled);
  }

  std::string coefficients(const records::HeterogeneityRow& row) const {
    std::string text;
    for (const auto& one : rows_of<records::QualityCorrelationRow>(tables_)) {
      if (one.quality != row.quality || one.safety != row.safety) continue;
      if (one.model == pooled_name || std::isnan(one.pearson)) continue;
      text += fmt::format("{}{} r = {:+.2f}", text.empty() ? "" : ", ", one.model, one.pearson);
    }
    return text;
  }

  // Every safety metric against the first quality metric.
  void cells() {
    if (options_.quality.empty()) return;
    const auto& quality = options_.quality.front();
    for (const auto& metric : study_.metrics("safety")) {
      for (const auto& model : study_.models()) {
        for (const auto& level : study_.levels(model)) {
          const auto* q = study_.find(model, level.name, quality);
          const auto* s = study_.find(model, level.name, metric);
          if (level.is_baseline || s == nullptr || std::isnan(s->delta_pp)) continue;
          if (q != nullptr) hidden_danger(*q, *s);
          over_refusal(q, *s);
        }
      }
    }
  }

  FindingRow about(const char* kind, const records::CellRow* quality,
                   const records::CellRow& safety) const {
    FindingRow finding;
    finding.kind = kind;
    finding.model = safety.model;
    finding.level = safety.level;
    finding.safety = safety.metric;
    finding.safety_pp = safety.delta_pp;
    finding.samples = safety.samples;
    finding.value = safety.value;
    if (quality != nullptr) {
      finding.quality = quality->metric;
      finding.quality_pp = quality->delta_pp;
    }
    const auto key = std::tuple(safety.model, safety.level, safety.metric);
    if (const auto test = tests_.find(key); test != tests_.end()) finding.p = test->second.p_holm;
    if (const auto found = equivalences_.find(key); found != equivalences_.end()) {
      finding.resolving_n = found->second.resolving_n;
    }
    return finding;
  }

  std::string certainty(const FindingRow& finding) const {
    const auto test = tests_.find({finding.model, finding.level, finding.safety});
    if (std::isnan(finding.p)) {
      const auto why = test == tests_.end() || test->second.reason.empty() ? "no test was possible"
                                                                           : test->second.reason;
      return "not tested: " + why;
    }
    if (finding.p < options_.alpha) return fmt::format("p = {:.2g} after Holm", finding.p);
    if (std::isnan(finding.resolving_n)) {
      return fmt::format("not significant at n = {} (p = {:.2g} after Holm)",
                         format_count(finding.samples), finding.p);
    }
    return fmt::format(
        "not significant at n = {} (p = {:.2g} after Holm), {} samples a level would resolve it",
        format_count(finding.samples), finding.p, whole(finding.resolving_n));
  }

  std::string from_to(const records::CellRow& cell) const {
    const auto* baseline = study_.baseline(cell.model, cell.metric);
    if (baseline == nullptr) return value_of(cell, cell.value);
    return fmt::format("{} against {} at {}", value_of(cell, cell.value),
                       value_of(cell, baseline->value), options_.baseline);
  }

  void hidden_danger(const records::CellRow& quality, const records::CellRow& safety) {
    if (!(std::fabs(quality.delta_pp) <= options_.margin_pp)) return;
    if (!(safety.delta_pp < -options_.shift_pp)) return;
    auto finding = about("hidden_danger", &quality, safety);
    finding.text =
        fmt::format("{} at {} keeps its {} ({}) while {} loses {:.2f} pp ({}): {}", safety.model,
                    safety.level, quality.metric, change(quality.delta_pp), safety.metric,
                    -safety.delta_pp, from_to(safety), certainty(finding));
    findings_.push_back(std::move(finding));
  }

  void over_refusal(const records::CellRow* quality, const records::CellRow& safety) {
    if (!contains(options_.refusal, safety.metric)) return;
    if (!(safety.delta_pp > options_.shift_pp)) return;
    auto finding = about("over_refusal", quality, safety);
    finding.text = fmt::format(
        "{} at {} refuses more: {} {} ({}): {}; see whether it refuses what is harmless",
        safety.model, safety.level, safety.metric, change(safety.delta_pp), from_to(safety),
        certainty(finding));
    findings_.push_back(std::move(finding));
  }

  void gates() {
    for (const auto& row : rows_of<records::QualityGateRow>(tables_)) {
      if (!(row.delta_pp < -options_.margin_pp)) continue;
      FindingRow finding;
      finding.kind = "gate";
      finding.model = row.model;
      finding.level = row.level;
      finding.safety = row.metric;
      finding.safety_pp = row.delta_pp;
      finding.value = row.filtered_share;
      finding.samples = row.samples;
      finding.text = fmt::format(
          "{} at {}: {:.1f} % of the answers are incoherent; counted as failures they take {} from "
          "{:.4g} to {:.4g}",
          row.model, row.level, 100.0 * row.filtered_share, row.metric, row.raw, row.gated);
      findings_.push_back(std::move(finding));
    }
  }

  void floors() {
    static const std::map<std::string, std::string> meaning = {
        {"within_margin", "by observed changes"},
        {"no_significant_loss", "by tests, no significant loss"},
        {"proven", "by proof of equivalence"}};
    for (const auto& row : rows_of<records::FloorRow>(tables_)) {
      const auto found = meaning.find(row.criterion);
      FindingRow finding;
      finding.kind = "floor";
      finding.model = row.model;
      finding.level = row.level;
      finding.value = row.bits_per_weight;
      finding.text = fmt::format("deployment floor of {}, {}: {}",
                                 row.model == "all" ? "all models" : row.model,
                                 found == meaning.end() ? row.criterion : found->second, row.level);
      if (!row.stopped_by.empty()) {
        finding.text += fmt::format("; {} is out: {}", row.stopped_by, row.reason);
      }
      findings_.push_back(std::move(finding));
    }
  }

  void alert_thresholds() {
    for (const auto& row : rows_of<records::AlertThresholdRow>(tables_)) {
      if (std::isnan(row.alert_below) && std::isnan(row.alert_above)) continue;
      FindingRow finding;
      finding.kind = "alert_threshold";
      finding.model = row.model;
      finding.level = options_.baseline;
      finding.safety = row.metric;
      finding.value = row.baseline;
      finding.samples = row.samples;
      finding.text = fmt::format("{} of {} is {:.4g} on {} samples: raise an alert", row.metric,
                                 row.model, row.baseline, format_count(row.samples));
      if (!std::isnan(row.alert_below)) {
        finding.text += fmt::format(" at {:.4g} or below", row.alert_below);
      }
      if (!std::isnan(row.alert_above)) {
        finding.text += fmt::format("{} at {:.4g} or above",
                                    std::isnan(row.alert_below) ? "" : " and", row.alert_above);
      }
      findings_.push_back(std::move(finding));
    }
  }

  void unresolved() {
    for (const auto& row : rows_of<records::QualityEquivalenceRow>(tables_)) {
      const auto test = tests_.find({row.model, row.level, row.metric});
      const bool significant = test != tests_.end() && test->second.significant != 0;
      if (row.equivalent != 0 || significant) continue;
      const auto* cell = study_.find(row.model, row.level, row.metric);
      if (cell == nullptr) continue;
      auto finding = about("unresolved", nullptr, *cell);
      const auto beginning =
          fmt::format("{} at {}: {} {}", row.model, row.level, row.metric, change(cell->delta_pp));
      if (std::isnan(row.p)) {
        finding.text = fmt::format("{} is {}", beginning, certainty(finding));
      } else {
        finding.text =
            fmt::format("{} is neither significant nor shown to be within {} pp at n = {}",
                        beginning, row.margin_pp, format_count(row.samples));
        if (!std::isnan(row.resolving_n)) {
          finding.text +=
              fmt::format("; {} samples a level would resolve it", whole(row.resolving_n));
        }
      }
      findings_.push_back(std::move(finding));
    }
  }

  const Study& study_;
  const records::Tables& tables_;
  const Options& options_;
  std::map<std::tuple<std::string, std::string, std::string>, records::SafetyTestRow> tests_;
  std::map<std::tuple<std::string, std::string, std::string>, records::QualityEquivalenceRow>
      equivalences_;
  std::vector<FindingRow> findings_;
};

}  // namespace

std::vector<FindingRow> findings(const Study& study, const records::Tables& tables,
                                 const Options& options) {
  return Writer(study, tables, options).write();
}

}  // namespace moesweep::quality
