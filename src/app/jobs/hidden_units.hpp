#pragma once
// The units of a sweep over hidden states, a function a stage.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <moesweep/analysis/heads/train_block.hpp>
#include <moesweep/app/jobs/job.hpp>
#include <moesweep/core/config/settings.hpp>

#include "evidence_examples.hpp"
#include "hidden_inputs.hpp"

namespace moesweep::jobs {

/// What units compute from; outlives them.
struct HiddenContext {
  explicit HiddenContext(const config::Settings& of_job) : settings(of_job), inputs(of_job) {}
  config::Settings settings;
  HiddenInputs inputs;
  SharedValues<std::pair<std::string, std::string>, SpanExamples> evidence_examples{false};
};

struct HiddenWork {
  double flops = 0.0;
  std::int64_t bytes_read = 0;
  std::int64_t peak_bytes = std::int64_t{1} << 20;
};

struct HiddenUnit {
  std::string key;
  HiddenWork work;
  std::function<UnitRows()> compute;
};

struct HiddenStage {
  std::string name;
  std::vector<HiddenUnit> units;
};

/// Each reads what its units will use once (HiddenInputs), and refuses with Error(bad_input) or
/// Error(bad_job) what the caches do not have.
void cut_evidence(HiddenContext& context, HiddenStage& stage);
void cut_heads(HiddenContext& context, HiddenStage& stage);
void cut_evidence_heads(HiddenContext& context, HiddenStage& stage);
void cut_suppression(HiddenContext& context, HiddenStage& stage);
void cut_probes(HiddenContext& context, HiddenStage& stage);

}  // namespace moesweep::jobs
