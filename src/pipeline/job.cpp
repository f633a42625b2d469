#include <fmt/format.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/text.hpp>
#include <moesweep/pipeline/job.hpp>

#include "hidden_job.hpp"
#include "sensitivity_job.hpp"

namespace moesweep::pipeline {
namespace {

sweep::Plan plan_from(std::vector<StageDraft> drafts, const Hash128& fingerprint) {
  const auto prefix = fingerprint.hex();
  std::vector<sweep::Stage> stages;
  for (auto& draft : drafts) {
    auto& stage = stages.emplace_back(sweep::Stage{std::move(draft.name), {}});
    for (auto& unit : draft.units) {
      const auto id = unit_id(prefix, unit.key);
      stage.units.push_back({id, std::move(unit.key), unit.cost, unit.where});
    }
  }
  return sweep::Plan(std::move(stages));
}

bool is_sensitivity(const config::Settings& settings) {
  return settings.text("kind") == "sensitivity";
}

}  // namespace

Rates rates_from(const config::Settings& cluster) {
  return {cluster.number("rates.read_bytes_per_second_node"),
          cluster.number("rates.gram_flops_per_core"),
          cluster.number("rates.round_trips_per_second_core"),
          cluster.number("rates.moments_per_second_core"),
          cluster.number("rates.unit_overhead_seconds")};
}

UnitId unit_id(std::string_view fingerprint_hex, std::string_view key) {
  return UnitId{hash64(fmt::format("{}{}", fingerprint_hex, key))};
}

Job prepare_job(config::Settings settings, const Rates& rates) {
  Job job{std::move(settings), nullptr, {}, {}, {}};
  job.kind = is_sensitivity(job.settings) ? open_sensitivity_job(job.settings)
                                          : open_hidden_job(job.settings);
  job.inputs = job.kind->inputs();
  job.fingerprint = config::job_fingerprint(job.settings, job.inputs);
  job.plan = plan_from(job.kind->stages(rates), job.fingerprint);
  return job;
}

void require_memory(const sweep::Plan& plan, std::int64_t memory_bytes) {
  for (const auto& stage : plan.stages()) {
    for (const auto& unit : stage.units) {
      if (unit.cost.peak_bytes <= memory_bytes) continue;
      throw Error(ExitCode::bad_job, unit.key,
                  fmt::format("needs {} of memory, resources.memory is {}",
                              format_size(unit.cost.peak_bytes), format_size(memory_bytes)),
                  "raise resources.memory, or in a sensitivity sweep drop \"spectrum\" from "
                  "sensitivity.metrics");
    }
  }
}

records::Tables reduce_rows(const config::Settings& settings, const records::Tables& rows) {
  return is_sensitivity(settings) ? reduce_sensitivity(settings, rows)
                                  : reduce_hidden(settings, rows);
}

}  // namespace moesweep::pipeline
