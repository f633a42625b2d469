#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/records/heads.hpp>
#include <moesweep/training/samples.hpp>

namespace moesweep::training {

std::int8_t Samples::class_named(const std::string& name) const {
  const auto found = std::find(label_names.begin(), label_names.end(), name);
  if (found == label_names.end()) return -1;
  return static_cast<std::int8_t>(found - label_names.begin());
}

std::vector<std::int64_t> Samples::of_split(std::int8_t which) const {
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (split[i] == which) found.push_back(static_cast<std::int64_t>(i));
  }
  return found;
}

namespace {

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace

Samples samples_of(const records::Tables& rows) {
  Samples samples;
  const auto variants = records::rows_of<records::VariantRow>(rows);
  if (variants.empty()) return samples;
  samples.label_names = split_at_commas(variants.front().label_names);
  std::map<std::string, std::int64_t> clusters;
  for (const auto& row : records::rows_of<records::SampleRow>(rows)) {
    samples.label.push_back(samples.class_named(row.label));
    expect(samples.label.back() >= 0, "label of a sample is not among the variant's");
    const auto name = std::find(split_names.begin(), split_names.end(), row.split);
    expect(name != split_names.end(), "unknown split");
    samples.split.push_back(static_cast<std::int8_t>(name - split_names.begin()));
    const auto cluster = row.cluster.empty() ? "sample " + row.sample_id : "cluster " + row.cluster;
    const auto next = static_cast<std::int64_t>(clusters.size());
    samples.cluster.push_back(clusters.emplace(cluster, next).first->second);
  }
  return samples;
}

MeanOverSamples mean_over_samples(const std::vector<double>& values,
                                  const std::vector<std::int64_t>& cluster) {
  expect(values.size() == cluster.size(), "one cluster a value");
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (values.empty()) return {nan, nan};
  const auto count = static_cast<double>(values.size());
  double sum = 0.0;
  for (const auto value : values) sum += value;
  MeanOverSamples out{sum / count, nan};
  std::map<std::int64_t, double> deviations;
  for (std::size_t i = 0; i < values.size(); ++i) deviations[cluster[i]] += values[i] - out.mean;
  if (deviations.size() < 2) return out;
  double sum_squares = 0.0;
  for (const auto& [name, deviation] : deviations) sum_squares += deviation * deviation;
  const auto clusters = static_cast<double>(deviations.size());
  out.standard_error = std::sqrt(clusters / (clusters - 1.0) * sum_squares) / count;
  return out;
}

}  // namespace moesweep::training
