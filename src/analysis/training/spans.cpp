#include <utility>

#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::training {
namespace {

void add_span(std::span<double> sum, std::span<const float> mean, double tokens) {
  for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += tokens * static_cast<double>(mean[k]);
}

}  // namespace

std::int64_t span_length(const records::HiddenCacheInfo& info, std::int64_t i, std::int64_t j) {
  const auto at = static_cast<std::size_t>(2 * (i * info.spans + j));
  return std::int64_t{info.span_tokens[at + 1]} - info.span_tokens[at];
}

std::vector<std::int8_t> span_splits(const records::HiddenCacheInfo& info) {
  std::vector<std::int8_t> splits;
  splits.reserve(checked_cast<std::size_t>(info.samples * info.spans));
  for (std::int64_t i = 0; i < info.samples; ++i) {
    for (std::int64_t j = 0; j < info.spans; ++j) {
      splits.push_back(span_length(info, i, j) > 0 ? info.split[static_cast<std::size_t>(i)]
                                                   : std::int8_t{-1});
    }
  }
  return splits;
}

FeatureMatrix evidence_mean(const records::HiddenCacheInfo& info, const FeatureMatrix& span_means) {
  expect(span_means.rows == info.samples * info.spans, "span means of other samples");
  FeatureMatrix features{info.samples, span_means.columns, {}};
  features.values.resize(checked_cast<std::size_t>(features.rows * features.columns));
  std::vector<double> sum(checked_cast<std::size_t>(features.columns));
  for (std::int64_t i = 0; i < info.samples; ++i) {
    sum.assign(sum.size(), 0.0);
    std::int64_t tokens = 0;
    for (std::int64_t j = 0; j < info.spans; ++j) {
      const std::int64_t length = span_length(info, i, j);
      if (length <= 0) continue;
      tokens += length;
      add_span(sum, span_means.row(i * info.spans + j), static_cast<double>(length));
    }
    if (tokens == 0) {
      throw Error(ExitCode::bad_input, "sample " + info.sample_id[static_cast<std::size_t>(i)],
                  "it has no evidence span to take the mean of", "use pooling mean or last_token");
    }
    const auto row = features.row(i);
    for (std::size_t k = 0; k < sum.size(); ++k) {
      row[k] = static_cast<float>(sum[k] / static_cast<double>(tokens));
    }
  }
  return features;
}

}  // namespace moesweep::training
