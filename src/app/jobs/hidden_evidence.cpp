#include <array>

#include <fmt/format.h>

#include <moesweep/analysis/training/spans.hpp>
#include <moesweep/core/base/error.hpp>

#include "hidden_units.hpp"

namespace moesweep::jobs {
namespace {

std::vector<std::string> evidence_layers(const HiddenContext& context) {
  const auto& layers = context.settings.texts("evidence.layers");
  return layers.empty() ? std::vector{context.settings.text("suppression.evidence_layer")} : layers;
}

// One fit to each fold and one to all, some hundred passes each.
HiddenWork evidence_work(const HiddenContext& context) {
  const auto& info = context.inputs.baseline();
  const auto values = info.samples * info.spans * info.hidden_dim;
  HiddenWork work;
  work.flops = 6.0 * 150.0 * 4.0 * static_cast<double>(values);
  work.bytes_read = values * 2;
  work.peak_bytes = 3 * 4 * values;
  return work;
}

// The same in all variants.
void require_both_kinds_of_spans(const HiddenContext& context) {
  const auto& info = context.inputs.baseline();
  std::array<std::int64_t, 2> counts{};
  for (std::int64_t slot = 0; slot < info.samples * info.spans; ++slot) {
    if (info.split[static_cast<std::size_t>(slot / info.spans)] != 0) continue;
    if (training::span_length(info, slot / info.spans, slot % info.spans) == 0) continue;
    ++counts[info.cited[static_cast<std::size_t>(slot)] == 1 ? 1 : 0];
  }
  if (counts[0] > 0 && counts[1] > 0) return;
  throw Error(ExitCode::bad_input,
              context.inputs.cache(context.inputs.variants().front()).path().string(),
              fmt::format("the train split has {} cited and {} other spans", counts[1], counts[0]),
              "an evidence head learns to tell them apart");
}

}  // namespace

void cut_evidence(HiddenContext& context, HiddenStage& stage) {
  require_both_kinds_of_spans(context);
  for (const auto& variant : context.inputs.variants()) {
    for (const auto& layer : evidence_layers(context)) {
      context.inputs.require_span_means(variant, layer);
      stage.units.push_back({fmt::format("evidence/{}/{}", variant, layer), evidence_work(context),
                             [&context, variant, layer] {
                               UnitRows rows;
                               for (const auto& row :
                                    context.inputs.evidence(variant, layer)->rows) {
                                 auto named = row;
                                 named.variant = variant;
                                 records::append_row(rows.tables, named);
                               }
                               return rows;
                             }});
    }
  }
}

}  // namespace moesweep::jobs
