#include "test_samples.hpp"

#include <algorithm>
#include <utility>

#include <moesweep/analysis/training/folds.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/sound_rows.hpp>

namespace moesweep::suppression {
namespace {

std::vector<records::SampleRow> in_cache_order(std::span<const records::SampleRow> rows) {
  std::vector<records::SampleRow> samples(rows.begin(), rows.end());
  std::sort(samples.begin(), samples.end(),
            [](const auto& a, const auto& b) { return a.sample < b.sample; });
  for (std::size_t i = 0; i < samples.size(); ++i) {
    records::require_sound(std::cmp_equal(samples[i].sample, i), "cache/samples",
                           "a sample is missing, or is there twice");
  }
  return samples;
}

std::vector<std::int64_t> clusters_of(std::span<const records::SampleRow> samples) {
  std::vector<std::string> names;
  for (const auto& sample : samples) names.push_back(sample.cluster);
  const bool any = std::any_of(names.begin(), names.end(),
                               [](const std::string& name) { return !name.empty(); });
  return any ? training::sample_groups(names) : std::vector<std::int64_t>{};
}

}  // namespace

void require_all_samples(bool are_there) {
  records::require_sound(are_there, "heads/predicted",
                         "there are predictions of fewer samples than the cache has");
}

char digit_of(const std::string& label, const ReduceOptions& options) {
  const auto& names = options.label_names;
  expect(names.size() <= 10, "one digit cannot name the class");
  const auto found = std::find(names.begin(), names.end(), label);
  if (found == names.end()) {
    throw Error(ExitCode::bad_input, "suppression", "no class is called \"" + label + "\"",
                "check label_names of the caches and the forbidden error of the job");
  }
  return static_cast<char>('0' + (found - names.begin()));
}

std::vector<Measure> measures_of(std::span<const records::SampleRow> rows,
                                 const ReduceOptions& options) {
  const auto samples = in_cache_order(rows);
  const auto clusters = clusters_of(samples);
  std::vector<Measure> measures;
  measures.emplace_back().name = "accuracy";
  if (!options.forbidden_truth.empty()) measures.emplace_back().name = "forbidden";
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i].split != "test") continue;
    for (Measure& measure : measures) {
      const bool is_accuracy = measure.name == "accuracy";
      if (!is_accuracy && samples[i].label != options.forbidden_truth) continue;
      measure.samples.push_back(i);
      if (!clusters.empty()) measure.cluster.push_back(clusters[i]);
      measure.counted_digit.push_back(
          digit_of(is_accuracy ? samples[i].label : options.forbidden_predicted, options));
    }
  }
  return measures;
}

std::int64_t count_of(const Measure& measure, const std::string& predicted) {
  std::int64_t count = 0;
  for (std::size_t k = 0; k < measure.samples.size(); ++k) {
    require_all_samples(measure.samples[k] < predicted.size());
    count += predicted[measure.samples[k]] == measure.counted_digit[k];
  }
  return count;
}

}  // namespace moesweep::suppression
