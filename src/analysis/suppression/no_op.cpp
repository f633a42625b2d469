#include "no_op.hpp"

#include <bit>

#include <moesweep/core/base/error.hpp>

namespace moesweep::suppression {

std::int64_t count_changed(const training::FeatureMatrix& before,
                           const training::FeatureMatrix& after) {
  expect(before.values.size() == after.values.size(), "features of another shape");
  std::int64_t changed = 0;
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    changed += std::bit_cast<std::uint32_t>(before.values[i]) !=
               std::bit_cast<std::uint32_t>(after.values[i]);
  }
  return changed;
}

std::string no_op_reason(const Setting& setting, const NoOpFacts& facts) {
  if (facts.counts->spans == 0) return "the cache has no evidence spans";
  if (setting.pooling == Pooling::last_token && !facts.spans_reach_last_token) {
    return "last_token lies in the action, outside every span: span suppression cannot change it";
  }
  if (setting.mode == Mode::hard_mask && facts.counts->spans_dropped == 0) {
    return facts.counts->samples_all_dropped > 0
               ? "every sample with a span below tau would lose all its spans: left as they were"
               : "no span scores below tau: none was dropped";
  }
  if (setting.mode == Mode::directional && setting.parameter == 0.0) {
    return "alpha is 0: nothing is taken away";
  }
  if (setting.mode == Mode::directional && !facts.has_direction) {
    return "cited and uncited train spans have the same mean state: there is no direction";
  }
  return "what is taken away is too little to change a feature in binary32";
}

}  // namespace moesweep::suppression
