#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

#include "job_rules.hpp"

namespace moesweep::jobs {
namespace {

constexpr std::array roles = {"quality.metrics.quality", "quality.metrics.safety",
                              "quality.metrics.capability"};
constexpr std::array inputs = {"quality.matrix", "quality.samples", "quality.heads_run"};

bool has(const config::TextList& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

void check_input(const config::Settings& job) {
  const auto given =
      std::count_if(inputs.begin(), inputs.end(), [&](const char* key) { return job.has(key); });
  if (given != 1) {
    throw Error(ExitCode::bad_job, job.place_of("kind"),
                fmt::format("{} of quality.matrix, quality.samples and quality.heads_run are given",
                            given == 0 ? "none" : "several"),
                "give one of them");
  }
  if (job.has("quality.heads_run")) return;
  if (!job.has("quality.baseline")) {
    throw Error(ExitCode::bad_job, job.place_of("kind"), "quality.baseline is not given",
                "name the level that the others are compared with");
  }
  for (const auto* key : {roles[0], roles[1]}) {
    if (!job.texts(key).empty()) continue;
    throw Error(ExitCode::bad_job, job.place_of(key), fmt::format("{} is empty", key),
                "name the input's metrics of quality and of safety");
  }
}

void check_roles(const config::Settings& job) {
  std::map<std::string, const char*> role_of;
  for (const auto* key : roles) {
    for (const auto& metric : job.texts(key)) {
      const auto [found, is_new] = role_of.emplace(metric, key);
      if (is_new) continue;
      throw Error(ExitCode::bad_job, job.place_of(key),
                  fmt::format("{} is in {} and in {}", printable(metric), found->second, key),
                  "a metric has one role");
    }
  }
  if (role_of.empty()) return;  // of heads: their own
  for (const auto* key :
       {"quality.metrics.lower_is_better", "quality.metrics.percent", "quality.metrics.yes_no",
        "quality.metrics.refusal", "quality.metrics.floor"}) {
    for (const auto& metric : job.texts(key)) {
      if (role_of.contains(metric)) continue;
      throw Error(ExitCode::bad_job, job.place_of(key),
                  fmt::format("{} names {}, which has no role", key, printable(metric)),
                  "add it to quality.metrics.quality, .safety or .capability");
    }
  }
}

void check_stage(const config::Settings& job) {
  const auto& stages = job.texts("pipeline.stages");
  if (!has(stages, "quality") || has(stages, "heads")) return;
  throw Error(ExitCode::bad_job, job.place_of("pipeline.stages"),
              "pipeline.stages have quality without heads",
              "the analysis compares the heads' variants; add \"heads\"");
}

}  // namespace

void check_quality_rules(const config::Settings& job) {
  if (job.text("kind") == "pipeline") {
    check_stage(job);
  } else {
    check_input(job);
  }
  check_roles(job);
}

}  // namespace moesweep::jobs
