#include "hidden_inputs.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::jobs {
namespace {

constexpr auto span_means_name = "span_mean";
constexpr auto token_states_name = "states";

void require_spans_everywhere(const records::HiddenCacheInfo& info, const std::string& where) {
  for (std::int64_t i = 0; i < info.samples; ++i) {
    std::int64_t tokens = 0;
    for (std::int64_t j = 0; j < info.spans; ++j) tokens += training::span_length(info, i, j);
    if (tokens > 0) continue;
    throw Error(ExitCode::bad_input, where,
                fmt::format("sample {} has no span", info.sample_id[static_cast<std::size_t>(i)]),
                "evidence_mean is the mean of a sample's spans; use another pooling");
  }
}

}  // namespace

StandardizedFeatures standardized(training::FeatureMatrix features,
                                  std::span<const std::int8_t> split) {
  StandardizedFeatures out{std::move(features), {}};
  out.by = training::standardization_of(out.features, split);
  training::standardize(out.features, out.by);
  return out;
}

HiddenInputs::HiddenInputs(const config::Settings& settings)
    : variants_(settings.texts("cache.variants")) {
  const auto& baseline_name = settings.text("cache.baseline");
  std::stable_partition(variants_.begin(), variants_.end(),
                        [&](const std::string& name) { return name == baseline_name; });
  std::vector<const records::HiddenCacheInfo*> infos;
  for (const auto& variant : variants_) {
    caches_.emplace_back(settings.path("cache.dir") / (variant + ".h5"));
  }
  for (const auto& opened : caches_) infos.push_back(&opened.info());
  store::require_same_samples(infos);
  if (settings.text("kind") == "suppression" || settings.text("kind") == "pipeline") {
    evidence_options_.logistic.l2 = settings.number("evidence.l2");
    evidence_options_.folds = settings.integer("evidence.folds");
  }
}

const store::HiddenCache& HiddenInputs::cache(const std::string& variant) const {
  const auto found = std::find(variants_.begin(), variants_.end(), variant);
  expect(found != variants_.end(), "no such variant");
  return caches_[static_cast<std::size_t>(found - variants_.begin())];
}

void HiddenInputs::require_pooling(const std::string& variant, const std::string& layer,
                                   const std::string& pooling) {
  if (pooling == "evidence_mean") {
    require_span_means(variant, layer);
    require_spans_everywhere(info(variant), cache(variant).path().string());
    return;
  }
  if (!is_new({variant, layer, pooling})) return;
  const auto& opened = cache(variant);
  if (opened.has_pooled(layer, pooling)) {
    opened.check_pooled(layer, pooling);
    return;
  }
  throw Error(
      ExitCode::bad_input, opened.path().string(), fmt::format("has no {}/{}", layer, pooling),
      fmt::format("layer {} has the poolings [{}], layers are {}", layer,
                  fmt::join(opened.poolings(layer), ", "), fmt::join(opened.info().layers, ", ")));
}

void HiddenInputs::require_span_means(const std::string& variant, const std::string& layer) {
  if (!is_new({variant, layer, span_means_name})) return;
  const auto& opened = cache(variant);
  if (opened.has_span_means(layer) && opened.info().spans > 0) {
    opened.check_span_means(layer);
    return;
  }
  throw Error(ExitCode::bad_input, opened.path().string(),
              fmt::format("has no {}/{}", layer, span_means_name),
              "evidence, suppression and evidence_mean need the mean state of every span");
}

void HiddenInputs::require_token_states(const std::string& variant, const std::string& layer) {
  if (!is_new({variant, layer, token_states_name})) return;
  const auto& opened = cache(variant);
  if (opened.has_token_states(layer)) {
    opened.check_token_states(layer);
    return;
  }
  throw Error(ExitCode::bad_input, opened.path().string(), "has no token states of layer " + layer,
              "attention_mlp needs them; use another head, or cache " + layer + "/states");
}

std::shared_ptr<const training::FeatureMatrix> HiddenInputs::span_means(
    const std::string& variant, const std::string& layer) const {
  return matrices_.get({variant, layer, span_means_name}, [&] {
    const auto& of = info(variant);
    return training::FeatureMatrix{of.samples * of.spans, of.hidden_dim,
                                   cache(variant).span_means(layer)};
  });
}

std::shared_ptr<const training::FeatureMatrix> HiddenInputs::pooled(
    const std::string& variant, const std::string& layer, const std::string& pooling) const {
  return matrices_.get({variant, layer, pooling}, [&] {
    const auto& of = info(variant);
    if (pooling == "evidence_mean") return training::evidence_mean(of, *span_means(variant, layer));
    return training::FeatureMatrix{of.samples, of.hidden_dim,
                                   cache(variant).pooled(layer, pooling)};
  });
}

std::shared_ptr<const StandardizedFeatures> HiddenInputs::features(
    const std::string& variant, const std::string& layer, const std::string& pooling) const {
  return standardized_.get({variant, layer, pooling}, [&] {
    return standardized(*pooled(variant, layer, pooling), info(variant).split);
  });
}

std::shared_ptr<const training::Evidence> HiddenInputs::evidence(const std::string& variant,
                                                                 const std::string& layer) const {
  return evidence_.get({variant, layer, {}}, [&] {
    return training::fit_evidence(info(variant), layer, *span_means(variant, layer),
                                  evidence_options_);
  });
}

}  // namespace moesweep::jobs
