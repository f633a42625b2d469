#include <numeric>

#include <fmt/format.h>

#include "hidden_training.hpp"

namespace moesweep::jobs {
namespace {

UnitRows decision_heads(const HiddenContext& context, const heads::Axis& axis,
                        const heads::SeedBlock& seeds) {
  const auto on = context.inputs.features(axis.variant, axis.layer, axis.pooling);
  return rows_and_heads(context.settings,
                        heads::train_block(decision_block(context, axis, on->features), seeds),
                        axis, on->by);
}

UnitRows evidence_heads(HiddenContext& context, const heads::Axis& axis,
                        const heads::SeedBlock& seeds) {
  const auto examples = context.evidence_examples.get({axis.variant, axis.layer}, [&] {
    return axis.head == "attention_mlp"
               ? examples_of_tokens(context.inputs.cache(axis.variant), axis.layer)
               : examples_of_spans(context.inputs.info(axis.variant),
                                   *context.inputs.span_means(axis.variant, axis.layer));
  });
  heads::Block block;
  block.axis = axis;
  block.examples = {&examples->on.features, examples->tokens, examples->labels, examples->split};
  block.options = train_options(context.settings, examples->on.features.columns, 1);
  block.label_names = {"uncited", "cited"};
  block.slots = examples->slots;
  block.slot_count = context.inputs.baseline().samples * context.inputs.baseline().spans;
  add_class_weights(context.settings, block);
  return rows_and_heads(context.settings, heads::train_block(block, seeds), axis, examples->on.by);
}

}  // namespace

void cut_heads(HiddenContext& context, HiddenStage& stage) {
  require_forbidden_labels(context);
  require_calibration(context);
  const auto& info = context.inputs.baseline();
  const auto options = train_options(context.settings, info.hidden_dim,
                                     static_cast<std::int64_t>(info.label_names.size()));
  for (const auto& variant : context.inputs.variants()) {
    for (const auto& layer : context.settings.texts("heads.layers")) {
      for (const auto& pooling : context.settings.texts("heads.pooling")) {
        context.inputs.require_pooling(variant, layer, pooling);
        const heads::Axis axis{variant, context.settings.text("heads.head"), layer, pooling};
        for (const auto& block : seed_blocks(context.settings)) {
          stage.units.push_back(
              {fmt::format("heads/{}/{}/{}/{}", variant, layer, pooling, key_of(block)),
               training_work(context.settings, info.samples, info.hidden_dim, options, block.count,
                             1),
               [&context, axis, block] { return decision_heads(context, axis, block); }});
        }
      }
    }
  }
}

void cut_evidence_heads(HiddenContext& context, HiddenStage& stage) {
  require_calibration(context);
  const bool attends = context.settings.text("heads.head") == "attention_mlp";
  const auto& info = context.inputs.baseline();
  const auto options = train_options(context.settings, info.hidden_dim, 1);
  for (const auto& variant : context.inputs.variants()) {
    for (const auto& layer : context.settings.texts("heads.layers")) {
      if (attends)
        context.inputs.require_token_states(variant, layer);
      else
        context.inputs.require_span_means(variant, layer);
      const heads::Axis axis{variant, context.settings.text("heads.head"), layer, "span"};
      const auto rows =
          attends ? std::accumulate(info.n_tokens.begin(), info.n_tokens.end(), std::int64_t{0})
                  : info.samples * info.spans;
      for (const auto& block : seed_blocks(context.settings)) {
        stage.units.push_back(
            {fmt::format("heads/{}/{}/span/{}", variant, layer, key_of(block)),
             training_work(context.settings, rows, info.hidden_dim, options, block.count,
                           attends ? longest_span(info) : 1),
             [&context, axis, block] { return evidence_heads(context, axis, block); }});
      }
    }
  }
}

}  // namespace moesweep::jobs
