#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/analysis/probes/probe.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

#include "hidden_units.hpp"

namespace moesweep::jobs {
namespace {

std::vector<std::string> probed_layers(const HiddenContext& context) {
  const auto& layers = context.settings.texts("probes.layers");
  const auto& cached = context.inputs.baseline().layers;
  for (const auto& layer : layers) {
    if (std::find(cached.begin(), cached.end(), layer) != cached.end()) continue;
    throw Error(ExitCode::bad_job, context.settings.place_of("probes.layers"),
                fmt::format("probes.layers name \"{}\", the caches have {}", layer,
                            fmt::join(cached, ", ")));
  }
  return layers.empty() ? cached : layers;
}

// The first that every layer of every variant has: layers are comparable in one pooling only.
std::string probe_pooling(HiddenContext& context, const std::vector<std::string>& layers) {
  const auto& asked = context.settings.text("probes.pooling");
  const auto all_have = [&](const std::string& pooling) {
    for (const auto& variant : context.inputs.variants()) {
      for (const auto& layer : layers) {
        const auto& cache = context.inputs.cache(variant);
        const bool there = pooling == "evidence_mean" ? cache.has_span_means(layer)
                                                      : cache.has_pooled(layer, pooling);
        if (!there) return false;
      }
    }
    return true;
  };
  for (const std::string pooling : {"mean", "last_token", "evidence_mean"}) {
    if ((asked == "auto" || asked == pooling) && all_have(pooling)) return pooling;
  }
  if (asked != "auto") {
    for (const auto& variant : context.inputs.variants()) {
      for (const auto& layer : layers) context.inputs.require_pooling(variant, layer, asked);
    }
  }
  throw Error(
      ExitCode::bad_input, context.inputs.cache(context.inputs.variants().front()).path().string(),
      "no pooling is cached for all probed layers", "name layers that have one in probes.layers");
}

struct Skill {
  std::vector<std::int8_t> labels;
  std::int64_t classes = 0;
};

Skill skill_of(const HiddenContext& context, const std::string& variant, const std::string& name) {
  const auto& cache = context.inputs.cache(variant);
  if (name == "decision") {
    return {cache.info().label, static_cast<std::int64_t>(cache.info().label_names.size())};
  }
  for (const auto& [skill, labels] : cache.skills()) {
    if (skill != name) continue;
    const auto highest = *std::max_element(labels.begin(), labels.end());
    return {labels, std::max<std::int64_t>(2, highest + 1)};
  }
  throw Error(ExitCode::bad_input, cache.path().string(), "has no skills/" + printable(name),
              "probes.skills are decision, evidence and the names below skills/");
}

UnitRows probe(const HiddenContext& context, const probes::ProbePlace& place, const Skill& skill) {
  const auto kind = probes::parse_probe(context.settings.text("probes.probe"));
  expect(kind.has_value(), "unknown kind of probe");
  const auto& info = context.inputs.info(place.variant);
  auto data =
      place.skill == "evidence"
          ? probes::data_of_spans(info, *context.inputs.span_means(place.variant, place.layer))
          : probes::data_of_samples(
                info, *context.inputs.pooled(place.variant, place.layer, place.pooling),
                skill.labels, skill.classes, place.skill);
  const auto result =
      probes::run_probe(std::move(data), place, {*kind, context.settings.number("probes.l2")});
  UnitRows rows;
  for (const auto& row : result.layers) records::append_row(rows.tables, row);
  for (const auto& row : result.predictions) records::append_row(rows.tables, row);
  return rows;
}

}  // namespace

void cut_probes(HiddenContext& context, HiddenStage& stage) {
  const auto layers = probed_layers(context);
  const auto& info = context.inputs.baseline();
  for (const auto& skill : context.settings.texts("probes.skills")) {
    const bool of_spans = skill == "evidence";
    const auto pooling = of_spans ? std::string("span") : probe_pooling(context, layers);
    for (const auto& variant : context.inputs.variants()) {
      const auto skill_labels = of_spans ? Skill{} : skill_of(context, variant, skill);
      for (std::size_t i = 0; i < layers.size(); ++i) {
        if (of_spans)
          context.inputs.require_span_means(variant, layers[i]);
        else
          context.inputs.require_pooling(variant, layers[i], pooling);
        const auto rows = info.samples * (of_spans ? info.spans : 1);
        HiddenWork work;
        work.flops = 150.0 * 4.0 * 3.0 * static_cast<double>(rows * info.hidden_dim);
        work.bytes_read = rows * info.hidden_dim * 2;
        // As cached, standardized, the train rows and those in float64; and a Gram matrix of ridge.
        const auto side = std::min(rows, info.hidden_dim);
        work.peak_bytes = 20 * rows * info.hidden_dim + 2 * 8 * side * side;
        const probes::ProbePlace place{variant, layers[i], checked_cast<std::int32_t>(i), skill,
                                       pooling};
        stage.units.push_back(
            {fmt::format("probes/{}/{}/{}", variant, skill, layers[i]), work,
             [&context, place, skill_labels] { return probe(context, place, skill_labels); }});
      }
    }
  }
}

}  // namespace moesweep::jobs
