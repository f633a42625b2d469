#include "option_tables.hpp"

namespace moesweep::jobs {
namespace {

using config::Option;
using config::TextList;
using config::ValueType;

const TextList own_kind = {"quality_safety"};
const TextList kinds = {"quality_safety", "pipeline"};

Option input(std::string name, std::string help) {
  return {.key = "quality." + std::move(name),
          .type = ValueType::path,
          .help = std::move(help),
          .kinds = own_kind,
          .in_fingerprint = false,
          .may_be_absent = true};
}

Option metrics(std::string name, std::string help) {
  return {.key = "quality.metrics." + std::move(name),
          .type = ValueType::text_list,
          .default_value = TextList{},
          .help = std::move(help),
          .kinds = kinds,
          .may_repeat = false};
}

std::vector<Option> input_options() {
  return {
      input("matrix",
            "Measured values as CSV, a row a model and level; one of matrix, samples and heads_run "
            "is given."),
      input("samples",
            "Samples as JSON Lines: model, level, task, metric, score, tokens, "
            "coherence, sample."),
      input("heads_run",
            "Run directory of a sweep of heads: accuracy is quality, forbidden errors are safety, "
            "variants are levels."),
      {.key = "quality.baseline",
       .type = ValueType::text,
       .help = "Level that the others are compared with; of heads their baseline.",
       .kinds = own_kind,
       .may_be_absent = true},
      {.key = "quality.sample_sizes",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Samples behind each value of a metric, where the matrix does not tell: "
               "\"metric=220\".",
       .kinds = own_kind,
       .may_repeat = false},
      {.key = "quality.bits_per_weight",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Bits per weight of a level, where the input does not tell: \"Q4_K_M=4.85\".",
       .kinds = own_kind,
       .may_repeat = false},
  };
}

std::vector<Option> metric_options() {
  return {
      metrics("quality", "Metrics of quality; divergence and findings are about the first."),
      metrics("safety", "Metrics of safety; floors are about the first unless metrics.floor says."),
      metrics("capability", "Metrics of capability, such as benchmark accuracies."),
      metrics("lower_is_better", "Metrics of which less is better, such as error rates."),
      metrics("percent", "Metrics that the matrix writes in percent."),
      metrics("yes_no",
              "Metrics that are shares of samples with the answer yes; samples that are all 0 or 1 "
              "need no telling."),
      metrics("refusal", "Safety metrics of which there can be too much: over-refusal."),
      metrics("floor", "Metrics that a deployment floor looks at; none: the first of safety."),
  };
}

std::vector<Option> analysis_options() {
  const auto number = [](std::string name, double value, double minimum, double maximum,
                         std::string help) {
    return Option{.key = "quality." + std::move(name),
                  .type = ValueType::number,
                  .default_value = value,
                  .help = std::move(help),
                  .minimum = minimum,
                  .maximum = maximum,
                  .kinds = kinds};
  };
  return {
      number("alpha", 0.05, 1e-9, 0.49, "Level of tests and intervals."),
      number("power", 0.8, 0.5, 0.999999, "Power that sample sizes are asked for."),
      number("margin_pp", 3.0, 1e-6, 100.0,
             "Changes within it are stable, in percentage points; equivalence is shown against "
             "it."),
      number("shift_pp", 3.5, 0.0, 100.0,
             "Changes of safety beyond it are shifts, in percentage points."),
      number("coherence_gate", 0.5, -1e9, 1e9,
             "Samples whose coherence is below it count as failures of gated safety."),
      {.key = "quality.bootstrap.replicates",
       .type = ValueType::integer,
       .default_value = std::int64_t{2000},
       .help = "Resamples of the asymmetry gap.",
       .minimum = 1,
       .maximum = 10000000,
       .kinds = kinds},
      {.key = "quality.bootstrap.seed",
       .type = ValueType::integer,
       .default_value = std::int64_t{42},
       .help = "Seed of the resamples.",
       .minimum = 0,
       .kinds = kinds},
      {.key = "quality.bootstrap.replicates_per_unit",
       .type = ValueType::integer,
       .default_value = std::int64_t{1000},
       .help = "Resamples that are computed, and lost in a crash, together.",
       .minimum = 1,
       .maximum = 10000000,
       .kinds = own_kind},
  };
}

}  // namespace

std::vector<config::Option> quality_options() {
  auto options = input_options();
  for (auto& option : metric_options()) options.push_back(std::move(option));
  for (auto& option : analysis_options()) options.push_back(std::move(option));
  return options;
}

}  // namespace moesweep::jobs
