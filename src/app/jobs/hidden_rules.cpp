#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>

#include "job_rules.hpp"

namespace moesweep::jobs {
namespace {

bool has(const config::TextList& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

void check_baseline(const config::Settings& job) {
  const auto& variants = job.texts("cache.variants");
  if (has(variants, job.text("cache.baseline"))) return;
  throw Error(ExitCode::bad_job, job.place_of("cache.baseline"),
              fmt::format("cache.baseline is \"{}\", cache.variants are {}",
                          job.text("cache.baseline"), fmt::join(variants, ", ")),
              "name one of the variants");
}

void check_evidence_layer(const config::Settings& job, std::string_view needed_by) {
  if (job.has("suppression.evidence_layer")) return;
  throw Error(ExitCode::bad_job, job.place_of("kind"),
              fmt::format("{} needs suppression.evidence_layer, which is not given", needed_by),
              "name the layer whose span means tell cited spans from others");
}

void check_stages(const config::Settings& job) {
  if (job.text("kind") == "suppression") check_evidence_layer(job, "suppression");
  if (job.text("kind") != "pipeline") return;
  const auto& stages = job.texts("pipeline.stages");
  if (has(stages, "suppression")) check_evidence_layer(job, "the stage suppression");
  if (has(stages, "evidence") && job.texts("evidence.layers").empty()) {
    check_evidence_layer(job, "the stage evidence, without evidence.layers,");
  }
  if (!has(stages, "suppression") || has(stages, "heads")) return;
  throw Error(ExitCode::bad_job, job.place_of("pipeline.stages"),
              "pipeline.stages have suppression without heads",
              "suppression is compared with the same seeds' heads; add \"heads\"");
}

void check_head(const config::Settings& job) {
  const bool attends = job.text("heads.head") == "attention_mlp";
  const bool is_evidence = job.text("heads.task") == "evidence";
  if (attends && !is_evidence) {
    throw Error(ExitCode::bad_job, job.place_of("heads.head"),
                "heads.head = \"attention_mlp\" pools the tokens of a span",
                "set heads.task = \"evidence\", or another head");
  }
  if (is_evidence && job.text("kind") != "heads") {
    throw Error(ExitCode::bad_job, job.place_of("heads.task"),
                fmt::format("a job of kind {} trains decision heads", job.text("kind")),
                "evidence heads over many seeds are a job of kind heads");
  }
  if (job.text("heads.forbidden.truth") == job.text("heads.forbidden.predicted")) {
    throw Error(ExitCode::bad_job, job.place_of("heads.forbidden.truth"),
                "heads.forbidden.truth and heads.forbidden.predicted are the same label",
                "the forbidden error is a truth read as another label");
  }
}

}  // namespace

void check_hidden_rules(const config::Settings& job) {
  check_baseline(job);
  check_stages(job);
  if (job.text("kind") != "probes") check_head(job);
}

}  // namespace moesweep::jobs
