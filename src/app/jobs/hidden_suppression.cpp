#include <fmt/format.h>

#include <moesweep/analysis/suppression/suppress.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/heads.hpp>
#include <moesweep/core/records/suppression.hpp>

#include "hidden_training.hpp"

namespace moesweep::jobs {
namespace {

struct Suppression {
  heads::Axis axis;
  suppression::Setting setting;
};

std::vector<suppression::Setting> suppression_settings(const config::Settings& settings,
                                                       const std::string& pooling) {
  const auto parsed = suppression::parse_pooling(pooling);
  expect(parsed.has_value(), "unknown pooling");
  std::vector<suppression::Setting> all;
  for (const auto& name : settings.texts("suppression.modes")) {
    const auto mode = suppression::parse_mode(name);
    expect(mode.has_value(), "unknown mode of suppression");
    std::vector<double> parameters = {0.0};
    if (*mode == suppression::Mode::hard_mask) parameters = settings.numbers("suppression.tau");
    if (*mode == suppression::Mode::directional) {
      parameters = settings.numbers("suppression.alpha");
    }
    for (const auto parameter : parameters) all.push_back({*mode, parameter, *parsed});
  }
  return all;
}

suppression::Suppressed suppressed(const HiddenContext& context, const Suppression& what) {
  const auto& axis = what.axis;
  const auto& evidence_layer = context.settings.text("suppression.evidence_layer");
  const auto evidence = context.inputs.evidence(axis.variant, evidence_layer);
  const auto span_means = context.inputs.span_means(axis.variant, axis.layer);
  const auto pooled = context.inputs.pooled(axis.variant, axis.layer, axis.pooling);
  return suppression::suppress(
      {context.inputs.info(axis.variant), *pooled, *span_means, evidence->scores}, what.setting,
      {axis.layer, evidence_layer});
}

// A setting that changes no feature is told once, and nothing is trained.
UnitRows suppressed_heads(const HiddenContext& context, const Suppression& what,
                          const heads::SeedBlock& seeds, bool is_first) {
  auto edited = suppressed(context, what);
  UnitRows rows;
  edited.counts.variant = what.axis.variant;
  if (is_first) records::append_row(rows.tables, edited.counts);
  if (edited.counts.structural_no_op == 1) return rows;
  const auto on = standardized(std::move(edited.features), context.inputs.baseline().split);
  const auto result = heads::train_block(decision_block(context, what.axis, on.features), seeds);
  const std::string mode(suppression::mode_name(what.setting.mode));
  const double parameter = what.setting.parameter;
  for (const auto& row : records::rows_of<records::SeedRow>(result.tables)) {
    records::append_row(rows.tables, records::SuppressedSeedRow{
                                         row.variant, row.head, row.layer, row.pooling, mode,
                                         parameter, row.seed, row.split, row.samples, row.accuracy,
                                         row.forbidden_errors, row.forbidden_truths, row.epochs});
  }
  for (const auto& row : records::rows_of<records::PredictionRow>(result.tables)) {
    records::append_row(
        rows.tables, records::SuppressedPredictionRow{row.variant, row.head, row.layer, row.pooling,
                                                      mode, parameter, row.seed, row.predicted});
  }
  return rows;
}

void add_suppression_units(const HiddenContext& context, HiddenStage& stage,
                           const Suppression& what, const training::TrainOptions& options) {
  const auto& info = context.inputs.baseline();
  for (const auto& block : seed_blocks(context.settings)) {
    auto work =
        training_work(context.settings, info.samples, info.hidden_dim, options, block.count, 1);
    work.bytes_read += info.samples * info.spans * info.hidden_dim * 2;
    work.peak_bytes += info.samples * (info.spans + 1) * info.hidden_dim * 4;
    const bool is_first = block.first == context.settings.integer("heads.seeds.first");
    stage.units.push_back(
        {fmt::format("suppression/{}/{}/{}/{}-{}/{}", what.axis.variant, what.axis.layer,
                     what.axis.pooling, suppression::mode_name(what.setting.mode),
                     what.setting.parameter, key_of(block)),
         work, [&context, what, block, is_first] {
           return suppressed_heads(context, what, block, is_first);
         }});
  }
}

void require_applicable(const HiddenContext& context, const suppression::Setting& setting) {
  if (setting.mode != suppression::Mode::hard_mask ||
      setting.pooling != suppression::Pooling::last_token ||
      !suppression::spans_reach_last_token(context.inputs.baseline())) {
    return;
  }
  throw Error(ExitCode::bad_job, context.settings.place_of("suppression.modes"),
              "hard_mask with pooling last_token may drop the last token, and the caches do not "
              "have the one before it",
              "leave hard_mask out, or use pooling mean or evidence_mean");
}

}  // namespace

void cut_suppression(HiddenContext& context, HiddenStage& stage) {
  const auto& info = context.inputs.baseline();
  const auto options = train_options(context.settings, info.hidden_dim,
                                     static_cast<std::int64_t>(info.label_names.size()));
  for (const auto& variant : context.inputs.variants()) {
    context.inputs.require_span_means(variant, context.settings.text("suppression.evidence_layer"));
    for (const auto& layer : context.settings.texts("heads.layers")) {
      context.inputs.require_span_means(variant, layer);
      for (const auto& pooling : context.settings.texts("heads.pooling")) {
        for (const auto& setting : suppression_settings(context.settings, pooling)) {
          require_applicable(context, setting);
          const Suppression what{{variant, context.settings.text("heads.head"), layer, pooling},
                                 setting};
          add_suppression_units(context, stage, what, options);
        }
      }
    }
  }
}

}  // namespace moesweep::jobs
