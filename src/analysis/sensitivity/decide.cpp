#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/text.hpp>

#include "estimate.hpp"

namespace moesweep::sensitivity {
namespace {

constexpr std::int64_t fewest_weights = 1024;

const std::string* first_match(const std::vector<std::string>& patterns, const std::string& name) {
  const auto found = std::find_if(patterns.begin(), patterns.end(), [&](const auto& pattern) {
    return contains_ignoring_case(name, pattern);
  });
  return found == patterns.end() ? nullptr : &*found;
}

}  // namespace

Decision decide_bits(const std::string& name, const MatrixView& view, double composite,
                     const Options& options) {
  const auto& at = options.thresholds;
  if (view.slices == 0) return {16, view.skipped_because};
  // The published code scores such a matrix 0 and hands it 2 bits, to save nothing.
  if (decided_weights(view) < fewest_weights) return {16, "fewer than 1,024 weights"};
  if (const auto* pattern = first_match(options.protected_patterns, name)) {
    return {16, fmt::format("protected pattern \"{}\"", *pattern)};
  }
  if (std::isnan(composite)) return {16, "composite not measured"};
  if (composite >= at.bits16) return {16, fmt::format("composite >= {}", at.bits16)};
  if (const auto* pattern = first_match(options.sensitive_patterns, name)) {
    return {8, fmt::format("sensitive pattern \"{}\"", *pattern)};
  }
  if (composite >= at.bits8) return {8, fmt::format("composite >= {}", at.bits8)};
  if (composite <= at.bits2) return {2, fmt::format("composite <= {}", at.bits2)};
  return {4, fmt::format("composite between {} and {}", at.bits2, at.bits8)};
}

}  // namespace moesweep::sensitivity
