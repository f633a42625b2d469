#include <fmt/format.h>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>

#include "hidden_job.hpp"
#include "quality_job.hpp"
#include "quantize_job.hpp"
#include "sensitivity_job.hpp"

namespace moesweep::jobs {
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

std::unique_ptr<JobKind> open_job(const config::Settings& settings) {
  const auto& kind = settings.text("kind");
  if (kind == "sensitivity") return open_sensitivity_job(settings);
  if (kind == "quality_safety") return open_quality_job(settings);
  if (kind == "quantize") return open_quantize_job(settings);
  return open_hidden_job(settings);
}

}  // namespace

UnitId unit_id(std::string_view fingerprint_hex, std::string_view key) {
  return UnitId{hash64(fmt::format("{}{}", fingerprint_hex, key))};
}

Job prepare_job(config::Settings settings, const Rates& rates) {
  Job job{std::move(settings), nullptr, {}, {}, {}};
  job.kind = open_job(job.settings);
  job.inputs = job.kind->inputs();
  job.fingerprint = job_fingerprint(job.settings, job.inputs);
  job.plan = plan_from(job.kind->stages(rates), job.fingerprint);
  return job;
}

void require_memory(const sweep::Plan& plan, std::int64_t memory_bytes,
                    const std::string& memory_source) {
  const auto available =
      memory_source.empty()
          ? fmt::format("resources.memory is {}", format_size(memory_bytes))
          : fmt::format("a rank may use {}, {}", format_size(memory_bytes), memory_source);
  const auto* more = memory_source.empty()
                         ? "raise resources.memory"
                         : "give the job more memory, or start fewer ranks a node";
  for (const auto& stage : plan.stages()) {
    for (const auto& unit : stage.units) {
      if (unit.cost.peak_bytes <= memory_bytes) continue;
      throw Error(
          ExitCode::bad_job, unit.key,
          fmt::format("needs {} of memory, {}", format_size(unit.cost.peak_bytes), available),
          fmt::format("{}, or in a sensitivity sweep drop \"spectrum\" from sensitivity.metrics",
                      more));
    }
  }
}

records::Tables reduce_rows(const config::Settings& settings, records::Tables rows) {
  const auto& kind = settings.text("kind");
  if (kind == "sensitivity") return reduce_sensitivity(settings, std::move(rows));
  if (kind == "quality_safety") return reduce_quality(settings, rows);
  if (kind == "quantize") return reduce_quantize(rows);
  return reduce_hidden(settings, rows);
}

}  // namespace moesweep::jobs
