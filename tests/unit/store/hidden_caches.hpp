#pragma once
// A small cache that is sound, for tests to read and to damage.

#include <filesystem>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/engine/store/hidden_cache.hpp>

namespace moesweep::test {

/// 6 samples, 2 spans each, 4 dimensions.
inline records::HiddenCacheInfo small_info() {
  records::HiddenCacheInfo info;
  info.model = "model";
  info.variant = "4bit";
  info.bits = 4;
  info.group_size = 64;
  info.samples = 6;
  info.spans = 2;
  info.hidden_dim = 4;
  info.layers = {"L2", "L10"};
  info.label_names = {"APPROVE", "REVISE", "VETO"};
  info.sample_id = {"a", "b", "c", "d", "e", "f"};
  info.cluster = {"k", "k", "l", "m", "n", "n"};
  info.label = {0, 1, 2, 0, 1, 2};
  info.split = {0, 0, 0, 1, 2, 2};
  info.n_tokens = {5, 6, 7, 8, 9, 10};
  for (int i = 0; i < 6; ++i) {
    info.cited.insert(info.cited.end(), {0, 1});
    info.span_tokens.insert(info.span_tokens.end(), {0, 2, 2, 4});
  }
  return info;
}

inline std::vector<float> ramp(std::int64_t count, float first = 0.0F) {
  std::vector<float> values(checked_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
  return values;
}

/// All values as one piece.
inline store::CacheStates whole(const std::string& dataset, std::vector<float> values) {
  return {dataset, [values = std::move(values)](const auto& take) { take(values); }};
}

inline std::vector<store::CacheStates> small_states() {
  return {whole("L2/mean", ramp(24)), whole("L10/mean", ramp(24, 0.1F)),
          whole("L10/last_token", ramp(24, 2.0F)), whole("L2/span_mean", ramp(48)),
          whole("L10/states", ramp(11 * 4))};
}

/// Token states of the first two samples.
inline store::CacheExtras small_extras() {
  return {{0, 5, 11}, {{"tone", {0, 1, 0, 1, -1, 1}}}};
}

}  // namespace moesweep::test
