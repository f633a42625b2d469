#include "job_rules.hpp"

#include <array>
#include <span>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::jobs {
namespace {

/// Where the first of the keys that was given stands; "default" when none was.
std::string place_of_any(const config::Settings& job, std::span<const std::string_view> keys) {
  for (const auto key : keys) {
    if (job.place_of(key) != "default") return job.place_of(key);
  }
  return "default";
}

void check_thresholds(const config::Settings& job) {
  constexpr std::array<std::string_view, 3> keys = {"sensitivity.thresholds.bits2",
                                                    "sensitivity.thresholds.bits8",
                                                    "sensitivity.thresholds.bits16"};
  const std::array values = {job.number(keys[0]), job.number(keys[1]), job.number(keys[2])};
  if (values[0] <= values[1] && values[1] <= values[2]) return;
  throw Error(
      ExitCode::bad_job, place_of_any(job, keys),
      fmt::format("sensitivity.thresholds must be ordered bits2 <= bits8 <= bits16, are {}, "
                  "{} and {}",
                  values[0], values[1], values[2]));
}

void check_weights(const config::Settings& job) {
  constexpr std::array<std::string_view, 4> keys = {
      "sensitivity.weights.svd", "sensitivity.weights.kurtosis", "sensitivity.weights.noise",
      "sensitivity.weights.error"};
  for (const auto key : keys) {
    if (job.number(key) > 0.0) return;
  }
  throw Error(ExitCode::bad_job, place_of_any(job, keys), "sensitivity.weights are all 0",
              "every composite would be 0 and every tensor get 2 bits; raise one");
}

void check_checkpoint(const config::Settings& job) {
  const bool twin = job.has("checkpoint.twin.inventory");
  if (twin && job.has("checkpoint.path")) {
    throw Error(ExitCode::bad_job, job.place_of("checkpoint.twin.inventory"),
                "checkpoint.path and checkpoint.twin.inventory are both given",
                "a sweep has one checkpoint, keep one of them");
  }
  if (!twin && !job.has("checkpoint.path")) {
    throw Error(ExitCode::bad_job, job.place_of("kind"),
                "neither checkpoint.path nor checkpoint.twin.inventory is given",
                "name a safetensors checkpoint, or the inventory of one whose twin is swept");
  }
  for (const auto* key : {"checkpoint.twin.scale", "checkpoint.twin.seed"}) {
    if (twin || !job.has(key)) continue;
    throw Error(ExitCode::bad_job, job.place_of(key),
                fmt::format("{} is given without checkpoint.twin.inventory", key),
                "remove the key");
  }
}

}  // namespace

void check_job_rules(const config::Settings& job) {
  const auto& kind = job.text("kind");
  if (kind == "quality_safety" || kind == "pipeline") check_quality_rules(job);
  if (kind == "quality_safety") return;
  if (kind != "sensitivity" && kind != "quantize") return check_hidden_rules(job);
  check_checkpoint(job);
  if (kind == "quantize") return;
  check_thresholds(job);
  check_weights(job);
}

}  // namespace moesweep::jobs
