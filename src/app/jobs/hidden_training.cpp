#include "hidden_training.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/heads.hpp>

#include "head_artifact.hpp"

namespace moesweep::jobs {
namespace {

// The inverse frequency of each class in train, n/(C n_c).
std::vector<double> balanced_weights(const training::Examples& examples, std::int64_t classes) {
  std::vector<double> counts(static_cast<std::size_t>(classes), 0.0);
  double total = 0.0;
  for (std::int64_t i = 0; i < examples.count(); ++i) {
    if (examples.split[static_cast<std::size_t>(i)] != 0) continue;
    counts[static_cast<std::size_t>(examples.labels[static_cast<std::size_t>(i)])] += 1.0;
    total += 1.0;
  }
  for (auto& count : counts) {
    count = count == 0.0 ? 1.0 : total / (static_cast<double>(classes) * count);
  }
  return counts;
}

}  // namespace

std::vector<heads::SeedBlock> seed_blocks(const config::Settings& settings) {
  const auto first = settings.integer("heads.seeds.first");
  const auto end = first + settings.integer("heads.seeds.count");
  const auto width = settings.integer("heads.seeds_per_unit");
  std::vector<heads::SeedBlock> blocks;
  for (auto seed = first; seed < end; seed += width) {
    blocks.push_back({seed, std::min(width, end - seed)});
  }
  return blocks;
}

std::string key_of(const heads::SeedBlock& block) {
  return fmt::format("{:06}-{:06}", block.first, block.first + block.count - 1);
}

training::TrainOptions train_options(const config::Settings& settings, std::int64_t inputs,
                                     std::int64_t outputs) {
  training::TrainOptions options;
  options.shape = {training::head_kind_named(settings.text("heads.head")), inputs, outputs,
                   settings.integer("heads.width"), settings.integer("heads.attention_width")};
  options.dropout = settings.number("heads.dropout");
  options.epochs = settings.integer("heads.epochs");
  options.batch = settings.integer("heads.batch");
  options.learning_rate = settings.number("heads.learning_rate");
  options.early_stop = settings.boolean("heads.early_stop");
  options.patience = settings.integer("heads.patience");
  return options;
}

// Two products of 2 N d h flops an epoch, a third of that for what surrounds them.
HiddenWork training_work(const config::Settings& settings, std::int64_t rows, std::int64_t columns,
                         const training::TrainOptions& options, std::int64_t seeds,
                         std::int64_t most_tokens) {
  const auto parameters = static_cast<double>(training::parameter_count(options.shape));
  HiddenWork work;
  work.flops =
      5.0 * static_cast<double>(rows) * parameters * static_cast<double>(options.epochs * seeds);
  work.bytes_read = rows * columns * 2;
  work.peak_bytes = 2 * 4 * rows * columns + training::train_bytes(options, most_tokens);
  if (settings.boolean("heads.save")) {
    work.peak_bytes += 3 * 4 * training::parameter_count(options.shape) * seeds;
  }
  return work;
}

training::Forbidden forbidden_of(const config::Settings& settings,
                                 const std::vector<std::string>& label_names) {
  return training::forbidden_named(label_names, settings.text("heads.forbidden.truth"),
                                   settings.text("heads.forbidden.predicted"));
}

void require_forbidden_labels(const HiddenContext& context) {
  const auto& names = context.inputs.baseline().label_names;
  for (const auto* key : {"heads.forbidden.truth", "heads.forbidden.predicted"}) {
    if (std::find(names.begin(), names.end(), context.settings.text(key)) != names.end()) continue;
    throw Error(ExitCode::bad_job, context.settings.place_of(key),
                fmt::format("{} is \"{}\", the caches' labels are {}", key,
                            context.settings.text(key), fmt::join(names, ", ")),
                "name two of them: the error that must not happen");
  }
}

void require_calibration(const HiddenContext& context) {
  if (!context.settings.boolean("heads.early_stop")) return;
  const auto& split = context.inputs.baseline().split;
  if (std::find(split.begin(), split.end(), 1) != split.end()) return;
  throw Error(ExitCode::bad_job, context.settings.place_of("heads.early_stop"),
              "heads.early_stop looks at the calibration split, and the caches have none",
              "put samples into split 1, or leave early_stop out");
}

void add_class_weights(const config::Settings& settings, heads::Block& block) {
  if (settings.text("heads.class_weights") != "balanced") return;
  block.options.class_weights =
      balanced_weights(block.examples, static_cast<std::int64_t>(block.label_names.size()));
}

heads::Block decision_block(const HiddenContext& context, const heads::Axis& axis,
                            const training::FeatureMatrix& features) {
  const auto& info = context.inputs.baseline();
  heads::Block block;
  block.axis = axis;
  block.examples = {&features, {}, info.label, info.split};
  block.options = train_options(context.settings, features.columns,
                                static_cast<std::int64_t>(info.label_names.size()));
  block.label_names = info.label_names;
  block.forbidden = forbidden_of(context.settings, info.label_names);
  add_class_weights(context.settings, block);
  return block;
}

UnitRows rows_and_heads(const config::Settings& settings, heads::BlockResult result,
                        const heads::Axis& axis, const training::Standardization& by) {
  UnitRows rows{std::move(result.tables)};
  if (!settings.boolean("heads.save")) return rows;
  rows.artifacts.push_back(encode_heads(axis, result.heads, by));
  const auto& artifact = rows.artifacts.back();
  records::append_row(
      rows.tables, records::ArtifactRow{
                       axis.variant, axis.head, axis.layer, axis.pooling, result.heads.front().seed,
                       static_cast<std::int64_t>(result.heads.size()), artifact.name,
                       static_cast<std::int64_t>(artifact.bytes.size())});
  return rows;
}

}  // namespace moesweep::jobs
