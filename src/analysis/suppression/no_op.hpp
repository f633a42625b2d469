#pragma once
// Suppressions that cannot have an effect, because they leave every feature as it was.

#include <cstdint>
#include <string>

#include <moesweep/analysis/suppression/suppress.hpp>

namespace moesweep::suppression {

/// Features whose bits differ.
std::int64_t count_changed(const training::FeatureMatrix& before,
                           const training::FeatureMatrix& after);

struct NoOpFacts {
  bool spans_reach_last_token = false;
  bool has_direction = false;
  const records::SuppressionSettingRow* counts = nullptr;
};

/// Why a setting that changed no feature changed none.
std::string no_op_reason(const Setting& setting, const NoOpFacts& facts);

}  // namespace moesweep::suppression
