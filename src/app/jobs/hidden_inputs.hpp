#pragma once
// The caches of a job, and what is made of their states: each matrix is in memory once, while units
// use it.

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <moesweep/analysis/training/evidence.hpp>
#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

#include "shared_values.hpp"

namespace moesweep::jobs {

/// A matrix that heads are trained on, and how it was standardized.
struct StandardizedFeatures {
  training::FeatureMatrix features;
  training::Standardization by;
};
StandardizedFeatures standardized(training::FeatureMatrix features,
                                  std::span<const std::int8_t> split);

class HiddenInputs {
 public:
  /// Opens the caches (everything but the states) and requires that all hold the same samples.
  explicit HiddenInputs(const config::Settings& settings);

  const std::vector<std::string>& variants() const { return variants_; }  ///< baseline first
  const store::HiddenCache& cache(const std::string& variant) const;
  const records::HiddenCacheInfo& info(const std::string& variant) const {
    return cache(variant).info();
  }
  const records::HiddenCacheInfo& baseline() const { return info(variants_.front()); }

  /// Reads the states that units will use, once: Error(bad_input) naming cache and layer before
  /// anything starts when they are not cached or hold NaN or infinities.
  void require_pooling(const std::string& variant, const std::string& layer,
                       const std::string& pooling);
  void require_span_means(const std::string& variant, const std::string& layer);
  void require_token_states(const std::string& variant, const std::string& layer);

  /// [N, d] as cached; evidence_mean from the span means.
  std::shared_ptr<const training::FeatureMatrix> pooled(const std::string& variant,
                                                        const std::string& layer,
                                                        const std::string& pooling) const;
  /// [N * S, d].
  std::shared_ptr<const training::FeatureMatrix> span_means(const std::string& variant,
                                                            const std::string& layer) const;
  std::shared_ptr<const StandardizedFeatures> features(const std::string& variant,
                                                       const std::string& layer,
                                                       const std::string& pooling) const;
  /// The evidence head of a layer and its scores; kept, since every suppression needs them.
  std::shared_ptr<const training::Evidence> evidence(const std::string& variant,
                                                     const std::string& layer) const;

 private:
  using Place = std::tuple<std::string, std::string, std::string>;  // variant, layer, pooling

  bool is_new(const Place& place) { return checked_.insert(place).second; }

  std::vector<std::string> variants_;
  std::vector<store::HiddenCache> caches_;
  std::set<Place> checked_;
  training::EvidenceOptions evidence_options_;
  mutable SharedValues<Place, training::FeatureMatrix> matrices_{false};
  mutable SharedValues<Place, StandardizedFeatures> standardized_{false};
  mutable SharedValues<Place, training::Evidence> evidence_{true};
};

}  // namespace moesweep::jobs
