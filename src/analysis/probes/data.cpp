#include <algorithm>
#include <utility>

#include <moesweep/analysis/probes/probe.hpp>
#include <moesweep/analysis/training/folds.hpp>
#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::probes {
namespace {

std::vector<std::int64_t> groups_of_samples(const records::HiddenCacheInfo& info) {
  std::vector<std::string> cluster(info.cluster);
  cluster.resize(static_cast<std::size_t>(info.samples));
  return training::sample_groups(cluster);
}

}  // namespace

ProbeData data_of_samples(const records::HiddenCacheInfo& info, training::FeatureMatrix features,
                          std::vector<std::int8_t> labels, std::int64_t classes,
                          const std::string& skill) {
  expect(features.rows == info.samples, "features of other samples");
  const std::string where = info.variant + ", skill " + skill;
  if (!std::cmp_equal(labels.size(), info.samples)) {
    throw Error(ExitCode::bad_input, where,
                "it has " + std::to_string(labels.size()) + " labels, the cache " +
                    std::to_string(info.samples) + " samples",
                "give one label a sample");
  }
  const auto [least, most] = std::minmax_element(labels.begin(), labels.end());
  if (classes < 2 || classes > 10 || labels.empty() || *least < -1 || *most >= classes) {
    throw Error(ExitCode::bad_input, where, "its labels are not classes from 0 to at most 9",
                "number its 2 to 10 classes from 0; -1 leaves a sample out");
  }
  ProbeData data{std::move(features), std::move(labels), info.split, groups_of_samples(info),
                 classes};
  for (std::size_t i = 0; i < data.labels.size(); ++i) {
    if (data.labels[i] < 0) data.split[i] = -1;
  }
  return data;
}

ProbeData data_of_spans(const records::HiddenCacheInfo& info, training::FeatureMatrix span_means) {
  expect(span_means.rows == info.samples * info.spans, "span means of other samples");
  ProbeData data{std::move(span_means), info.cited, training::span_splits(info), {}, 2};
  for (const std::int64_t group : groups_of_samples(info)) {
    data.group.insert(data.group.end(), static_cast<std::size_t>(info.spans), group);
  }
  return data;
}

}  // namespace moesweep::probes
