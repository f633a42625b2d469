#pragma once
// A cache without a file: span states that tell cited ones a little.

#include <cstdint>
#include <string>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/base/philox.hpp>
#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::training {

/// `samples` samples of 3 spans, the first of 2 tokens and so on up to 4, of 12 tokens in all;
/// every second span is cited. Splits are 3/4 train and of each other an eighth.
inline records::HiddenCacheInfo small_cache(std::int64_t samples) {
  records::HiddenCacheInfo info;
  info.variant = "4bit";
  info.samples = samples;
  info.spans = 3;
  info.label_names = {"APPROVE", "REVISE", "VETO"};
  info.layers = {"L0", "L1"};
  for (std::int64_t i = 0; i < samples; ++i) {
    info.sample_id.push_back("s" + std::to_string(i));
    info.label.push_back(static_cast<std::int8_t>(i % 3));
    info.split.push_back(static_cast<std::int8_t>(i % 8 == 3 ? 1 : i % 8 == 6 ? 2 : 0));
    info.n_tokens.push_back(12);
    for (const std::int32_t token : {0, 2, 2, 5, 5, 9}) info.span_tokens.push_back(token);
    for (std::int64_t j = 0; j < 3; ++j) {
      info.cited.push_back(static_cast<std::int8_t>((i + j) % 2));
    }
  }
  return info;
}

/// Noise in [-1, 1), `columns` wide; `signal` is added to the first column of cited spans.
inline FeatureMatrix small_span_means(const records::HiddenCacheInfo& info, std::int64_t columns,
                                      float signal) {
  FeatureMatrix means{info.samples * info.spans, columns, {}};
  for (std::int64_t row = 0; row < means.rows; ++row) {
    for (std::int64_t k = 0; k < columns; ++k) {
      const auto words = philox4x32_10(
          {static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(k), 0, 0}, {17, 0});
      const float noise = static_cast<float>(words[0] >> 8) / 8388608.0F - 1.0F;
      const bool is_signal = k == 0 && info.cited[static_cast<std::size_t>(row)] == 1;
      means.values.push_back(noise + (is_signal ? signal : 0.0F));
    }
  }
  return means;
}

}  // namespace moesweep::training
