#include "quantize_check.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include <moesweep/app/jobs/quantize.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/quantize.hpp>

namespace moesweep::jobs {

double sse_deviation(double sse, double planned) {
  if (sse == planned) return 0.0;
  return std::fabs(sse - planned) / std::max(std::fabs(sse), std::fabs(planned));
}

void require_planned_sse(const records::PlanRow& row, double sse) {
  if (!std::isfinite(row.sse) || sse_deviation(sse, row.sse) <= sse_tolerance) return;
  throw Error(ExitCode::bad_input, row.tensor,
              fmt::format("has a sum of squared errors of {:.9g} when written, the plan expects "
                          "{:.9g}",
                          sse, row.sse),
              "the plan is of other weights: make it from a sweep of this checkpoint");
}

WrittenSummary summarize_written(const records::Tables& tables, const records::Plan& plan) {
  WrittenSummary out;
  for (const auto& shard : records::rows_of<records::QuantizedShardRow>(tables)) {
    ++out.shards;
    out.bytes += shard.bytes;
  }
  std::map<std::string, double> sse;
  std::set<std::string> kept;
  for (const auto& row : records::rows_of<records::QuantizedTensorRow>(tables)) {
    if (row.action == "quantize") {
      sse[row.tensor] += row.sse;
    } else {
      kept.insert(row.tensor);
    }
  }
  out.quantized = static_cast<std::int64_t>(sse.size());
  out.kept = static_cast<std::int64_t>(kept.size());
  for (const auto& row : plan.rows) {
    const auto found = sse.find(row.tensor);
    if (found == sse.end() || !std::isfinite(row.sse)) continue;
    ++out.compared;
    const double deviation = sse_deviation(found->second, row.sse);
    if (!out.deviates_most.empty() && deviation <= out.largest_deviation) continue;
    out.largest_deviation = deviation;
    out.deviates_most = row.tensor;
  }
  return out;
}

}  // namespace moesweep::jobs
