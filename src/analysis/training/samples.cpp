#include <algorithm>
#include <cmath>
#include <map>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/analysis/training/folds.hpp>
#include <moesweep/analysis/training/samples.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::training {

std::int8_t Samples::class_named(const std::string& name) const {
  return training::class_named(label_names, name);
}

std::vector<std::int64_t> Samples::of_split(std::int8_t which) const {
  return rows_of_split(split, static_cast<records::Split>(which));
}

Samples samples_of(const records::Tables& rows) {
  Samples samples;
  const auto variants = records::rows_of<records::VariantRow>(rows);
  if (variants.empty()) return samples;
  samples.label_names = split_text(variants.front().label_names, ',');
  std::vector<std::string> clusters;
  for (const auto& row : records::rows_of<records::SampleRow>(rows)) {
    samples.label.push_back(samples.class_named(row.label));
    expect(samples.label.back() >= 0, "label of a sample is not among the variant's");
    const auto name =
        std::find(records::split_names.begin(), records::split_names.end(), row.split);
    expect(name != records::split_names.end(), "unknown split");
    samples.split.push_back(static_cast<std::int8_t>(name - records::split_names.begin()));
    clusters.push_back(row.cluster);
  }
  samples.cluster = sample_groups(clusters);
  return samples;
}

MeanOverSamples mean_over_samples(const std::vector<double>& values,
                                  const std::vector<std::int64_t>& cluster) {
  expect(cluster.empty() || values.size() == cluster.size(), "one cluster a value");
  if (values.empty()) return {};
  const auto count = static_cast<double>(values.size());
  double sum = 0.0;
  double largest = 0.0;
  for (const auto value : values) {
    sum += value;
    largest = std::max(largest, std::abs(value));
  }
  MeanOverSamples out{.mean = sum / count};
  std::map<std::int64_t, double> deviations;
  for (std::size_t i = 0; i < values.size(); ++i) {
    deviations[cluster.empty() ? static_cast<std::int64_t>(i) : cluster[i]] += values[i] - out.mean;
  }
  if (deviations.size() < 2) return out;
  double sum_squares = 0.0;
  double most = 0.0;
  for (const auto& [name, deviation] : deviations) {
    sum_squares += deviation * deviation;
    most = std::max(most, std::abs(deviation));
  }
  constexpr double rounding = 1e-12;  // of adding up so many values
  if (most <= rounding * largest * count) return out;
  const auto clusters = static_cast<double>(deviations.size());
  out.standard_error = std::sqrt(clusters / (clusters - 1.0) * sum_squares) / count;
  return out;
}

}  // namespace moesweep::training
