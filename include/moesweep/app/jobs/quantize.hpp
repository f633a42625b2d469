#pragma once
// What a job of kind quantize has written, next to its plan.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::jobs {

struct WrittenSummary {
  std::int64_t shards = 0;
  std::int64_t bytes = 0;  ///< of all files with weights
  /// Where the plan's size is that of what was written; 0 when the plan does not say it.
  std::optional<std::int64_t> planned_bytes{};
  std::int64_t quantized = 0;  ///< tensors of the source
  std::int64_t kept = 0;
  std::int64_t compared = 0;  ///< quantized ones whose error the plan tells
  /// Relative, of the sum of squared errors from the plan's; NaN when none was compared.
  double largest_deviation = std::numeric_limits<double>::quiet_NaN();
  std::string deviates_most;  ///< tensor; empty when none was compared
};

/// From `quantize/tensors` and `quantize/shards`.
WrittenSummary summarize_written(const records::Tables& tables, const records::Plan& plan);

/// Squared errors of what is written and of the sweep's table differ at most by this, relatively.
inline constexpr double sse_tolerance = 1e-6;

}  // namespace moesweep::jobs
