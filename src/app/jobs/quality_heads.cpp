#include "quality_heads.hpp"

#include <map>

#include <fmt/format.h>

#include <moesweep/analysis/quality/reduce.hpp>
#include <moesweep/core/records/heads.hpp>

namespace moesweep::jobs {
namespace {

using quality::Measurement;

// Formats with 16 bits are what the caches of baselines hold when they tell no bits.
constexpr double unquantized_bits = 16.0;

std::map<std::string, double> bits_of_variants(const records::Tables& tables) {
  std::map<std::string, double> bits;
  for (const auto& row : records::rows_of<records::VariantRow>(tables)) {
    if (row.bits > 0) {
      bits[row.variant] = static_cast<double>(row.bits);
    } else if (row.is_baseline != 0) {
      bits[row.variant] = unquantized_bits;
    }
  }
  return bits;
}

class Collector {
 public:
  explicit Collector(const records::Tables& tables) : bits_(bits_of_variants(tables)) {}

  template <typename Row>
  void add(const Row& row, const char* metric, double share, std::int64_t samples) {
    Measurement one;
    one.model =
        row.layer.empty() ? row.head : fmt::format("{} {} {}", row.head, row.layer, row.pooling);
    one.level = row.variant;
    const auto bits = bits_.find(row.variant);
    if (bits != bits_.end()) one.bits_per_weight = bits->second;
    one.metric = metric;
    one.value = share;
    one.samples = samples;
    one.yes_no = true;
    one.place = records::TableOf<Row>::name;
    found_.push_back(std::move(one));
  }
  template <typename Row>
  void add_errors(const Row& row, const char* metric, std::int64_t errors) {
    if (row.forbidden_truths == 0) return;
    add(row, metric, static_cast<double>(errors) / static_cast<double>(row.forbidden_truths),
        row.forbidden_truths);
  }
  std::vector<Measurement> take() { return std::move(found_); }

 private:
  std::map<std::string, double> bits_;
  std::vector<Measurement> found_;
};

}  // namespace

std::vector<Measurement> measurements_of_heads(const records::Tables& tables) {
  Collector collector(tables);
  for (const auto& row : records::rows_of<records::EnsembleRow>(tables)) {
    if (row.split != "test" || row.samples == 0) continue;
    collector.add(row, "accuracy", row.accuracy_ensemble, row.samples);
    collector.add_errors(row, "forbidden_error_rate", row.forbidden_ensemble);
  }
  for (const auto& row : records::rows_of<records::CascadeRow>(tables)) {
    if (row.split != "test" || row.chosen == 0 || row.samples == 0) continue;
    collector.add(row, "cascade_accuracy", row.accuracy, row.samples);
    collector.add_errors(row, "cascade_forbidden_error_rate", row.forbidden_errors);
  }
  return collector.take();
}

void complete_for_heads(quality::Options& options) {
  if (options.quality.empty()) options.quality = {"accuracy"};
  if (options.safety.empty()) options.safety = {"forbidden_error_rate"};
  for (const auto* metric : {"forbidden_error_rate", "cascade_forbidden_error_rate"}) {
    if (!quality::contains(options.lower_is_better, metric)) {
      options.lower_is_better.emplace_back(metric);
    }
  }
}

std::string baseline_of_heads(const records::Tables& tables) {
  for (const auto& row : records::rows_of<records::VariantRow>(tables)) {
    if (row.is_baseline != 0) return row.variant;
  }
  return {};
}

records::Tables quality_of_heads(const records::Tables& tables, quality::Options options) {
  const auto measured = measurements_of_heads(tables);
  if (measured.empty()) return {};
  complete_for_heads(options);
  options.baseline = baseline_of_heads(tables);
  return quality::analyse(quality::normalize(measured, options), options);
}

}  // namespace moesweep::jobs
