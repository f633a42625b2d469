#pragma once
// Cached hidden states of one model variant, as plain values: what heads, evidence scores,
// suppression and probes work on.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace moesweep::records {

enum class Split : std::int8_t { train = 0, calibration = 1, test = 2 };
/// By Split, as tables and messages have them.
inline constexpr std::array<const char*, 3> split_names = {"train", "calibration", "test"};

/// Everything in a cache but the states. Sizes: `samples` N, `spans` S a sample (0 when the cache
/// has no spans), `hidden_dim` d.
struct HiddenCacheInfo {
  std::string model;             ///< empty when the cache does not tell
  std::string variant;           ///< file name without .h5
  std::int64_t bits = 0;         ///< 0 when not told
  std::int64_t group_size = 0;   ///< 0 when not told
  std::int64_t model_bytes = 0;  ///< size of the variant's weights, 0 when not told
  std::int64_t samples = 0;
  std::int64_t spans = 0;
  std::int64_t hidden_dim = 0;
  std::vector<std::string> layers;       ///< bottom first
  std::vector<std::string> label_names;  ///< by class
  std::vector<std::string> sample_id;    ///< [N], unique
  std::vector<std::string> cluster;  ///< [N] or empty: samples of one cluster are not independent
  std::vector<std::int8_t> label;    ///< [N], index into label_names
  std::vector<std::int8_t> split;    ///< [N], a Split
  std::vector<std::int8_t> cited;    ///< [N, S], 1 when the span is evidence for the label
  std::vector<std::int32_t>
      span_tokens;                     ///< [N, S, 2], start and exclusive end; equal: no span here
  std::vector<std::int32_t> n_tokens;  ///< [N], or empty in a cache without spans
};

/// Token states of one layer, of the first `samples` samples of the cache.
struct TokenStates {
  std::int64_t samples = 0;
  std::vector<std::int64_t> offsets;  ///< [samples + 1], first token of each sample
  std::vector<float> states;          ///< [offsets.back(), d]
};

}  // namespace moesweep::records
